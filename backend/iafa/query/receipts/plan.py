"""A funnel's question as the plain numbers that the notebook's solver takes."""

from iafa.query.paths.plan import NO_LIMIT_US
from iafa.query.paths.reading import entry_bits
from iafa.query.question import Question
from iafa.query.time_range import TIME_MIN_US


def numbers_of(question: Question) -> dict[str, object]:
    """JSON. Times are microseconds, a window without a limit is a very long one."""
    definition, plan = question.definition, question.plan
    optional = 0
    stages = []
    for stage in definition.stages:
        optional += stage.optional
        stages.append(optional if stage.optional else 0)
    return {
        "steps": plan.steps,
        "stages": stages,
        "from": plan.from_us,
        "to": plan.to_us,
        "end": plan.end_us,
        "earliest": plan.from_us if plan.is_all_steps else TIME_MIN_US,
        "window": int(plan.window_us),
        "within": [int(each) for each in plan.within_us[1:]],
        "after": [int(each) for each in plan.after_us[1:]],
        "grace": definition.grace_seconds * 1_000_000 if definition.tie == "grace" else 0,
        "is_tie_strict": plan.is_tie_strict,
        "is_strict": plan.is_strict,
        "is_unordered": definition.order == "unordered",
        "first_required": definition.first_required,
        "entry_bits": entry_bits(definition),
        "entry": definition.entry,
        "exclusions": [[int(i), int(j)] for i, j in zip(plan.excluded_from, plan.excluded_to, strict=True)],
        "is_drop": plan.is_drop,
        "totals": definition.count == "totals",
        "open_from": max(question.open_from_us, -NO_LIMIT_US),
        "live_from": plan.live_from_us,
    }
