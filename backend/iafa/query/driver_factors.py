"""What people who got to a stage had in common: values of properties, numbers from a threshold on, events they did.

Three statements over one snapshot. Names and values come back as rows and never become SQL text; what is too rare or
too varied to say anything is named with the reason.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from iafa.clock import US_PER_S
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.contingency import PEOPLE_MIN, Table
from iafa.query.driver_people import DriverPeople, Flags
from iafa.query.engine_duckdb import Reading
from iafa.query.filters import FILTER_COLUMNS, canonical_sql, name_of_property, number_sql, pointer_of_property
from iafa.query.paths.plan import Int64s
from iafa.query.paths.reading import Span, identified_sql
from iafa.query.question import Question
from iafa.query.significance import Sample
from iafa.query.source import stored_events_sql
from iafa.query.stages import relevant_sql, stage_columns, stage_sql, with_properties
from iafa.query.time_range import TIME_END_US, TIME_MIN_US

PROPERTIES_MAX = 100  # of each of the two events
VALUES_MAX = 10  # of a property
EVENTS_MAX = 50  # before, and after
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)  # of the people with a number: where thresholds lie
NUMERIC_SHARE = 0.9  # so many of the values must be numbers to be read as such
# One value a person, or what others say better.
_COLUMNS = tuple(
    name
    for name in FILTER_COLUMNS
    if name not in {"id", "event_type", "anonymous_id", "session_id", "ip_address", "user_agent", "sample_rate"}
)

At = Literal["entry", "stage", "before", "after"]
Reason = Literal["too_few_people", "too_many_values", "same_people", "over_the_limit"]


@dataclass(frozen=True)
class Factor:
    """`op` is eq, gte or exists for a property, did for an event."""

    at: At
    name: str
    op: str
    value: str | float | None = None
    is_column: bool = False

    @property
    def property(self) -> str:
        """As filters name it."""
        return f"column:{self.name}" if self.is_column else name_of_property(self.name)


@dataclass(frozen=True)
class Candidate:
    """`people` is the same for the same people, and for all the others of the same whole."""

    factor: Factor
    table: Table
    people: tuple[str, int]


@dataclass(frozen=True)
class LeftOut:
    """`count` factors of this name, or names if there is none."""

    at: At
    name: str | None
    reason: Reason
    count: int = 1


@dataclass(frozen=True)
class Whole:
    """Everybody whom a table compares."""

    name: str
    sample: Sample
    weight: int

    @classmethod
    def of(cls, name: str, people: DriverPeople, is_in: Flags) -> "Whole":
        weight = int(np.bitwise_xor.reduce(people.weights[is_in], initial=np.uint64(0)))
        return cls(name, Sample(int(people.converted[is_in].sum()), int(is_in.sum())), weight)

    def candidate(self, factor: Factor, people: int, converted: int, weight: int) -> Candidate:
        whole = self.sample
        table = Table(Sample(converted, people), Sample(whole.converted - converted, whole.entered - people))
        return Candidate(factor, table, (self.name, min(weight, weight ^ self.weight)))


@dataclass
class Factors:
    candidates: list[Candidate] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


@dataclass(frozen=True)
class Landmark:
    """Who was undecided so long after their moment: the only people for whom what came in between can be compared."""

    seconds: int
    is_in: Flags
    whole: Whole

    @classmethod
    def of(cls, people: DriverPeople, seconds: int, as_of_us: int) -> "Landmark":
        """Nobody if the landmark is switched off."""
        after_us = people.at_us + seconds * US_PER_S
        is_in = (people.next_us > after_us) & (after_us <= as_of_us) & (seconds > 0)
        return cls(seconds, is_in, Whole.of("undecided", people, is_in))


class FactorReader:
    """Reads the factors of some people within one reading."""

    def __init__(self, reading: Reading, snapshot: Snapshot, question: Question, people: DriverPeople) -> None:
        self._reading = reading
        self._snapshot = snapshot
        self._question = question
        self._people = people
        self._whole = Whole.of("all", people, np.ones(len(people), dtype=np.bool_))
        self._columns = [name for name in _COLUMNS if not (name == "is_bot" and question.definition.exclude_bots)]

    @property
    def whole(self) -> Sample:
        return self._whole.sample

    def properties(self, *, is_first_stage: bool) -> Factors:
        """Of the events that people began with, and of those they got to the stage with where these are others."""
        people, factors = self._people, Factors()
        if not len(people):
            return factors
        copies = 1 if is_first_stage else 2
        picked = {
            "id": pa.concat_arrays([people.entry_ids, people.stage_ids][:copies]),
            "is_stage": np.repeat(np.arange(copies) > 0, len(people)),
            "converted": np.tile(people.converted, copies),
            "weight": np.tile(people.weights, copies),
        }
        self._reading.give("picked", pa.table(picked))
        names = self._keys(factors)
        rows = self._property_rows(names)
        by_property = groupby(rows, key=lambda row: (row["is_stage"], row["is_column"], row["place"]))
        for (is_stage, is_column, place), own in by_property:
            name = self._columns[place] if is_column else names[place]
            is_known = Factor("stage" if is_stage else "entry", name, "exists", None, is_column)
            self._add_property(factors, is_known, list(own))
        return factors

    def events(self, stage: int, landmark: Landmark, *, lookback_s: int) -> Factors:
        """That people did before their moment, and between it and the landmark. Never one that fills a later stage."""
        people, factors = self._people, Factors()
        if not len(people) or not (lookback_s or landmark.seconds):
            return factors
        self._reading.give("members", self._members(landmark, lookback_s))
        for row in self._event_rows(stage, landmark, lookback_s):
            at: At = "after" if row["is_after"] else "before"
            whole = landmark.whole if row["is_after"] else self._whole
            factor = Factor(at, row["name"], "did")
            factors.candidates.append(whole.candidate(factor, row["people"], row["converted"], row["weight"]))
            if row["people"] < PEOPLE_MIN:
                factors.left_out.append(LeftOut(at, row["name"], "too_few_people"))
            if row["is_last"] and row["names"] > EVENTS_MAX:
                factors.left_out.append(LeftOut(at, None, "over_the_limit", row["names"] - EVENTS_MAX))
        return factors

    # --- properties

    def _chosen(self, columns: set[str], parameters: Parameters) -> str:
        """The events of the people; the bounds and names spare whole files and row groups."""
        definition, people = self._question.definition, self._people
        first_us, last_us = int(people.entry_us.min()), int(max(people.stage_us.max(), people.entry_us.max()))
        parameters.values |= {"first_us": first_us, "last_us": last_us}
        wanted = columns | stage_columns(definition) | {"id"}
        events = stored_events_sql(self._snapshot.between(first_us, last_us + 1), wanted - {"user_hash"}, parameters)
        return sql_text(
            "driver_chosen",
            columns=", ".join(f"event.{name}" for name in sorted(columns)),
            events=with_properties(events, definition, wanted, parameters),
            is_relevant=relevant_sql(definition, parameters),
        )

    def _keys(self, factors: Factors) -> list[str]:
        """The names of the most frequent properties."""
        parameters = Parameters(most=PROPERTIES_MAX)
        text = sql_text("driver_keys", chosen=self._chosen({"properties"}, parameters))
        rows: list[Any] = self._reading.rows(text, parameters.values)
        totals = {bool(is_stage): int(keys) for is_stage, _key, _people, keys in rows}
        for is_stage, keys in totals.items():
            if keys > PROPERTIES_MAX:
                at: At = "stage" if is_stage else "entry"
                factors.left_out.append(LeftOut(at, None, "over_the_limit", keys - PROPERTIES_MAX))
        return sorted({str(key) for _is_stage, key, _people, _keys in rows})

    def _property_rows(self, names: Sequence[str]) -> list[dict[str, Any]]:
        parameters = Parameters(
            pointers=[pointer_of_property(name) for name in names] or [pointer_of_property("")],
            people_least=PEOPLE_MIN,
            values_most=VALUES_MAX,
            numeric_share=NUMERIC_SHARE,
            shares=list(SHARES),
        )
        text = sql_text(
            "driver_properties",
            chosen=self._chosen({*self._columns, "properties"}, parameters),
            columns=str(len(self._columns)),
            texts=", ".join(f"{name}::varchar" for name in self._columns),
            text=canonical_sql("kind", "plain"),
            number=number_sql("kind", "plain"),
        )
        fields = ("part", "is_stage", "is_column", "place", "text", "cut", "people", "converted", "weight", "texts")
        rows = [dict(zip(fields, row, strict=True)) for row in self._reading.rows(text, parameters.values)]
        return [row for row in rows if names or row["is_column"]]

    def _add_property(self, factors: Factors, is_known: Factor, rows: Sequence[Mapping[str, Any]]) -> None:
        """Its values or thresholds, and whether it is there at all."""
        known = next(row for row in rows if row["part"] == "known")
        found = [row for row in rows if row["part"] != "known"]
        factors.candidates.append(self._candidate(is_known, known))
        for row in found:
            op, value = ("gte", row["cut"]) if row["part"] == "cut" else ("eq", row["text"])
            factor = Factor(is_known.at, is_known.name, op, value, is_known.is_column)
            factors.candidates.append(self._candidate(factor, row))
        if known["people"] < PEOPLE_MIN:
            factors.left_out.append(LeftOut(is_known.at, is_known.name, "too_few_people"))
        elif not found:
            factors.left_out.append(LeftOut(is_known.at, is_known.name, "too_many_values"))
        beyond = max((row["texts"] for row in found), default=0) - VALUES_MAX
        if beyond > 0:
            factors.left_out.append(LeftOut(is_known.at, is_known.name, "over_the_limit", beyond))

    def _candidate(self, factor: Factor, row: Mapping[str, Any]) -> Candidate:
        return self._whole.candidate(factor, row["people"], row["converted"], row["weight"])

    # --- events

    def _members(self, landmark: Landmark, lookback_s: int) -> pa.Table:
        people = self._people
        # With a grace the next stage may come that much before this one: what counts as before ends earlier.
        grace_us = self._question.definition.grace_seconds * US_PER_S
        before_to_us = people.at_us - grace_us
        after_to_us = np.where(landmark.is_in, people.at_us + landmark.seconds * US_PER_S + 1, before_to_us)
        return pa.table(
            {
                "entity": people.entities,
                "converted": people.converted,
                "weight": people.weights,
                "at_us": people.at_us,
                "before_from_us": before_to_us - lookback_s * US_PER_S,
                "before_to_us": before_to_us,
                "after_to_us": after_to_us,
            }
        )

    def _event_rows(self, stage: int, landmark: Landmark, lookback_s: int) -> Iterator[dict[str, Any]]:
        definition, people = self._question.definition, self._people
        span = read_span(self._question, _bounds(people.at_us), lookback_s, landmark.seconds)
        snapshot = self._snapshot.between(span.read_from_us, span.read_to_us)
        parameters = Parameters(read_from_us=span.read_from_us, read_to_us=span.read_to_us, most=EVENTS_MAX)
        # Without an order every stage may be the next one.
        later = definition.required if definition.order == "unordered" else definition.required[stage:]
        columns = stage_columns(definition)
        identified = identified_sql(snapshot, definition, columns, parameters)
        text = sql_text(
            "driver_events",
            identified=with_properties(identified, definition, columns, parameters),
            is_outcome=" or ".join(f"({stage_sql(one, parameters)})" for one in later),
        )
        fields = ("is_after", "name", "people", "converted", "weight", "names")
        rows = [dict(zip(fields, row, strict=True)) for row in self._reading.rows(text, parameters.values)]
        last = {row["is_after"]: number for number, row in enumerate(rows)}
        for number, row in enumerate(rows):
            yield {**row, "is_last": last[row["is_after"]] == number}


def read_span(question: Question, at_us: tuple[int, int], lookback_s: int, landmark_s: int) -> Span:
    """What the events before and after the moments are looked for in."""
    span, grace_s = question.span, question.definition.grace_seconds
    exists_to_us = TIME_END_US
    if question.definition.as_of_us is not None:
        exists_to_us = question.definition.as_of_us + 1
    return Span(
        span.from_us,
        span.to_us,
        max(TIME_MIN_US, at_us[0] - (lookback_s + grace_s) * US_PER_S),
        min(exists_to_us, at_us[1] + landmark_s * US_PER_S + 1),
        span.end_us,
    )


def _bounds(times: Int64s) -> tuple[int, int]:
    return int(times.min()), int(times.max())
