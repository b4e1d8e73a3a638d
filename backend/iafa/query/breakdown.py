"""A funnel by the values of a property: which value counts for a path, and the groups with the most entries."""

from collections.abc import Callable, Iterator, Sequence
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
from iafa.query.tally import are_open

NONE, OTHER, VALUE = "none", "other", "value"
SLICE_ROWS = 1_000_000  # of histories with one value each that are solved at once
COUNTS_MAX = 200_000  # (value, reached) pairs that wait to be joined with those before
_SCHEMA = pa.schema([("value", pa.string()), ("reached", pa.int64()), ("paths", pa.int64()), ("open", pa.int64())])


@dataclass(frozen=True)
class Group:
    """`value` is None but for `kind` value; `counts` by stage, and `most` if all open paths still got there."""

    kind: str
    value: str | None
    counts: list[int]
    most: list[int]


@dataclass
class GroupCounts:
    """How many paths reach how far, by value. Bounded by the distinct values, which never become Python objects."""

    steps: int
    _joined: pa.Table = field(default_factory=_SCHEMA.empty_table)
    _waiting: list[pa.Table] = field(default_factory=list)
    _waiting_rows: int = 0

    def add(
        self,
        values: pa.Array,
        reached: npt.NDArray[np.signedinteger],
        is_open: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        """One value, or null, for each path."""
        may_grow = np.zeros(len(reached), dtype=np.int64) if is_open is None else is_open.astype(np.int64)
        table = pa.table({"value": values, "reached": pa.array(reached.astype(np.int64)), "open": pa.array(may_grow)})
        table = table.filter(pc.greater(table["reached"], 0)).group_by(["value", "reached"])
        table = table.aggregate([([], "count_all"), ("open", "sum")])
        self._waiting.append(table.rename_columns(_SCHEMA.names).cast(_SCHEMA))
        self._waiting_rows += table.num_rows
        if self._waiting_rows > COUNTS_MAX:
            self._join()

    def _join(self) -> None:
        whole = pa.concat_tables([self._joined, *self._waiting])
        summed = whole.group_by(["value", "reached"]).aggregate([("paths", "sum"), ("open", "sum")])
        self._joined = summed.rename_columns(_SCHEMA.names).cast(_SCHEMA)
        self._waiting, self._waiting_rows = [], 0

    def groups(self, limit: int) -> list[Group]:
        """Most entries first, ties by value; then what else there is, and last those without a value."""
        known = self._known()
        entries = known.group_by("value").aggregate([("paths", "sum")])
        order = [("paths_sum", "descending"), ("value", "ascending")]
        names = entries.sort_by(order).slice(0, limit)["value"].combine_chunks()
        return [group for group in self._by_name(known, names) if group.counts[0]]

    def groups_named(self, names: Sequence[str]) -> list[Group]:
        """These values, also where nobody entered with them; then what else there is, and those without a value."""
        return self._by_name(self._known(), pa.array(names, pa.string()))

    def _known(self) -> pa.Table:
        self._join()
        return self._joined.filter(pc.is_valid(self._joined["value"]))

    def _by_name(self, known: pa.Table, names: pa.Array) -> list[Group]:
        is_named = pc.is_in(known["value"], value_set=names)
        named = known.filter(is_named)
        places = pc.index_in(named["value"], value_set=names).to_numpy()
        found = [
            Group(VALUE, name, *_stages(paths, open_))
            for name, paths, open_ in zip(
                names.to_pylist(),
                *(self._by_place(named, column, places, len(names)) for column in ("paths", "open")),
                strict=True,
            )
        ]
        found.append(self._rest(OTHER, known.filter(pc.invert(is_named))))
        found.append(self._rest(NONE, self._joined.filter(pc.is_null(self._joined["value"]))))
        return found

    def _by_place(self, rows: pa.Table, column: str, places: Int64s, size: int) -> Int64s:
        """By value and by steps reached."""
        table = np.zeros((size, self.steps + 1), dtype=np.int64)
        np.add.at(table, (places, rows["reached"].to_numpy()), rows[column].to_numpy())
        return table

    def _rest(self, kind: str, rows: pa.Table) -> Group:
        places = np.zeros(rows.num_rows, dtype=np.int64)
        (paths,), (open_,) = (self._by_place(rows, column, places, 1) for column in ("paths", "open"))
        return Group(kind, None, *_stages(paths, open_))


def _stages(by_reached: Int64s, open_by_reached: Int64s) -> tuple[list[int], list[int]]:
    """By stage, how many reached it or a later one, and how many may have in the end."""
    counts = by_reached[::-1].cumsum()[::-1][1:]
    return counts.tolist(), (counts + open_by_reached.cumsum()[:-1]).tolist()


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
    is_open = None
    if question.definition.count == "unique":
        paths = solved.paths
        open_people = are_open(solved.chunk.histories, paths, question.definition, question.plan, question.open_from_us)
        is_open = open_people[paths.person]
    groups.add(values.take(pa.array(rows, mask=rows < 0)), solved.paths.reached, is_open)


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
