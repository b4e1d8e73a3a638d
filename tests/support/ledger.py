"""The oracle of the crash tests: what was sent, what was acknowledged, with a hash of every field; and its verdict.

`read_back` follows docs/data-format.md and uses nothing of the product.
"""

import hashlib
import json
import random
import struct
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import google_crc32c
import pyarrow as pa
import pyarrow.parquet as pq

FIELDS = ("event_type", "user_id", "session_id", "source", "url", "referrer", "timezone", "sample_rate")
BATCH_MAX = 15
TYPES = ("visit", "view", "cart", "buy")
_US_PER_S = 1_000_000
Wire = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """Of all ids: lost = acknowledged and not found; ghost = found and never sent."""

    found: int
    lost: frozenset[str]
    twice: frozenset[str]
    ghost: frozenset[str]
    altered: frozenset[str]

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.twice or self.ghost or self.altered)

    def __str__(self) -> str:
        counts = (len(self.lost), len(self.twice), len(self.ghost), len(self.altered))
        return "found={} lost={} twice={} ghost={} altered={}".format(self.found, *counts)


@dataclass
class Ledger:
    """Batches without an answer, or refused for now, are sent again unchanged."""

    now_us: int
    sent: dict[str, str] = field(default_factory=dict)  # id -> hash of all it is to be stored with
    made: int = 0
    types: dict[str, str] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    again: list[list[Wire]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_batch(self, chance: random.Random) -> list[Wire]:
        with self.lock:
            if self.again and chance.random() < 0.5:
                return self.again.pop()
            batch = self._make(chance.randint(1, BATCH_MAX), chance)
            self.sent.update((wire["id"], wire_hash(wire)) for wire in batch)
            self.types.update((wire["id"], wire["event"]) for wire in batch)
            return batch

    def _make(self, count: int, chance: random.Random) -> list[Wire]:
        first = self.made
        self.made += count
        return [make_wire(first + number, self.now_us, chance) for number in range(count)]

    def withdrawn(self, batch: list[Wire]) -> None:
        """Refused and never sent again: found all the same, it would be a ghost."""
        with self.lock:
            for wire in batch:
                del self.sent[wire["id"]]

    def answered(self, batch: Iterable[Wire]) -> None:
        with self.lock:
            self.acknowledged.update(wire["id"] for wire in batch)

    def not_answered(self, batch: list[Wire]) -> None:
        with self.lock:
            self.again.append(batch)

    def counts(self, ids: Iterable[str]) -> Counter[str]:
        """How many of the ids are of which type."""
        with self.lock:
            return Counter(self.types[one] for one in ids)

    def judge(self, rows: Iterable[tuple[str, str]]) -> Verdict:
        """Over (id, hash) of every row that was found."""
        with self.lock:
            sent, acknowledged = dict(self.sent), set(self.acknowledged)
        found: dict[str, str] = {}
        twice = set()
        for one, digest in rows:
            if one in found:
                twice.add(one)
            found[one] = digest
        return Verdict(
            len(found),
            frozenset(acknowledged - found.keys()),
            frozenset(twice),
            frozenset(found.keys() - sent.keys()),
            frozenset(one for one, digest in found.items() if sent.get(one, digest) != digest),
        )


def make_wire(number: int, now_us: int, chance: random.Random) -> Wire:
    """An event as a client sends it: every field now and then, properties of every kind, times over several days."""
    created_us = now_us - chance.randrange(3 * 86_400) * _US_PER_S - chance.randrange(_US_PER_S)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=created_us)
    wire: Wire = {
        "id": f"event-{number}",
        "event": chance.choice(TYPES),
        "user_id": f"user-{number}",
        "timestamp": moment.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "properties": _properties(chance),
    }
    for name in ("session_id", "source", "url", "referrer", "timezone"):
        if chance.random() < 0.5:
            wire[name] = f"{name}-{number % 97}-ü"
    return wire


def _properties(chance: random.Random) -> Wire:
    values = (
        chance.randint(-(2**53), 2**53),
        chance.random() * 10.0 ** chance.randint(-9, 9),
        chance.choice([True, False, None]),
        "".join(chr(chance.choice([65, 34, 92, 10, 233, 8364, 128_512])) for _ in range(chance.randint(0, 12))),
        [1, "two", {"three": 3.5}],
        {"deep": {"er": [None, ""]}},
    )
    return {f"p{number}": value for number, value in enumerate(values) if chance.random() < 0.6}


