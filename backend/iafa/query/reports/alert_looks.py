"""What the rules of alerts look at: counts of an event, the conversion of a funnel, the anomalies of a day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from iafa.clock import US_PER_S, to_iso
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.definition import ANY_EVENT, FunnelDefinition, Stage
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.funnel import funnel
from iafa.query.question import Extras
from iafa.query.reports.anomalies import parse_anomalies
from iafa.query.reports.frame import Frame, Setting, frame_sql
from iafa.query.reports.report import report_answer
from iafa.query.time_range import TimeRange, resolve_time_range

TEXTS_MAX = 5


@dataclass(frozen=True)
class Look:
    """What was found. `told` differs where another message is due."""

    is_firing: bool
    text: str
    told: str = ""


@dataclass(frozen=True)
class Looking:
    """One project as of one instant. Every method blocks."""

    engine: DuckEngine
    snapshot: Snapshot
    setting: Setting

    def look(self, rule: Mapping[str, Any], definition: FunnelDefinition | None) -> Look:
        """`definition` is that of the rule's funnel."""
        if rule["kind"] == "threshold":
            return self._threshold(rule)
        if rule["kind"] == "silence":
            return self._silence(rule, definition)
        if rule["kind"] == "conversion":
            assert definition is not None
            return self._conversion(rule, definition)
        return self._anomaly(rule)

    def _threshold(self, rule: Mapping[str, Any]) -> Look:
        events, people = self._counts(_event(rule["event"]), rule["window_seconds"])
        value = people if rule["measure"] == "people" else events
        is_firing = value > rule["value"] if rule["comparison"] == "above" else value < rule["value"]
        counted = f"{value:,} {'people with' if rule['measure'] == 'people' else 'events of'} {_name(rule['event'])}"
        text = f"{counted} in the last {_span(rule['window_seconds'])}; the rule is: {rule['comparison']} "
        return Look(is_firing, f"{text}{rule['value']:,}", "firing")

    def _silence(self, rule: Mapping[str, Any], definition: FunnelDefinition | None) -> Look:
        stages = [_event(rule["event"])] if definition is None else list(definition.stages)
        window_s = rule["window_seconds"]
        silent = [stage.name for stage in stages if self._counts(stage, window_s)[0] == 0]
        if not silent:
            return Look(False, f"Events arrived within the last {_span(window_s)}")
        names = ", ".join(_name(name) for name in silent)
        return Look(True, f"No events of {names} in the last {_span(window_s)}", f"silent {names}")

    def _conversion(self, rule: Mapping[str, Any], definition: FunnelDefinition) -> Look:
        from_us, to_us = self._window(rule["window_seconds"])
        asked = resolve_time_range(to_iso(from_us), to_iso(to_us), timezone=self.setting.timezone)
        extras = Extras(session_gap_s=self.setting.session_gap_s)
        answer: dict[str, Any] = funnel(self.engine, self.snapshot, definition, asked, extras=extras)
        entered, rate = answer["stages"][0]["users"], answer["overall_conversion_rate"]
        span = _span(rule["window_seconds"])
        if entered < rule["people_min"]:
            return Look(False, f"{entered:,} entered {_name(definition.name)} in the last {span}: too few to judge")
        text = f"{_name(definition.name)} converts {rate}% of {entered:,} in the last {span}"
        return Look(rate < rule["below"], f"{text}; the rule is: below {rule['below']}%", "firing")

    def _anomaly(self, rule: Mapping[str, Any]) -> Look:
        """Of the last complete day."""
        zone = ZoneInfo(self.setting.timezone)
        now = datetime.fromtimestamp(self.setting.now_us // US_PER_S, UTC).astimezone(zone)
        day = (now.date() - timedelta(days=1)).isoformat()
        fields: dict[str, Any] = {"start_date": day, "end_date": day, "sensitivity": rule["sensitivity"]}
        fields |= {"measure": rule["measure"]} | ({} if rule["event"] is None else {"events": [rule["event"]]})
        answer = report_answer(self.engine, self.snapshot, parse_anomalies(fields, self.setting))
        wanted = ("up", "down") if rule["direction"] == "any" else (rule["direction"],)
        texts = [one["text"] for one in answer["findings"] if one["direction"] in wanted]
        if "down" in wanted:
            texts = [one["text"] for one in answer["days_without_data"]] + texts
        if not texts:
            return Look(False, f"Nothing unusual on {day}")
        return Look(True, _few(texts), f"anomaly {day}")

    def _window(self, seconds: int) -> tuple[int, int]:
        return max(0, self.setting.now_us - seconds * US_PER_S), self.setting.now_us

    def _counts(self, stage: Stage, seconds: int) -> tuple[int, int]:
        from_us, to_us = self._window(seconds)
        frame = Frame(TimeRange(from_us, to_us, None, None, self.setting.timezone), to_us, self.setting)
        read = self.snapshot.between(from_us, to_us)
        parameters = Parameters()
        events = frame_sql(frame, read, parameters, matchers=(stage,))
        with self.engine.reading(read) as reading:
            ((events_count, people),) = reading.rows(sql_text("alert_counts", events=events), parameters.values)
        return int(str(events_count)), int(str(people))


def _event(name: str) -> Stage:
    return Stage(name=name, events=(name,))


def _name(name: str) -> str:
    return "any type" if name == ANY_EVENT else f'"{name}"'


def _few(texts: Sequence[str]) -> str:
    more = f"; and {len(texts) - TEXTS_MAX} more" if len(texts) > TEXTS_MAX else ""
    return "; ".join(texts[:TEXTS_MAX]) + more


def _span(seconds: int) -> str:
    for unit, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds % unit == 0:
            count = seconds // unit
            return name if count == 1 else f"{count} {name}s"
    return f"{seconds} seconds"
