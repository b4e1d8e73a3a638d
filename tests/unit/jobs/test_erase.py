"""Erasing a person: nobody sees them at once, and no byte of them is anywhere when it is done."""

import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from iafa.audit import verify
from iafa.clock import US_PER_DAY
from iafa.errors import Conflict, NotFound
from iafa.jobs.upload import Uploader, UploadRequest
from iafa.lake.rollups import Rollups
from tests.support.byte_search import places_of
from tests.support.erasing import (
    ALIAS,
    DEVICE,
    EVENT_PREFIX,
    FILLED_S,
    OTHER_DEVICE,
    ROUNDS,
    TEXTS,
    USER,
    ErasingLake,
    audit_lines,
    fill,
    other_events,
    person_events,
    scatter,
)
from tests.support.events import PROJECT, make_event
from tests.support.history import past_days
from tests.support.lake import TestLake, read_rejected


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("filled") / "data"
    fill(TestLake(root))
    return root


@pytest.fixture
def erasing(tmp_path: Path, filled: Path) -> ErasingLake:
    shutil.copytree(filled, tmp_path / "data")
    made = ErasingLake(tmp_path / "data")
    made.lake.clock.advance(FILLED_S)
    return made


def test_nothing_of_a_person_is_left_anywhere_and_everything_of_others_is(erasing: ErasingLake) -> None:
    lake = erasing.lake
    scatter(lake)
    before = erasing.visible()
    others = [row for row in before if not str(row["id"]).startswith(EVENT_PREFIX)]
    assert len(before) - len(others) == (ROUNDS + 1) * 6
    assert len(places_of(lake.root, TEXTS)) > 25, "the search must find what is there"

    erasing.erase()

    assert erasing.visible() == others
    assert lake.take().edges.edges.num_rows == 0  # type: ignore[union-attr]  # a snapshot of a lake has edges
    assert {row["event_id"] for row in read_rejected(lake.layout, PROJECT, 100)} == {
        f"other-refused-{number}" for number in range(ROUNDS)
    }
    lake.flusher.run()
    refused = {str(row["event_id"]) for row in read_rejected(lake.layout, PROJECT, 100)}
    assert refused == {f"other-refused-{number}" for number in range(ROUNDS + 1)}, "what the journal held is left out"
    erasing.finish()
    assert erasing.visible() == others
    assert places_of(lake.root, TEXTS) == []
    assert {row["event_id"] for row in read_rejected(lake.layout, PROJECT, 100)} == {
        f"other-refused-{number}" for number in range(ROUNDS + 1)
    }


def test_the_audit_log_keeps_the_proof(erasing: ErasingLake) -> None:
    erasure_id = erasing.erase()
    erasing.finish()
    (asked,), (proof,) = (audit_lines(erasing.lake, action) for action in ("person.erase", "person.erased"))
    assert asked["actor"] == "user:test"
    assert asked["details"]["rows_hidden"] == (ROUNDS + 1) * 6  # type: ignore[index]  # a JSON object
    details = proof["details"]
    assert isinstance(details, dict)
    assert details["erasure"] == erasure_id
    assert details["removed"]["rows"] == ROUNDS * 6, "the rows of the journal never came to a file"
    assert details["removed"]["files"] > 0
    assert details["removed"]["refused"] == ROUNDS * 2
    assert details["unreadable"] == []
    assert verify(erasing.lake.layout.audit) == []
    record = erasing.desk.erasures.get(PROJECT, erasure_id)
    assert record is not None
    assert (record.state, record.rows_hidden) == ("done", (ROUNDS + 1) * 6)
    assert [one.id for one in erasing.desk.of_person(PROJECT, DEVICE)] == [erasure_id]


@pytest.mark.parametrize("is_whole", [False, True])
def test_the_proof_names_refused_events_that_could_not_be_read(erasing: ErasingLake, is_whole: bool) -> None:
    quarantine = erasing.lake.layout.quarantine(PROJECT)
    if is_whole:  # it moves aside when the others of its day become one
        erasing.lake.quarantine.amend(PROJECT, date(2025, 11, 21), lambda table: table.slice(1))
    path = min(quarantine.rglob("*.parquet"), key=lambda one: one.name.count("."))
    assert (path.stem == "rejected_2025-11-21") == is_whole
    path.write_bytes(b"PAR1")
    erasing.erase()
    erasing.finish()
    proof = audit_lines(erasing.lake, "person.erased")[-1]["details"]
    damaged = [one for one in quarantine.rglob("*.parquet") if one.read_bytes() == b"PAR1"]
    assert len(damaged) == 1
    assert isinstance(proof, dict)
    assert proof["unreadable"] == [damaged[0].relative_to(erasing.lake.root).as_posix()]


