"""SIGKILL during a batch load: every acknowledged event is in the answers once, judged by a process that lives on."""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import httpx
import pytest

from iafa.clock import SystemClock
from iafa.lake.layout import Layout
from iafa.lake.manifest import Manifests
from tests.support.server import Account, ServerProcess

SENDERS = 4
ACKNOWLEDGED_MIN = 1_000
ROUND_S_MAX = 60
EAGER = {
    "EVENT_FLUSH_INTERVAL": "0.4",
    "EVENT_BUFFER_SIZE": "400",
    "IAFA_COMPACT_INTERVAL_S": "0.5",
    "IAFA_COMPACT_PARTS_MIN": "2",
}


@dataclass
class Ledger:
    """What was sent and what was acknowledged. Batches without an answer are sent again, unchanged."""

    seed: int
    sent: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    unanswered: list[list[str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_batch(self, chance: random.Random) -> list[str]:
        with self.lock:
            if self.unanswered and chance.random() < 0.5:
                return self.unanswered.pop()
            start = len(self.sent)
            batch = [f"event-{start + number}" for number in range(chance.randint(1, 39))]
            self.sent.update(batch)
            return batch

    def answered(self, batch: list[str]) -> None:
        with self.lock:
            self.acknowledged.update(batch)

    def not_answered(self, batch: list[str]) -> None:
        with self.lock:
            self.unanswered.append(batch)


@pytest.fixture
def account(tmp_path: Path) -> Iterator[tuple[Path, Account]]:
    data_dir = tmp_path / "data"
    with ServerProcess(data_dir) as server:
        owner = Account(server.url)
    yield data_dir, owner
    owner.client.close()


def load(url: str, key: str, ledger: Ledger, stop: threading.Event, seed: int) -> None:
    chance = random.Random(seed)
    with httpx.Client(base_url=url, headers={"x-api-key": key}, timeout=10) as client:
        while not stop.is_set():
            batch = ledger.next_batch(chance)
            events = [{"event": "visit", "id": one, "user_id": f"user-of-{one}"} for one in batch]
            try:
                answer = client.post("/api/v1/track/batch", json={"events": events})
            except httpx.TransportError:
                ledger.not_answered(batch)
                continue
            if answer.status_code == 200:
                content = answer.json()
                assert content["accepted"] + content["duplicates"] == len(batch), content
                ledger.answered(batch)
            else:
                assert answer.status_code == 503, answer.text
                ledger.not_answered(batch)


def has_flushed_and_compacted(data_dir: Path, project_id: str, since: int) -> bool:
    manifest = Manifests(Layout(data_dir), SystemClock()).latest(project_id)
    return manifest.generation > since and any(file.is_day for file in manifest.files) and len(manifest.trash) > 1


def files_of(data_dir: Path, project_id: str) -> list[str]:
    """Ids in the files of the newest manifest, read without any code of the server's read path."""
    folder = data_dir / "events" / f"project_{project_id}"
    newest = max((folder / "manifest").iterdir())
    paths = [str(folder / file["path"]) for file in json.loads(newest.read_text())["files"]]
    with duckdb.connect() as connection:
        rows = connection.execute("select id from read_parquet($paths)", {"paths": paths}).fetchall()
    return [row[0] for row in rows]


# (workers, whether the whole process group is killed or only the parent)
ROUNDS = ((1, True), (1, False), (2, True), (1, True), (1, False))


@pytest.mark.slow
def test_killed_during_a_batch_load_every_acknowledged_event_is_there_once(
    account: tuple[Path, Account], say: Callable[[str], None]
) -> None:
    data_dir, owner = account
    ledger = Ledger(seed=20261121)
    for number, (workers, whole_group) in enumerate(ROUNDS, start=1):
        before = len(ledger.acknowledged)
        server = ServerProcess(data_dir, workers=workers, environment=EAGER).start()
        stored = _judge(server, data_dir, owner, ledger) if ledger.sent else 0
        _load_and_kill(server, data_dir, owner, ledger, whole_group=whole_group)
        gained = len(ledger.acknowledged) - before
        assert gained >= ACKNOWLEDGED_MIN
        say(f"round {number}: workers={workers} acknowledged={gained} found before it={stored}, lost=0 twice=0")
    with ServerProcess(data_dir, environment=EAGER) as server:
        stored = _judge(server, data_dir, owner, ledger)
    say(f"after 5 kills: acknowledged={len(ledger.acknowledged)} stored={stored} lost=0 twice=0")


def _load_and_kill(server: ServerProcess, data_dir: Path, owner: Account, ledger: Ledger, *, whole_group: bool) -> None:
    generation = Manifests(Layout(data_dir), SystemClock()).latest(owner.project_id).generation
    before, seed = len(ledger.acknowledged), ledger.seed + len(ledger.sent)
    stop = threading.Event()
    with ThreadPoolExecutor(SENDERS) as pool:
        senders = [
            pool.submit(load, server.url, owner.secret_key, ledger, stop, seed + sender) for sender in range(SENDERS)
        ]
        deadline = time.monotonic() + ROUND_S_MAX
        spans = False
        while time.monotonic() < deadline and not spans:
            time.sleep(0.1)
            is_enough = len(ledger.acknowledged) - before >= ACKNOWLEDGED_MIN
            spans = is_enough and has_flushed_and_compacted(data_dir, owner.project_id, generation + 2)
        server.kill(whole_group=whole_group)
        stop.set()
        for sender in senders:
            sender.result()
    assert spans, "the round was to span a flush and a compaction"


def _judge(server: ServerProcess, data_dir: Path, owner: Account, ledger: Ledger) -> int:
    """Through the public API and, once all is flushed, from the files."""
    owner.client.base_url = httpx.URL(f"{server.url}/api/v1")
    people = int(owner.funnel("visit")["stages"][0]["users"])
    assert owner.event_counts() == {"visit": people}, "an event is in the answers twice"
    assert len(ledger.acknowledged) <= people <= len(ledger.sent)
    deadline = time.monotonic() + 30
    found: list[str] = []
    while time.monotonic() < deadline and len(found) != people:
        time.sleep(0.1)
        found = files_of(data_dir, owner.project_id)
    assert len(found) == len(set(found)) == people
    assert ledger.acknowledged <= set(found), "an acknowledged event is lost"
    assert set(found) <= ledger.sent
    return people
