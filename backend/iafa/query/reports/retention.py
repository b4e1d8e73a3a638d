"""Retention: who comes back after a first event, by the local bucket of that event and the periods after it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, cast

import msgspec

from iafa.clock import US_PER_DAY
from iafa.errors import FieldError, ValidationFailed
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.definition import ANY_EVENT, Stage
from iafa.query.engine_duckdb import Reading
from iafa.query.filters import property_columns, text_sql
from iafa.query.reports.bucketing import bucketing, range_of_data
from iafa.query.reports.frame import Frame, FrameReader, Grouping, Setting, frame_sql
from iafa.query.reports.report import Table
from iafa.query.reports.retention_matrix import Counts, Matrix, Schedule
from iafa.query.sampled_data import sampling_of_events
from iafa.query.stages import are_disjoint, stage_sql
from iafa.query.time_range import TIME_END_US, TIME_MIN_US

Interval = Literal["day", "week", "month"]
Kind = Literal["first_in_range", "first_ever"]
Mode = Literal["calendar", "rolling"]
INTERVALS: tuple[Interval, ...] = ("day", "week", "month")
KINDS: tuple[Kind, ...] = ("first_in_range", "first_ever")
MODES: tuple[Mode, ...] = ("calendar", "rolling")
FIELDS = ("start", "return", "interval", "periods", "kind", "mode", "on_or_after", "breakdown")
PERIODS_DEFAULT: Mapping[str, int] = {"day": 14, "week": 12, "month": 12}
PERIODS_MAX = 60
COHORTS_MAX = 366
CELLS_MAX = 50_000
# How long a rolling period is; a bucket of the calendar is at least and at most so long.
UNIT_US: Mapping[str, int] = {"day": US_PER_DAY, "week": 7 * US_PER_DAY, "month": 30 * US_PER_DAY}
_LEAST_DAYS: Mapping[str, int] = {"day": 1, "week": 7, "month": 28}
_MOST_DAYS: Mapping[str, int] = {"day": 2, "week": 8, "month": 32}  # one more for the clocks
_ANY = Stage(name="any event", events=(ANY_EVENT,))


@dataclass(frozen=True)
class Retention:
    name: ClassVar[str] = "retention"
    frame: Frame
    start: Stage
    back: Stage
    interval: Interval = "day"
    periods: int = 14
    kind: Kind = "first_in_range"
    mode: Mode = "calendar"
    on_or_after: bool = False
    breakdown: Grouping | None = None

    def with_frame(self, frame: Frame) -> "Retention":
        return replace(self, frame=frame)

    def span(self) -> tuple[int, int]:
        """For a first event ever everything before; after the range as long as the last period lasts."""
        to_us = self.frame.time_range.to_us
        if to_us < TIME_END_US:
            to_us += (self.periods + 1) * _MOST_DAYS[self.interval] * US_PER_DAY
        if self.on_or_after:
            to_us = TIME_END_US
        from_us = self.frame.from_us if self.kind == "first_in_range" else TIME_MIN_US
        return from_us, max(from_us, min(to_us, self.frame.exists_to_us, TIME_END_US))

    def key(self) -> object:
        grouping = self.breakdown
        return [
            *(self.start, self.back),
            *(self.interval, self.periods, self.kind, self.mode, self.on_or_after),
            None if grouping is None else [grouping.property, grouping.limit],
        ]

    def check_length(self, snapshot: Snapshot) -> None:
        self._schedule(snapshot)

    def members(self, reading: Reading, snapshot: Snapshot) -> dict[str, Any]:
        schedule = self._schedule(snapshot)
        counts = self._counts(reading, snapshot, schedule) if schedule.cohorts else {}
        every = Matrix.of_all(counts)
        members: dict[str, Any] = {
            "start": self.start.name,
            "return": self.back.name,
            "interval": self.interval,
            "periods": self.periods,
            "kind": self.kind,
            "mode": self.mode,
            "on_or_after": self.on_or_after,
            **self._sampling(reading, snapshot),
            **every.shown(schedule),
        }
        if self.breakdown is not None:
            members["breakdown"] = {
                "property": self.breakdown.property,
                "limit": self.breakdown.limit,
                "groups": [
                    {"group": matrix.kind, "value": matrix.value, **matrix.shown(schedule)}
                    for matrix in Matrix.of_groups(counts)
                ],
            }
        return members

    def table(self, answer: Mapping[str, Any]) -> Table:
        columns = ["bucket", "size", "period", "people", "percent", "is_open"]
        if "breakdown" not in answer:
            return columns, [list(row) for row in _rows(answer)]
        groups = answer["breakdown"]["groups"]
        return ["group", "value", *columns], [
            [group["group"], group["value"], *row] for group in groups for row in _rows(group)
        ]

    def _sampling(self, reading: Reading, snapshot: Snapshot) -> dict[str, object]:
        """Of the start events and those of coming back."""
        matchers, span = (self.start, self.back), self.span()
        return sampling_of_events(
            reading,
            snapshot,
            lambda read, parameters: frame_sql(
                self.frame, read, parameters, columns={"sample_rate"}, matchers=matchers, span=span
            ),
            from_us=span[0],
            sampled_singly_until_us=self.frame.setting.sampled_singly_until_us,
        )

    def _schedule(self, snapshot: Snapshot) -> Schedule:
        from_us, to_us = range_of_data(self.frame.time_range, snapshot)
        cohorts = max(0, to_us - from_us) // US_PER_DAY // _LEAST_DAYS[self.interval]
        if cohorts > COHORTS_MAX:
            raise _too_long(
                "/start_date",
                f"a matrix has at most {COHORTS_MAX} cohorts; ask for a shorter range or longer intervals",
            )
        until_us = to_us + (self.periods + 2) * _MOST_DAYS[self.interval] * US_PER_DAY if to_us > from_us else to_us
        rolling_us = UNIT_US[self.interval] if self.mode == "rolling" else None
        timezone = self.frame.time_range.timezone
        of_start, of_return = (
            bucketing(from_us, until_us, self.interval, timezone, time=time) for time in ("start_us", "time_us")
        )
        schedule = Schedule(
            of_start.buckets, from_us, to_us, self.periods, self.frame.as_of_us, rolling_us, of_start.sql, of_return.sql
        )
        groups = 1 if self.breakdown is None else self.breakdown.limit + 3
        if len(schedule.cohorts) * (self.periods + 1) * groups > CELLS_MAX:
            raise _too_long(
                "/periods", f"an answer has at most {CELLS_MAX} cells; ask for fewer periods, groups or cohorts"
            )
        return schedule

    def _counts(self, reading: Reading, snapshot: Snapshot, schedule: Schedule) -> Counts:
        frame, parameters = self.frame, Parameters()
        parameters.values |= {
            "start_from_us": schedule.from_us,
            "start_to_us": frame.to_us,
            "periods": self.periods,
            "groups": 0 if self.breakdown is None else self.breakdown.limit,
        }
        wants_id, own = self._ties()
        names = [] if self.breakdown is None else [self.breakdown.property]
        columns = {"event_type"}.union(*map(property_columns, names)) | ({"id"} if wants_id or names else set())
        events = frame_sql(
            frame,
            snapshot,
            parameters,
            columns=columns,
            matchers=(self.start, self.back),
            properties=names,
            span=self.span(),
        )
        period = f"({schedule.return_sql} - cohort)"
        if schedule.rolling_us is not None:
            period = f"((time_us - start_us) // {schedule.rolling_us})"
        text = sql_text(
            "retention",
            events=events,
            is_start=f"({stage_sql(self.start, parameters)})",
            is_return=f"({stage_sql(self.back, parameters)})",
            start_columns=(", id" if "id" in columns else "")
            + "".join(f", {text_sql(name, parameters)} as value" for name in names),
            start_values=(", arg_min(id, (time_us, id)) as start_id" if wants_id else "")
            + (", arg_min_null(value, (time_us, id)) as value" if names else ""),
            and_in_range=" and time_us >= $start_from_us" if self.kind == "first_in_range" else "",
            cohort_of=schedule.start_sql,
            start_id="start_id" if wants_id else "null",
            value="value" if names else "null::varchar",
            period=f"least({period}, $periods)" if self.on_or_after else period,
            own=str(own),
            and_not_itself=" and event.id <> cohort.start_id" if wants_id else "",
            is_back="(periods >> period) > 0" if self.on_or_after else "((periods >> period) & 1) = 1",
        )
        return {
            (str(kind), cast(str | None, value), int(str(cohort)), int(str(period_))): int(str(people))
            for kind, value, cohort, period_, people in reading.rows(text, parameters.values)
        }

    def _ties(self) -> tuple[bool, int]:
        """Whether ids are needed to tell the start event from others of its instant; else how many of the return
        events of that instant it is."""
        start, back = (msgspec.structs.replace(matcher, name="") for matcher in (self.start, self.back))
        if are_disjoint([start, back]):
            return False, 0
        is_part = start == back or (not back.filters and back.page is None and ANY_EVENT in back.events)
        if not back.filters and back.page is None and start.page is None and set(start.events) <= set(back.events):
            is_part = True
        return not is_part, int(is_part)


def _rows(matrix: Mapping[str, Any]) -> list[list[object]]:
    return [
        [cohort["bucket"], cohort["size"], cell["n"], cell["people"], cell["percent"], cell["is_open"]]
        for cohort in matrix["cohorts"]
        for cell in cohort["cells"]
    ]


def _too_long(pointer: str, message: str) -> ValidationFailed:
    errors = [FieldError(pointer, "range_too_long", message)]
    return ValidationFailed("the answer would be too long", errors=errors, code="invalid_query")


def parse_retention(fields: Mapping[str, Any], setting: Setting) -> Retention:
    """ValidationFailed names every wrong field."""
    reader = FrameReader(fields, setting)
    frame = reader.frame(FIELDS)
    interval = cast(Interval, reader.choice("interval", INTERVALS))
    found = Retention(
        frame=frame,
        start=reader.matcher("start"),
        back=reader.matcher("return", _ANY),
        interval=interval,
        periods=reader.number("periods", PERIODS_DEFAULT[interval], least=0, most=PERIODS_MAX),
        kind=cast(Kind, reader.choice("kind", KINDS)),
        mode=cast(Mode, reader.choice("mode", MODES)),
        on_or_after=reader.flag("on_or_after"),
        breakdown=reader.grouping(),
    )
    reader.done()
    return found