@pytest.mark.parametrize("called", [USER, ALIAS, DEVICE, OTHER_DEVICE])
def test_each_id_of_a_person_means_the_whole_person(erasing: ErasingLake, called: str) -> None:
    erasing.erase(called)
    assert [one for one in erasing.visible_ids() if one.startswith(EVENT_PREFIX)] == []


def test_what_the_same_ids_send_later_is_a_new_person(erasing: ErasingLake) -> None:
    erasing.erase()
    erasing.lake.clock.advance(5)
    later = person_events(7, erasing.lake.clock.now_us())
    erasing.lake.write(later)
    ids = {event.id for event in later}
    assert ids <= set(erasing.visible_ids())
    erasing.finish()
    assert {one for one in erasing.visible_ids() if one.startswith(EVENT_PREFIX)} == ids
    known = erasing.lake.take().edges
    assert known is not None
    assert set(known.edges.column("id").to_pylist()) >= {f"{EVENT_PREFIX}-7-b", f"{EVENT_PREFIX}-7-e"}


def test_a_sign_in_by_a_clock_that_is_ahead_goes_as_well(tmp_path: Path) -> None:
    erasing = ErasingLake(tmp_path / "data")
    ahead_us = erasing.lake.clock.now_us() + 10 * 3_600 * 1_000_000
    erasing.lake.write(
        [
            make_event(id="ahead", event_type="identify", user_id=USER, anonymous_id=DEVICE, created_at=ahead_us),
            *other_events(1, ahead_us),
        ]
    )
    erasing.lake.flusher.run()
    erasing.erase()
    assert erasing.lake.take().edges.edges.num_rows == 0  # type: ignore[union-attr]  # a snapshot of a lake has edges
    erasing.finish()
    assert places_of(erasing.lake.root, TEXTS) == []


def test_retention_counts_and_archives_nobody_who_is_being_erased(tmp_path: Path) -> None:
    lake, events = past_days(tmp_path / "data")
    erasing = ErasingLake(lake.root, lake=lake)
    archive = tmp_path / "archive"
    archive.mkdir()
    old = [event for event in events if event.created_at < lake.clock.now_us() - 35 * US_PER_DAY]
    assert "user-1" in {event.user_id for event in old}

    def retain() -> None:
        assert lake.retention(archive=archive).run(actor="test", force=True).is_whole

    erasing.erase("user-1")
    retain()
    assert places_of(archive, ["user-1"]) == []
    erasing.finish()
    retain()
    assert places_of(archive, ["user-1"]) == []
    left = {event.id for event in events if event.user_id != "user-1"}
    stayed = set(erasing.visible_ids())
    removed = left - stayed
    assert stayed < left
    counts = Rollups(lake.layout, PROJECT, lake.manifests.latest(PROJECT).rollups)
    found = counts.counts(date(2025, 1, 1), date(2026, 12, 31), {None})
    assert sum(one.events for one in found) == len(removed) > 0


def test_a_device_that_somebody_else_used_as_well_stays_theirs(tmp_path: Path) -> None:
    erasing = ErasingLake(tmp_path / "data")
    lake = erasing.lake
    now_us = lake.clock.now_us()

    def seen(number: int, at: int) -> object:
        return make_event(id=f"seen-{number}", user_id=None, anonymous_id="shared", created_at=now_us + at)

    first = make_event(id="in-1", event_type="identify", user_id="ann", anonymous_id="shared", created_at=now_us + 10)
    second = make_event(id="in-2", event_type="identify", user_id="bob", anonymous_id="shared", created_at=now_us + 20)
    lake.write([seen(1, 5), first, seen(2, 15), second, seen(3, 25)])  # type: ignore[list-item]
    with pytest.raises(Conflict):
        erasing.erase("shared")
    erasing.erase("ann")
    assert erasing.visible_ids() == ["in-2", "seen-3"]
    erasing.finish()
    assert erasing.visible_ids() == ["in-2", "seen-3"]
    assert places_of(lake.root, ["ann", "seen-1", "seen-2"]) == []


