"""The reasons for a stop as they are told: members for programs and a sentence for people."""

from collections.abc import Sequence

from iafa.clock import US_PER_S, to_iso
from iafa.query.definition import FunnelDefinition
from iafa.query.explained_filters import Failed
from iafa.query.paths.plan import Plan
from iafa.query.stop_reasons import Broken, Cause, Miss, Story

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_SENTENCES = {
    Cause.NEVER_HAPPENED: "no event of the stage {stage} ever happened",
    Cause.AFTER_WINDOW: "{event} came {by} after the window closed",
    Cause.BEFORE_WINDOW: "{event} came {by} too early for the window",
    Cause.BEFORE_PREVIOUS: "{event} came {by} before the stage in front of it",
    Cause.SAME_INSTANT: "{event} came at the same instant as the stage in front of it, which does not count as later",
    Cause.FILTER_NOT_MET: "{event} does not meet the filters of the stage {stage}: {filters}",
    Cause.EXCLUDED: "{event} is cut off by {blamed}, which is excluded between the stages {between}",
    Cause.INTERRUPTED: "{event} did not come next: {blamed} came in between",
    Cause.WITHIN_TOO_LATE: "{event} came {by} later than the stage {stage} allows",
    Cause.AFTER_TOO_EARLY: "{event} came {by} earlier than the stage {stage} allows",
    Cause.OUT_OF_RANGE: "{event} lies outside the date range",
    Cause.OTHER_SESSION: "{event} belongs to another session",
    Cause.OTHER_HOLD_VALUE: "{event} has other values of {held}",
    Cause.ALREADY_USED: "the only {event} near fills another stage; each stage needs an event of its own",
    Cause.NOT_FIRST_ENTRY: "{event} came after the first entry, and only that one may begin a path",
}


def reasons_of(
    definition: FunnelDefinition,
    plan: Plan,
    found: Sequence[Miss],
    story: Story,
    events: tuple[Sequence[str], Sequence[str]],
    failed: Failed,
) -> list[dict[str, object]]:
    """`events` are the ids and the names of the story's events."""
    teller = _Teller(definition, plan, story, events, failed)
    return [teller.reason(miss) for miss in found]


class _Teller:
    def __init__(
        self,
        definition: FunnelDefinition,
        plan: Plan,
        story: Story,
        events: tuple[Sequence[str], Sequence[str]],
        failed: Failed,
    ) -> None:
        self._definition = definition
        self._plan = plan
        self._story = story
        self._ids, self._names = events
        self._failed = failed

    def reason(self, miss: Miss) -> dict[str, object]:
        causes = [self._cause(miss, broken) for broken in miss.broken]
        return {
            "stage": miss.stage,
            "stage_name": self._definition.required[miss.stage - 1].name,
            "event": None if miss.event is None else self._event(miss.event),
            "causes": causes,
            "text": "; ".join(str(cause["text"]) for cause in causes),
        }

    def _cause(self, miss: Miss, broken: Broken) -> dict[str, object]:
        cause: dict[str, object] = {"code": broken.cause.value, "text": self._text(miss, broken)}
        if broken.by_us is not None:
            cause["by_seconds"] = broken.by_us / US_PER_S
        if broken.cause is Cause.FILTER_NOT_MET:
            cause["filters"] = self._filters(miss)
        if broken.blamed:
            cause["events"] = [self._event(event) for event in broken.blamed]
        if broken.exclusion is not None:
            cause["from_stage"] = int(self._plan.excluded_from[broken.exclusion])
            cause["to_stage"] = int(self._plan.excluded_to[broken.exclusion])
        return cause

    def _text(self, miss: Miss, broken: Broken) -> str:
        between = ""
        if broken.exclusion is not None:
            low, high = self._plan.excluded_from[broken.exclusion], self._plan.excluded_to[broken.exclusion]
            between = f"{low} and {high}"
        return _SENTENCES[broken.cause].format(
            stage=self._definition.required[miss.stage - 1].name,
            event="" if miss.event is None else self._names[miss.event],
            by=duration(broken.by_us or 0),
            blamed=self._names[broken.blamed[0]] if broken.blamed else "",
            between=between,
            held=", ".join(self._definition.hold),
            filters="; ".join(_filter_text(one) for one in self._filters(miss)),
        )

    def _filters(self, miss: Miss) -> list[dict[str, object]]:
        if miss.event is None:
            return []
        failed = self._failed.get(self._ids[miss.event], [])
        return [one for one in failed if one["stage"] in (None, miss.stage)]

    def _event(self, event: int) -> dict[str, object]:
        return {
            "event_id": self._ids[event],
            "event_type": self._names[event],
            "time": to_iso(self._story.time_us[event]),
        }


def _filter_text(failed: dict[str, object]) -> str:
    condition = failed["filter"]
    assert isinstance(condition, dict)
    if "any_of" in condition:
        return "none of the choices holds"
    wanted = " ".join(str(condition[key]) for key in ("property", "op", "value") if key in condition)
    seen = "is missing" if failed["value"] is None else f"is {failed['value']}"
    return f"{wanted}, but it {seen}"


def duration(time_us: int) -> str:
    """The two largest units: `4 minutes`, `2 days 3 hours`, `0.25 seconds`."""
    seconds = time_us / US_PER_S
    if seconds < 1 or (seconds < 60 and time_us % US_PER_S):
        return f"{seconds:g} seconds"
    left, words = int(seconds), []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            words.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return " ".join(words[:2])
