"""What one person can do within one instant, when its events match several stages each. Pure and exact."""

from collections.abc import Sequence


def ways(masks: Sequence[int], stages: int, *, is_entry: bool) -> list[tuple[int, int]]:
    """For each level that the events of one instant can lead to: (level, best level to have had before it).

    Bit i - 1 of a mask says that the event matches stage i. From a level k the instant leads to level m when
    distinct events of it fill stages k + 1 to m. Of several levels the lowest is best: whoever had a higher
    one had the lower one too, by a start as late or later. Level 0 is only where a path may begin.
    """
    furthest = _furthest(masks, stages)
    lowest = 0 if is_entry else 1
    found = []
    for level in range(1, stages + 1):
        previous = next((k for k in range(lowest, level) if furthest[k] >= level), None)
        if previous is not None:
            found.append((level, previous))
    return found


def _furthest(masks: Sequence[int], stages: int) -> list[int]:
    """By level k: the furthest level filled from it. It never falls with k, so one matching slides on."""
    filled_by: dict[int, int] = {}  # event -> stage
    furthest = []
    reached = 0
    for level in range(stages):
        reached = max(reached, level)
        while reached < stages and _fill(reached + 1, masks, filled_by, set()):
            reached += 1
        furthest.append(reached)
        filled_by = {event: stage for event, stage in filled_by.items() if stage != level + 1}
    return furthest


def _fill(stage: int, masks: Sequence[int], filled_by: dict[int, int], tried: set[int]) -> bool:
    """Give `stage` an event, moving others to other events where needed (an augmenting path)."""
    for event, mask in enumerate(masks):
        if mask >> (stage - 1) & 1 and event not in tried:
            tried.add(event)
            holder = filled_by.get(event)
            if holder is None or _fill(holder, masks, filled_by, tried):
                filled_by[event] = stage
                return True
    return False
