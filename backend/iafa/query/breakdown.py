"""A funnel by the values of a property: which value counts for a path, and the groups with the most entries."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from iafa.query.definition import Breakdown, FunnelDefinition
from iafa.query.paths.gathering import people_of_rows, rows_of
from iafa.query.paths.plan import Histories, Int64s, Plan
from iafa.query.paths.reading import entry_bits
from iafa.query.paths.solving import Solved, paths_of
from iafa.query.question import Question

NONE, OTHER, VALUE = "none", "other", "value"
SLICE_ROWS = 1_000_000  # of histories with one value each that are solved at once
COUNTS_MAX = 200_000  # (value, reached) pairs that wait to be joined with those before
_SCHEMA = pa.schema([("value", pa.string()), ("reached", pa.int64()), ("paths", pa.int64())])


@dataclass(frozen=True)
class Group:
    """`value` is None but for `kind` value; `counts` by stage."""

    kind: str
    value: str | None
    counts: list[int]


@dataclass
class GroupCounts:
    """How many paths reach how far, by value. Bounded by the distinct values, which never become Python objects."""

    steps: int
    _joined: pa.Table = field(default_factory=_SCHEMA.empty_table)
    _waiting: list[pa.Table] = field(default_factory=list)
    _waiting_rows: int = 0

    def add(self, values: pa.Array, reached: npt.NDArray[np.signedinteger]) -> None:
        """One value, or null, for each path."""
        table = pa.table({"value": values, "reached": pa.array(reached.astype(np.int64))})
        table = (
            table.filter(pc.greater(table["reached"], 0)).group_by(["value", "reached"]).aggregate([([], "count_all")])
        )
        self._waiting.append(table.rename_columns(_SCHEMA.names).cast(_SCHEMA))
        self._waiting_rows += table.num_rows
        if self._waiting_rows > COUNTS_MAX:
            self._join()

    def _join(self) -> None:
        whole = pa.concat_tables([self._joined, *self._waiting])
        summed = whole.group_by(["value", "reached"]).aggregate([("paths", "sum")])
        self._joined = summed.rename_columns(_SCHEMA.names).cast(_SCHEMA)
        self._waiting, self._waiting_rows = [], 0

    def groups(self, limit: int) -> list[Group]:
        """Most entries first, ties by value; then what else there is, and last those without a value."""
        self._join()
        known = self._joined.filter(pc.is_valid(self._joined["value"]))
        entries = known.group_by("value").aggregate([("paths", "sum")])
        order = [("paths_sum", "descending"), ("value", "ascending")]
        names = entries.sort_by(order).slice(0, limit)["value"].combine_chunks()
        is_named = pc.is_in(known["value"], value_set=names)
        named = known.filter(is_named)
        places = pc.index_in(named["value"], value_set=names).to_numpy()
        table = np.zeros((len(names), self.steps + 1), dtype=np.int64)
        np.add.at(table, (places, named["reached"].to_numpy()), named["paths"].to_numpy())
        found = [Group(VALUE, name, _stages(row)) for name, row in zip(names.to_pylist(), table, strict=True)]
        found.append(Group(OTHER, None, self._rest(known.filter(pc.invert(is_named)))))
        found.append(Group(NONE, None, self._rest(self._joined.filter(pc.is_null(self._joined["value"])))))
        return [group for group in found if group.counts[0]]

    def _rest(self, rows: pa.Table) -> list[int]:
        by_reached = np.zeros(self.steps + 1, dtype=np.int64)
        np.add.at(by_reached, rows["reached"].to_numpy(), rows["paths"].to_numpy())
        return _stages(by_reached)


def _stages(by_reached: Int64s) -> list[int]:
    """By stage, how many reached it or a later one."""
    counts: list[int] = by_reached[::-1].cumsum()[::-1][1:].tolist()
    return counts


def add_breakdown(groups: GroupCounts, solved: Solved, question: Question, check_time: Callable[[], None]) -> None:
    """Count the paths of a chunk, whose first property is the one of the breakdown."""
    breakdown = question.definition.breakdown
    assert breakdown is not None
    values = solved.chunk.values[0]
    if breakdown.attribution == "each":
        for each, reached in _restricted(solved, values, question, check_time):
            groups.add(each, reached)
        return
    rows = _deciding_rows(breakdown, solved, values, question)
    groups.add(values.take(pa.array(rows, mask=rows < 0)), solved.paths.reached)


def _deciding_rows(breakdown: Breakdown, solved: Solved, values: pa.Array, question: Question) -> Int64s:
    """By path the row whose value counts; -1 = none."""
    if breakdown.attribution in ("first_known", "last_known"):
        return _known_rows(breakdown, solved, values, question)[solved.paths.person]
    rows = solved.paths.rows
    if question.definition.order == "unordered":
        # The path lists its events by time, ties by the number of the stage.
        times = np.where(rows >= 0, solved.chunk.histories.time_us[rows], np.iinfo(np.int64).max)
        rows = np.take_along_axis(rows, np.argsort(times, axis=1, kind="stable"), axis=1)
    step = 1
    if breakdown.attribution == "step":
        step = question.definition.required_number(breakdown.stage)
    chosen: Int64s = rows[:, step - 1]
    return chosen


def _known_rows(breakdown: Breakdown, solved: Solved, values: pa.Array, question: Question) -> Int64s:
    """By person the first or last row that matches a stage, lies in [from, to + W] and has a value; -1 = none."""
    histories, asked = solved.chunk.histories, question.time_range
    to_us = asked.to_us if question.definition.range == "all_steps" else question.span.read_to_us
    counts = (
        ((histories.steps != 0) | (solved.chunk.optional != 0))
        & (histories.time_us >= asked.from_us)
        & (histories.time_us < to_us)
        & values.is_valid().to_numpy(zero_copy_only=False)
    )
    rows = np.arange(len(counts), dtype=np.int64)
    if breakdown.attribution == "last_known":
        last: Int64s = np.maximum.reduceat(np.where(counts, rows, -1), histories.offsets[:-1])
        return last
    first = np.minimum.reduceat(np.where(counts, rows, len(rows)), histories.offsets[:-1])
    return np.where(first < len(rows), first, -1)


def _restricted(
    solved: Solved, values: pa.Array, question: Question, check_time: Callable[[], None]
) -> Iterator[tuple[pa.Array, npt.NDArray[np.signedinteger]]]:
    """(values, steps reached) of every person with every value of an entry: the funnel that begins with that value."""
    histories = solved.chunk.histories
    encoded = values.dictionary_encode()
    texts = encoded.dictionary
    codes = encoded.indices.fill_null(len(texts)).to_numpy().astype(np.int64)
    is_entry = _are_entries(histories, question.plan, question.definition)
    pairs = np.unique((people_of_rows(histories) * (len(texts) + 1) + codes)[is_entry])
    people, wanted = pairs // (len(texts) + 1), pairs % (len(texts) + 1)
    sizes = np.cumsum(histories.offsets[people + 1] - histories.offsets[people])
    cuts = np.flatnonzero(np.diff(sizes // SLICE_ROWS)) + 1
    for some, value in zip(np.split(people, cuts), np.split(wanted, cuts), strict=True):
        if not len(some):
            continue
        check_time()
        rows, offsets = rows_of(histories, some)
        # Only the first stage is asked for the value: the same event may still fill a later one.
        others = codes[rows] != np.repeat(value, np.diff(offsets))
        steps = np.where(others, histories.steps[rows] & ~1, histories.steps[rows]).astype(np.int32)
        own = Histories(offsets, histories.time_us[rows], steps, histories.excluded[rows])
        paths = paths_of(question.definition, question.plan, own, check_time)
        yield texts.take(pa.array(value, mask=value == len(texts))), paths.reached


def _are_entries(histories: Histories, plan: Plan, definition: FunnelDefinition) -> npt.NDArray[np.bool_]:
    is_entry: npt.NDArray[np.bool_] = (
        ((histories.steps & entry_bits(definition)) != 0)
        & (histories.time_us >= plan.from_us)
        & (histories.time_us < plan.to_us)
    )
    return is_entry