def wire_hash(wire: Mapping[str, Any]) -> str:
    """Of what the event is to be stored with, told from what was sent."""
    row = {name: wire.get(name) for name in FIELDS}
    moment = datetime.fromisoformat(wire["timestamp"]) - datetime(1970, 1, 1, tzinfo=UTC)
    created_us = (moment.days * 86_400 + moment.seconds) * _US_PER_S + moment.microseconds
    row |= {"event_type": wire["event"], "sample_rate": 1.0, "created_at": created_us}
    return _hash(row, wire["properties"])


def _hash(row: Mapping[str, Any], properties: Any) -> str:
    text = json.dumps([row[name] for name in (*FIELDS, "created_at")] + [properties], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def manifest_of(data_dir: Path, project_id: str) -> dict[str, Any]:
    """The highest generation."""
    newest = max((data_dir / "events" / f"project_{project_id}" / "manifest").glob("*.json"), default=None)
    found: dict[str, Any] = {"generation": 0, "files": [], "absorbed": {}, "trash": []}
    return found | (json.loads(newest.read_bytes()) if newest else {})


def read_back(data_dir: Path, project_id: str, *, with_journals: bool = True) -> list[tuple[str, str]]:
    """(id, hash) of every row: first the journals, then the highest manifest, then without what it has absorbed."""
    manifest, waiting = _waiting(data_dir, project_id)
    folder = data_dir / "events" / f"project_{project_id}"
    rows = [row for file in manifest["files"] for row in _rows_of(folder / file["path"], file["rows"])]
    stored = {one for one, _digest in rows}
    for record in sorted(waiting if with_journals else [], key=lambda each: each["r"]):
        for event in record["e"]:
            if event["id"] not in stored:
                stored.add(event["id"])
                full = dict.fromkeys(FIELDS) | {"sample_rate": 1.0} | event
                rows.append((event["id"], _hash(full, event.get("properties", {}))))
    return rows


def is_flushed(data_dir: Path, project_id: str) -> bool:
    """Whether the files alone are everything."""
    return not _waiting(data_dir, project_id)[1]


def _waiting(data_dir: Path, project_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(newest manifest, journal records that it has not absorbed)"""
    records = list(_journal_records(data_dir / "journal", project_id))
    manifest = manifest_of(data_dir, project_id)
    absorbed = manifest["absorbed"]
    return manifest, [record for epoch, record in records if record["q"] > absorbed.get(str(epoch), 0)]


def _rows_of(path: Path, count: int) -> list[tuple[str, str]]:
    columns = ["id", *FIELDS, "created_at", "properties"]
    table = pq.read_table(path, columns=columns, partitioning=None, page_checksum_verification=True)
    assert table.num_rows == count, f"{path} holds {table.num_rows} rows, its manifest says {count}"
    times = table.column("created_at").cast(pa.int64())
    table = table.set_column(table.schema.get_field_index("created_at"), "created_at", times)
    return [(row["id"], _hash(row, json.loads(row["properties"]))) for row in table.to_pylist()]


def _journal_records(root: Path, project_id: str) -> Iterable[tuple[int, dict[str, Any]]]:
    """(epoch, record) of everything acknowledged that still lies in a journal."""
    for folder in root.glob("[0-9]*"):
        try:
            segments = sorted(folder.glob("*.ndjson"))
            _version, last, offset = struct.unpack_from("<QQQ", (folder / "acked").read_bytes())
        except FileNotFoundError:
            continue  # retired meanwhile: all of it is in the manifest
        for segment in segments:
            try:
                data = segment.read_bytes()
            except FileNotFoundError:
                continue
            if int(segment.stem) > last:
                continue
            for line in (data[:offset] if int(segment.stem) == last else data).splitlines(keepends=True):
                record = _record(line)
                if record is not None and record["k"] == "events" and record["p"] == project_id:
                    yield int(folder.name), record


def _record(line: bytes) -> dict[str, Any] | None:
    body, mark, tail = line.rpartition(b',"c":"')
    if not mark or tail != b'%08x"}\n' % google_crc32c.value(body):
        return None
    record: dict[str, Any] = json.loads(line)
    return record
