"""A disk that is full or fails: 503 and nothing else meanwhile, questions answered, back without a restart."""

import errno
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from iafa.clock import SystemClock
from iafa.errors import StorageUnavailable
from iafa.failpoints import Failpoints
from iafa.journal.writer import JournalWriter
from tests.support.chance import chance
from tests.support.events import NOON_US, PROJECT, encode, make_events
from tests.support.lake import TestLake, ids
from tests.support.ledger import Ledger, is_flushed, manifest_of, read_back
from tests.support.load import loading, wait_until
from tests.support.server import Account, ServerProcess

BACK_S_MAX = 10.0
FULL_S = 2.0
ASKED_MIN = 5
DISK_BYTES = 64 * 1024 * 1024
FILE_BYTES_MAX = 1_500  # less than a part, a full segment or the list of projects
EAGER = {
    "EVENT_FLUSH_INTERVAL": "0.4",
    "EVENT_BUFFER_SIZE": "200",
    "IAFA_COMPACT_INTERVAL_S": "0.5",
    "IAFA_COMPACT_PARTS_MIN": "2",
    "IAFA_DISK_FREE_MIN_MB": "1",
}


@dataclass
class Outside:
    """What a user sees while nothing can be written. Any answer but the expected ones fails at once."""

    server: ServerProcess
    owner: Account
    ledger: Ledger

    def is_refused(self) -> bool:
        """A small batch that is never sent again: a refused one must be nowhere afterwards."""
        batch = self.ledger.next_batch(chance("full disk"))
        headers = {"x-api-key": self.owner.secret_key}
        answer = httpx.post(
            f"{self.server.url}/api/v1/track/batch", json={"events": batch}, headers=headers, timeout=10, verify=False
        )
        if answer.status_code == 503:
            assert int(answer.headers["retry-after"]) > 0
            self.ledger.withdrawn(batch)
            return True
        assert answer.status_code == 200, answer.text
        self.ledger.answered(batch)
        return False

    def stay(self, seconds: float) -> tuple[int, int]:
        """(refused, asked): questions are answered, collecting and changes of metadata done or refused."""
        refused = asked = 0
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline or asked < ASKED_MIN:
            refused, asked = refused + self.is_refused(), asked + 1
            assert sum(self.owner.event_counts().values()) > 0
            changed = self.owner.client.post("/projects", json={"name": "One more"})
            assert changed.status_code in (201, 503), changed.text
        return refused, asked


@contextmanager
def files_end_early(server: ServerProcess) -> Iterator[None]:
    """EFBIG in every process of the server, whatever it writes beyond a few hundred bytes."""
    processes = server.processes()
    before = processes[0].rlimit(psutil.RLIMIT_FSIZE)
    for process in processes:
        process.rlimit(psutil.RLIMIT_FSIZE, (FILE_BYTES_MAX, before[1]))
    try:
        yield
    finally:
        for process in processes:
            process.rlimit(psutil.RLIMIT_FSIZE, before)


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """ENOSPC: not a byte is left on the file system of this folder."""
    filler = folder / "filler"
    with open(filler, "wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 65_536):
            pass
    with open(filler, "ab", buffering=0) as file, suppress(OSError):
        while file.write(b"x"):
            pass
    try:
        yield
    finally:
        filler.unlink()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own of a few megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a file system can be mounted by root only")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _is_back_after(
    data_dir: Path, full: Callable[[ServerProcess], AbstractContextManager[None]], say: Callable[[str], None]
) -> None:
    ledger = Ledger(SystemClock().now_us())
    with ServerProcess(data_dir, environment=EAGER) as server:
        owner = Account(server.url)
        outside = Outside(server, owner, ledger)
        with loading(server.url, owner.secret_key, ledger, "before"):
            wait_until(lambda: manifest_of(data_dir, owner.project_id)["generation"] > 2, "flushes have begun")
        pids = {process.pid for process in server.processes()}
        with loading(server.url, owner.secret_key, ledger, "full"):
            with full(server):
                refused, asked = outside.stay(FULL_S)
            free_s = time.monotonic()
            wait_until(lambda: not outside.is_refused(), "collecting goes on", at_most_s=BACK_S_MAX)
            back_s = time.monotonic() - free_s
        made = owner.client.post("/projects", json={"name": "Afterwards"})
        assert made.status_code == 201, made.text
        wait_until(lambda: is_flushed(data_dir, owner.project_id), "everything is flushed")
        assert {process.pid for process in server.processes()} == pids, "nobody was to be started again"
    verdict = ledger.judge(read_back(data_dir, owner.project_id))
    assert verdict.is_clean, verdict
    assert refused > 0, "the disk was not full"
    say(f"{refused} of {asked} refused while full, back after {back_s:.2f} s, {verdict}")
    owner.client.close()


@pytest.mark.slow
def test_files_that_may_not_grow(tmp_path: Path, say: Callable[[str], None]) -> None:
    _is_back_after(tmp_path / "data", files_end_early, say)


@pytest.mark.slow
def test_disk_without_a_free_byte(small_disk: Path, say: Callable[[str], None]) -> None:
    _is_back_after(small_disk / "data", lambda _server: filled(small_disk), say)


GROUPS = 7


@pytest.mark.parametrize("action", ["eio", "enospc"])
@pytest.mark.parametrize("nth", range(1, GROUPS))
@pytest.mark.parametrize("point", ["journal.before_write", "journal.half_written", "journal.written", "journal.synced"])
def test_nth_write_fails(tmp_path: Path, point: str, nth: int, action: str) -> None:
    lake = TestLake(tmp_path, hit=Failpoints(f"{point}:{nth}:{action}").hit)
    refused = _refused_groups(lake)
    assert refused == [nth - 1]
    _only_the_others_are_stored(tmp_path, refused)


@pytest.mark.parametrize("call", ["write", "fdatasync"])
@pytest.mark.parametrize("nth", range(1, GROUPS))
def test_nth_system_call_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, nth: int) -> None:
    """A write that is cut short and then refused, a sync that fails: by the kernel's own doors."""
    lake = TestLake(tmp_path)
    journal = lake.open_journal()
    real: Callable[..., int] = getattr(os, call)
    made = 0

    def failing(descriptor: int, *arguments: memoryview) -> int:
        nonlocal made
        if not os.readlink(f"/proc/self/fd/{descriptor}").endswith(".ndjson"):
            return real(descriptor, *arguments)
        made += 1
        if call == "write" and made == nth:
            return real(descriptor, arguments[0][: len(arguments[0]) // 2])
        if made == nth + (call == "write"):
            raise OSError(errno.ENOSPC if call == "write" else errno.EIO, "the disk says no")
        return real(descriptor, *arguments)

    monkeypatch.setattr(os, call, failing)
    refused = _refused_groups(lake, journal)
    assert refused == [nth - 1]
    _only_the_others_are_stored(tmp_path, refused)


def _refused_groups(lake: TestLake, journal: JournalWriter | None = None) -> list[int]:
    journal = journal or lake.open_journal()
    refused = []
    for group in range(GROUPS):
        try:
            journal.append_blocking(PROJECT, NOON_US, encode(make_events(3, prefix=str(group))), 3)
        except StorageUnavailable:
            refused.append(group)
        assert lake.take().rows == 3 * (group + 1 - len(refused))
    journal.close()
    return refused


def _only_the_others_are_stored(root: Path, refused: list[int]) -> None:
    lake = TestLake(root)
    lake.flusher.run()
    expected = {f"{group}-{number}" for group in range(GROUPS) if group not in refused for number in range(3)}
    assert set(ids(lake.take())) == expected
    assert lake.take().tail.num_rows == 0
