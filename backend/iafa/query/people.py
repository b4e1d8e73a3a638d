"""The people behind a number: who converted at a stage and who was lost before it, page by page.

Two passes over one snapshot: the first finds whom the question means (numbers only), the second reads the paths and
names of one page. Both go through the solvers, so that a list is always as long as its bar is high.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from iafa.clock import to_iso
from iafa.errors import FieldError, QueryTimeout, ValidationFailed
from iafa.lake.snapshot import Snapshot
from iafa.query.cancellation import Cancellation
from iafa.query.definition import FunnelDefinition
from iafa.query.engine_duckdb import DuckEngine, Reading
from iafa.query.entity_names import Name, entity_text, names_of
from iafa.query.paths.plan import Histories, Int64s, Plan, are_live, last_entries
from iafa.query.paths.reading import (
    SESSION_GAP_S,
    entry_bits,
    read_histories,
)
from iafa.query.paths.solving import Solved, Wanted, solve_paths, solved_of
from iafa.query.question import Extras, Question, question_of
from iafa.query.time_range import TimeRange

LIMIT_DEFAULT = 100
LIMIT_MAX = 1_000
EXPORT_ROWS = 20_000  # read at once; each read scans the range again
Kind = Literal["converted", "dropped", "dropped_by_exclusion"]
PeopleRow = dict[str, object]  # as it is shown; see api/people_models
KINDS: tuple[Kind, ...] = ("converted", "dropped", "dropped_by_exclusion")


class Place(NamedTuple):
    """Where a row stands in the list: newest entry first."""

    entry_us: int
    entity: int
    path: int  # the number of the path among the entity's, from 0


@dataclass(frozen=True)
class PeopleQuestion:
    """Which list of a funnel: `converted` reached the stage, `dropped` the stage before it and not this one."""

    definition: FunnelDefinition
    time_range: TimeRange
    stage: int
    kind: Kind
    session_gap_s: int = SESSION_GAP_S  # the project's
    is_open: bool | None = None  # only those who may still go on, or only those who cannot any more


@dataclass(frozen=True)
class Found:
    """The rows of a list in their order, as arrays."""

    entry_us: Int64s
    entity: Int64s
    path: Int64s
    is_open: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.entity)

    def page(self, after: Place | None, limit: int) -> "Found":
        """The rows after a place, at most `limit`."""
        start = 0
        if after is not None:
            is_before = (self.entry_us > after.entry_us) | (
                (self.entry_us == after.entry_us)
                & ((self.entity < after.entity) | ((self.entity == after.entity) & (self.path <= after.path)))
            )
            start = int(np.count_nonzero(is_before))
        return self.part(start, start + limit)

    def part(self, start: int, end: int) -> "Found":
        return Found(self.entry_us[start:end], self.entity[start:end], self.path[start:end], self.is_open[start:end])

    def place(self, index: int) -> Place:
        return Place(int(self.entry_us[index]), int(self.entity[index]), int(self.path[index]))


@dataclass(frozen=True)
class PeoplePage:
    """`next_place` is None on the last page."""

    rows: list[PeopleRow]
    total: int
    next_place: Place | None


def check_kind(definition: FunnelDefinition, stage: int, kind: Kind) -> None:
    """Raises ValidationFailed for a stage that the funnel does not have, and for nobody's list."""
    stages = len(definition.required)
    if not 1 <= stage <= stages:
        message = f"must be a stage of the funnel, 1 to {stages}; optional ones are not counted"
        raise _refused("/stage", "number_out_of_range", message)
    if kind == "dropped" and stage == 1:
        raise _refused("/stage", "number_out_of_range", "nobody is lost before the first stage; begin with 2")
    drops = bool(definition.exclusions) and definition.exclusion_mode == "drop"
    if kind == "dropped_by_exclusion" and not drops:
        raise _refused("/kind", "conflicting_fields", "needs exclusions and exclusion_mode: drop")


def people(
    engine: DuckEngine,
    snapshot: Snapshot,
    asked: PeopleQuestion,
    *,
    after: Place | None = None,
    limit: int = LIMIT_DEFAULT,
    cancellation: Cancellation | None = None,
) -> PeoplePage:
    """One page of a list. Blocks: call it in a thread."""
    lists = PeopleLists(engine, snapshot, asked)
    with engine.reading(lists.snapshot, cancellation) as reading:
        found = lists.find(reading)
        page = found.page(after, limit)
        rows = lists.rows(reading, page)
    is_last = len(page) == 0 or page.place(-1) == found.place(-1)
    return PeoplePage(rows, len(found), None if is_last else page.place(-1))


