"""One person's way through a funnel: what they did, what was counted, and why it went no further."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np

from iafa.clock import US_PER_S, to_iso
from iafa.errors import NotFound
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.cancellation import Cancellation
from iafa.query.definition import Exclusion, FunnelDefinition, Stage
from iafa.query.engine_duckdb import DuckEngine, Reading
from iafa.query.entity_names import Name, entity_of, entity_text, names_of, signed
from iafa.query.explained_filters import failed_filters
from iafa.query.filters import condition_sql, property_columns, text_sql
from iafa.query.paths.plan import Plan
from iafa.query.paths.reading import SESSION_GAP_S, Span, belonging_sql, entity_values, identified_sql, read_histories
from iafa.query.paths.solving import Solved, plan_of, solved_of
from iafa.query.people import path_steps, steps_of
from iafa.query.question import Extras, question_of
from iafa.query.reason_texts import reasons_of
from iafa.query.stages import stage_columns, stage_sql, with_properties
from iafa.query.stop_reasons import Cause, Rules, Story, misses
from iafa.query.time_range import TIME_END_US, TIME_MIN_US, TimeRange

EVENTS_MAX = 2_000  # that are shown
READ_MAX = 200_000  # that are looked at, beside those of the path
ENTITIES_MAX = 10_000
PATHS_MAX = 1_000  # of `count: totals` that are shown
_NOBODY = 3


@dataclass(frozen=True)
class Way:
    """The first reported path of the entity that is explained; the ids of its events by step."""

    entity: int | None
    steps: dict[int, str]
    paths: list[list[dict[str, object]]]  # all of them, as they are shown
    near_id: str | None  # the last event of the path, else the entity's first one
    near_us: int | None  # its time
    has_entered: bool

    @property
    def ids(self) -> set[str]:
        """Of the events that must be looked at, however many others there are."""
        return {*self.steps.values()} | ({self.near_id} if self.near_id is not None else set())

    @property
    def shown(self) -> list[dict[str, object]]:
        return self.paths[0] if self.paths else []

    @property
    def optional(self) -> dict[object, object]:
        """The name of the optional stage that an event fills, by its id."""
        return {step["event_id"]: step["stage_name"] for step in self.shown if step["stage"] is None}


@dataclass(frozen=True)
class Deeds:
    """What a person did, by (time, id): all of it, or the events of the path and those nearest to its end."""

    ids: list[str]
    names: list[str]
    parts: list[object]
    optional: list[int]
    is_complete: bool
    story: Story


def explain(
    engine: DuckEngine,
    snapshot: Snapshot,
    definition: FunnelDefinition,
    time_range: TimeRange,
    who: str,
    *,
    session_gap_s: int = SESSION_GAP_S,
    cancellation: Cancellation | None = None,
) -> dict[str, object]:
    """`who` is an entity of the question, a user or a visitor. Blocks: call it in a thread. NotFound if unknown."""
    question = question_of(definition, time_range, engine.clock.now_us(), Extras(session_gap_s=session_gap_s))
    with engine.reading(snapshot, cancellation) as reading:
        return _Explanation(reading, snapshot, definition, question.span, session_gap_s).answer(who)


class _Explanation:
    def __init__(
        self,
        reading: Reading,
        snapshot: Snapshot,
        definition: FunnelDefinition,
        span: Span,
        session_gap_s: int,
    ) -> None:
        self._gap_s = session_gap_s
        self._reading = reading
        self._snapshot = snapshot
        self._definition = definition
        self._span = span
        # The funnel reads only what can count; the reasons for a stop may lie before and after it, not after `as_of`.
        exists_to_us = TIME_END_US if definition.as_of_us is None else definition.as_of_us + 1
        self._wide = replace(span, read_from_us=TIME_MIN_US, read_to_us=exists_to_us)
        self._plan: Plan = plan_of(definition, span)

    def answer(self, who: str) -> dict[str, object]:
        person, entity = self._person(who)
        way = self._way(person, entity)
        deeds = self._deeds(person, way)
        self._place(deeds, way)
        found = misses(_rules(self._definition, self._plan), deeds.story)
        told = found if deeds.is_complete else [miss for miss in found if miss.event is not None]
        shown = _shown(deeds, found)
        failed = failed_filters(
            self._reading,
            self._with_properties,
            self._definition,
            person,
            [deeds.ids[event] for event in shown if deeds.story.named[event] & ~deeds.story.steps[event]],
        )
        status = "dropped" if way.steps else "dropped_by_exclusion" if way.has_entered else "not_entered"
        if len(way.steps) == self._plan.steps:
            status = "converted"
        total = sum(_matters(event, deeds) for event in range(len(deeds.ids)))
        return {
            **self._names(way, person),
            "status": status,
            "steps": len(way.steps),
            "stages": self._plan.steps,
            "path": way.shown,
            **self._all_paths(way),
            "stopped_at": self._stage(found[0].stage) if found else None,
            "reasons": reasons_of(self._definition, self._plan, told, deeds.story, (deeds.ids, deeds.names), failed),
            "events": [self._event(deeds, way, event, failed) for event in shown],
            "events_total": total,
            "is_cut": len(shown) < total or not deeds.is_complete,
            "data_version": self._snapshot.data_version,
        }

    def _all_paths(self, way: Way) -> dict[str, object]:
        """Of `count: totals`, where the reasons are those of the first path."""
        if self._definition.count != "totals":
            return {}
        numbered = enumerate(way.paths[:PATHS_MAX], start=1)
        shown = [{"path_number": number, "steps": steps_of(path), "path": path} for number, path in numbered]
        return {"paths": shown, "paths_total": len(way.paths)}

    def _identified(self, columns: set[str], parameters: Parameters, span: Span | None = None, also: str = "") -> str:
        read = span or self._wide
        parameters.values |= {"read_from_us": read.read_from_us, "read_to_us": read.read_to_us}
        return identified_sql(self._snapshot, self._definition, columns, parameters, also=also)

    def _with_properties(self, columns: set[str], parameters: Parameters) -> str:
        """Of every event that is read, with the values that conditions look at."""
        return with_properties(
            self._identified(columns, parameters), self._definition, columns, parameters, of_all=True
        )

    def _person(self, who: str) -> tuple[int, int | None]:
        """The person, and the entity if it was one that was asked for."""
        entity = entity_of(who)
        if entity is not None:
            parameters = Parameters()
            (value,) = entity_values(self._definition, [entity])
            rank = f"case when entity = {parameters.bind(value)} then 0 else {_NOBODY} end"
            person = self._found(parameters, self._span, self._definition, rank)
            if person is not None:
                return person, entity
        parameters = Parameters()
        text = parameters.bind(who)
        rank = f"case when user_id = {text} then 1 when anonymous_id = {text} then 2 else {_NOBODY} end"
        plain = msgspec.structs.replace(self._definition, unit="user", hold=())
        person = self._found(parameters, self._wide, plain, rank)
        if person is None:
            raise NotFound("there is nobody of this id in the project's events")
        return person, None

    def _found(self, parameters: Parameters, span: Span, definition: FunnelDefinition, rank: str) -> int | None:
        columns = {"created_at", "user_id", "anonymous_id"}.union(*map(property_columns, definition.hold))
        text = sql_text(
            "explain_person",
            identified=self._identified(columns, parameters, span, ", entity as person"),
            belonging=belonging_sql(definition, self._gap_s, columns, parameters),
            rank=rank,
        )
        rows = self._reading.rows(text, parameters.values)
        return int(str(rows[0][0])) if rows else None

    def _way(self, person: int, asked: int | None) -> Way:
        """Of the entity that was asked for, else of the person's one that got farthest, earliest."""
        entities = [asked] if asked is not None else self._entities(person)
        best: tuple[tuple[int, int], Solved, int] | None = None
        for chunk in read_histories(
            self._reading,
            self._snapshot,
            self._definition,
            self._span,
            session_gap_s=self._gap_s,
            entities=entities,
            person=person,
        ):
            solved = solved_of(self._definition, self._plan, chunk, self._reading.check_time)
            for one, rows in enumerate(_first_rows(solved)):
                rank = (-len(rows), min((int(chunk.histories.time_us[row]) for row in rows.values()), default=0))
                if best is None or rank < best[0]:
                    best = rank, solved, one
        return self._way_of(*best[1:]) if best is not None else Way(asked, {}, [], None, None, has_entered=False)

    def _way_of(self, solved: Solved, one: int) -> Way:
        chunk, rows = solved.chunk, _first_rows(solved)[one]
        time_us = chunk.histories.time_us
        near = max(rows.values(), key=lambda row: int(time_us[row]), default=int(chunk.histories.offsets[one]))
        indices = np.flatnonzero((solved.paths.person == one) & (solved.paths.reached > 0)).tolist()
        return Way(
            entity=int(chunk.entities[one]),
            steps={step: chunk.ids[row].as_py() for step, row in rows.items()},
            paths=[path_steps(self._definition, solved, index) for index in indices],
            near_id=chunk.ids[near].as_py(),
            near_us=int(time_us[near]),
            has_entered=True,
        )

    def _entities(self, person: int) -> list[int]:
        if self._definition.unit == "user" and not self._definition.hold:
            return [person]
        parameters = Parameters(person=person, most=ENTITIES_MAX)
        columns = {"created_at"}.union(*map(property_columns, self._definition.hold))
        text = sql_text(
            "explain_entities",
            identified=sql_text("one_person", identified=self._identified(columns, parameters, self._span)),
            belonging=belonging_sql(self._definition, self._gap_s, columns, parameters),
        )
        return [signed(int(str(row[0]))) for row in self._reading.rows(text, parameters.values)]

    def _deeds(self, person: int, way: Way) -> Deeds:
        near_us = self._plan.from_us if way.near_us is None else way.near_us
        most = READ_MAX + len(way.ids)
        definition, parameters = self._definition, Parameters(person=person, most=most + 1, near_us=near_us)
        columns = (stage_columns(definition) | {"id"}).union(*map(property_columns, definition.hold))
        kept = " and ".join(condition_sql(condition, parameters) for condition in definition.filters) or "true"

        def bits(matchers: Sequence[Stage | Exclusion], also: str = kept) -> str:
            conditions = [stage_sql(one, parameters) for one in matchers]
            each = [f"(case when {condition} then {1 << n} else 0 end)" for n, condition in enumerate(conditions)]
            return f"case when {also} then {' | '.join(each) or 0} else 0 end"

        unfiltered = [msgspec.structs.replace(stage, filters=()) for stage in definition.required]
        texts = [text_sql(name, parameters) for name in definition.hold]
        if definition.unit == "session" and definition.sessions == "client":
            texts.insert(0, "session_id")
        text = sql_text(
            "explain_events",
            identified=self._with_properties(columns, parameters),
            partition=f"[{', '.join(texts)}]",
            named=bits(unfiltered, "true"),
            steps=bits(definition.required),
            optional=bits([stage for stage in definition.stages if stage.optional]),
            excluded=bits(definition.exclusions),
            is_filtered=kept,
            is_of_path=f"id in ({', '.join(map(parameters.bind, sorted(way.ids) or ['']))})",
        )
        rows: list[Any] = self._reading.rows(text, parameters.values)
        times, ids, names, parts, named, steps, optional, excluded, is_filtered = (
            map(list, zip(*rows, strict=True)) if rows else ([] for _ in range(9))
        )
        story = Story(times, named, steps, excluded, is_filtered, [True] * len(times))
        return Deeds(ids, names, parts, optional, len(rows) <= most, story)

    def _place(self, deeds: Deeds, way: Way) -> None:
        """Tell the story where its path is and which events belong to the entity."""
        index = {event_id: event for event, event_id in enumerate(deeds.ids)}
        deeds.story.path = {step: index[event_id] for step, event_id in way.steps.items() if event_id in index}
        parts = [tuple(part) if isinstance(part, list) else () for part in deeds.parts]
        if self._definition.unit == "session" and self._definition.sessions == "derived":
            numbers = _sessions(deeds.story.time_us, self._gap_s * US_PER_S)
            parts = [(number, *part) for number, part in zip(numbers, parts, strict=True)]
        own = parts[index[way.near_id]] if way.near_id in index else None
        deeds.story.is_own = [None not in part and own in (None, part) for part in parts]

    def _names(self, way: Way, person: int) -> dict[str, object]:
        definition = self._definition
        entity = person if way.entity is None else way.entity
        is_plain = definition.unit == "user" and not definition.hold
        if way.entity is None and not is_plain:
            definition = msgspec.structs.replace(definition, unit="user", hold=())
        span = self._wide if way.entity is None or is_plain else self._span
        names = names_of(self._reading, self._snapshot, definition, span, [entity], session_gap_s=self._gap_s)
        name = names.get(entity, Name(0, 0, None, None, ()))
        shown: dict[str, object] = {
            "entity": entity_text(entity) if way.entity is not None or is_plain else None,
            "user_id": name.user_id,
            "anonymous_id": name.anonymous_id,
        }
        if definition.unit == "session":
            shown["session_start"] = to_iso(name.first_us)
        if definition.hold:
            shown["hold"] = dict(zip(definition.hold, name.held, strict=True))
        return shown

    def _stage(self, number: int) -> dict[str, object]:
        return {"stage": number, "stage_name": self._definition.required[number - 1].name}

    def _event(
        self, deeds: Deeds, way: Way, event: int, failed: dict[str, list[dict[str, object]]]
    ) -> dict[str, object]:
        story, event_id = deeds.story, deeds.ids[event]
        optional = [stage.name for stage in self._definition.stages if stage.optional]
        return {
            "event_id": event_id,
            "event_type": deeds.names[event],
            "time": to_iso(story.time_us[event]),
            "matches": _numbers(story.steps[event]),
            "matches_optional": [optional[number - 1] for number in _numbers(deeds.optional[event])],
            "matches_exclusions": _numbers(story.excluded[event]),
            "failed_filters": failed.get(event_id, []),
            "fills": next((step for step, one in story.path.items() if one == event), None),
            "fills_optional": way.optional.get(event_id),
            "is_own": story.is_own[event],
        }


