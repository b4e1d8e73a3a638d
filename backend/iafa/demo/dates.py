"""Notes on the days of the history on which something happened to the shop, as `POST /notes` takes them."""

from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from iafa.demo.rhythm import ADS, HOME_ZONE, POST_DAY, WEEK_NINE, Calendar, newsletter_days


class DateNote(NamedTuple):
    """From the first to the last day of the history that it is about, counted from 0."""

    first: int
    last: int
    text: str


def date_notes(*, end: datetime, days: int = 90) -> list[dict[str, str | None]]:
    """Those whose days the history has, oldest first. Raises ValueError as `generate` does."""
    calendar = Calendar.ending(end, days)
    begin = calendar.start.astimezone(ZoneInfo(HOME_ZONE)).date()
    found = sorted(note for note in _all(calendar) if note.last < days)
    return [
        {
            "start": _day(begin, note.first),
            "end": None if note.last == note.first else _day(begin, note.last),
            "text": note.text,
        }
        for note in found
    ]


def _all(calendar: Calendar) -> list[DateNote]:
    broken, mended = WEEK_NINE
    notes = [
        DateNote(ADS[0], ADS[1] - 1, "Campaign: search ads for the garden weeks"),
        DateNote(POST_DAY, POST_DAY, "Our balcony post went round on Instagram"),
        DateNote(broken, broken, "Release: new card form in the checkout"),
        DateNote(mended, mended, "Fix: the card form works on iPhones again"),
    ]
    # The ones before stand in nobody's way, and tell nothing new.
    issues = list(newsletter_days(calendar))
    return notes + [DateNote(day, day, f"Newsletter, issue {len(issues)}") for day in issues[-1:]]


def _day(begin: date, number: int) -> str:
    return (begin + timedelta(days=number)).isoformat()
