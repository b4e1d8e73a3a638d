"""Whether some bytes are anywhere in a folder: as they are, in compressed pages of any file, in values and names."""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from iafa.event import identity_hash

ZSTD = b"\x28\xb5\x2f\xfd"
GZIP = b"\x1f\x8b\x08"


def forms_of(texts: Iterable[str]) -> list[bytes]:
    """A text as UTF-8, as escaped JSON, and its two hashes: of identities and of event ids."""
    found: set[bytes] = set()
    for text in texts:
        found |= {text.encode(), json.dumps(text)[1:-1].encode(), text.encode("utf-16-le")}
        found.add(identity_hash(text).to_bytes(8, "little", signed=True))
        found.add(xxhash.xxh64_intdigest(text.encode()).to_bytes(8, "little"))
    return sorted(found)


def places_of(root: Path, texts: Iterable[str]) -> list[str]:
    """Every file, and where in it, that has one of the texts."""
    forms = forms_of(texts)
    found = []
    for path in sorted(root.rglob("*")):
        if any(form in str(path.relative_to(root)).encode() for form in forms):
            found.append(f"{path.relative_to(root)}: its name")
        if path.is_file():
            found += [
                f"{path.relative_to(root)}: {where}: {form!r}"
                for where, data in _layers(path)
                for form in forms
                if form in data
            ]
    return found


def _layers(path: Path) -> Iterator[tuple[str, bytes]]:
    data = path.read_bytes()
    yield "bytes", data
    for start in _starts(data, ZSTD):
        yield f"page at {start}", _inflated(data, start)
    if data.startswith(GZIP):
        yield "inflated", _gunzipped(data)
    if data.startswith(b"PAR1") and data.endswith(b"PAR1"):
        yield from _of_parquet(path)


def _of_parquet(path: Path) -> Iterator[tuple[str, bytes]]:
    metadata = pq.read_metadata(path)
    yield "metadata", repr([metadata.to_dict(), metadata.metadata]).encode()
    for name in metadata.schema.to_arrow_schema().names:
        column = pq.read_table(path, columns=[name], partitioning=None).column(name)
        yield f"column {name}", "\n".join(map(str, column.to_pylist())).encode()


def _starts(data: bytes, magic: bytes) -> Iterator[int]:
    start = data.find(magic)
    while start >= 0:
        yield start
        start = data.find(magic, start + 1)


def _inflated(data: bytes, start: int) -> bytes:
    """One compressed page, dictionary pages too. A magic number that begins no frame gives nothing."""
    try:
        end, size = _frame(data, start)
        return bytes(pa.decompress(data[start:end], decompressed_size=size, codec="zstd", asbytes=True))
    except (IndexError, OSError, ValueError, pa.ArrowException):
        return b""


def _frame(data: bytes, start: int) -> tuple[int, int]:
    """(where a Zstandard frame ends, the size of its content), after RFC 8878."""
    descriptor = data[start + 4]
    is_single, flag = descriptor >> 5 & 1, descriptor >> 6
    place = start + 5 + (0 if is_single else 1) + (0, 1, 2, 4)[descriptor & 3]
    width = (1 if is_single else 0, 2, 4, 8)[flag]
    size = int.from_bytes(data[place : place + width], "little") + (256 if flag == 1 else 0)
    place += width
    is_last = False
    while not is_last:
        header = int.from_bytes(data[place : place + 3], "little")
        is_last = bool(header & 1)
        place += 3 + (1 if header >> 1 & 3 == 1 else header >> 3)  # a run of one byte is written as that byte
        if place > len(data):
            raise ValueError("torn")
    return place + (4 if descriptor >> 2 & 1 else 0), size


def _gunzipped(data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return b""
