"""Who visits the demo shop: a person's habits, devices and cart, and the heavy-tailed number of visits."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from iafa.demo.catalog import CATEGORIES, Product
from iafa.demo.devices import COUNTRIES, FIRST_DEVICES, OTHER_DEVICES, Country, Device
from iafa.demo.draws import Draws, digest

VISITS_MAX = 330
TAIL = 1.72
REGULAR_VISITS = 8


@dataclass(slots=True)
class Order:
    id: str
    value: float
    at_us: int
    is_refunded: bool = False


@dataclass(slots=True)
class Screen:
    """One device of one person; the browser keeps the anonymous id and the sign-in."""

    device: Device
    anonymous_id: str
    is_signed_in: bool = False


@dataclass(slots=True)
class Person:
    """`intent` is the wish to buy, from 0 to 1."""

    user_id: str
    intent: float
    country: Country
    favourite: str
    screens: list[Screen]
    has_account: bool
    plan: str
    is_subscribed: bool = False
    busy_until_us: int = 0
    cart: list[tuple[Product, int]] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    complaint: str = ""


def visit_counts(source: np.random.Generator, people: int) -> npt.NDArray[np.int64]:
    """How often each person comes: a discrete Pareto law, most once, a few hundreds of times."""
    return np.minimum((1.0 - source.random(people)) ** (-1.0 / TAIL), VISITS_MAX).astype(np.int64)


def visit_places(
    source: np.random.Generator, counts: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """(person number, place in [0, 1) of the whole run) of every visit.

    The visits of a person follow each other at irregular gaps and wrap around the end of the run: the places
    stay even, so that `rhythm.Traffic` alone decides how full an hour is.
    """
    owners = np.repeat(np.arange(len(counts)), counts)
    usual_gap = np.where(counts >= REGULAR_VISITS, 1.0 / counts, 0.012)[owners]
    gaps = usual_gap * source.standard_exponential(len(owners)) ** 1.6
    walked = np.cumsum(gaps)
    firsts = np.cumsum(counts) - counts
    places = source.random(len(counts))[owners] + walked - walked[firsts][owners]
    return owners, places % 1.0


def make_person(draws: Draws, *, number: int, visits: int, namespace: str) -> Person:
    """A new person. `visits` is how often they will come: regulars have accounts and second screens."""
    has_account = draws.chance(0.04 if visits == 1 else min(0.10 + 0.06 * visits, 0.75))
    devices = [draws.weighted(FIRST_DEVICES)]
    if has_account and visits >= 4 and draws.chance(0.5):
        devices.append(draws.weighted(OTHER_DEVICES))
    return Person(
        user_id=f"user_{number + 1:06d}",
        intent=draws.unit() ** 2.2,
        country=draws.weighted(COUNTRIES),
        favourite=draws.weighted(CATEGORIES),
        screens=[Screen(device, digest(namespace, number, place)) for place, device in enumerate(devices)],
        has_account=has_account,
        plan="plus" if draws.chance(0.18) else "free",
    )
