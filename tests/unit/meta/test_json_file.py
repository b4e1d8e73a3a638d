"""The metadata file: nothing lost between writers, nothing guessed when it is damaged, nothing readable by others."""

import json
import multiprocessing
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from iafa.clock import FakeClock, SystemClock
from iafa.errors import DataDamaged, StorageUnavailable
from iafa.failpoints import Failpoints
from iafa.meta.json_file import JsonFile


class Note(msgspec.Struct, frozen=True):
    text: str
    count: int = 0


def notes(data_dir: Path, clock: FakeClock | None = None) -> JsonFile[Note]:
    return JsonFile(data_dir, "notes", Note, clock=clock or FakeClock())


def add(file: JsonFile[Note], key: str, text: str = "a") -> None:
    file.change_now(lambda records: records.update({key: Note(text)}))


def increment(records: dict[str, Note]) -> None:
    records["n"] = Note("n", records["n"].count + 1)


def increment_often(data_dir: Path, times: int) -> None:
    file: JsonFile[Note] = JsonFile(data_dir, "notes", Note, clock=SystemClock())
    for _ in range(times):
        file.change_now(increment)


def test_a_file_that_never_was_is_empty(tmp_path: Path) -> None:
    stored = notes(tmp_path).read()
    assert (stored.generation, stored.records) == (0, {})


def test_a_change_is_seen_by_another_instance(tmp_path: Path) -> None:
    add(notes(tmp_path), "x", "hello")
    assert notes(tmp_path).read().records == {"x": Note("hello")}


async def test_a_record_that_another_process_just_made_is_found_and_a_changed_one_within_a_second(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    one, other = notes(tmp_path, clock), notes(tmp_path, clock)
    add(one, "x", "old")
    assert await other.get("x") == Note("old")
    assert await other.get("new") is None
    add(one, "new")
    assert await other.get("new") == Note("a")
    add(one, "x", "changed")
    clock.advance(1.0)
    assert await other.get("x") == Note("changed")


def test_only_changes_raise_the_generation(tmp_path: Path) -> None:
    file = notes(tmp_path)
    add(file, "x")
    add(file, "x")
    file.change_now(lambda records: None)
    assert file.read().generation == 1
    add(file, "y")
    assert file.read().generation == 2


def test_an_edit_that_raises_writes_nothing(tmp_path: Path) -> None:
    file = notes(tmp_path)
    add(file, "x")

    def broken(records: dict[str, Note]) -> None:
        records.clear()
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        file.change_now(broken)
    assert notes(tmp_path).read().records == {"x": Note("a")}


def test_file_is_private_and_carries_its_format(tmp_path: Path) -> None:
    file = notes(tmp_path)
    add(file, "x")
    add(file, "y")
    for path in (file.path, file.previous_path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for directory in ("metadata", "locks"):
        assert stat.S_IMODE((tmp_path / directory).stat().st_mode) == 0o700
    document = json.loads(file.path.read_bytes())
    assert (document["format"], document["generation"]) == (2, 2)
    assert list(json.loads(file.previous_path.read_bytes())["records"]) == ["x"]


def test_reads_are_cached_for_a_second_and_then_see_other_processes(tmp_path: Path) -> None:
    clock = FakeClock()
    reader, writer = notes(tmp_path, clock), notes(tmp_path, clock)
    add(writer, "x")
    first = reader.read()
    add(writer, "y")
    clock.advance(0.9)
    assert reader.read() is first
    clock.advance(0.2)
    assert set(reader.read().records) == {"x", "y"}


def test_an_unchanged_file_is_not_read_again(tmp_path: Path) -> None:
    clock = FakeClock()
    file = notes(tmp_path, clock)
    add(file, "x")
    first = file.read()
    clock.advance(5)
    assert file.read() is first


def test_own_changes_are_seen_at_once(tmp_path: Path) -> None:
    file = notes(tmp_path)
    file.read()
    add(file, "x")
    assert "x" in file.read().records


def test_no_update_is_lost_between_threads(tmp_path: Path) -> None:
    file = notes(tmp_path)
    add(file, "n")
    others = [notes(tmp_path), file]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: others[i % 2].change_now(increment), range(60)))
    assert notes(tmp_path).read().records["n"].count == 60


def test_no_update_is_lost_between_processes(tmp_path: Path) -> None:
    add(notes(tmp_path), "n")
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=increment_often, args=(tmp_path, 15)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert notes(tmp_path).read().records["n"].count == 45


DAMAGE = {
    "empty": b"",
    "cut short": b'{"format": 1, "generation": 3, "records": {"x": {"te',
    "not json": b"hello",
    "zeroes": bytes(200),
    "not utf-8": b'{"format": 1, "generation": 3, "records": {"x": {"text": "\xff"}}}',
    "newer format": b'{"format": 2, "generation": 3, "records": {}}',
    "no format": b'{"generation": 3, "records": {}}',
    "wrong type": b'{"format": 1, "generation": 3, "records": {"x": {"text": 5}}}',
    "a list": b"[]",
}


@pytest.mark.parametrize("content", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_refuses_and_names_the_copy(tmp_path: Path, content: bytes) -> None:
    file = notes(tmp_path)
    add(file, "x")
    add(file, "y")
    file.path.write_bytes(content)
    for use in (lambda: notes(tmp_path).read(), lambda: add(notes(tmp_path), "z")):
        with pytest.raises(DataDamaged, match=r"notes\.json .*notes\.previous\.json"):
            use()
    assert file.path.read_bytes() == content
    assert list(json.loads(file.previous_path.read_bytes())["records"]) == ["x"]


def test_a_file_that_was_there_once_is_not_taken_for_empty(tmp_path: Path) -> None:
    file = notes(tmp_path)
    add(file, "x")
    add(file, "y")
    file.path.unlink()
    with pytest.raises(DataDamaged, match="is gone"):
        notes(tmp_path).read()


@pytest.mark.parametrize("point", ["meta.tmp_written", "meta.tmp_synced", "meta.renamed", "meta.dir_synced"])
def test_a_failing_disk_leaves_the_old_or_the_new_content(tmp_path: Path, point: str) -> None:
    add(notes(tmp_path), "x")
    failing = JsonFile(tmp_path, "notes", Note, clock=FakeClock(), hit=Failpoints(f"{point}:1:enospc").hit)
    with pytest.raises(StorageUnavailable):
        add(failing, "y")
    after = {"x"} if point in ("meta.tmp_written", "meta.tmp_synced") else {"x", "y"}
    assert set(failing.read().records) == after
    add(failing, "z")
    assert set(notes(tmp_path).read().records) == after | {"z"}


def test_any_flipped_bit_is_found(tmp_path: Path) -> None:
    file = notes(tmp_path)
    add(file, "x", "hello")
    data = file.path.read_bytes()
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        file.path.write_bytes(flipped)
        with pytest.raises(DataDamaged, match=r"notes\.json"):
            notes(tmp_path).read()


def test_format_1_had_no_checksum_and_is_still_read(tmp_path: Path) -> None:
    path = notes(tmp_path).path
    path.parent.mkdir()
    path.write_text('{"format": 1, "generation": 3, "records": {"x": {"text": "old", "count": 2}}}')
    assert notes(tmp_path).read().records == {"x": Note("old", 2)}
    add(notes(tmp_path), "y")
    assert json.loads(path.read_text())["format"] == 2
    assert set(notes(tmp_path).read().records) == {"x", "y"}
