"""Sampling: which share of a project's events is kept. Every decision is a keyed hash, so a retry is decided alike."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache

from iafa.clock import US_PER_S
from iafa.event import Event
from iafa.ingest.plain import PlainEvent
from iafa.meta.collect_rules import SamplingRule

SAMPLERS_MAX = 1000
RATE_MIN = 1e-9  # of the product of client's and server's rate: what is scaled by it stays finite
_SPAN = 2.0**64


class Sampler:
    """The rules of one project. The most specific one decides alone: event type and source, event type, source, all."""

    def __init__(self, rules: Sequence[SamplingRule], salt: bytes) -> None:
        self._rules: Mapping[tuple[str | None, str | None], SamplingRule] = {
            (rule.event_type, rule.source): rule for rule in rules
        }
        self._key = salt[:64]

    def keeps(self, event: Event | PlainEvent) -> bool:
        """Whether a completed event is kept; then it carries the product of the client's rate and the rule's."""
        rule = self._rule(event.event_type, event.source)
        if rule is None or rule.rate >= 1:
            return True
        if not self._is_in(event, rule):
            return False
        event.sample_rate = max(event.sample_rate * rule.rate, RATE_MIN)
        return True

    def _rule(self, event_type: str, source: str | None) -> SamplingRule | None:
        rules = self._rules
        for name in ((event_type, source), (event_type, None), (None, source), (None, None)):
            rule = rules.get(name)
            if rule is not None:
                return rule
        return None

    def _is_in(self, event: Event | PlainEvent, rule: SamplingRule) -> bool:
        if rule.by == "user":
            # A person's anonymous id stays when they sign in, so they do not change sides then.
            person = event.anonymous_id if event.anonymous_id is not None else event.user_id
            return self._share(f"user\n{person}") < rule.rate
        if rule.by == "random":
            return self._share(f"event\n{event.id}") < rule.rate
        assert isinstance(event.created_at, int)
        window_us = rule.window_seconds * US_PER_S
        number, position_us = divmod(event.created_at, window_us)
        # Where the kept stretch begins differs from window to window: no minute of the hour is always left out.
        begins = self._share(f"window\n{rule.window_seconds}\n{number}")
        return (position_us / window_us - begins) % 1.0 < rule.rate

    def _share(self, text: str) -> float:
        """A number from 0 to 1 that only this project can foretell."""
        digest = hashlib.blake2b(text.encode(), key=self._key, digest_size=8).digest()
        return int.from_bytes(digest, "big") / _SPAN


@lru_cache(maxsize=SAMPLERS_MAX)
def sampler_of(rules: tuple[SamplingRule, ...], salt: bytes) -> Sampler:
    return Sampler(rules, salt)
