"""What a solver must know of a definition, as numbers and arrays."""

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
STEPS_MAX = 20
NO_LIMIT_US = 1 << 60  # of a window; larger than any difference of two times
ENTRY_BEST, ENTRY_FIRST, ENTRY_LAST = 0, 1, 2
_OWN: tuple[Literal["C"], Literal["W"]] = ("C", "W")  # contiguous and writable


class Plan(NamedTuple):
    """Times are microseconds. Arrays over steps are indexed from 1 to `steps`; index 0 is unused."""

    steps: int
    window_us: int
    from_us: int
    to_us: int  # entries lie in [from_us, to_us)
    end_us: int  # later steps lie before it
    is_all_steps: bool  # every step lies in the range, also one that a grace lets come before the first
    is_tie_strict: bool
    is_strict: bool
    is_drop: bool
    entry: int
    within_us: Int64s
    after_us: Int64s
    excluded_from: Int64s  # by exclusion: between which steps
    excluded_to: Int64s
    live_from_us: int = -NO_LIMIT_US  # who did nothing from here on can do nothing more: a session that has ended


class Histories(NamedTuple):
    """The events of many people, by person and then (time, id). Bit i - 1 of a mask is step i, or exclusion i.

    Strict order needs every event of a person; otherwise only those that match something.
    """

    offsets: Int64s  # person p has the rows offsets[p] to offsets[p + 1]
    time_us: Int64s
    steps: Int32s
    excluded: Int32s

    def writable(self) -> "Histories":
        """The same in arrays of one kind. Those that Arrow lends cannot be written, and the compiler, to whom that is
        another type, would make all code a second time, in the middle of a question.
        """
        return Histories(
            offsets=np.require(self.offsets, requirements=_OWN),
            time_us=np.require(self.time_us, requirements=_OWN),
            steps=np.require(self.steps, requirements=_OWN),
            excluded=np.require(self.excluded, requirements=_OWN),
        )


class Paths(NamedTuple):
    """Path by path: whose it is (number of the person), steps reached, the row of each step's event (-1 = none)."""

    person: Int64s
    reached: Int32s
    rows: Int64s  # paths x steps

    @classmethod
    def room(cls, most: int, steps: int, *, wants_rows: bool = True) -> "Paths":
        """Nobody has reached anything. Without rows all of them are the same -1, which cannot be written."""
        no_rows = np.broadcast_to(np.int64(-1), (most, steps))
        return cls(
            np.arange(most, dtype=np.int64),
            np.zeros(most, dtype=np.int32),
            no_rows.copy() if wants_rows else no_rows,
        )

    def first(self, count: int) -> "Paths":
        return Paths(self.person[:count], self.reached[:count], self.rows[:count])


def last_entries(plan: Plan, histories: Histories, *, bits: int = 1) -> Int64s:
    """By person the latest time at which a path may begin within the range; -1 if there is none."""
    if len(histories.offsets) == 1:
        return np.zeros(0, dtype=np.int64)
    may_begin = ((histories.steps & bits) != 0) & (histories.time_us >= plan.from_us) & (histories.time_us < plan.to_us)
    times: Int64s = np.maximum.reduceat(np.where(may_begin, histories.time_us, -1), histories.offsets[:-1])
    return times


def are_live(plan: Plan, histories: Histories) -> npt.NDArray[np.bool_]:
    """By person, who may still do something that belongs to the same entity."""
    live: npt.NDArray[np.bool_] = histories.time_us[histories.offsets[1:] - 1] >= plan.live_from_us
    return live
