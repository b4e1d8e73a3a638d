"""Following all journals from now on, in bounded pieces: for a view that may miss something and never falls behind."""

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from iafa.journal.acked import Published, read_published
from iafa.journal.format import LooseRecord, peek_line
from iafa.journal.reader import journals
from iafa.journal.segment import segment_path

PIECE_BYTES = 1024 * 1024  # of one journal and one look; what is older is jumped over
_HEAD = re.compile(rb'\{"v":[0-9]+,"q":[0-9]+,"k":"[a-z]+","p":"([^"]*)"')


class Followed(NamedTuple):
    """A record of the journal with this epoch."""

    epoch: int
    record: LooseRecord


class Look(NamedTuple):
    """`has_gap`: more had arrived than one look reads."""

    records: list[Followed]
    has_gap: bool


@dataclass
class _Place:
    """An open segment: it can be read to its end even when the flusher has removed it."""

    number: int
    offset: int
    descriptor: int


class Follower:
    """For one thread. `close` it at the end."""

    def __init__(self, root: Path, piece_bytes: int = PIECE_BYTES) -> None:
        self._root = root
        self._piece_bytes = piece_bytes
        self._places: dict[int, _Place] = {}
        for epoch, directory in journals(root):
            published = read_published(directory)
            if published is not None:
                self._enter(epoch, directory, published.acked.segment, published.acked.offset)

    def look(self, project_ids: Collection[str]) -> Look:
        """What was acknowledged for these projects since the last look."""
        records: list[Followed] = []
        has_gap = False
        found = journals(self._root)
        for epoch, directory in found:
            published = read_published(directory)
            if published is None:
                continue
            if epoch not in self._places and not self._enter(epoch, directory, 1, 0):
                self._enter(epoch, directory, published.acked.segment, 0)
            for data, is_cut in self._new(epoch, directory, published):
                has_gap |= is_cut
                records += [Followed(epoch, record) for record in _records(data, is_cut, project_ids)]
        for gone in set(self._places) - {epoch for epoch, _directory in found}:
            os.close(self._places.pop(gone).descriptor)
        return Look(records, has_gap)

    def close(self) -> None:
        for place in self._places.values():
            os.close(place.descriptor)
        self._places.clear()

    def _enter(self, epoch: int, directory: Path, number: int, offset: int) -> bool:
        try:
            descriptor = os.open(segment_path(directory, number), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        old = self._places.get(epoch)
        if old is not None:
            os.close(old.descriptor)
        self._places[epoch] = _Place(number, offset, descriptor)
        return True

    def _new(self, epoch: int, directory: Path, published: Published) -> Iterator[tuple[bytes, bool]]:
        """(bytes, whether something before them was jumped over) of each segment up to the acknowledged place."""
        acked = published.acked
        while (place := self._places.get(epoch)) is not None:
            is_sealed = place.number < acked.segment
            end = published.end_of(place.number) if is_sealed else acked.offset
            end = os.fstat(place.descriptor).st_size if end is None else end
            start = max(place.offset, end - self._piece_bytes)
            if end > place.offset:
                yield os.pread(place.descriptor, end - start, start), start > place.offset
                place.offset = end
            if not is_sealed:
                return
            following = range(place.number + 1, acked.segment + 1)
            # Those that the flusher took in between are missed: their events are in the lake.
            if not any(self._enter(epoch, directory, number, 0) for number in following):
                return


def _records(data: bytes, is_cut: bool, project_ids: Collection[str]) -> Iterator[LooseRecord]:
    lines = data.split(b"\n")
    for line in lines[1:] if is_cut else lines:
        head = _HEAD.match(line)
        if head is None or head[1].decode() not in project_ids:
            continue
        try:
            yield peek_line(line)
        except msgspec.DecodeError:
            continue  # damaged: the flusher tells
