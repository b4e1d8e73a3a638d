"""When keys were used: in memory at once, in a file of the process now and then, together over all processes."""

from pathlib import Path

import pytest

from iafa.clock import FakeClock
from iafa.meta import key_uses
from iafa.meta.key_uses import WRITE_EVERY_S, KeyUses


def test_uses_are_written_once_a_minute_and_found_by_all_processes_and_after_a_restart(tmp_path: Path) -> None:
    clock = FakeClock()
    one, two = KeyUses(tmp_path / "keys", "worker-0", clock), KeyUses(tmp_path / "keys", "worker-1", clock)
    one.note("a")
    first_us = clock.now_us()
    one.publish()
    assert (dict(one.all()), dict(two.all())) == ({"a": first_us}, {})
    clock.advance(WRITE_EVERY_S)
    one.publish()
    assert dict(two.all()) == {"a": first_us}
    two.note("a")
    two.note("b")
    two.write()
    expected = {"a": clock.now_us(), "b": clock.now_us()}
    assert dict(one.all()) == expected
    clock.advance(1)
    again = KeyUses(tmp_path / "keys", "worker-1", clock)
    assert dict(again.all()) == expected


def test_a_file_is_not_written_again_for_nothing(tmp_path: Path) -> None:
    clock = FakeClock()
    uses = KeyUses(tmp_path, "worker-0", clock)
    uses.note("a")
    uses.write()
    (tmp_path / "worker-0.json").unlink()
    clock.advance(2 * WRITE_EVERY_S)
    uses.publish()
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_bounded_and_a_damaged_one_is_an_empty_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_uses, "KEYS_MAX", 2)
    clock = FakeClock()
    uses = KeyUses(tmp_path, "worker-0", clock)
    for key in ("old", "new", "newest"):
        uses.note(key)
        clock.advance(1)
    uses.write()
    assert set(KeyUses(tmp_path, "worker-0", clock).all()) == {"new", "newest"}
    (tmp_path / "worker-0.json").write_bytes(b'{"a": "x"')
    assert dict(KeyUses(tmp_path, "worker-0", clock).all()) == {}


def test_where_nothing_can_be_written_it_is_tried_again(tmp_path: Path) -> None:
    clock = FakeClock()
    folder = tmp_path / "keys"
    folder.write_text("in the way")
    uses = KeyUses(folder, "worker-0", clock)
    uses.note("a")
    uses.write()
    folder.unlink()
    uses.write()
    assert set(KeyUses(folder, "worker-0", clock).all()) == {"a"}
