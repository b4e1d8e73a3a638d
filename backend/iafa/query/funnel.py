"""The answer of a funnel, section 7 of the semantics: its counts, and what was asked for beside them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from iafa.clock import US_PER_S, to_iso
from iafa.errors import FieldError, ValidationFailed
from iafa.lake.snapshot import Snapshot
from iafa.query.conversion_times import ConversionTimes
from iafa.query.definition import SEMANTICS, SEMANTICS_VERSION, FunnelDefinition
from iafa.query.engine_duckdb import DuckEngine, Reading
from iafa.query.funnel_counts import is_plain, stage_counts
from iafa.query.paths.plan import NO_LIMIT_US
from iafa.query.paths.solving import plan_of, solve_paths, span_of, window_us
from iafa.query.rates import percent
from iafa.query.tally import Tally
from iafa.query.time_range import TimeRange

_MINUTE_US = 60 * US_PER_S
INCLUDES = ("times",)


@dataclass(frozen=True)
class Question:
    """A definition asked for a range as of an instant. `include` names what is wanted beside the counts."""

    definition: FunnelDefinition
    time_range: TimeRange
    as_of_us: int
    include: frozenset[str] = frozenset()

    @property
    def open_from_us(self) -> int:
        """Entries from here on may still convert."""
        if self.definition.range == "all_steps" and self.time_range.to_us - 1 < self.as_of_us:
            return NO_LIMIT_US  # the range has ended: nothing can be added
        if self.definition.window_seconds is None:
            return -NO_LIMIT_US
        return self.as_of_us - window_us(self.definition)


def funnel(
    engine: DuckEngine,
    snapshot: Snapshot,
    definition: FunnelDefinition,
    time_range: TimeRange,
    *,
    funnel_id: str | None = None,
    include: Collection[str] = (),
) -> dict[str, object]:
    """The answer, ready for JSON. Blocks: call it in a thread.

    `users` are people (or what `unit` and `hold` make of them), `people_total` those who entered.
    """
    began_s = engine.clock.monotonic_s()
    question = question_of(definition, time_range, engine.clock.now_us(), include)
    span = span_of(definition, question.time_range)
    read = snapshot.between(span.read_from_us, span.read_to_us)
    with engine.reading(read) as reading:
        counted = _counted(reading, read, question)
    return {
        "funnel_id": funnel_id,
        "name": definition.name,
        "date_range": time_range.shown(snapshot.first_us, snapshot.last_us),
        **counted,
        "window_seconds": definition.window_seconds,
        "timezone": time_range.timezone,
        "semantics": SEMANTICS,
        "semantics_version": SEMANTICS_VERSION,
        "data_version": snapshot.data_version,
        "as_of": to_iso(question.as_of_us),
        "rows_read": snapshot.rows,
        "elapsed_ms": round((engine.clock.monotonic_s() - began_s) * 1000, 1),
    }


def question_of(
    definition: FunnelDefinition, time_range: TimeRange, now_us: int, include: Collection[str] = ()
) -> Question:
    """With an `as_of` of the caller later events do not exist; `mature_only` ends the range where entries are open."""
    as_of_us = now_us // _MINUTE_US * _MINUTE_US
    if definition.as_of_us is not None:
        if definition.as_of_us > now_us:
            raise ValidationFailed("", errors=[FieldError("/as_of", "number_out_of_range", "must not lie ahead")])
        as_of_us = definition.as_of_us
    if definition.mature_only:
        last_us = as_of_us - window_us(definition) if definition.window_seconds is not None else -NO_LIMIT_US
        time_range = replace(time_range, to_us=max(time_range.from_us, min(time_range.to_us, last_us)))
    return Question(definition, time_range, as_of_us, frozenset(include))


def _counted(reading: Reading, snapshot: Snapshot, question: Question) -> dict[str, object]:
    if is_plain(question.definition) and not question.include and question.definition.as_of_us is None:
        counts = stage_counts(
            reading, snapshot, question.definition, question.time_range, open_from_us=question.open_from_us
        )
        most = [reached + may for reached, may in zip(counts.reached, counts.open, strict=True)]
        return answer_of_counts(
            question.definition, counts.reached, most, entered=counts.reached[0], open_=counts.open[-1]
        )
    return _of_paths(reading, snapshot, question)


def _of_paths(reading: Reading, snapshot: Snapshot, question: Question) -> dict[str, object]:
    definition = question.definition
    plan = plan_of(definition, span_of(definition, question.time_range))
    tally = Tally.empty(plan.steps)
    times = ConversionTimes(plan.steps, is_ordered=definition.order != "unordered")
    for solved in solve_paths(reading, snapshot, definition, question.time_range):
        tally.add(solved, definition, plan, question.open_from_us)
        if "times" in question.include:
            times.add(solved)
    answer = answer_of_counts(
        definition, tally.reached.tolist(), tally.users_max(), entered=tally.entered, open_=tally.open
    )
    if definition.exclusions and definition.exclusion_mode == "drop":
        answer["dropped_by_exclusion"] = tally.dropped_by_exclusion
    if "times" in question.include:
        answer["times"] = times.answer(definition.window_seconds)
    return answer


def answer_of_counts(
    definition: FunnelDefinition, counts: Sequence[int], most: Sequence[int], *, entered: int, open_: int
) -> dict[str, object]:
    """The members that every answer has. `users_max` are the counts if all open entities still got there."""
    return {
        "stages": stages_of(definition, counts, most),
        "overall_conversion_rate": percent(counts[-1], counts[0]),
        "people_total": entered,
        "open": open_,
    }


def stages_of(
    definition: FunnelDefinition, counts: Sequence[int], most: Sequence[int] | None = None
) -> list[dict[str, object]]:
    before = [counts[0], *counts]
    stages: list[dict[str, object]] = []
    for index, stage in enumerate(definition.required):
        shown: dict[str, object] = {
            "stage_name": stage.name,
            "order": index + 1,
            "users": counts[index],
            "conversion_rate": percent(counts[index], counts[0]),
            "drop_off_rate": percent(before[index] - counts[index], before[index]),
        }
        if most is not None:
            shown["users_max"] = most[index]
        stages.append(shown)
    return stages
