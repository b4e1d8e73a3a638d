"""The trend of a funnel: one funnel for each bucket of entries, solved on the histories that were read anyway."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from iafa.clock import to_iso
from iafa.lake.snapshot import Snapshot
from iafa.query.buckets import TimeBucket, buckets
from iafa.query.definition import Bucket
from iafa.query.paths.gathering import between, people_of_rows
from iafa.query.paths.plan import Histories, Int64s, Plan
from iafa.query.paths.reading import entry_bits
from iafa.query.paths.solving import paths_of, span_of, window_us
from iafa.query.question import Question
from iafa.query.rates import percent
from iafa.query.tally import Tally
from iafa.query.time_range import TIME_END_US, TIME_MIN_US

DEFAULT_BUCKET: Bucket = "day"


class Trend:
    """Counts chunk by chunk. A person who enters in several buckets is in each of them."""

    def __init__(self, question: Question, snapshot: Snapshot) -> None:
        self._question = question
        self._kind = question.definition.trend or DEFAULT_BUCKET
        self._buckets = trend_buckets(question, snapshot)
        self._questions = [self._of_bucket(bucket) for bucket in self._buckets]
        self._tallies = [Tally.empty(question.plan.steps) for _ in self._buckets]

    def _of_bucket(self, bucket: TimeBucket) -> Question:
        time_range = replace(self._question.time_range, from_us=bucket.from_us, to_us=bucket.to_us)
        return replace(self._question, time_range=time_range)

    def add(self, histories: Histories, check_time: Callable[[], None]) -> None:
        definition, plan = self._question.definition, self._question.plan
        if not self._buckets:
            return
        for number, people in self._entrants(histories, plan):
            check_time()
            asked = self._questions[number]
            reads = span_of(definition, asked.time_range)
            read_to_us = reads.to_us + window_us(definition) + 1
            own = between(histories, people, reads.read_from_us, read_to_us)
            paths = paths_of(definition, asked.plan, own, check_time, wants_rows=False)
            self._tallies[number].add_paths(own, paths, definition, asked.plan, asked.open_from_us)

    def _entrants(self, histories: Histories, plan: Plan) -> list[tuple[int, Int64s]]:
        """By bucket the people with an entry in it."""
        bits = entry_bits(self._question.definition)
        times = histories.time_us
        is_entry = ((histories.steps & bits) != 0) & (times >= plan.from_us) & (times < plan.to_us)
        people = people_of_rows(histories)[is_entry]
        starts = np.array([bucket.from_us for bucket in self._buckets], dtype=np.int64)
        numbers = np.searchsorted(starts, times[is_entry], side="right") - 1
        count = len(histories.offsets) - 1
        pairs = np.unique(numbers * count + people)
        parts = np.split(pairs, np.flatnonzero(np.diff(pairs // count)) + 1)
        return [(int(part[0] // count), part % count) for part in parts if len(part)]

    def answer(self) -> dict[str, object]:
        """The member `trend` of the answer."""
        return {
            "interval": self._kind,
            "adds_up": False,
            "buckets": [_shown(bucket, tally) for bucket, tally in zip(self._buckets, self._tallies, strict=True)],
        }


def trend_buckets(question: Question, snapshot: Snapshot) -> list[TimeBucket]:
    """Without dates the range is the data's own. ValidationFailed for too many."""
    asked = question.time_range
    from_us, to_us = asked.from_us, asked.to_us
    if from_us == TIME_MIN_US:
        from_us = to_us if snapshot.first_us is None else snapshot.first_us
    if to_us == TIME_END_US:
        to_us = from_us if snapshot.last_us is None else snapshot.last_us + 1
    return buckets(from_us, to_us, question.definition.trend or DEFAULT_BUCKET, asked.timezone)


def _shown(bucket: TimeBucket, tally: Tally) -> dict[str, object]:
    users = tally.reached.tolist()
    return {
        "bucket": bucket.name,
        "from": to_iso(bucket.from_us),
        "to": to_iso(bucket.to_us),
        "users": users,
        "users_max": tally.users_max(),
        "open": tally.open,
        "overall_conversion_rate": percent(users[-1], users[0]),
    }
