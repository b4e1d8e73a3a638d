"""What a project's settings say about collecting: which share of the events is kept, and what is not written down."""

from collections.abc import Iterable
from typing import Literal

import msgspec

SampleBy = Literal["user", "random", "window"]


class SamplingRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The share of events that is kept, of one event type, of one source, of both or of all."""

    rate: float
    by: SampleBy = "user"
    event_type: str | None = None
    source: str | None = None
    window_seconds: int = 3600  # of `by: window`: the rate is the share of each such stretch of time


def chooses_events(rules: Iterable[SamplingRule]) -> bool:
    """Whether a person's events may be kept in part."""
    return any(rule.by != "user" and 0 < rule.rate < 1 for rule in rules)


class SchemaRule(msgspec.Struct, frozen=True, kw_only=True):
    """What the properties of one event type must look like: the JSON text of a JSON Schema."""

    event_type: str
    schema: str


class PrivacySettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    ip: Literal["hash", "truncate", "none"] = "hash"
    salt: Literal["fixed", "daily", "monthly"] = "fixed"
    deny_properties: tuple[str, ...] = ()


USUAL_PRIVACY = PrivacySettings()
