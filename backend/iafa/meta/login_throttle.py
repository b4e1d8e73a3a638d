"""The login throttle: growing delays per account and per address, bounded, counted by all workers; a restart forgets.

Nobody is locked out for good: a delay has a cap, and what is refused during a delay does not make it longer.
"""

import math
from dataclasses import dataclass

from iafa.clock import Clock
from iafa.errors import RateLimited
from iafa.slots import MemorySlots, Slots, State

ENTRIES_MAX = 20_000
FORGET_S = 3600.0


@dataclass(frozen=True)
class Rule:
    """After `free` failures each further one doubles the delay, from one second up to the cap."""

    free: int
    delay_s_max: float


# The account's own cap is low: guesses from many addresses are slowed, and its owner still gets in.
PAIR = Rule(free=5, delay_s_max=900.0)
ACCOUNT = Rule(free=20, delay_s_max=30.0)
ADDRESS = Rule(free=30, delay_s_max=60.0)


class LoginThrottle:
    def __init__(self, clock: Clock, slots: Slots | None = None) -> None:
        self._clock = clock
        self._slots = slots if slots is not None else MemorySlots(ENTRIES_MAX)

    def begin(self, *, account: str, address: str) -> None:
        """Count an attempt as a failure until `succeeded` says otherwise, so that parallel guesses count too."""
        now_s = self._clock.monotonic_s()
        rules = _rules(account, address)
        with self._slots.all_held():
            wait_s = max(self._slots.change(key, _blocked_until) for key in rules) - now_s
            if wait_s <= 0:
                for key, rule in rules.items():
                    self._slots.change(key, _count, rule, now_s)
        if wait_s > 0:
            raise RateLimited("too many failed sign-ins; wait before you try again", retry_after_s=math.ceil(wait_s))

    def succeeded(self, *, account: str, address: str) -> None:
        """Forget the account's failures. The address keeps its own: one good account must not free a guesser."""
        pair, of_account, of_address = _rules(account, address)
        with self._slots.all_held():
            self._slots.change(pair, _forget)
            self._slots.change(of_account, _forget)
            self._slots.change(of_address, _forgive_one)


# Steps of an entry: (failures, when the last one was, blocked until, worth keeping until).


def _blocked_until(entry: State | None) -> tuple[State | None, float]:
    return entry, 0.0 if entry is None else entry[2]


def _count(entry: State | None, rule: Rule, now_s: float) -> tuple[State, None]:
    failures, _seen_s, blocked_until_s, _worth = entry if entry and now_s - entry[1] <= FORGET_S else (0.0, 0, 0.0, 0)
    failures += 1
    excess = failures - rule.free
    if excess >= 0:
        blocked_until_s = now_s + min(2.0 ** min(excess, 20), rule.delay_s_max)
    # Many failures outlive few: whoever makes up names to get rid of his own entry loses the made-up ones first.
    worth_until_s = now_s + FORGET_S * min(1.0, failures / rule.free)
    return (failures, now_s, blocked_until_s, worth_until_s), None


def _forget(_entry: State | None) -> tuple[None, None]:
    return None, None


def _forgive_one(entry: State | None) -> tuple[State | None, None]:
    return (None if entry is None else (max(0.0, entry[0] - 1), entry[1], 0.0, entry[3])), None


def _rules(account: str, address: str) -> dict[str, Rule]:
    return {f"pair {account} {address}": PAIR, f"account {account}": ACCOUNT, f"address {address}": ADDRESS}