def test_an_erasure_that_is_asked_for_again_is_the_same_one(erasing: ErasingLake) -> None:
    first = erasing.erase()
    assert erasing.erase(DEVICE) == first
    erasing.finish()
    assert erasing.erase(ALIAS) == first
    with pytest.raises(NotFound):
        erasing.erase("nobody-knows-me")


def test_a_person_of_whom_only_a_refused_event_is_known(erasing: ErasingLake) -> None:
    assert len(read_rejected(erasing.lake.layout, PROJECT, 100)) > 3
    erasing.erase("other-device-9")
    assert read_rejected(erasing.lake.layout, PROJECT, 100) == []


@pytest.mark.parametrize("called", ["other-refused", "other-refused-1", "properties", "page_view", "1" * 50, "torn"])
def test_a_word_of_refused_events_is_nobody(erasing: ErasingLake, called: str) -> None:
    """A mistyped id must not take what was refused with it."""
    before = read_rejected(erasing.lake.layout, PROJECT, 100)
    with pytest.raises(NotFound):
        erasing.erase(called)
    assert read_rejected(erasing.lake.layout, PROJECT, 100) == before


def test_two_people_at_once_beside_flushes_and_merges(erasing: ErasingLake) -> None:
    lake = erasing.lake
    first = erasing.erase()
    second = erasing.desk.erase("user:test", PROJECT, "other-1").id
    lake.write(other_events(8, lake.clock.now_us()))
    lake.clock.advance(1)
    lake.flusher.run()
    lake.compactor.run(everything=True)  # makes a file of rows that are hidden
    left = set(erasing.visible_ids())
    erasing.finish()
    assert set(erasing.visible_ids()) == left
    assert places_of(lake.root, [*TEXTS, "other-device-1"]) == []
    assert {one["details"]["erasure"] for one in audit_lines(lake, "person.erased")} == {first, second}  # type: ignore[index]


def test_a_clock_that_was_set_back_hides_nobody_less(erasing: ErasingLake) -> None:
    erasing.lake.clock.advance(-FILLED_S)
    erasing.erase()
    assert [one for one in erasing.visible_ids() if one.startswith(EVENT_PREFIX)] == []


def test_an_upload_that_was_on_its_way_brings_nobody_back(erasing: ErasingLake, tmp_path: Path) -> None:
    lake = erasing.lake
    file = tmp_path / "late.ndjson"
    rows = [{"event": "visit", "user_id": who, "id": f"late-{who}"} for who in (USER, DEVICE, "other-9")]
    file.write_text("\n".join(json.dumps(row) for row in rows))
    asked: list[str] = []

    def erase_once(_rows: int, done: int, total: int) -> None:
        if not asked:  # the rows have been read, and none is stored
            asked.append(erasing.erase())

    receipt = Uploader(lake.layout, lake.appender, lake.clock).run(
        UploadRequest(PROJECT, file, "ndjson"), progress=erase_once
    )
    assert (receipt.accepted, receipt.duplicates) == (2, 0), "the device's text as a user id is somebody else"
    assert any("erased" in warning for warning in receipt.warnings)
    assert f"late-{USER}" not in erasing.visible_ids()
    erasing.finish()
    assert f"late-{USER}" not in erasing.visible_ids()


def test_requests_that_never_pause_do_not_keep_the_first_from_its_end(erasing: ErasingLake) -> None:
    first = erasing.erase()
    for number in range(3):
        erasing.lake.clock.advance(400)
        erasing.desk.erase("user:test", PROJECT, f"other-{number}")
        erasing.lake.flusher.run()
        erasing.eraser.run()
    record = erasing.desk.erasures.get(PROJECT, first)
    assert record is not None
    assert record.state == "done"
    assert len(erasing.desk.erasures.pending()) in (1, 2)


def test_nothing_is_done_while_a_replaced_file_may_still_be_read(erasing: ErasingLake) -> None:
    erasing.lake.flusher.run()
    erasing.erase()
    done = erasing.eraser.run()
    assert "IAFA_TRASH_GRACE_S" in done.waiting[PROJECT]
    assert any(path.read_bytes() for path in erasing.lake.root.glob("events/*/*/*/*.j*.parquet"))
