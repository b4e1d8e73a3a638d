"""Paths: the ways that people take through events or pages, as nodes and links of a Sankey diagram."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, cast

from iafa.event import NAME_CHARS_MAX
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.definition import Stage
from iafa.query.engine_duckdb import Reading
from iafa.query.filters import filter_properties
from iafa.query.pages import PAGE_EVENT, path_sql
from iafa.query.reports.flow_anchors import AfterDrop, after_drop_of
from iafa.query.reports.flow_graph import Direction, Way, graph_of
from iafa.query.reports.frame import Frame, FrameReader, Setting, frame_sql
from iafa.query.reports.report import Table
from iafa.query.reports.session_rule import session_events_sql
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
        text, values = self._statement(snapshot)
        ways = [
            Way(
                None if depth is None else int(str(depth)),
                cast(str | None, source),
                str(kind),
                cast(str | None, target),
                int(str(entities)),
                cast(list[str] | None, names),
            )
            for depth, source, kind, target, entities, names in reading.rows(text, values)
        ]
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

    def _statement(self, snapshot: Snapshot) -> tuple[str, dict[str, object]]:
        parameters = Parameters(depth=self.depth, top=self.top, paths=PATHS_SHOWN)
        name, is_page = "event_type", "true"
        if self.nodes == "page":
            is_page = f"(event_type = {parameters.bind(PAGE_EVENT)} and url is not null)"
            name = f"case when {is_page} then {path_sql()} else event_type end"
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