def _rules(definition: FunnelDefinition, plan: Plan) -> Rules:
    return Rules(
        plan=plan,
        grace_us=definition.grace_seconds * US_PER_S if definition.tie == "grace" else 0,
        is_unordered=definition.order == "unordered",
        is_first_required=definition.first_required,
        is_strict_filtered=definition.strict_scope == "filtered",
        other_part=Cause.OTHER_HOLD_VALUE if definition.hold else Cause.OTHER_SESSION,
    )


def _first_rows(solved: Solved) -> list[dict[int, int]]:
    """By entity the row of each step of its first path."""
    found: list[dict[int, int]] = [{} for _ in solved.chunk.entities]
    for person, rows in zip(solved.paths.person.tolist(), solved.paths.rows.tolist(), strict=True):
        if not found[person]:
            found[person] = {step: row for step, row in enumerate(rows, start=1) if row >= 0}
    return found


def _shown(deeds: Deeds, found: Sequence[Any]) -> list[int]:
    """The events that matter, in time; if they are too many, those nearest to the path and the reasons."""
    story = deeds.story
    central = {*story.path.values(), *(miss.event for miss in found if miss.event is not None)}
    central |= {blamed for miss in found for broken in miss.broken for blamed in broken.blamed}
    events = [event for event in range(len(deeds.ids)) if _matters(event, deeds) or event in central]
    if len(events) > EVENTS_MAX:
        middle_us = max((story.time_us[event] for event in story.path.values()), default=0)
        events.sort(key=lambda event: (event not in central, abs(story.time_us[event] - middle_us)))
    return sorted(events[:EVENTS_MAX])


def _matters(event: int, deeds: Deeds) -> bool:
    return bool(deeds.story.named[event] or deeds.story.excluded[event] or deeds.optional[event])


def _sessions(times: Sequence[int], gap_us: int) -> list[int]:
    numbers, number = [], 0
    for index, time_us in enumerate(times):
        if index and time_us - times[index - 1] > gap_us:
            number += 1
        numbers.append(number)
    return numbers


def _numbers(mask: int) -> list[int]:
    """The numbers of the bits, from 1."""
    return [number for number in range(1, mask.bit_length() + 1) if mask >> (number - 1) & 1]
