"""Two real compactions at once, and one beside a server: one that waits says so, nothing is there twice."""

import json
import subprocess
import sys
import time
from pathlib import Path

from iafa.clock import US_PER_DAY, SystemClock
from iafa.lake.layout import Layout, part_path
from iafa.lake.manifest import Manifests
from iafa.lake.parts import Arrival, PartWriter, split_by_day, to_table
from iafa.locks import held
from tests.support.events import NOON_US, PROJECT, make_event
from tests.support.lake import TestLake, ids
from tests.support.server import ServerProcess

DAYS, PARTS = 10, 6
END_S_MAX = 120


def fill(root: Path) -> int:
    lake = TestLake(root)
    parts = []
    for number in range(DAYS * PARTS):
        created = NOON_US - number % DAYS * US_PER_DAY
        arrivals = [Arrival(PROJECT, NOON_US, make_event(id=f"{number}-{n}", created_at=created)) for n in range(20)]
        ((day, rows),) = split_by_day(to_table(arrivals))
        parts.append((part_path(day, f"x{number}"), rows))
    lake.appender.publish(PROJECT, PartWriter(lake.layout).write_parts(PROJECT, parts))
    return DAYS * PARTS * 20


def compact(root: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "iafa", "compact", "--json", "--data-dir", str(root)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def assert_each_once(root: Path, rows: int) -> None:
    found = ids(TestLake(root).take())
    assert len(found) == len(set(found)) == rows


def test_two_commands_at_once(tmp_path: Path) -> None:
    root = tmp_path / "data"
    rows = fill(root)
    with held(Layout(root).compact_lock):  # so that both meet, and one of them waits for the other as well
        both = [compact(root), compact(root)]
        for one in both:
            assert one.stderr is not None
            assert "another compaction is running; waiting" in one.stderr.readline()
    ended = [(one.communicate(timeout=END_S_MAX)[0], one.returncode) for one in both]
    assert [code for _out, code in ended] == [0, 0]
    said = [json.loads(out) for out, _code in ended]
    assert sorted(one["days"] for one in said) == [0, DAYS]
    assert sum(one["rows"] for one in said) == rows
    assert all(one["failed"] == [] and not one["is_other_running"] for one in said)
    files = Manifests(Layout(root), SystemClock()).latest(PROJECT).files
    assert (len(files), all(file.is_day for file in files)) == (DAYS, True)
    assert_each_once(root, rows)


def test_a_command_beside_a_server_that_compacts_too(tmp_path: Path) -> None:
    root = tmp_path / "data"
    rows = fill(root)
    eager = {"IAFA_COMPACT_INTERVAL_S": "0.05", "IAFA_COMPACT_PARTS_MIN": "2"}
    with ServerProcess(root, environment=eager) as server:
        for _ in range(2):
            one = compact(root)
            out, _err = one.communicate(timeout=END_S_MAX)
            assert (one.returncode, json.loads(out)["failed"]) == (0, [])
        deadline = time.monotonic() + END_S_MAX
        while len(Manifests(Layout(root), SystemClock()).latest(PROJECT).files) > DAYS:
            assert time.monotonic() < deadline, "the days are not merged"
            time.sleep(0.1)
        assert server.exit_code is None
    assert "cannot be compacted" not in server.log_path.read_text()
    assert_each_once(root, rows)
