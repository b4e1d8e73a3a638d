"""A funnel's question: a definition, a range and an instant, and which members the answer is to have."""

from dataclasses import dataclass, replace
from functools import cached_property

import msgspec

from iafa.clock import US_PER_S
from iafa.errors import FieldError, ValidationFailed
from iafa.query.definition import FunnelDefinition, to_dict
from iafa.query.paths.plan import NO_LIMIT_US, Plan
from iafa.query.paths.reading import SESSION_GAP_S, Span
from iafa.query.paths.solving import plan_of, span_of, window_us
from iafa.query.time_range import TIME_END_US, TimeRange

INCLUDES = ("times", "trend", "breakdown", "compare", "receipt")
_MINUTE_US = 60 * US_PER_S


@dataclass(frozen=True)
class Extras:
    """What is asked for beside the counts. Without `compare_with` a comparison is with the period before."""

    include: frozenset[str] = frozenset()
    compare_with: TimeRange | None = None
    session_gap_s: int = SESSION_GAP_S
    sampled_singly_until_us: int = 0  # until when rules of the project could choose events without their people


@dataclass(frozen=True)
class Question:
    """Asked for a range as of an instant. `span` is the range without what is too late for that instant."""

    definition: FunnelDefinition
    time_range: TimeRange
    as_of_us: int
    extras: Extras = Extras()

    @cached_property
    def span(self) -> Span:
        """With an `as_of` of the caller later events do not exist; `mature_only` leaves out entries that are open."""
        definition, span = self.definition, span_of(self.definition, self.time_range)
        exists_to_us = TIME_END_US if definition.as_of_us is None else definition.as_of_us + 1
        enter_to_us = min(span.to_us, exists_to_us)
        if definition.mature_only:
            enter_to_us = min(enter_to_us, self.as_of_us - window_us(definition))
        # The window is inclusive: a first or last known value may lie on its last microsecond.
        known = definition.breakdown is not None and definition.breakdown.attribution in ("first_known", "last_known")
        return replace(
            span,
            to_us=max(span.from_us, enter_to_us),
            read_to_us=min(span.read_to_us + int(known), exists_to_us),
            end_us=min(span.end_us, exists_to_us),
            live_from_us=self._live_from_us,
        )

    @cached_property
    def plan(self) -> Plan:
        return plan_of(self.definition, self.span)

    @property
    def _live_from_us(self) -> int | None:
        """From when on a session must have an event to go on at all. None where that is not known of an entity: of
        the session's events it holds those of some values, or those that pass the filters.
        """
        definition = self.definition
        is_known = definition.unit == "session" and definition.sessions == "derived" and not definition.hold
        if not is_known or (definition.order == "strict" and definition.strict_scope == "filtered"):
            return None
        return self.as_of_us - self.extras.session_gap_s * US_PER_S

    @property
    def open_from_us(self) -> int:
        """Entries from here on may still convert."""
        if self.definition.range == "all_steps" and self.time_range.to_us - 1 < self.as_of_us:
            return NO_LIMIT_US  # the range has ended: nothing can be added
        return self.as_of_us - window_us(self.definition)

    def wants(self, member: str) -> bool:
        return member in self.extras.include

    def key(self) -> bytes:
        """Equal for questions that have equal answers over equal data."""
        other, asked = self.extras.compare_with, self.time_range
        return msgspec.json.encode(
            [
                to_dict(self.definition),
                self.as_of_us,
                (asked.from_us, asked.to_us, asked.start, asked.end, asked.timezone),
                sorted(self.extras.include),
                None if other is None else (other.from_us, other.to_us, other.start, other.end),
                self.extras.session_gap_s,
                self.extras.sampled_singly_until_us,
            ]
        )


def question_of(
    definition: FunnelDefinition, time_range: TimeRange, now_us: int, extras: Extras | None = None
) -> Question:
    """As of the present minute, or of an instant that the definition names."""
    extras = extras or Extras()
    as_of_us = now_us // _MINUTE_US * _MINUTE_US
    if definition.as_of_us is not None:
        if definition.as_of_us > now_us:
            raise _refused("/as_of", "number_out_of_range", "must not lie ahead")
        as_of_us = definition.as_of_us
    if "breakdown" in extras.include and definition.breakdown is None:
        raise _refused("/include", "conflicting_fields", "the definition has no breakdown")
    if extras.compare_with is not None and "compare" not in extras.include:
        raise _refused("/compare_start", "conflicting_fields", "belongs to include: compare")
    return Question(definition, time_range, as_of_us, extras)


def parse_include(given: object) -> frozenset[str]:
    """A list of names of INCLUDES, each alone or several with commas between. None is the empty one."""
    given = () if given is None else given if isinstance(given, list | tuple) else ("?",)
    names = [part.strip() for one in given for part in (one.split(",") if isinstance(one, str) else ("?",))]
    if any(name not in ("", *INCLUDES) for name in names):
        raise _refused("/include", "unsupported_value", f"must be of: {', '.join(INCLUDES)}")
    return frozenset(name for name in names if name)


def _refused(pointer: str, code: str, message: str) -> ValidationFailed:
    return ValidationFailed(
        "the question is not valid", errors=[FieldError(pointer, code, message)], code="invalid_query"
    )
