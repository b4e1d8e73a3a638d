"""The days that a saved view asks for: presets that move on with time, or fixed ones."""

from collections.abc import Mapping
from datetime import timedelta
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
    if preset not in DAYS_BACK:
        return Days(None, None)
    first, last = DAYS_BACK[preset]
    return Days(day_back(first, timezone, now_us), day_back(last, timezone, now_us))


def day_back(days: int, timezone: str, now_us: int) -> str:
    """The local day so many days before today."""
    today = to_datetime(now_us).astimezone(ZoneInfo(timezone)).date()
    return (today - timedelta(days=days)).isoformat()
