"""The frame of a report: which events it looks at, in whose clock, as of when, and what stands beside its numbers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from iafa.clock import US_PER_S
from iafa.errors import ValidationFailed
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.definition import Stage
from iafa.query.definition_reading import GROUPS_MAX
from iafa.query.engine_duckdb import regex_error
from iafa.query.field_errors import FieldErrors, pointer_to
from iafa.query.field_reading import read_choice, read_flag, read_instant, read_list, read_number
from iafa.query.filters import (
    Condition,
    condition_sql,
    filter_columns,
    filter_to_dict,
    parse_filters,
    property_columns,
    property_values_sql,
    read_property,
    text_sql,
)
from iafa.query.matcher_reading import read_matcher
from iafa.query.source import events_sql
from iafa.query.stages import names_sql, stage_sql
from iafa.query.time_range import TIME_END_US, TIME_MIN_US, TimeRange, previous_range, resolve_time_range

INCLUDES = ("compare", "receipt")
FRAME_FIELDS = frozenset(
    {
        *("project_id", "start_date", "end_date", "filters", "exclude_bots", "as_of", "include"),
        *("compare_start", "compare_end"),
    }
)
GROUPS_DEFAULT = 10
_MINUTE_US = 60 * US_PER_S


@dataclass(frozen=True)
class Setting:
    """What a question finds in the project and on the clock."""

    timezone: str = "UTC"
    session_gap_s: int = 3_600
    now_us: int = 0
    sampled_singly_until_us: int = 0  # until when rules of the project could choose events without their people


@dataclass(frozen=True)
class Grouping:
    """Groups by a property: the `limit` largest, the rest together."""

    property: str
    limit: int = GROUPS_DEFAULT


@dataclass(frozen=True)
class Frame:
    """Events in [range) that pass the filters. `as_of_us` is the present minute, or what the caller named: then later
    events and later identity edges do not exist."""

    time_range: TimeRange
    as_of_us: int
    setting: Setting
    filters: tuple[Condition, ...] = ()
    exclude_bots: bool = False
    is_as_of_given: bool = False
    include: frozenset[str] = frozenset()
    compare_with: TimeRange | None = None
    wants_sessions: bool = False  # sessions that reach over an end of the range are wanted whole
    wants_earlier_sessions: bool = True  # those, too, that begin before the range
    sessions_span: tuple[int, int] | None = None  # what is read for them, once it is known
    is_at_instants: bool = False  # only events at the times `created_at` of the table `frame_instant` are read
    beside: tuple[int, int] | None = None  # another time that is looked at, which may be far away

    @property
    def from_us(self) -> int:
        return self.time_range.from_us

    @property
    def to_us(self) -> int:
        """The end of what exists of the range."""
        if not self.is_as_of_given:
            return self.time_range.to_us
        return max(self.from_us, min(self.time_range.to_us, self.as_of_us + 1))

    @property
    def exists_to_us(self) -> int:
        """Before it lies every event that exists, also after the range."""
        return self.as_of_us + 1 if self.is_as_of_given else TIME_END_US

    def key(self) -> list[object]:
        """Equal for frames that have equal answers over equal data."""
        asked, other = self.time_range, self.compare_with
        return [
            [asked.from_us, asked.to_us, asked.start, asked.end, asked.timezone],
            self.as_of_us,
            self.is_as_of_given,
            self.setting.session_gap_s,
            self.setting.sampled_singly_until_us,
            [filter_to_dict(condition) for condition in self.filters],
            self.exclude_bots,
            sorted(self.include),
            None if other is None else [other.from_us, other.to_us, other.start, other.end],
        ]

    def of_other_period(self) -> "Frame | None":
        """The frame to compare with; None when no comparison is asked for."""
        if "compare" not in self.include:
            return None
        other = self.compare_with or previous_range(self.time_range)
        if other is None:
            errors = FieldErrors()
            message = "needs start_date and end_date, or compare_start and compare_end"
            errors.add("/include", "conflicting_fields", message)
            raise refused(errors)
        return replace(self, time_range=other, include=frozenset(), compare_with=None)


@dataclass
class FrameReader:
    """Reads a report's JSON: the fields of the frame, and by the way those of the report itself.

    A report takes its own fields with the readers of definition_reading and `errors`; `done` raises what was wrong.
    """

    fields: Mapping[str, object]
    setting: Setting
    errors: FieldErrors = field(default_factory=FieldErrors)

    def frame(self, own: Collection[str] = (), *, can_compare: bool = True) -> Frame:
        """`own` are the names of the report's other fields; what is neither is refused."""
        fields, errors = self.fields, self.errors
        errors.unknown(fields, "", FRAME_FIELDS | set(own))
        time_range = self._range("start_date", "end_date")
        include = self._include(("receipt",) if not can_compare else INCLUDES)
        compare_with = None
        if fields.get("compare_start") is not None or fields.get("compare_end") is not None:
            if "compare" not in include:
                errors.add("/compare_start", "conflicting_fields", "belongs to include: compare")
            compare_with = self._range("compare_start", "compare_end")
        as_of = read_instant(fields.get("as_of"), "/as_of", errors)
        if as_of is not None and as_of > self.setting.now_us:
            errors.add("/as_of", "number_out_of_range", "must not lie ahead")
        return Frame(
            time_range=time_range,
            as_of_us=self.setting.now_us // _MINUTE_US * _MINUTE_US if as_of is None else as_of,
            setting=self.setting,
            filters=parse_filters(read_list(fields, "filters"), errors, "/filters", regex_error=regex_error),
            exclude_bots=read_flag(fields, "exclude_bots", "", errors),
            is_as_of_given=as_of is not None,
            include=include,
            compare_with=compare_with,
        )

    def done(self) -> None:
        if len(self.errors):
            raise refused(self.errors)

    def matcher(self, key: str, default: Stage | None = None) -> Stage:
        """An event of the report: `{"event": ..., "filters": [...]}`, a page, several names; or just a name."""
        raw = self.fields.get(key)
        if raw is None and default is not None:
            return default
        return matcher_of(raw, pointer_to("", key), self.errors)

    def choice(self, key: str, choices: Sequence[str]) -> str:
        """The first of the choices is the default."""
        return read_choice(self.fields, key, choices, self.errors)

    def flag(self, key: str) -> bool:
        return read_flag(self.fields, key, "", self.errors)

    def number(self, key: str, default: int, *, least: int = 1, most: int) -> int:
        raw = self.fields.get(key)
        return default if raw is None else read_number(raw, pointer_to("", key), least, most, self.errors)

    def grouping(self, key: str = "breakdown") -> Grouping | None:
        """`{"property": ..., "limit": 10}`, or just the property's name."""
        raw, at = self.fields.get(key), pointer_to("", key)
        if raw is None:
            return None
        raw = {"property": raw} if isinstance(raw, str) else raw
        fields = self.errors.mapping(raw, at)
        if fields is None:
            return None
        self.errors.unknown(fields, at, {"property", "limit"})
        limit = GROUPS_DEFAULT
        if fields.get("limit") is not None:
            limit = read_number(fields["limit"], pointer_to(at, "limit"), 1, GROUPS_MAX, self.errors)
        return Grouping(read_property(fields, at, self.errors), limit)

    def _range(self, start: str, end: str) -> TimeRange:
        texts = []
        for key in (start, end):
            raw = self.fields.get(key)
            if raw is not None and not isinstance(raw, str):
                self.errors.add(pointer_to("", key), "wrong_type", "must be a string")
            texts.append(raw if isinstance(raw, str) else None)
        try:
            return resolve_time_range(texts[0], texts[1], timezone=self.setting.timezone)
        except ValidationFailed as error:
            for found in error.errors:
                pointer = {"/start_date": f"/{start}", "/end_date": f"/{end}"}.get(found.pointer, found.pointer)
                self.errors.add(pointer, found.code, found.message)
            return TimeRange(TIME_MIN_US, TIME_END_US, None, None, self.setting.timezone)

    def _include(self, known: Sequence[str]) -> frozenset[str]:
        raw = self.fields.get("include")
        raw = () if raw is None else [raw] if isinstance(raw, str) else raw
        names = self.errors.sequence(raw, "/include", most=10)
        parts = [part.strip() for name in names for part in (name.split(",") if isinstance(name, str) else ("?",))]
        if any(part not in ("", *known) for part in parts):
            self.errors.add("/include", "unsupported_value", f"must be of: {', '.join(known)}")
        return frozenset(part for part in parts if part in known)