class PeopleExport:
    """A whole list, some rows at a time. Between two reads nothing of the engine is held; `timeout_s` bounds its work.

    Each method blocks: call it in a thread.
    """

    def __init__(
        self,
        engine: DuckEngine,
        snapshot: Snapshot,
        asked: PeopleQuestion,
        *,
        timeout_s: float,
        cancellation: Cancellation | None = None,
    ) -> None:
        self._engine = engine
        self._cancellation = cancellation or Cancellation()
        self._lists = PeopleLists(engine, snapshot, asked)
        self._left_s = timeout_s
        with self._reading() as reading:
            self._found = self._lists.find(reading)

    @property
    def starts(self) -> range:
        """Where each batch of rows begins."""
        return range(0, len(self._found), EXPORT_ROWS)

    def rows(self, start: int) -> list[PeopleRow]:
        with self._reading() as reading:
            return self._lists.rows(reading, self._found.part(start, start + EXPORT_ROWS))

    @contextmanager
    def _reading(self) -> Iterator[Reading]:
        if self._left_s <= 0:
            raise QueryTimeout("the export took too long; ask for a shorter range")
        began_s = self._engine.clock.monotonic_s()
        self._cancellation.restart()  # whoever reads slowly does not use up the time of the engine
        with self._engine.reading(self._lists.snapshot, self._cancellation) as reading:
            yield reading
        self._left_s -= self._engine.clock.monotonic_s() - began_s


class PeopleLists:
    """One list over one snapshot: found once, read page by page."""

    def __init__(self, engine: DuckEngine, snapshot: Snapshot, asked: PeopleQuestion) -> None:
        check_kind(asked.definition, asked.stage, asked.kind)
        self.asked = asked
        extras = Extras(session_gap_s=asked.session_gap_s)
        self.question: Question = question_of(asked.definition, asked.time_range, engine.clock.now_us(), extras)
        self.span, self.plan = self.question.span, self.question.plan
        self.snapshot = snapshot.between(self.span.read_from_us, self.span.read_to_us)

    def find(self, reading: Reading) -> Found:
        """Everybody the list means, newest entry first."""
        parts = [
            self._found(solved)
            for solved in solve_paths(
                reading,
                self.snapshot,
                self.asked.definition,
                self.question.time_range,
                span=self.span,
                session_gap_s=self.asked.session_gap_s,
                wanted=Wanted.TIMES,
            )
        ]
        if not parts:
            none = np.zeros(0, dtype=np.int64)
            return Found(none, none, none, np.zeros(0, dtype=np.bool_))
        entry_us = np.concatenate([part.entry_us for part in parts])
        entity = np.concatenate([part.entity for part in parts])
        path = np.concatenate([part.path for part in parts])
        is_open = np.concatenate([part.is_open for part in parts])
        order = np.lexsort((path, entity, -entry_us))
        if self.asked.is_open is not None:
            order = order[is_open[order] == self.asked.is_open]
        return Found(entry_us[order], entity[order], path[order], is_open[order])

    def rows(self, reading: Reading, page: Found) -> list[PeopleRow]:
        """The page as it is shown."""
        if not len(page):
            return []
        entities = sorted(set(page.entity.tolist()))
        paths = self._paths(reading, entities)
        names = names_of(
            reading, self.snapshot, self.asked.definition, self.span, entities, session_gap_s=self.asked.session_gap_s
        )
        return [
            self._row(page, index, paths.get((int(page.entity[index]), int(page.path[index])), []), names)
            for index in range(len(page))
        ]

    def _found(self, solved: Solved) -> Found:
        paths, chunk = solved.paths, solved.chunk
        bits = entry_bits(self.asked.definition)
        entries = last_entries(self.plan, chunk.histories, bits=bits)
        longest = np.zeros(len(entries), dtype=np.int64)
        np.maximum.at(longest, paths.person, paths.reached)
        is_open = (longest < self.plan.steps) & (entries >= max(self.question.open_from_us, self.plan.from_us))
        is_open &= are_live(self.plan, chunk.histories)
        if self.asked.kind == "dropped_by_exclusion":
            chosen = np.flatnonzero((entries >= self.plan.from_us) & (longest == 0))
            first_us = _first_entries(self.plan, chunk.histories, bits)
            return Found(first_us[chosen], chunk.entities[chosen], np.zeros_like(chosen), is_open[chosen])
        wanted = self.asked.stage - 1
        kept = paths.reached >= self.asked.stage if self.asked.kind == "converted" else paths.reached == wanted
        chosen = np.flatnonzero(kept & (paths.reached > 0))
        person = paths.person[chosen]
        numbers = _path_numbers(paths.person)[chosen]
        entry_us = entry_times(self.asked.definition, chunk.histories, paths.rows[chosen])
        return Found(entry_us, chunk.entities[person], numbers, is_open[person])

    def _paths(self, reading: Reading, entities: Sequence[int]) -> dict[tuple[int, int], list[dict[str, object]]]:
        found: dict[tuple[int, int], list[dict[str, object]]] = {}
        definition = self.asked.definition
        for chunk in read_histories(
            reading,
            self.snapshot,
            definition,
            self.span,
            session_gap_s=self.asked.session_gap_s,
            entities=entities,
        ):
            solved = solved_of(definition, self.plan, chunk, reading.check_time)
            numbers = _path_numbers(solved.paths.person)
            for index, person in enumerate(solved.paths.person.tolist()):
                key = (int(chunk.entities[person]), int(numbers[index]))
                found[key] = path_steps(definition, solved, index)
        return found

    def _row(
        self, page: Found, index: int, path: list[dict[str, object]], names: Mapping[int, "Name"]
    ) -> dict[str, object]:
        definition = self.asked.definition
        entity = int(page.entity[index])
        name = names[entity]
        row: PeopleRow = {
            "entity": entity_text(entity),
            "user_id": name.user_id,
            "anonymous_id": name.anonymous_id,
            "steps": steps_of(path),
            "entry_time": to_iso(int(page.entry_us[index])),
            "last_event_time": to_iso(name.last_us),
            "is_open": bool(page.is_open[index]),
            "path": path,
        }
        if definition.count == "totals":
            row["path_number"] = int(page.path[index]) + 1
        if definition.unit == "session":
            row["session_start"] = to_iso(name.first_us)
        if definition.hold:
            row["hold"] = dict(zip(definition.hold, name.held, strict=True))
        return row


