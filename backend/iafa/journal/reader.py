"""Reading journals: sealed segments for the flusher, and every journal's acknowledged tail for queries."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from iafa.errors import DataDamaged
from iafa.journal.acked import Position, Published, read_acked, read_published
from iafa.journal.format import ACKED_NAME, LOCK_NAME, SEGMENT_SUFFIX, Record, decode_lines
from iafa.journal.segment import segment_path
from iafa.journal.writer import births_lock
from iafa.locks import held, is_taken

_EVERYTHING = Position(2**63, 0)

_HEAD_BYTES = 512
_RECEIVED = re.compile(rb'\{"v":[0-9]+,"q":[0-9]+,"k":"[a-z]+","p":"[^"]*","r":([0-9]+),')


@dataclass(frozen=True)
class Segment:
    """One segment file.

    Bytes behind `end` were refused and could not be cut off before their writer died; None: all bytes count. Only the
    one with `may_be_torn`, a dead journal's last, may end in a torn record: it was never acknowledged.
    """

    epoch: int
    number: int
    path: Path
    end: int | None = None
    may_be_torn: bool = False


@dataclass
class Damage:
    """What could not be read. Torn tails are normal after a crash, damaged middles are not."""

    torn_tails: int = 0
    damaged: list[tuple[Path, int, bytes]] = field(default_factory=list)  # segment, offset, the bytes


def journals(root: Path) -> list[tuple[int, Path]]:
    """(epoch, directory) of every journal, oldest first."""
    if not root.is_dir():
        return []
    return sorted((int(entry.name), entry) for entry in root.iterdir() if entry.name.isdigit())


def segments(epoch: int, directory: Path) -> list[Segment]:
    try:
        numbers = sorted(int(entry.stem) for entry in directory.iterdir() if entry.suffix == SEGMENT_SUFFIX)
    except FileNotFoundError:
        return []
    return [Segment(epoch, number, segment_path(directory, number)) for number in numbers]


def sealed_segments(epoch: int, directory: Path) -> tuple[list[Segment], bool]:
    """Segments that nobody will write again, and whether their journal is dead (then all of them are sealed)."""
    with held(births_lock(directory.parent)), held(directory / LOCK_NAME, wait_s=0) as is_dead:
        published = read_published(directory)
        known = published or Published(Position(0, 0))
        found = [replace(one, end=known.end_of(one.number)) for one in segments(epoch, directory)]
    if is_dead:
        with_bytes = [segment.number for segment in found if _size(segment.path)]
        # A rotation that was not finished may have left an empty segment behind the last one.
        return [replace(one, may_be_torn=one.number == max(with_bytes, default=0)) for one in found], True
    if published is None:  # its writer publishes a new position with the next event; until then nothing is certain
        raise DataDamaged(f"{directory / ACKED_NAME} is damaged; it heals with the next event, or restart the server")
    # What the writer says, not what lies there: a next segment may have been made by a rotation that then failed.
    return [segment for segment in found if segment.number < published.acked.segment], False


def acknowledged(epoch: int, directory: Path) -> Position:
    """How far a journal may be read. Of a dead journal whose position is lost that is all that lies there: the flusher
    takes it whole as well."""
    acked = read_acked(directory)
    if acked is not None or not segments(epoch, directory):
        return acked or Position(0, 0)
    with held(births_lock(directory.parent)):
        is_dead = not is_taken(directory / LOCK_NAME)
    acked = read_acked(directory)
    if acked is None and not is_dead:
        raise DataDamaged(f"{directory / ACKED_NAME} is damaged; it heals with the next event, or restart the server")
    return acked or _EVERYTHING


def read_segment(segment: Segment, damage: Damage) -> Iterator[Record]:
    """All sound records of a sealed segment, in order."""
    data = segment.path.read_bytes()[: segment.end]
    start = 0
    for record, end in _decoded(segment.path, data):
        if record is not None:
            yield record
        elif end == start:  # no newline behind it
            if segment.may_be_torn:
                damage.torn_tails += 1
            else:
                damage.damaged.append((segment.path, start, data[start:]))
            return
        else:
            damage.damaged.append((segment.path, start, data[start:end]))
        start = end


@dataclass(frozen=True)
class Backlog:
    """What waits for the flusher. `oldest_us` is the age of the oldest record, 0 when nothing waits."""

    bytes: int = 0
    segments: int = 0
    oldest_us: int = 0


def backlog(root: Path, now_us: int, *, before: int | None = None) -> Backlog:
    """Of all journals, or of those with an epoch below `before`; from the files, whoever writes them."""
    sizes: list[int] = []
    received: list[int] = []
    for epoch, directory in journals(root):
        if before is not None and epoch >= before:
            break
        for segment in segments(epoch, directory):
            size = _size(segment.path)
            if size:
                sizes.append(size)
                received += _first_received(segment.path)
    return Backlog(sum(sizes), len(sizes), max(0, now_us - min(received, default=now_us)))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _first_received(path: Path) -> list[int]:
    """When the first record of a segment was received; empty if that cannot be told."""
    try:
        with open(path, "rb") as file:
            found = _RECEIVED.match(file.read(_HEAD_BYTES))
    except FileNotFoundError:
        return []
    return [int(found[1])] if found else []


def _decoded(path: Path, data: bytes) -> Iterator[tuple[Record | None, int]]:
    try:
        yield from decode_lines(data)
    except ValueError as error:  # written by a later version
        raise DataDamaged(f"{path}: {error}") from error


class Tail:
    """New acknowledged records of all journals since the last call; keeps only how far it has read."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read_to: dict[tuple[int, int], int] = {}

    def read(self) -> tuple[dict[Segment, list[Record]], set[tuple[int, int]]]:
        """(new records by segment, the (epoch, number) of every segment that still exists).

        Read this before the manifest: a segment that is gone by now is absorbed in a manifest that is there by now.
        """
        fresh: dict[Segment, list[Record]] = {}
        present: set[tuple[int, int]] = set()
        for epoch, directory in journals(self._root):
            acked = acknowledged(epoch, directory)
            for segment in segments(epoch, directory):
                if segment.number > acked.segment:
                    continue
                records = self._read_new(segment, acked)
                if records is None:
                    continue
                present.add((epoch, segment.number))
                if records:
                    fresh[segment] = records
        self._read_to = {key: offset for key, offset in self._read_to.items() if key in present}
        return fresh, present

    def _read_new(self, segment: Segment, acked: Position) -> list[Record] | None:
        """Records between what was read and what is acknowledged; None when the segment has been retired."""
        key = (segment.epoch, segment.number)
        start = self._read_to.get(key, 0)
        limit = acked.offset if segment.number == acked.segment else None
        if limit is not None and limit <= start:
            return [] if segment.path.exists() else None
        try:
            with open(segment.path, "rb") as file:
                file.seek(start)
                data = file.read() if limit is None else file.read(limit - start)
        except FileNotFoundError:
            return None
        self._read_to[key] = start + len(data)
        return [record for record, _end in _decoded(segment.path, data) if record is not None]
