"""The ordered funnel by brute force, from the text of the definition. Imports nothing of the product.

Entity u reaches step k iff there are distinct events e1..ek of u such that e_i matches step i, t(e1) is in [from, to),
t(e_i) <= t(e_i+1) and t(e_k) - t(e1) <= W; with `all_steps` every t(e_i) is in [from, to). Every choice of k events
in every order is tried. An event is a mapping with `user`, `t` (microseconds), `name` and `properties`.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise, permutations
from typing import Any

Event = Mapping[str, Any]
Definition = Mapping[str, Any]
SECOND_US = 1_000_000


def stage_counts(events: Sequence[Event], definition: Definition, lo: float, hi: float) -> list[int]:
    """People by stage; `lo` and `hi` bound the range [lo, hi) in microseconds."""
    by_user: dict[str, list[Event]] = {}
    for event in events:
        by_user.setdefault(event["user"], []).append(event)
    reached = [steps_reached(own, definition, lo, hi) for own in by_user.values()]
    return [sum(steps >= k for steps in reached) for k in range(1, len(definition["stages"]) + 1)]


def steps_reached(events: Sequence[Event], definition: Definition, lo: float, hi: float) -> int:
    stages = definition["stages"]
    relevant = [event for event in events if any(matches(event, stage) for stage in stages)]
    longest = 0
    for k in range(1, min(len(stages), len(relevant)) + 1):
        if not any(_is_path(chosen, definition, lo, hi) for chosen in permutations(relevant, k)):
            break
        longest = k
    return longest


def matches(event: Event, stage: Mapping[str, Any]) -> bool:
    """Names, `*` and filters of the kind property eq text: as much as the random funnels use."""
    names = stage["events"] if "events" in stage else [stage["event"]]
    if "*" not in names and event["name"] not in names:
        return False
    return all(event["properties"].get(each["property"]) == each["value"] for each in stage.get("filters", ()))


def matched_stages(event: Event, definition: Definition) -> int:
    return sum(matches(event, stage) for stage in definition["stages"])


def _is_path(chosen: Sequence[Event], definition: Definition, lo: float, hi: float) -> bool:
    times = [event["t"] for event in chosen]
    if not all(matches(event, stage) for event, stage in zip(chosen, definition["stages"], strict=False)):
        return False
    if any(earlier > later for earlier, later in pairwise(times)):
        return False
    window = definition["window_seconds"]
    if window is not None and times[-1] - times[0] > window * SECOND_US:
        return False
    in_range = times if definition.get("range") == "all_steps" else times[:1]
    return all(lo <= t < hi for t in in_range)
