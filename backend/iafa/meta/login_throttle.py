"""The login throttle: growing delays per account and per address. Counts in memory, per process, bounded.

Nobody is locked out for good: a delay has a cap, and what is refused during a delay does not make it longer.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass

from iafa.clock import Clock
from iafa.errors import RateLimited

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


@dataclass
class _Entry:
    failures: int = 0
    seen_s: float = 0.0
    blocked_until_s: float = 0.0


class LoginThrottle:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: OrderedDict[tuple[str, str], _Entry] = OrderedDict()

    def begin(self, *, account: str, address: str) -> None:
        """Count an attempt as a failure until `succeeded` says otherwise, so that parallel guesses count too."""
        now_s = self._clock.monotonic_s()
        rules = _rules(account, address)
        wait_s = max(self._wait_s(key, now_s) for key in rules)
        if wait_s > 0:
            raise RateLimited("too many failed sign-ins; wait before you try again", retry_after_s=math.ceil(wait_s))
        for key, rule in rules.items():
            self._count(key, rule, now_s)

    def succeeded(self, *, account: str, address: str) -> None:
        """Forget the account's failures. The address keeps its own: one good account must not free a guesser."""
        keys = list(_rules(account, address))
        for key in keys[:2]:
            self._entries.pop(key, None)
        entry = self._entries.get(keys[2])
        if entry is not None:
            entry.failures = max(0, entry.failures - 1)
            entry.blocked_until_s = 0.0

    def _wait_s(self, key: tuple[str, str], now_s: float) -> float:
        entry = self._entries.get(key)
        return 0.0 if entry is None else entry.blocked_until_s - now_s

    def _count(self, key: tuple[str, str], rule: Rule, now_s: float) -> None:
        entry = self._entries.pop(key, None)
        if entry is None or now_s - entry.seen_s > FORGET_S:
            entry = _Entry()
        entry.failures += 1
        entry.seen_s = now_s
        excess = entry.failures - rule.free
        if excess >= 0:
            entry.blocked_until_s = now_s + min(2.0 ** min(excess, 20), rule.delay_s_max)
        self._entries[key] = entry
        while len(self._entries) > ENTRIES_MAX:
            self._entries.popitem(last=False)


def _rules(account: str, address: str) -> dict[tuple[str, str], Rule]:
    return {
        ("pair", f"{account} {address}"): PAIR,
        ("account", account): ACCOUNT,
        ("address", address): ADDRESS,
    }
