"""The words for an anomaly."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from iafa.query.definition import ANY_EVENT

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def finding_text(finding: Mapping[str, Any]) -> str:
    """`"purchase" fell to 12 on 3 March 2026; 40 to 61 were expected for a Tuesday`"""
    subject = _subject(finding["event_type"], finding["measure"])
    moved = "fell" if finding["direction"] == "down" else "rose"
    low, high = finding["low"], finding["high"]
    wanted = f"{low:,} to {high:,} were" if high > low else f"{low:,} {'was' if low == 1 else 'were'}"
    weekday = _WEEKDAYS[date.fromisoformat(finding["bucket"]).weekday()]
    return f"{subject} {moved} to {finding['value']:,} on {_day(finding['bucket'])}; {wanted} expected for a {weekday}"


def no_data_text(bucket: str) -> str:
    return f"No data arrived on {_day(bucket)}"


def too_little_text(event_type: str, days: int) -> str:
    return f"Not enough history of {_name(event_type)}: a day is judged by at least {days} complete days before it"


def _subject(event_type: str, measure: str) -> str:
    if measure == "people":
        return f"People with {_name(event_type)}"
    return "All events" if event_type == ANY_EVENT else _name(event_type)


def _name(event_type: str) -> str:
    return "any event" if event_type == ANY_EVENT else f'"{event_type}"'


def _day(bucket: str) -> str:
    day = date.fromisoformat(bucket)
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
