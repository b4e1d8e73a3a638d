"""What is counted over everybody's paths, summed up chunk by chunk: stages, open entries, exclusions."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from iafa.query.definition import FunnelDefinition
from iafa.query.paths.plan import Histories, Int64s, Paths, Plan, are_live, last_entries
from iafa.query.paths.reading import entry_bits
from iafa.query.paths.solving import Solved


@dataclass
class Tally:
    """Arrays are by stage, the first one at index 0. `open_by_reached[k]`: open entities that reached k stages."""

    reached: Int64s
    named: Int64s  # how many paths fill the stage itself; differs from `reached` without an order only
    open_by_reached: Int64s
    optional: Int64s  # how many paths fill each optional stage
    entered: int = 0
    dropped_by_exclusion: int = 0

    @classmethod
    def empty(cls, steps: int, optional: int = 0) -> "Tally":
        return cls(
            np.zeros(steps, dtype=np.int64),
            np.zeros(steps, dtype=np.int64),
            np.zeros(steps + 1, dtype=np.int64),
            np.zeros(optional, dtype=np.int64),
        )

    def add(self, solved: Solved, definition: FunnelDefinition, plan: Plan, open_from_us: int) -> None:
        self.add_paths(solved.chunk.histories, solved.paths, definition, plan, open_from_us)
        if solved.optional is not None:
            self.optional += (solved.optional >= 0).sum(axis=0)

    def add_paths(
        self, histories: Histories, paths: Paths, definition: FunnelDefinition, plan: Plan, open_from_us: int
    ) -> None:
        steps = plan.steps
        by_reached = np.bincount(paths.reached, minlength=steps + 1)
        self.reached += by_reached[::-1].cumsum()[::-1][1:]
        if definition.order == "unordered":
            self.named += (paths.rows >= 0).sum(axis=0)
        entries = last_entries(plan, histories, bits=entry_bits(definition))
        longest = _longest(paths, len(entries))
        has_entered = entries >= plan.from_us
        self.entered += int(has_entered.sum())
        self.dropped_by_exclusion += int((has_entered & (longest == 0)).sum())
        is_open = _are_open(entries, longest, histories, plan, open_from_us)
        self.open_by_reached += np.bincount(longest[is_open], minlength=steps + 1)

    @property
    def open(self) -> int:
        return int(self.open_by_reached.sum())

    def users_max(self) -> list[int]:
        """By stage, the counts if every open entity still got there."""
        below = self.open_by_reached.cumsum()
        return [int(self.reached[k - 1] + below[k - 1]) for k in range(1, len(self.reached) + 1)]


def are_open(
    histories: Histories, paths: Paths, definition: FunnelDefinition, plan: Plan, open_from_us: int
) -> npt.NDArray[np.bool_]:
    """By person: not converted, and an entry lies at `open_from_us` or later."""
    entries = last_entries(plan, histories, bits=entry_bits(definition))
    return _are_open(entries, _longest(paths, len(entries)), histories, plan, open_from_us)


def _are_open(
    entries: Int64s, longest: Int64s, histories: Histories, plan: Plan, open_from_us: int
) -> npt.NDArray[np.bool_]:
    is_open: npt.NDArray[np.bool_] = (entries >= plan.from_us) & (entries >= open_from_us) & are_live(plan, histories)
    return is_open & (longest < plan.steps)


def _longest(paths: Paths, people: int) -> Int64s:
    """By person how many steps their longest path has."""
    if len(paths.person) == people and np.array_equal(paths.person, np.arange(people)):
        return paths.reached.astype(np.int64)
    longest = np.zeros(people, dtype=np.int64)
    np.maximum.at(longest, paths.person, paths.reached)
    return longest
