"""Optional steps: filled in after the required ones are settled, which they never move.

As many as possible, then as early as possible, then by ids. Each needs its own event between its neighbours in time.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import islice

import numpy as np

from iafa.query.definition import FunnelDefinition
from iafa.query.paths.plan import Histories, Int32s, Int64s, Paths, Plan

WAYS_MAX = 1_000  # of equal rank; only events that match several optional steps make more than one
Way = tuple[int, tuple[int, ...]]  # minus how many are filled, then the instants: the smallest is the best


def fill_optional(
    definition: FunnelDefinition, plan: Plan, histories: Histories, optional: Int32s, paths: Paths
) -> tuple[Paths, Int64s]:
    """(the paths, with ids settled anew where events of one instant are shared; rows of the optional steps)."""
    kinds = [stage.optional for stage in definition.stages]
    rows = paths.rows.copy()
    filled = np.full((len(paths.person), sum(kinds)), -1, dtype=np.int64)
    has_any = np.flatnonzero(np.add.reduceat((optional != 0).astype(np.int64), histories.offsets[:-1]))
    for place in np.flatnonzero(np.isin(paths.person, has_any) & (paths.reached > 0)):
        person = paths.person[place]
        first, last = int(histories.offsets[person]), int(histories.offsets[person + 1])
        one = _Person(plan, kinds, histories, optional, first, last)
        for position, row in one.best(rows[place], int(paths.reached[place])).items():
            number = sum(kinds[position] == kind for kind in kinds[:position])
            (filled if kinds[position] else rows)[place, number] = row
    return Paths(paths.person, paths.reached, rows), filled


class _Person:
    """One person's instants, and which of them can hold which steps together."""

    def __init__(
        self, plan: Plan, kinds: Sequence[bool], histories: Histories, optional: Int32s, first: int, last: int
    ) -> None:
        self._plan = plan
        self._kinds = kinds
        self._time_us = histories.time_us[first:last].tolist()
        self._masks = (histories.steps[first:last].tolist(), optional[first:last].tolist())
        self._first = first

    def best(self, required: Int64s, reached: int) -> dict[int, int]:
        """The row of each step that is filled, by its position in the definition."""
        settled = self._settled(required, reached)
        end = max(settled) + 1
        while end < len(self._kinds) and self._kinds[end]:
            end += 1
        start_us = self._time_us[int(required[0]) - self._first]
        last_us = min(start_us + self._plan.window_us, self._plan.end_us - 1)
        latest = [min((settled[p] for p in settled if p >= position), default=last_us) for position in range(end)]
        times = sorted({t for t in self._time_us if start_us <= t <= last_us})

        @cache
        def way(position: int, now_us: int, held: tuple[int, ...]) -> Way:
            """The best of the positions from here on; `held` are the steps that lie in the instant of now."""
            if position == end:
                return 0, ()
            if position in settled:
                at = settled[position]
                held = (*held, position) if at == now_us else (position,)
                return way(position + 1, at, held) if self._fits(at, held) else _NO_WAY
            best = way(position + 1, now_us, held)
            for at in times:
                if now_us <= at <= latest[position]:
                    with_it = (*held, position) if at == now_us else (position,)
                    if self._fits(at, with_it):
                        count, later = way(position + 1, at, with_it)
                        best = min(best, (count - 1, (at, *later)))
            return best

        return self._rows(settled, end, way)

    def _settled(self, required: Int64s, reached: int) -> dict[int, int]:
        """The time of each required step that was reached, by position."""
        positions = [position for position, is_optional in enumerate(self._kinds) if not is_optional]
        return {
            position: self._time_us[int(required[number]) - self._first]
            for number, position in enumerate(positions[:reached])
        }

    def _rows(
        self, settled: dict[int, int], end: int, way: Callable[[int, int, tuple[int, ...]], Way]
    ) -> dict[int, int]:
        """Of the best ways the one with the smallest ids, in the order of the steps; then with the first steps."""

        def walks(position: int, now_us: int, held: tuple[int, ...]) -> Iterator[dict[int, int]]:
            if position == end:
                yield {}
                return
            wanted = way(position, now_us, held)
            at = settled.get(position, wanted[1][0] if wanted[1] else now_us)
            with_it = (*held, position) if at == now_us else (position,)
            if position in settled or (wanted[1] and self._leads(way, position, at, with_it, wanted)):
                for later in walks(position + 1, at, with_it):
                    yield {position: at, **later}
            if position not in settled and way(position + 1, now_us, held) == wanted:
                yield from walks(position + 1, now_us, held)

        found = (self._given(at_us) for at_us in islice(walks(0, settled[0], ()), WAYS_MAX))
        return min(found, key=lambda given: list(given.values()))

    def _leads(
        self,
        way: Callable[[int, int, tuple[int, ...]], Way],
        position: int,
        at_us: int,
        held: tuple[int, ...],
        wanted: Way,
    ) -> bool:
        """Is filling the position at that time one of the best ways?"""
        if not any(self._matches(row, position) for row in self._rows_at(at_us)) or not self._fits(at_us, held):
            return False
        count, later = way(position + 1, at_us, held)
        return (count - 1, (at_us, *later)) == wanted

    def _given(self, at_us: dict[int, int]) -> dict[int, int]:
        """Give out the events of each instant."""
        rows: dict[int, int] = {}
        for at in sorted(set(at_us.values())):
            rows |= self._assigned(at, [position for position in at_us if at_us[position] == at])
        return dict(sorted(rows.items()))

    def _assigned(self, at_us: int, positions: Sequence[int]) -> dict[int, int]:
        """The smallest id to each step in turn that leaves the later ones theirs."""
        given: dict[int, int] = {}
        for number, position in enumerate(positions):
            for row in self._rows_at(at_us):
                taken = {*given.values(), row}
                if (
                    row not in given.values()
                    and self._matches(row, position)
                    and self._matching(at_us, positions[number + 1 :], taken)
                ):
                    given[position] = row
                    break
        return {position: self._first + row for position, row in given.items()}

    def _fits(self, at_us: int, positions: Sequence[int]) -> bool:
        return self._matching(at_us, positions, set())

    def _matching(self, at_us: int, positions: Sequence[int], taken: set[int]) -> bool:
        """Can distinct events of the instant, but the taken ones, fill all the positions?"""
        holder: dict[int, int] = {}

        def fill(position: int, tried: set[int]) -> bool:
            for row in self._rows_at(at_us):
                if row not in taken and row not in tried and self._matches(row, position):
                    tried.add(row)
                    if row not in holder or fill(holder[row], tried):
                        holder[row] = position
                        return True
            return False

        return all(fill(position, set()) for position in positions)

    def _rows_at(self, at_us: int) -> list[int]:
        return [row for row, time_us in enumerate(self._time_us) if time_us == at_us]

    def _matches(self, row: int, position: int) -> bool:
        kind = self._kinds[position]
        number = sum(other == kind for other in self._kinds[:position])
        return bool(self._masks[kind][row] >> number & 1)


_NO_WAY: Way = (1 << 30, ())