def matcher_of(raw: object, pointer: str, errors: FieldErrors) -> Stage:
    """One event, as a stage of a funnel names it; a plain text is an event's name."""
    if isinstance(raw, str):
        raw = {"event": raw}
    fields = errors.mapping(raw, pointer)
    return Stage("") if fields is None else read_matcher(fields, pointer, errors)


def refused(errors: FieldErrors) -> ValidationFailed:
    return ValidationFailed("the question is not valid", errors=list(errors.found), code="invalid_query")


def frame_sql(
    frame: Frame,
    snapshot: Snapshot,
    parameters: Parameters,
    *,
    columns: Collection[str] = (),
    matchers: Sequence[Stage] = (),
    properties: Sequence[str] = (),
    conditions: Sequence[Condition] = (),
    span: tuple[int, int] | None = None,
) -> str:
    """The frame's events as SQL: `person`, `time_us`, the `columns`, and what conditions of the matchers, the
    `conditions` that the caller will ask for, and the texts of the properties look at.

    With matchers only events that one of them means, before the frame's filters; `span` replaces the range.
    """
    conditions = [*conditions, *frame.filters, *(each for matcher in matchers for each in matcher.filters)]
    wanted = {"user_hash", "created_at", *columns}.union(*map(filter_columns, conditions))
    wanted = wanted.union(*map(property_columns, properties))
    if matchers:
        wanted.add("event_type")
    if any(matcher.page for matcher in matchers):
        wanted.add("url")
    if frame.exclude_bots:
        wanted.add("is_bot")
    parameters.values["from_us"], parameters.values["to_us"] = span or (frame.from_us, frame.to_us)
    is_kept = [condition_sql(condition, parameters) for condition in frame.filters]
    is_kept += ["not is_bot"] if frame.exclude_bots else []
    if matchers:
        is_kept.append(f"({' or '.join(f'({stage_sql(matcher, parameters)})' for matcher in matchers)})")
    for name in properties:  # said to the parameters before the list of properties is bound
        text_sql(name, parameters)
    is_read = [names_sql(matchers, parameters)]
    is_read += ["created_at in (select created_at from frame_instant)"] if frame.is_at_instants else []
    events = sql_text("frame_range", events=events_sql(snapshot, wanted, parameters), is_read=" and ".join(is_read))
    if "properties" in wanted and (conditions or properties):
        events = property_values_sql(events, parameters)
    return sql_text("frame_events", events=events, is_kept=" and ".join(is_kept) or "true")
