"""When visitors come and what brings them: the week, the day, growth, campaigns. Knows nothing of people."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

HOME_ZONE = "Europe/Berlin"
HOUR_S = 3_600
WEEK_NINE = (56, 63)
ADS = (14, 70)  # from and until which day there are search ads
POST_DAY = 39

WEEKDAY_LOAD = (1.05, 1.0, 0.97, 0.98, 0.86, 0.80, 1.22)
HOUR_LOAD = (
    *(0.30, 0.16, 0.10, 0.08, 0.09, 0.16, 0.38, 0.66),
    *(0.84, 0.94, 1.00, 1.04, 1.12, 1.08, 1.00, 0.98),
    *(1.02, 1.12, 1.30, 1.56, 1.74, 1.60, 1.14, 0.62),
)
GROWTH_PER_YEAR = 0.9

Floats = npt.NDArray[np.float64]


class Campaign(NamedTuple):
    source: str
    medium: str
    name: str


class Channel(NamedTuple):
    """A way into the shop. `bounce` is the share that leaves after one page."""

    name: str
    referrer: str
    bounce: float
    campaign: Campaign | None = None


DIRECT = Channel("direct", "", 0.38)
ORGANIC = Channel("organic search", "https://www.google.com/", 0.46)
OTHER_SEARCH = Channel("organic search", "https://duckduckgo.com/", 0.44)
PARTNERS = Channel("referral", "https://blog.example/", 0.50)
SHOPPING_ADS = Channel("paid search", "https://www.google.com/", 0.44, Campaign("google", "cpc", "shopping-ads"))
PAID_SEARCH = Channel("paid search", "https://www.google.com/", 0.48, Campaign("google", "cpc", "garden-weeks"))
SOCIAL = Channel("social", "https://www.instagram.com/", 0.66, Campaign("instagram", "social", "balcony-challenge"))

EVERYDAY = ((DIRECT, 0.36), (ORGANIC, 0.40), (OTHER_SEARCH, 0.06), (PARTNERS, 0.07), (SHOPPING_ADS, 0.11))


@dataclass(frozen=True, slots=True)
class Calendar:
    """The local days of one run: whole days, the last one cut at `end`, which is not part of the run."""

    start: datetime
    end: datetime
    days: int

    @classmethod
    def ending(cls, end: datetime, days: int) -> "Calendar":
        if end.tzinfo is None:
            raise ValueError("end has no time zone")
        if days < 1:
            raise ValueError(f"days must be at least 1, not {days}")
        zone = ZoneInfo(HOME_ZONE)
        last_day = (end - timedelta(microseconds=1)).astimezone(zone).date()
        first_day = last_day - timedelta(days=days - 1)
        return cls(datetime.combine(first_day, time(), zone).astimezone(UTC), end.astimezone(UTC), days)

    def local(self, day: int, hour: int = 0) -> datetime:
        """The instant of a local hour on the day with that number (the first is 0)."""
        zone = ZoneInfo(HOME_ZONE)
        date = self.start.astimezone(zone).date() + timedelta(days=day)
        return datetime.combine(date, time(hour), zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Traffic:
    """Visits per hour and channel. `edges_s` are the ends of the hours in epoch seconds."""

    edges_s: Floats
    channels: tuple[Channel, ...]
    rates: Floats

    def times_us(self, places: Floats) -> npt.NDArray[np.int64]:
        """Spread places in [0, 1) over time so that busy hours get as many as their share."""
        hours = np.diff(self.edges_s) / HOUR_S
        load = np.concatenate(([0.0], np.cumsum(self.rates.sum(axis=0) * hours)))
        seconds: Floats = np.interp(places * load[-1], load, self.edges_s)
        return (seconds * 1e6).astype(np.int64)

    def channels_at(self, times_us: npt.NDArray[np.int64], units: Floats) -> npt.NDArray[np.int64]:
        """For each instant the number of the channel that brought the visit."""
        hours = np.searchsorted(self.edges_s, times_us / 1e6, side="right") - 1
        hours = np.clip(hours, 0, self.rates.shape[1] - 1)
        shares = np.cumsum(self.rates, axis=0) / self.rates.sum(axis=0)
        numbers: npt.NDArray[np.int64] = np.count_nonzero(shares[:-1, hours] <= units, axis=0)
        return numbers


def traffic(calendar: Calendar, noise: np.random.Generator) -> Traffic:
    start_s, end_s = calendar.start.timestamp(), calendar.end.timestamp()
    starts_s = np.arange(start_s, end_s, HOUR_S)
    base = _everyday_load(calendar, starts_s, noise)
    lanes = [(channel, base * share) for channel, share in EVERYDAY]
    lanes += _campaigns(calendar, starts_s, base)
    return Traffic(
        edges_s=np.append(starts_s, end_s),
        channels=tuple(channel for channel, _ in lanes),
        rates=np.stack([rate for _, rate in lanes]),
    )


def incident(calendar: Calendar) -> tuple[datetime, datetime] | None:
    """The week in which the card form of Mobile Safari is broken, if the run is long enough to have it."""
    first, after = WEEK_NINE
    if calendar.days < after:
        return None
    return calendar.local(first), min(calendar.local(after), calendar.end)


def _everyday_load(calendar: Calendar, starts_s: Floats, noise: np.random.Generator) -> Floats:
    zone = ZoneInfo(HOME_ZONE)
    local = [datetime.fromtimestamp(second, zone) for second in starts_s.tolist()]
    weekday_and_hour = np.array([WEEKDAY_LOAD[at.weekday()] * HOUR_LOAD[at.hour] for at in local])
    days = ((starts_s - starts_s[0]) / 86_400).astype(np.int64)
    weather = np.exp(noise.normal(0.0, 0.05, calendar.days + 1))
    growth = 1.0 + GROWTH_PER_YEAR * days / 365.0
    return np.asarray(weekday_and_hour * weather[days] * growth, dtype=np.float64)


def _campaigns(calendar: Calendar, starts_s: Floats, base: Floats) -> list[tuple[Channel, Floats]]:
    lanes = []
    for number, day in enumerate(newsletter_days(calendar), start=1):
        issue = Channel("email", "", 0.30, Campaign("newsletter", "email", f"newsletter-{number:02d}"))
        lanes.append((issue, _spike(starts_s, calendar.local(day, 7), height=0.9, decay_h=10.0)))
    search_from, search_to = (calendar.local(day).timestamp() for day in ADS)
    lanes.append((PAID_SEARCH, base * 0.16 * ((starts_s >= search_from) & (starts_s < search_to))))
    lanes.append((SOCIAL, _spike(starts_s, calendar.local(POST_DAY, 18), height=3.6, decay_h=8.0)))
    return lanes


def newsletter_days(calendar: Calendar) -> range:
    first_weekday = calendar.start.astimezone(ZoneInfo(HOME_ZONE)).weekday()
    first_tuesday = (1 - first_weekday) % 7
    return range(first_tuesday, calendar.days, 14)


def _spike(starts_s: Floats, at: datetime, *, height: float, decay_h: float) -> Floats:
    hours = (starts_s - at.timestamp()) / HOUR_S
    fading = height * np.exp(-np.maximum(hours, 0.0) / decay_h)
    return np.asarray(np.where((hours < 0) | (fading < height * math.exp(-7)), 0.0, fading), dtype=np.float64)
