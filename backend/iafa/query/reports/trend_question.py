"""The question of a trend: its series, what is measured of them, the formulas between them; read from JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from iafa.event import NAME_CHARS_MAX
from iafa.query.definition import ANY_EVENT, Bucket, Stage
from iafa.query.field_errors import FieldErrors, pointer_to
from iafa.query.field_reading import read_list
from iafa.query.filters import filter_to_dict, read_property
from iafa.query.matcher_reading import EVENT_FIELDS, read_matcher, shown_name
from iafa.query.reports.bucketing import INTERVALS
from iafa.query.reports.formulas import FormulaError, Node, parse_formula
from iafa.query.reports.frame import Frame, FrameReader, Grouping, Setting, refused
from iafa.query.time_range import check_timezone

SERIES_MAX = 20
FORMULAS_MAX = 10
QUANTILES = {"median": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
NUMERIC = ("sum", "avg", "min", "max", *QUANTILES)
ACTIVE_DAYS = {"wau": 7, "mau": 30}  # local days, the bucket's last one included
MEASURES = ("events", "people", "sessions", "per_person", *ACTIVE_DAYS, *NUMERIC)
_COUNTED = ("events", "people", "per_person")
_SERIES_FIELDS = {"name", "measure", "property", *EVENT_FIELDS}
_OWN_FIELDS = ("series", "interval", "formulas", "breakdown", "timezone")


@dataclass(frozen=True)
class Series:
    matcher: Stage
    measure: str = "events"
    number_of: str | None = None  # the property that is numeric
    counts_people: bool = False  # beside the events

    @property
    def name(self) -> str:
        return self.matcher.name

    @property
    def event_type(self) -> str:
        return shown_name(self.matcher.events, self.matcher.page)

    @property
    def needs_people(self) -> bool:
        return self.counts_people or self.measure in ("people", "per_person")

    @property
    def is_counted(self) -> bool:
        """Whether it is made of counts of events and people."""
        return self.measure in _COUNTED

    @property
    def is_additive_by_day(self) -> bool:
        """Whether the daily counts of one event type, or of all, are what it asks for."""
        matcher = self.matcher
        return self.measure in ("events", "people") and len(matcher.events) == 1 and not matcher.filters

    @property
    def rolled_up_type(self) -> str | None:
        """The event type of its daily counts; None: of all events."""
        return None if self.matcher.events == (ANY_EVENT,) else self.matcher.events[0]

    def key(self) -> list[object]:
        matcher = self.matcher
        page = matcher.page
        shown = None if page is None else [page.pattern, page.match, page.host]
        conditions = [filter_to_dict(condition) for condition in matcher.filters]
        return [self.name, matcher.events, shown, conditions, self.measure, self.number_of, self.counts_people]


@dataclass(frozen=True)
class Formula:
    name: str
    expression: str
    node: Node


@dataclass(frozen=True)
class TrendQuestion:
    frame: Frame
    series: tuple[Series, ...]
    interval: Bucket = "day"
    formulas: tuple[Formula, ...] = ()
    breakdown: Grouping | None = None


def parse_question(fields: Mapping[str, Any], setting: Setting) -> TrendQuestion:
    """ValidationFailed that lists every wrong field."""
    if fields.get("timezone") is not None:
        setting = replace(setting, timezone=_timezone(fields["timezone"]))
    reader = FrameReader(fields, setting)
    frame = reader.frame(_OWN_FIELDS)
    errors = reader.errors
    items = errors.sequence(read_list(fields, "series"), "/series", most=SERIES_MAX, least=1)
    series = tuple(_series(item, pointer_to("/series", place), errors) for place, item in enumerate(items))
    interval = reader.choice("interval", INTERVALS)
    if interval == "hour":
        for place, one in enumerate(series):
            if one.measure in ACTIVE_DAYS:
                message = "a trailing number of days needs the interval day, week or month"
                errors.add(f"/series/{place}/measure", "conflicting_fields", message)
    formulas = _formulas(read_list(fields, "formulas"), len(series), errors)
    breakdown = reader.grouping()
    reader.done()
    if any(one.measure == "sessions" for one in series):
        frame = replace(frame, wants_sessions=True, wants_earlier_sessions=False)
    return TrendQuestion(frame, series, interval, formulas, breakdown)  # type: ignore[arg-type]


def series_of_names(
    names: Sequence[str], measure: str | None = None, number_of: str | None = None
) -> list[dict[str, object]]:
    """One series for each name; beside events their people are counted, too, where nothing else is asked for."""
    more = {"measure": measure, "property": number_of}
    given = {name: value for name, value in more.items() if value is not None}
    beside = {} if given else {"counts_people": True}
    return [{"event": name, **given, **beside} for name in dict.fromkeys(names or (ANY_EVENT,))]


def _series(raw: object, pointer: str, errors: FieldErrors) -> Series:
    if isinstance(raw, str):
        raw = {"event": raw}
    fields = errors.mapping(raw, pointer)
    if fields is None:
        return Series(Stage(""))
    errors.unknown(fields, pointer, {*_SERIES_FIELDS, "counts_people"})
    matcher = read_matcher({key: fields[key] for key in fields if key in {"name", *EVENT_FIELDS}}, pointer, errors)
    measure = "events"
    if fields.get("measure") is not None:
        measure = errors.choice(fields["measure"], pointer_to(pointer, "measure"), MEASURES)
    name = None
    if measure in NUMERIC:
        name = read_property(fields, pointer, errors)
    elif fields.get("property") is not None:
        message = f"belongs to the measures {', '.join(NUMERIC)}"
        errors.add(pointer_to(pointer, "property"), "conflicting_fields", message)
    return Series(matcher, measure, name, _flag(fields.get("counts_people"), pointer, errors))


def _flag(raw: object, pointer: str, errors: FieldErrors) -> bool:
    if raw is None or isinstance(raw, bool):
        return bool(raw)
    errors.add(pointer_to(pointer, "counts_people"), "wrong_type", "must be true or false")
    return False


def _formulas(raw: object, series: int, errors: FieldErrors) -> tuple[Formula, ...]:
    items = errors.sequence(raw, "/formulas", most=FORMULAS_MAX)
    read = (_formula(item, pointer_to("/formulas", place), series, errors) for place, item in enumerate(items))
    return tuple(formula for formula in read if formula is not None)


def _formula(raw: object, pointer: str, series: int, errors: FieldErrors) -> Formula | None:
    if isinstance(raw, str):
        raw = {"expression": raw}
    fields = errors.mapping(raw, pointer)
    if fields is None:
        return None
    errors.unknown(fields, pointer, {"name", "expression"})
    expression = fields.get("expression")
    at = pointer_to(pointer, "expression")
    if not isinstance(expression, str):
        errors.add(at, "wrong_type", "must be a text such as A / B * 100")
        return None
    try:
        node = parse_formula(expression, series)
    except FormulaError as error:
        errors.add(at, "bad_formula", str(error))
        return None
    name = expression[:NAME_CHARS_MAX]
    if fields.get("name") is not None:
        name = errors.text(fields["name"], pointer_to(pointer, "name"), most=NAME_CHARS_MAX)
    return Formula(name, expression, node)


def _timezone(raw: object) -> str:
    errors = FieldErrors()
    if not isinstance(raw, str):
        errors.add("/timezone", "wrong_type", "must be a name of the IANA time zone database")
        raise refused(errors)
    return check_timezone(raw)
