"""Counts in the form that the answer shows: stages, groups, two periods side by side. Reads nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

from iafa.query.breakdown import VALUE, Group
from iafa.query.definition import Breakdown, FunnelDefinition, attribution_text
from iafa.query.rates import percent
from iafa.query.significance import Sample, holm, safe_p_value, significance
from iafa.query.tally import Tally


def counts_of(
    definition: FunnelDefinition, counts: Sequence[int], most: Sequence[int], *, entered: int, open_: int
) -> dict[str, Any]:
    """The members that every answer has. `most` are the counts if all open entities still got there."""
    return {
        "stages": stages_of(definition, counts, most),
        "overall_conversion_rate": percent(counts[-1], counts[0]),
        "people_total": entered,
        "open": open_,
    }


def stages_of(
    definition: FunnelDefinition, counts: Sequence[int], most: Sequence[int] | None = None
) -> list[dict[str, object]]:
    before = [counts[0], *counts]
    stages: list[dict[str, object]] = []
    for index, name in enumerate(stage_names(definition)):
        shown: dict[str, object] = {
            "stage_name": name,
            "order": index + 1,
            "users": counts[index],
            "conversion_rate": percent(counts[index], counts[0]),
            "drop_off_rate": percent(before[index] - counts[index], before[index]),
        }
        if most is not None:
            shown["users_max"] = most[index]
        stages.append(shown)
    return stages


def stage_names(definition: FunnelDefinition) -> list[str]:
    """Without an order stage k means any k of the stages, not the k-th."""
    names = [stage.name for stage in definition.required]
    if definition.order != "unordered" or len(names) == 1:
        return names
    return [f"any {k} of {len(names)}" for k in range(1, len(names) + 1)]


def stages_filled_of(definition: FunnelDefinition, tally: Tally) -> list[dict[str, object]]:
    """How many reported paths contain each stage."""
    return [
        {"stage_name": stage.name, "order": order, "users": users}
        for order, (stage, users) in enumerate(zip(definition.required, tally.named.tolist(), strict=True), start=1)
    ]


def optional_stages_of(definition: FunnelDefinition, tally: Tally) -> list[dict[str, object]]:
    numbered = enumerate(definition.stages, start=1)
    optional = [(stage, definition.required_number(number)) for number, stage in numbered if stage.optional]
    return [
        {
            "stage_name": stage.name,
            "after_order": after,
            "users": users,
            "conversion_rate": percent(users, int(tally.reached[after - 1])),
        }
        for (stage, after), users in zip(optional, tally.optional.tolist(), strict=True)
    ]


def breakdown_of(definition: FunnelDefinition, breakdown: Breakdown, groups: Sequence[Group]) -> dict[str, object]:
    """Each group beside all others together."""
    told = counted_groups(definition, breakdown, groups)
    shown: Any = told["groups"]
    if len(groups) > 1 and _are_bounded(shown):
        samples = [_sample(group) for group in shown]
        pairs = [(own, _others(samples, own)) for own in samples]
        corrected = holm([safe_p_value(own, rest) for own, rest in pairs])
        for row, (own, rest), p in zip(shown, pairs, corrected, strict=True):
            row["significance"] = significance(own, rest, p=p)
    return told


def counted_groups(definition: FunnelDefinition, breakdown: Breakdown, groups: Sequence[Group]) -> dict[str, object]:
    """The groups as they are shown, compared with nothing. `each` and `totals` count people in several groups, so that
    there are no bounds and no test."""
    adds_up = breakdown.attribution != "each"
    is_bounded = adds_up and definition.count == "unique"
    shown: list[dict[str, object]] = [
        {
            "group": group.kind,
            "value": group.value,
            "stages": stages_of(definition, group.counts, group.most if is_bounded else None),
            "overall_conversion_rate": percent(group.counts[-1], group.counts[0]),
        }
        for group in groups
    ]
    return {
        "property": breakdown.property,
        "attribution": attribution_text(breakdown),
        "adds_up": adds_up,
        "groups": shown,
    }


def comparison_of(
    definition: FunnelDefinition, date_range: dict[str, str | None], now: Mapping[str, Any], then: dict[str, Any]
) -> dict[str, object]:
    """The other period's counts, and how far this one's conversion lies above it."""
    compared: dict[str, object] = {"date_range": date_range, **then}
    if definition.count == "unique":
        compared["significance"] = significance(_sample(now), _sample(then))
        compared["step_significance"] = _significance_of_steps(now, then)
    if "breakdown" in then:
        compared["breakdown"] = _groups_beside(now["breakdown"], then["breakdown"])
    return compared


def values_of(members: Mapping[str, Any]) -> list[str]:
    """The values that have a group of their own."""
    return [group["value"] for group in members["breakdown"]["groups"] if group["group"] == VALUE]


def _groups_beside(now: Mapping[str, Any], then: Mapping[str, Any]) -> dict[str, object]:
    """The groups of now as they were then, each beside itself; corrected, as each is a chance to find something. A
    group that was there only then has nothing to be tested against."""
    here = {_name_of(group): group for group in now["groups"]}
    groups = [dict(group) for group in then["groups"] if _name_of(group) in here or group["stages"][0]["users"]]
    if _are_bounded(groups):
        tested = [group for group in groups if _name_of(group) in here]
        pairs = [(_sample(here[_name_of(group)]), _sample(group)) for group in tested]
        corrected = holm([safe_p_value(own, others) for own, others in pairs])
        for group, (own, others), p in zip(tested, pairs, corrected, strict=True):
            group["significance"] = significance(own, others, p=p)
    return {**then, "groups": groups}


def _are_bounded(groups: Sequence[Mapping[str, Any]]) -> bool:
    return all("users_max" in group["stages"][0] for group in groups)


def _name_of(group: Mapping[str, Any]) -> tuple[str, str | None]:
    return group["group"], group["value"]


def _significance_of_steps(now: Mapping[str, Any], then: Mapping[str, Any]) -> list[dict[str, object]]:
    """Of those who reached a stage, who reached the next: now beside then. Corrected, as there are several chances to
    find something in one funnel."""
    pairs = list(zip(_steps(now), _steps(then), strict=True))
    corrected = holm([safe_p_value(own, others) for own, others in pairs])
    return [
        {"from_order": order, "to_order": order + 1, **significance(own, others, p=p)}
        for order, ((own, others), p) in enumerate(zip(pairs, corrected, strict=True), start=1)
    ]


def _steps(members: Mapping[str, Any]) -> list[Sample]:
    """Who is open further back may still come to the stage where the step begins, and go on from there."""
    stages = members["stages"]
    most = [min(stage["users_max"], stages[0]["users"]) for stage in stages]
    reached = [stage["users"] for stage in stages]
    missing = [highest - users for highest, users in zip(most, reached, strict=True)]
    return [
        Sample(reached[k], reached[k - 1], open_=missing[k] - missing[k - 1], coming=missing[k - 1])
        for k in range(1, len(stages))
    ]


def _others(samples: Sequence[Sample], own: Sample) -> Sample:
    """All but one, together."""
    return Sample(
        sum(each.converted for each in samples) - own.converted,
        sum(each.entered for each in samples) - own.entered,
        sum(each.open_ for each in samples) - own.open_,
    )


def _sample(members: Mapping[str, Any]) -> Sample:
    """Who is open although an exclusion has dropped them counts in no stage, and is left out here too."""
    first, last = members["stages"][0], members["stages"][-1]
    return Sample(last["users"], first["users"], min(last["users_max"], first["users"]) - last["users"])
