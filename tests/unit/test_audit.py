"""The audit log: any edit, cut or move of a line shows, a crash does not, and writers take turns."""

import json
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from iafa.audit import AuditLog, audit_files, verify
from iafa.clock import FakeClock
from tests.support.events import NOON_US

DAY_S = 86_400


def a_log(root: Path, entries: int = 5) -> AuditLog:
    log = AuditLog(root, FakeClock(NOON_US))
    for number in range(entries):
        log.add("test", "thing.change", f"thing:{number}", {"before": number, "after": number + 1})
    return log


def the_file(root: Path) -> Path:
    (file,) = audit_files(root)
    return file


def test_entries_are_numbered_private_and_whole(tmp_path: Path) -> None:
    a_log(tmp_path / "audit")
    file = the_file(tmp_path / "audit")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert file.name == "audit_2025-11.jsonl"
    assert [line["n"] for line in lines] == [1, 2, 3, 4, 5]
    assert lines[0]["at"] == "2025-11-21T12:00:00.000000Z"
    assert lines[1]["previous"] == lines[0]["hash"]
    assert verify(tmp_path / "audit") == []
    assert verify(file) == []
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


Lines = list[bytes]
TAMPERING: dict[str, Callable[[Lines], Lines]] = {
    "edited": lambda lines: [lines[0], lines[1].replace(b"thing:1", b"thing:9"), *lines[2:]],
    "edited first": lambda lines: [lines[0].replace(b'"before":0', b'"before":7'), *lines[1:]],
    "edited last": lambda lines: [*lines[:-1], lines[-1].replace(b'"test"', b'"root"')],
    "cut out": lambda lines: [*lines[:2], *lines[3:]],
    "first gone": lambda lines: lines[1:],
    "end cut off": lambda lines: lines[:-1],
    "all gone": lambda _lines: [],
    "reordered": lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
    "doubled": lambda lines: [*lines[:3], lines[2], *lines[3:]],
    "not JSON": lambda lines: [lines[0], b"hello\n", *lines[2:]],
    "renumbered": lambda lines: [*lines[:2], lines[2].replace(b'"n":3', b'"n":2'), *lines[3:]],
}


@pytest.mark.parametrize("change", TAMPERING.values(), ids=TAMPERING)
def test_whatever_is_done_to_a_line_shows_and_goes_on_showing(tmp_path: Path, change: Callable[[Lines], Lines]) -> None:
    log = a_log(tmp_path)
    file = the_file(tmp_path)
    file.write_bytes(b"".join(change(file.read_bytes().splitlines(keepends=True))))
    assert verify(tmp_path)
    assert verify(file)
    log.add("test", "thing.change", "thing:later", {})
    assert verify(tmp_path), "a later entry must not hide it"


@pytest.mark.parametrize("kept", [1, 20, -1])
def test_a_line_that_a_crash_left_unfinished_is_mended(tmp_path: Path, kept: int) -> None:
    log = a_log(tmp_path, entries=2)
    file = the_file(tmp_path)
    torn = file.read_bytes().splitlines(keepends=True)[-1].replace(b'"n":2', b'"n":3')
    with file.open("ab") as content:
        content.write(torn[:kept])
    assert any("unfinished" in problem for problem in verify(tmp_path))
    assert log.add("test", "thing.change", "thing:3", {}) == 3
    assert verify(tmp_path) == []


def test_an_entry_whose_head_was_not_written_any_more_counts(tmp_path: Path) -> None:
    log = a_log(tmp_path, entries=2)
    head = (tmp_path / "head.json").read_bytes()
    log.add("test", "thing.change", "thing:2", {})
    (tmp_path / "head.json").write_bytes(head)
    assert verify(tmp_path) == []
    assert log.add("test", "thing.change", "thing:3", {}) == 4
    assert verify(tmp_path) == []


def test_the_chain_goes_on_over_months_also_when_the_clock_goes_back(tmp_path: Path) -> None:
    clock = FakeClock(NOON_US)
    log = AuditLog(tmp_path, clock)
    for days in (0, 20, -20, 0, 40):
        clock.advance(days * DAY_S)
        log.add("test", "thing.change", "thing", {})
    assert [file.name for file in audit_files(tmp_path)] == [
        "audit_2025-11.jsonl",
        "audit_2025-12.jsonl",
    ]
    assert verify(tmp_path) == []
    first, second = audit_files(tmp_path)
    assert verify(second) == []
    first.unlink()
    assert verify(tmp_path), "a month is missing"
    second.unlink()
    assert verify(tmp_path)


def test_no_name_can_make_a_second_line_or_reach_a_terminal(tmp_path: Path) -> None:
    log = a_log(tmp_path, entries=1)
    log.add("eve\r\n\x1b[31m", "thing.change", "thing\u2028\u202e", {"name": "\x00\n"})
    content = the_file(tmp_path).read_bytes()
    assert content.count(b"\n") == 2
    assert all(byte == 10 or 32 <= byte < 127 for byte in content)
    assert verify(tmp_path) == []


def test_several_writers_at_once_make_one_chain(tmp_path: Path) -> None:
    def write(name: int) -> None:
        log = AuditLog(tmp_path, FakeClock(NOON_US))
        for _ in range(5):
            log.add(f"writer-{name}", "thing.change", "thing", {})

    writers = [threading.Thread(target=write, args=(name,)) for name in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(the_file(tmp_path).read_text().splitlines()) == 15
    assert verify(tmp_path) == []


def test_full_files_are_followed_by_others_in_order(tmp_path: Path) -> None:
    clock = FakeClock(NOON_US)
    log = AuditLog(tmp_path, clock, file_bytes_max=1)
    for number in range(12):
        clock.advance(20 * DAY_S if number == 11 else 0)
        log.add("test", "thing.change", "thing", {})
    assert [file.name for file in audit_files(tmp_path)] == [
        "audit_2025-11.jsonl",
        *(f"audit_2025-11.{number:03}.jsonl" for number in range(1, 11)),
        "audit_2025-12.jsonl",
    ]
    assert verify(tmp_path) == []


def test_the_oldest_file_makes_room_and_the_chain_says_where_it_begins(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, FakeClock(NOON_US), file_bytes_max=700, files_max=3)
    for _ in range(30):
        log.add("test", "thing.change", "thing", {})
        assert verify(tmp_path) == []
        assert len(audit_files(tmp_path)) <= 3
    lines = [json.loads(line) for file in audit_files(tmp_path) for line in file.read_text().splitlines()]
    removals = [line["details"] for line in lines if line["action"] == "audit.remove"]
    assert {"n": lines[0]["n"] - 1, "hash": lines[0]["previous"]}.items() <= removals[-1].items()
    audit_files(tmp_path)[0].unlink()
    assert verify(tmp_path), "what nobody wrote down is missing"


def test_a_kill_between_the_entry_and_the_removal_is_made_good(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, FakeClock(NOON_US), file_bytes_max=1, files_max=2)
    for _ in range(2):
        log.add("test", "thing.change", "thing", {})
    oldest = audit_files(tmp_path)[0]
    content = oldest.read_bytes()
    log.add("test", "thing.change", "thing", {})
    assert not oldest.exists()
    oldest.write_bytes(content)
    assert verify(tmp_path) == []
    log.add("test", "thing.change", "thing", {})
    assert len(audit_files(tmp_path)) == 2
    assert verify(tmp_path) == []
