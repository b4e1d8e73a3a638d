"""What sessions that were found as arrays come to: figures of all, by bucket and by what they tell; pages."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from iafa.query.array_memory import Taken
from iafa.query.engine_duckdb import Reading
from iafa.query.paths.plan import Int32s, Int64s
from iafa.query.paths.visiting import Visits, count_figures
from iafa.query.paths.warming import WARMING
from iafa.query.reports.visit_reading import FoundVisits, find
from iafa.query.reports.visit_tables import Counts, VisitsAsked, VisitTables
from iafa.query.reports.visit_words import PAGE

_FIGURES = 7


def count_visits(reading: Reading, asked: VisitsAsked) -> VisitTables | None:
    """None if the statements have to count them: without the compiler, without the room, or for a receipt, which shows
    the statement that was run."""
    if not WARMING.is_ready or "receipt" in asked.frame.include:
        return None
    with closing(Taken(reading.arrays)) as taken:
        found = find(reading, asked.snapshot, asked.frame, asked.dimensions, taken, has_pages=asked.has_pages)
        return None if found is None else _counted(reading, found, asked)


def _counted(reading: Reading, found: FoundVisits, asked: VisitsAsked) -> VisitTables:
    visits, bucketing, groups = found.visits, asked.bucketing, asked.groups
    by_length = np.argsort(visits.length_us).astype(np.int32)
    total = _figures(visits, by_length, np.zeros(len(visits.people), dtype=np.int32), 1)
    starts = [bucket.from_us for bucket in bucketing.buckets]
    places = (np.searchsorted(starts, visits.start_us, side="right") - 1).astype(np.int32)
    by_bucket = _figures(visits, by_length, places, len(starts))
    listed = {}
    for name in asked.dimensions:
        reading.check_time()
        meaning = found.vocabulary.values(name, visits.words)
        largest = _largest(np.bincount(meaning.places + 1, minlength=len(meaning.texts) + 1)[1:], meaning.texts, groups)
        listed[name] = list(_groups(visits, by_length, meaning.places, meaning.texts, largest))
    counts = {place: row.tolist() for place, row in enumerate(by_bucket)}
    return VisitTables(total[0].tolist(), counts, listed, None if found.pages is None else _pages(found, groups))


def _groups(
    visits: Visits, by_length: Int32s, places: Int32s, texts: pa.Array, largest: Int64s
) -> Iterator[tuple[str, str | None, Counts]]:
    other, none = len(largest), len(largest) + 1
    groups = np.full(len(texts) + 1, other, dtype=np.int32)
    groups[largest] = np.arange(len(largest), dtype=np.int32)
    groups[-1] = none
    rows = _figures(visits, by_length, groups[places], none + 1).tolist()
    named: list[Any] = texts.take(pa.array(largest)).to_pylist()
    shown = [*(("value", name) for name in named), ("other", None), ("none", None)]
    for (kind, value), row in zip(shown, rows, strict=True):
        if row[0]:
            yield kind, value, row


def _figures(visits: Visits, by_length: Int32s, groups: Int32s, count: int) -> Int64s:
    figures = np.zeros((count, _FIGURES), dtype=np.int64)
    count_figures(visits, groups, by_length, figures)
    return figures


def _largest(counts: Int64s, texts: pa.Array, most: int) -> Int64s:
    """The places of the texts that are there most often, of equal ones the first by text."""
    most = min(most, int(np.count_nonzero(counts)))
    if not most:
        return np.zeros(0, dtype=np.int64)
    least = np.partition(counts, -most)[-most]
    above, equal = np.flatnonzero(counts > least), np.flatnonzero(counts == least)
    first = pc.bottom_k_unstable(texts.take(pa.array(equal)), k=most - len(above))
    chosen = np.concatenate((above, equal[first.to_numpy()]))
    order = sorted(chosen.tolist(), key=lambda place: (-int(counts[place]), str(texts[place])))
    return np.array(order, dtype=np.int64)


def _pages(found: FoundVisits, most: int) -> list[tuple[str, int, int]]:
    pages, texts = found.pages, found.vocabulary.meant[PAGE].texts
    assert pages is not None
    shown = _largest(pages.views, texts, most)
    names: list[Any] = texts.take(pa.array(shown)).to_pylist()
    return list(zip(names, pages.views[shown].tolist(), pages.people[shown].tolist(), strict=True))
