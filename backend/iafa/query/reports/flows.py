"""Paths: the ways that people take through events or pages, as nodes and links of a Sankey diagram."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, cast

from iafa.clock import US_PER_S
from iafa.event import NAME_CHARS_MAX
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.definition import Stage
from iafa.query.engine_duckdb import Reading
from iafa.query.filters import condition_sql, filter_properties
from iafa.query.pages import PAGE_EVENT, path_sql
from iafa.query.paths.owners import owners_of
from iafa.query.paths.parted import Statement
from iafa.query.paths.warming import WARMING
from iafa.query.paths.ways import END, NAME_SHIFT, START, Walking
from iafa.query.reports.flow_anchors import AfterDrop, after_drop_of
from iafa.query.reports.flow_graph import Direction, Way, graph_of
from iafa.query.reports.flow_walks import ANONYMOUS_BIT, Walks, walk_ways
from iafa.query.reports.frame import Frame, FrameReader, Setting, frame_sql
from iafa.query.reports.report import Table
from iafa.query.reports.session_rule import session_events_sql
from iafa.query.sampled_data import sampling_of_events
from iafa.query.stages import stage_sql

Unit = Literal["session", "user"]
Nodes = Literal["event", "page"]
UNITS: tuple[Unit, ...] = ("session", "user")
NODES: tuple[Nodes, ...] = ("event", "page")
FIELDS = ("unit", "nodes", "start", "end", "after_drop", "depth", "top", "collapse", "include_events", "exclude_events")
DEPTH_DEFAULT, DEPTH_MAX = 5, 10
TOP_DEFAULT, TOP_MAX = 10, 30
EVENTS_MAX = 100
PATHS_SHOWN = 20


@dataclass(frozen=True)
class Cleaning:
    """Which events are steps; those that paths begin and end with always are."""

    include_events: tuple[str, ...] | None = None
    exclude_events: tuple[str, ...] = ()
    collapse: bool = True


@dataclass(frozen=True)
class Flows:
    """From the first `start` on, back from the last `end`, between the two, after a drop-off, or else from the first
    event."""

    name: ClassVar[str] = "paths"
    frame: Frame
    unit: Unit = "session"
    nodes: Nodes = "event"
    start: Stage | None = None
    end: Stage | None = None
    after_drop: AfterDrop | None = None
    depth: int = DEPTH_DEFAULT
    top: int = TOP_DEFAULT
    cleaning: Cleaning = Cleaning()

    def with_frame(self, frame: Frame) -> "Flows":
        return replace(self, frame=frame)

    def span(self) -> tuple[int, int]:
        """The sessions, and the window of the funnel: either may reach further."""
        from_us, to_us = self.frame.sessions_span or (self.frame.from_us, self.frame.to_us)
        if self.after_drop is None:
            return from_us, to_us
        drop_from_us, drop_to_us = self.after_drop.span(self.frame)
        return min(from_us, drop_from_us), max(to_us, drop_to_us)

    def key(self) -> object:
        drop = None if self.after_drop is None else self.after_drop.key()
        return [self.unit, self.nodes, self.start, self.end, drop, self.depth, self.top, self.cleaning]

    @property
    def direction(self) -> Direction:
        if self.end is None:
            return "forward"
        return "backward" if self.start is None else "between"

    def members(self, reading: Reading, snapshot: Snapshot) -> dict[str, Any]:
        if self.after_drop is not None:
            reading.give("flow_anchor", self.after_drop.anchors(reading, snapshot, self.frame))
        ways = self._ways(reading, snapshot)
        sampling = sampling_of_events(
            reading,
            snapshot,
            self._looked_at,
            from_us=self.span()[0],
            sampled_singly_until_us=self.frame.setting.sampled_singly_until_us,
        )
        return {
            "unit": self.unit,
            "nodes_by": self.nodes,
            "direction": self.direction,
            "start": None if self.start is None else self.start.name,
            "end": None if self.end is None else self.end.name,
            "after_drop": None if self.after_drop is None else self.after_drop.shown(),
            "depth": self.depth,
            "top": self.top,
            "collapse": self.cleaning.collapse,
            **sampling,
            **graph_of(ways, self.direction, self.depth),
        }

    def table(self, answer: Mapping[str, Any]) -> Table:
        nodes = answer["nodes"]
        rows = []
        for link in answer["links"]:
            source, target = nodes[link["source"]], nodes[link["target"]]
            rows.append(
                [
                    min(source["depth"], target["depth"]),
                    source["name"],
                    source["kind"],
                    target["name"],
                    target["kind"],
                    link["value"],
                ]
            )
        return ["depth", "source", "source_kind", "target", "target_kind", "value"], rows

    def _ways(self, reading: Reading, snapshot: Snapshot) -> list[Way]:
        """A receipt shows the statement, whichever way the ways were found: it gives the same."""
        ways = walk_ways(reading, self._walks(snapshot), self.top, PATHS_SHOWN) if WARMING.is_ready else None
        if ways is not None:
            reading.statements[:] = [self._statement(snapshot)]
            return ways
        return [
            Way(
                None if depth is None else int(str(depth)),
                cast(str | None, source),
                str(kind),
                cast(str | None, target),
                int(str(entities)),
                cast(list[str] | None, names),
            )
            for depth, source, kind, target, entities, names in reading.rows(*self._statement(snapshot))
        ]

    def _walks(self, snapshot: Snapshot) -> Walks:
        """Whose events they are is found beside the engine, too; not of the few that are read with their ids."""
        snapshot = replace(snapshot, is_named=False)
        stored = replace(snapshot, identities=None)
        follows_edges = snapshot.identities is not None
        parameters = Parameters()
        anonymous = f" + (user_id is null)::integer * {1 << ANONYMOUS_BIT}" if follows_edges else ""
        marks = self._marks(stored, parameters, anonymous, {"user_id"} if follows_edges else set())
        tied = Parameters()
        at_ties = replace(self, frame=replace(self.frame, is_at_instants=True))
        ties = sql_text("flow_ties", events=at_ties._marks(snapshot, tied, "", {"id"}))
        gap_us = self.frame.setting.session_gap_s * US_PER_S if self.unit == "session" else -1
        return Walks(
            names=self._names(stored),
            marks=(marks, parameters.values),
            ties=(ties, tied.values),
            walking=lambda names: Walking.of(
                gap_us=gap_us,
                span=(self.frame.from_us, self.frame.to_us),
                has_start=self.start is not None or self.after_drop is not None,
                has_end=self.end is not None,
                collapses=self.cleaning.collapse,
                depth=self.depth,
                names=names,
            ),
            owners=owners_of(snapshot.identities) if follows_edges else None,
            rows=snapshot.rows,
        )

    def _names(self, snapshot: Snapshot) -> Statement:
        parameters = Parameters()
        columns = {"event_type"} | ({"url"} if self.nodes == "page" else set())
        events = frame_sql(replace(self.frame, filters=()), snapshot, parameters, columns=columns, span=self.span())
        name, _is_page = self._name(parameters)
        return sql_text("flow_names", step_name=name, events=events), parameters.values

    def _marks(self, snapshot: Snapshot, parameters: Parameters, anonymous: str, columns: set[str]) -> str:
        """Of sessions every event is read, for its time."""
        conditions = [
            *self.frame.filters,
            *(condition for matcher in self._asked() for condition in matcher.filters),
        ]
        name, is_page = self._name(parameters)
        is_start, is_end = (
            "false" if matcher is None else f"({stage_sql(matcher, parameters)})" for matcher in (self.start, self.end)
        )
        if self.after_drop is not None:
            is_start = "(id in (select id from flow_anchor))"
        kept = [condition_sql(condition, parameters) for condition in self.frame.filters]
        kept.append(f"({self._is_step(is_page, parameters)} or is_start or is_end)")
        is_kept = " and ".join(kept)
        mark = f"(place << {NAME_SHIFT}) + is_end::integer * {END} + is_start::integer * {START}"
        events = frame_sql(
            replace(self.frame, filters=()),
            snapshot,
            parameters,
            columns=self._columns() | columns,
            conditions=conditions,
            span=self.span(),
        )
        return sql_text(
            "flow_marks",
            marks=f"((case when {is_kept} then {mark} else 0 end){anonymous})::integer",
            columns=", id" if "id" in columns else "",
            step_name=name,
            is_start=is_start,
            is_end=is_end,
            events=events,
            is_read=is_kept if self.unit == "user" else "true",
        )

    def _looked_at(self, snapshot: Snapshot, parameters: Parameters) -> str:
        """With `sample_rate`. Sessions are made of all events, and who dropped off is told by others than the steps."""
        if self.unit == "session" or self.after_drop is not None:
            frame = replace(self.frame, filters=())
            return frame_sql(frame, snapshot, parameters, columns={"sample_rate"}, span=self.span())
        asked = self._asked()
        events = frame_sql(
            self.frame,
            snapshot,
            parameters,
            columns=self._columns() | {"sample_rate"},
            conditions=[condition for matcher in asked for condition in matcher.filters],
            span=self.span(),
        )
        _name, is_page = self._name(parameters)
        kept = [self._is_step(is_page, parameters), *(f"({stage_sql(matcher, parameters)})" for matcher in asked)]
        return sql_text("flow_steps", events=events, is_kept=" or ".join(kept))

    def _asked(self) -> list[Stage]:
        return [matcher for matcher in (self.start, self.end) if matcher is not None]

    def _columns(self) -> set[str]:
        columns = {"event_type"} | ({"id"} if self.after_drop is not None else set())
        return columns | ({"url"} if self.nodes == "page" or any(matcher.page for matcher in self._asked()) else set())

    def _name(self, parameters: Parameters) -> tuple[str, str]:
        """What a step is called, and which events are steps by their kind."""
        if self.nodes == "event":
            return "event_type", "true"
        is_page = f"(event_type = {parameters.bind(PAGE_EVENT)} and url is not null)"
        return f"case when {is_page} then {path_sql()} else event_type end", is_page

    def _statement(self, snapshot: Snapshot) -> Statement:
        parameters = Parameters(depth=self.depth, top=self.top, paths=PATHS_SHOWN)
        name, is_page = self._name(parameters)
        is_start = "is_start" if self.after_drop is None else "(id in (select id from flow_anchor))"
        is_back = self.direction == "backward"
        order = "order by time_us desc, id desc" if is_back else "order by time_us, id"
        before = f", lag(name) over (partition by entity {order}) as before" if self.cleaning.collapse else ""
        bounds, joins, bounded = self._bounds()
        later = range(1, self.depth + 1)
        text = sql_text(
            "flows",
            events=self._events(snapshot, parameters),
            step_name=name,
            is_start=is_start,
            is_kept=f"{self._is_step(is_page, parameters)} or {is_start} or is_end",
            bounds=bounds,
            joins=joins,
            bounded=bounded,
            before=before,
            is_new="before is distinct from name" if self.cleaning.collapse else "true",
            order=order,
            names=", ".join(["name as step_0", *(f"lead(name, {n}) over way as step_{n}" for n in later)]),
            places=", ".join(["step_0", *(f"step_{n}" for n in later)]),
        )
        return text, parameters.values

    def _events(self, snapshot: Snapshot, parameters: Parameters) -> str:
        """With `entity`, and whether the event is one that paths begin or end with."""
        columns = {"id", "event_type", "url"}
        marks = {"is_start": self.start, "is_end": self.end}
        asked = {name: matcher for name, matcher in marks.items() if matcher is not None}
        told = {name: f"({stage_sql(matcher, parameters)})" for name, matcher in asked.items()}
        flags = dict.fromkeys(marks, "false") | told
        conditions = [condition for matcher in asked.values() for condition in matcher.filters]
        if self.unit == "session":
            events = session_events_sql(
                self.frame,
                snapshot,
                parameters,
                columns=columns,
                properties=sorted(set().union(*map(filter_properties, conditions))),
                computed=[f"{text} as {name}" for name, text in told.items()],
            )
            flags |= {name: name for name in asked}
        else:
            events = frame_sql(
                self.frame, snapshot, parameters, columns=columns, conditions=conditions, span=self.span()
            )
        return sql_text("flow_events", entity="session" if self.unit == "session" else "person", events=events, **flags)

    def _is_step(self, is_page: str, parameters: Parameters) -> str:
        conditions = [is_page]
        for names, word in ((self.cleaning.include_events, "in"), (self.cleaning.exclude_events or None, "not in")):
            if names is not None:
                conditions.append(f"event_type {word} ({', '.join(map(parameters.bind, names)) or 'null'})")
        return f"({' and '.join(conditions)})"

    def _bounds(self) -> tuple[str, str, str]:
        """The statements that find where a path begins and ends, and what its events fulfil."""
        parts, joins, conditions = [], [], []
        if self.start is not None or self.after_drop is not None:
            parts.append(sql_text("flow_first"))
            joins.append("join began using (entity)")
            conditions.append("(time_us > first_us or (time_us = first_us and id >= first_id))")
        if self.end is not None:
            parts.append(sql_text("flow_next" if parts else "flow_last"))
            joins.append("join ended using (entity)")
            conditions.append("(time_us < last_us or (time_us = last_us and id <= last_id))")
        return "".join(parts), "\n".join(joins), " and ".join(conditions) or "true"


def parse_flows(fields: Mapping[str, Any], setting: Setting) -> Flows:
    """ValidationFailed names every wrong field."""
    reader = FrameReader(fields, setting)
    frame = reader.frame(FIELDS)
    unit = cast(Unit, reader.choice("unit", UNITS))
    start, end = (None if fields.get(key) is None else reader.matcher(key) for key in ("start", "end"))
    drop = after_drop_of(reader)
    if drop is not None:
        for key in ("start", "end"):
            if fields.get(key) is not None:
                reader.errors.add(f"/{key}", "conflicting_fields", "paths after a drop-off begin with its stage")
        if "receipt" in frame.include:
            message = "paths after a drop-off have no receipt: ask for the funnel's"
            reader.errors.add("/include", "conflicting_fields", message)
    found = Flows(
        frame=replace(frame, wants_sessions=unit == "session"),
        unit=unit,
        nodes=cast(Nodes, reader.choice("nodes", NODES)),
        start=start,
        end=end,
        after_drop=drop,
        depth=reader.number("depth", DEPTH_DEFAULT, most=DEPTH_MAX),
        top=reader.number("top", TOP_DEFAULT, most=TOP_MAX),
        cleaning=Cleaning(
            include_events=None if fields.get("include_events") is None else _names(reader, "include_events"),
            exclude_events=() if fields.get("exclude_events") is None else _names(reader, "exclude_events"),
            collapse=fields.get("collapse") is None or reader.flag("collapse"),
        ),
    )
    reader.done()
    return found


def _names(reader: FrameReader, key: str) -> tuple[str, ...]:
    raw = reader.fields[key]
    items = reader.errors.sequence([raw] if isinstance(raw, str) else raw, f"/{key}", most=EVENTS_MAX)
    names = [reader.errors.text(one, f"/{key}/{place}", most=NAME_CHARS_MAX) for place, one in enumerate(items)]
    return tuple(dict.fromkeys(names))
