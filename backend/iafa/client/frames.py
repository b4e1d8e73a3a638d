"""Answers as DataFrames, with the same columns and types whatever the answer holds. The only place with pandas."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame, Series

_STAGE = {"order": "int64", "stage": "str", "users": "int64", "users_max": "Int64"}
_RATES = {"conversion_rate": "float64", "drop_off_rate": "float64"}
_TIMES = {"average_s": "float64", "median_s": "float64", "p90_s": "float64"}
FUNNEL = {**_STAGE, **_RATES, **_TIMES}
FUNNEL_GROUPS = {"group": "str", "value": "str", **_STAGE, **_RATES}
FUNNEL_TREND = {"bucket_start": "time", "bucket_end": "time", **_STAGE}
TRENDS = {
    "line": "int64",
    "date": "time",
    "event_type": "str",
    "name": "str",
    "measure": "str",
    "value": "float64",
    "events": "Int64",
    "events_scaled": "Int64",
    "people": "Int64",
    "skipped": "Int64",
    "source": "str",
    "is_exact": "bool",
    "is_incomplete": "bool",
}
EVENTS = (
    *("id", "event_type", "created_at", "user_id", "anonymous_id", "person", "session_id", "source", "properties"),
    *("url", "referrer", "user_agent", "ip_address", "received_at", "country", "region", "city", "browser", "os"),
    *("device", "timezone", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "is_bot"),
    "sample_rate",
)
_OF_EVENTS = {
    "created_at": "time",
    "received_at": "time",
    "properties": "object",
    "is_bot": "bool",
    "sample_rate": "float64",
}
TRENDS_GROUPS = {"group": "str", "group_value": "str", **TRENDS}
RETENTION = {
    "cohort_start": "time",
    "size": "int64",
    "period": "int64",
    "people": "int64",
    "percent": "float64",
    "is_open": "bool",
}
RETENTION_GROUPS = {"group": "str", "value": "str", **RETENTION}
PATHS = {
    "depth": "int64",
    "source": "str",
    "source_kind": "str",
    "target": "str",
    "target_kind": "str",
    "value": "int64",
}
_FIGURES = {
    **{"sessions": "int64", "people": "int64", "events": "int64", "page_views": "int64", "bounces": "int64"},
    **{"bounce_rate": "float64", "average_seconds": "float64", "median_seconds": "float64"},
    **{"events_per_session": "float64", "views_per_session": "float64"},
}
SESSIONS = {"bucket": "time", "is_incomplete": "bool", **_FIGURES}
SESSIONS_GROUPS = {"group": "str", "value": "str", **_FIGURES}
LISTS = {"property": "str", **SESSIONS_GROUPS}
PAGES = {"page": "str", "views": "int64", "people": "int64"}
ANOMALIES = {
    **{"event_type": "str", "bucket": "time", "value": "int64", "expected": "float64", "low": "int64"},
    **{"high": "int64", "score": "float64", "direction": "str", "text": "str"},
}
JOURNEY = {"session_start": "time", "time": "time", "id": "str", "event": "str", "page": "str", "gap_s": "float64"}
_ABOUT = frozenset(
    {
        *("funnel_id", "name", "date_range", "overall_conversion_rate", "people_total", "open", "dropped_by_exclusion"),
        *("window_seconds", "timezone", "semantics_version", "data_version", "as_of", "rows_read"),
        *("project_id", "interval", "data_from", "range", "people", "periods", "kind", "mode", "on_or_after"),
        *("averages", "unit", "direction", "entities", "nodes", "paths", "sampling", "smallest_sample_rate"),
    }
)


def funnel_frame(answer: Mapping[str, Any]) -> "DataFrame":
    times = {step["to_order"]: step for step in (answer.get("times") or {}).get("steps", ())}
    rows = [
        {**_stage(stage), **{name: times.get(stage["order"], {}).get(name) for name in _TIMES}}
        for stage in answer["stages"]
    ]
    return _frame(rows, FUNNEL, answer)


def group_frame(answer: Mapping[str, Any]) -> "DataFrame":
    found = answer["breakdown"]
    rows = [
        {"group": group["group"], "value": group["value"], **_stage(stage)}
        for group in found["groups"]
        for stage in group["stages"]
    ]
    return _frame(rows, FUNNEL_GROUPS, answer, {name: found[name] for name in ("property", "attribution", "adds_up")})


def trend_frame(answer: Mapping[str, Any]) -> "DataFrame":
    """One row for each bucket and stage."""
    found = answer["trend"]
    names = [(stage["order"], stage["stage_name"]) for stage in answer["stages"]]
    rows = [
        {"bucket_start": one["from"], "bucket_end": one["to"], "order": order, "stage": name, "users": users}
        | {"users_max": users_max}
        for one in found["buckets"]
        for (order, name), users, users_max in zip(names, one["users"], one["users_max"], strict=True)
    ]
    return _frame(rows, FUNNEL_TREND, answer, {name: found[name] for name in ("interval", "adds_up")})


def trends_frame(answer: Mapping[str, Any]) -> "DataFrame":
    """One row for each bucket of a series or formula; or, with groups, of each of their groups. Names may repeat:
    a line is known by its number."""
    has_groups = answer.get("breakdown") is not None
    rows: list[dict[str, Any]] = []
    totals = []
    for number, line in enumerate((*answer["series"], *answer["formulas"])):
        about = {"line": number, "name": line["name"], "measure": line.get("measure", "formula")}
        totals.append({**about, "value": line["total"]["value"]})
        about["event_type"] = line.get("event_type")
        for one in line["groups"] if has_groups else [line]:
            group = {"group": one.get("group"), "group_value": one.get("group_value")}
            rows += [{**bucket, **about, **group} for bucket in one["buckets"]]
    return _frame(rows, TRENDS_GROUPS if has_groups else TRENDS, answer, {"totals": totals})


def events_frame(rows: Sequence[Mapping[str, Any]], fields: Sequence[str] | None, data_version: str) -> "DataFrame":
    """One row for each event; without rows the columns are those that were asked for."""
    named = [name.strip() for one in fields or () for name in one.split(",") if name.strip()]
    names = dict.fromkeys(rows[0] if rows else named or EVENTS)
    kinds = {name: "object" if name.startswith("properties.") else _OF_EVENTS.get(name, "str") for name in names}
    return _frame(rows, kinds, {"data_version": data_version})


def retention_frame(answer: Mapping[str, Any]) -> "DataFrame":
    """One row for each cohort and period, of each group if there are groups."""
    breakdown = answer.get("breakdown")
    if breakdown is None:
        return _frame(_cells(answer), RETENTION, answer)
    rows = [
        {"group": group["group"], "value": group["value"], **cell}
        for group in breakdown["groups"]
        for cell in _cells(group)
    ]
    return _frame(rows, RETENTION_GROUPS, answer, {"property": breakdown["property"]})


def paths_frame(answer: Mapping[str, Any]) -> "DataFrame":
    """One row for each link."""
    nodes = answer["nodes"]
    rows = [
        {"depth": min(source["depth"], target["depth"]), "value": link["value"]}
        | {"source": source["name"], "source_kind": source["kind"]}
        | {"target": target["name"], "target_kind": target["kind"]}
        for link in answer["links"]
        for source, target in [(nodes[link["source"]], nodes[link["target"]])]
    ]
    return _frame(rows, PATHS, answer)


def sessions_frame(answer: Mapping[str, Any]) -> "DataFrame":
    """One row for each bucket, or for each group if there are groups."""
    breakdown, total = answer.get("breakdown"), {"total": answer["total"]}
    if breakdown is None:
        return _frame(answer["buckets"], SESSIONS, answer, total)
    return _frame(breakdown["groups"], SESSIONS_GROUPS, answer, {**total, "property": breakdown["property"]})


def pages_frame(answer: Mapping[str, Any]) -> "DataFrame":
    return _frame(answer["pages"], PAGES, answer)


def lists_frame(answer: Mapping[str, Any]) -> "DataFrame":
    """One row for each group of each list."""
    rows = [{"property": one["property"], **group} for one in answer["lists"] for group in one["groups"]]
    return _frame(rows, LISTS, answer)


def anomalies_frame(answer: Mapping[str, Any]) -> "DataFrame":
    """One row for each finding."""
    more = ("series", "days_without_data", "days_judged", "findings_total", "threshold", "measure", "sensitivity")
    return _frame(answer["findings"], ANOMALIES, answer, {name: answer[name] for name in more})


def journey_frame(answer: Mapping[str, Any], sessions: Sequence[Mapping[str, Any]]) -> "DataFrame":
    """One row for each event; `answer` is the last page, `sessions` those of all pages."""
    rows = [{"session_start": one["session_start"], **event} for one in sessions for event in one["events"]]
    return _frame(rows, JOURNEY, answer, {"user_id": answer["user_id"]})


def _cells(matrix: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"cohort_start": cohort["from"], "size": cohort["size"], "period": cell["n"], **cell}
        for cohort in matrix["cohorts"]
        for cell in cohort["cells"]
    ]


def _stage(stage: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: stage.get(name) for name in ("order", "users", "users_max", *_RATES)}
    return found | {"stage": stage["stage_name"]}


def _frame(
    rows: Sequence[Mapping[str, Any]],
    columns: Mapping[str, str],
    answer: Mapping[str, Any],
    more: Mapping[str, Any] | None = None,
) -> "DataFrame":
    from pandas import DataFrame

    zone = str(answer.get("timezone") or "UTC")
    made = {name: _column([row.get(name) for row in rows], kind, zone) for name, kind in columns.items()}
    frame = DataFrame(made, columns=list(columns))
    frame.attrs.update({name: answer[name] for name in answer if name in _ABOUT} | dict(more or {}))
    return frame


def _column(values: Sequence[Any], kind: str, zone: str) -> "Series[Any]":
    from pandas import Series, to_datetime

    if kind != "time":
        return Series(values, dtype=kind)
    # A day has no zone of its own: it begins in the answer's.
    are_days = all(isinstance(value, str) and len(value) == len("2026-10-01") for value in values)
    times = to_datetime(Series(values, dtype="str"), format="ISO8601", utc=not are_days)
    if are_days:  # where clocks change at midnight it begins with the first instant that there is
        times = times.dt.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
    else:
        times = times.dt.tz_convert(zone)
    return times.dt.as_unit("us")
