"""A backup while clients write, flush and compaction run; then the disk is lost. Judged by what clients wrote down."""

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import httpx
import pytest

from tests.support.server import Account, ServerProcess

EAGER = {
    "EVENT_FLUSH_INTERVAL": "0.4",
    "EVENT_BUFFER_SIZE": "300",
    "IAFA_COMPACT_INTERVAL_S": "0.5",
    "IAFA_COMPACT_PARTS_MIN": "2",
}
SENDERS, ACKNOWLEDGED_BEFORE = 3, 1_500


class Sent:
    """What was acknowledged, with the properties as they were sent."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, dict[str, object]] = {}
        self.lock = threading.Lock()

    def load(self, url: str, key: str, sender: int, stop: threading.Event) -> None:
        with httpx.Client(base_url=url, headers={"x-api-key": key}, timeout=20) as client:
            batch = 0
            while not stop.is_set():
                batch += 1
                sent = {f"s{sender}-{batch}-{place}": {"n": batch, "text": f"ä\n{place}"} for place in range(20)}
                events = [{"event": "visit", "id": one, "user_id": one, "properties": sent[one]} for one in sent]
                answer = client.post("/api/v1/track/batch", json={"events": events})
                time.sleep(0.01)  # the machine has others to serve: the server's own processes
                if answer.status_code == 200:
                    with self.lock:
                        self.acknowledged |= sent


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "iafa", *words], capture_output=True, text=True, check=False)


def stored(data_dir: Path, project_id: str) -> list[tuple[str, str]]:
    """(id, properties) of the files of the newest manifest, without any code of the server."""
    folder = data_dir / "events" / f"project_{project_id}"
    manifests = sorted((folder / "manifest").glob("*.json"))
    listed = json.loads(manifests[-1].read_bytes())["files"] if manifests else []
    if not listed:
        return []
    paths = [str(folder / file["path"]) for file in listed]
    with duckdb.connect() as connection:
        return connection.execute("select id, properties from read_parquet($paths)", {"paths": paths}).fetchall()


@pytest.mark.slow
def test_everything_acknowledged_before_a_backup_comes_back_once(tmp_path: Path, say: Callable[[str], None]) -> None:
    data_dir, backup, sent, stop = tmp_path / "data", tmp_path / "backup", Sent(), threading.Event()
    with ServerProcess(data_dir, workers=2, environment=EAGER) as server, ThreadPoolExecutor(SENDERS) as pool:
        account = Account(server.url)
        senders = [pool.submit(sent.load, server.url, account.secret_key, sender, stop) for sender in range(SENDERS)]
        try:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and len(sent.acknowledged) < ACKNOWLEDGED_BEFORE:
                time.sleep(0.05)
            with sent.lock:
                before = dict(sent.acknowledged)
            made = command("backup", str(backup), "--data-dir", str(data_dir), "--json")
            assert made.returncode == 0, made.stderr
            beside = command("verify", "--data-dir", str(data_dir), "--json")
        finally:
            stop.set()
        for sender in senders:
            sender.result()
        at_the_end = len(sent.acknowledged)
    assert len(before) >= ACKNOWLEDGED_BEFORE
    assert at_the_end > len(before), "the load was to go on during the backup"
    assert json.loads(beside.stdout)["sound"], beside.stdout
    shutil.rmtree(data_dir)
    restored = command("restore", str(backup), "--data-dir", str(data_dir), "--json")
    assert restored.returncode == 0, restored.stderr
    with ServerProcess(data_dir, environment=EAGER) as server:
        account.client.base_url = httpx.URL(f"{server.url}/api/v1")
        people = int(account.funnel("visit")["stages"][0]["users"])
        assert account.event_counts() == {"visit": people}
        refused = command("restore", str(backup), "--data-dir", str(data_dir), "--force")
        assert refused.returncode == 2
        assert "being served" in refused.stderr
        rows = stored(data_dir, account.project_id)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and len(rows) != people:
            time.sleep(0.1)
            rows = stored(data_dir, account.project_id)
    found = {one: json.loads(properties) for one, properties in rows}
    assert len(rows) == len(found) == people, "an event came back twice"
    assert {one: found.get(one) for one in before} == before, "an acknowledged event is lost or altered"
    assert {one: sent.acknowledged.get(one, found[one]) for one in found} == found
    clean = command("verify", "--data-dir", str(data_dir))
    assert clean.returncode == 0, clean.stdout
    files = json.loads(made.stdout)["files"]
    say(f"acknowledged before={len(before)} restored={people} of {at_the_end} sent, {files} files, lost=0 twice=0")
    account.client.close()
