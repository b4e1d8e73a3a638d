"""The days that a saved view asks for: presets that move on with time, or fixed ones."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from iafa.clock import to_datetime

DAYS_BACK: Mapping[str, tuple[int, int]] = {  # the first and the last day, counted back from today
    "today": (0, 0),
    "yesterday": (1, 1),
    "7d": (6, 0),
    "30d": (29, 0),
    "90d": (89, 0),
    "12m": (364, 0),
}
CALENDAR = frozenset({"week", "last_week", "month", "last_month"})
MONTH: Mapping[str, Any] = {"preset": "30d"}


class Days(NamedTuple):
    """As questions say them; a side that is None is open."""

    start: str | None
    end: str | None


def days_of(chosen: Mapping[str, Any], timezone: str, now_us: int) -> Days:
    """What a stored range means now, in the project's zone."""
    preset = chosen.get("preset")
    if preset is None:
        return Days(chosen.get("start_date"), chosen.get("end_date"))
    if preset in CALENDAR:
        first_day, last_day = _calendar_days(preset, _today(timezone, now_us))
        return Days(first_day.isoformat(), last_day.isoformat())
    if preset not in DAYS_BACK:
        return Days(None, None)
    first, last = DAYS_BACK[preset]
    return Days(day_back(first, timezone, now_us), day_back(last, timezone, now_us))


def compared_days_of(chosen: Mapping[str, Any], timezone: str, now_us: int) -> Days | None:
    """The same part of the week or month before. None: the period before, as long as the range."""
    preset = chosen.get("preset")
    if preset not in CALENDAR:
        return None
    first, last = _calendar_days(preset, _today(timezone, now_us))
    if preset in ("week", "last_week"):
        before = (first - timedelta(days=7), last - timedelta(days=7))
    else:  # of a whole month the whole one before, whose last day may be a later one
        before = (_month_before(first), first - timedelta(days=1) if preset == "last_month" else _month_before(last))
    return Days(before[0].isoformat(), before[1].isoformat())


def day_back(days: int, timezone: str, now_us: int) -> str:
    """The local day so many days before today."""
    return (_today(timezone, now_us) - timedelta(days=days)).isoformat()


def _today(timezone: str, now_us: int) -> date:
    return to_datetime(now_us).astimezone(ZoneInfo(timezone)).date()


def _calendar_days(preset: str, today: date) -> tuple[date, date]:
    """The first and the last day. Weeks begin on Monday; one that is not over ends today."""
    week, month = today - timedelta(days=today.weekday()), today.replace(day=1)
    if preset == "week":
        return week, today
    if preset == "month":
        return month, today
    if preset == "last_week":
        return week - timedelta(days=7), week - timedelta(days=1)
    return _month_before(month), month - timedelta(days=1)


def _month_before(day: date) -> date:
    """The same day of the month before; its last one where it has no such day."""
    last = day.replace(day=1) - timedelta(days=1)
    return last.replace(day=min(day.day, last.day))