def path_steps(definition: FunnelDefinition, solved: Solved, index: int) -> list[dict[str, object]]:
    """The events of a path, each with the stage that it fills: by stage, or without an order by time.

    A stage that is optional has a number among the optional ones instead of one among those that count.
    """
    rows, optional = iter(solved.paths.rows[index].tolist()), iter(())
    if solved.optional is not None:
        optional = iter(solved.optional[index].tolist())
    steps: list[tuple[int, dict[str, object]]] = []
    orders = {False: 0, True: 0}
    for stage in definition.stages:
        orders[stage.optional] += 1
        row = next(optional if stage.optional else rows)
        if row < 0:
            continue
        time_us = int(solved.chunk.histories.time_us[row])
        step: dict[str, object] = {"stage": None if stage.optional else orders[False]}
        if stage.optional:
            step["optional"] = orders[True]
        step |= {
            "stage_name": stage.name,
            "event_id": solved.chunk.ids[row].as_py(),
            "time": to_iso(time_us),
        }
        steps.append((time_us, step))
    if definition.order == "unordered":
        steps.sort(key=lambda one: one[0])
    return [step for _time_us, step in steps]


def steps_of(path: Sequence[Mapping[str, object]]) -> int:
    """How many stages that count a path fills."""
    return sum(step["stage"] is not None for step in path)


def entry_times(definition: FunnelDefinition, histories: Histories, rows: Int64s) -> Int64s:
    """When each path begins: with its first step, or without an order with the earliest one."""
    if definition.order != "unordered":
        return histories.time_us[rows[:, 0]]
    times = np.where(rows >= 0, histories.time_us[rows], np.iinfo(np.int64).max)
    earliest: Int64s = times.min(axis=1)
    return earliest


def _first_entries(plan: Plan, histories: Histories, bits: int) -> Int64s:
    may_begin = ((histories.steps & bits) != 0) & (histories.time_us >= plan.from_us) & (histories.time_us < plan.to_us)
    never = np.iinfo(np.int64).max
    times: Int64s = np.minimum.reduceat(np.where(may_begin, histories.time_us, never), histories.offsets[:-1])
    return times


def _path_numbers(person: Int64s) -> Int64s:
    """The number of each path among its person's. The paths of one person follow each other."""
    if not len(person):
        return person
    indices = np.arange(len(person), dtype=np.int64)
    is_first = np.concatenate(([True], person[1:] != person[:-1]))
    numbers: Int64s = indices - np.maximum.accumulate(np.where(is_first, indices, 0))
    return numbers


def _refused(pointer: str, code: str, message: str) -> ValidationFailed:
    return ValidationFailed(
        "there is no such list of this funnel", errors=[FieldError(pointer, code, message)], code="invalid_query"
    )
