"""Replay at every place where it may be killed: no row is marked before its event is durable, and nothing is twice."""

import signal
from functools import partial
from pathlib import Path

import pytest

from iafa.event import Rejected
from iafa.failpoints import Failpoints
from iafa.ingest.judging_again import Changes, changed
from iafa.jobs.replay import Owner, Replayer, Selection
from iafa.lake.quarantine import Refusal
from iafa.lake.quarantine_rows import Wanted
from tests.support.crasher import killed_at
from tests.support.events import NOON_US, PROJECT
from tests.support.lake import TestLake, ids

OWNER = Owner(PROJECT, b"salt", None)
MEND = Changes(rename={"/usr": "/user_id"})
EVERYTHING = Selection(wanted=Wanted(state="waiting"))
POINTS = (
    "flush.renamed",
    "flush.before_manifest",
    "manifest.linked",
    "replay.published",
    "quarantine.renamed",
    "replay.marked",
)
ROWS = 5


def replayer(lake: TestLake) -> Replayer:
    return Replayer(lake.layout, lake.appender, lake.quarantine, lake.clock, lake.hit)


def fill(root: Path) -> None:
    lake = TestLake(root)
    for segment in range(2):
        found = [
            Refusal(
                PROJECT,
                NOON_US + number,
                Rejected(
                    code="missing_identity",
                    event_id=f"e{number}",
                    event_type="buy",
                    body=f'{{"event":"buy","usr":"u{number}","id":"e{number}"}}',
                    source="batch",
                ),
            )
            for number in range(segment, ROWS, 2)
        ]
        lake.quarantine.keep(f"j1-{segment}", found)


def replay_until_killed(root: Path, point: str) -> None:
    lake = TestLake(root, hit=Failpoints(f"{point}:1:kill").hit)
    replayer(lake).replay(OWNER, EVERYTHING, MEND)


def judge(root: Path) -> None:
    lake = TestLake(root)
    own = replayer(lake)
    marked = {row["event_id"] for row in own.rows.page(PROJECT, Wanted(state="replayed"), None, 100)}
    rows = own.rows.page(PROJECT, Wanted(), None, 100)
    assert len(rows) == ROWS, "a row is lost"
    assert marked <= set(ids(lake.take())), "a row is marked and its event is not there"
    done = own.replay(OWNER, EVERYTHING, MEND)
    assert done.count("rejected") == 0
    assert ids(lake.take()) == [f"e{number}" for number in range(ROWS)]
    assert own.rows.page(PROJECT, Wanted(state="waiting"), None, 100) == []
    again = own.replay(OWNER, Selection({row["id"] for row in rows}), MEND)
    assert (again.count("accepted"), again.count("duplicate")) == (0, ROWS)
    lake.compactor.run(everything=True)
    assert ids(lake.take()) == [f"e{number}" for number in range(ROWS)]


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_every_step(tmp_path: Path, point: str) -> None:
    fill(tmp_path)
    assert killed_at(partial(replay_until_killed, tmp_path, point)) == -signal.SIGKILL, f"{point} was not reached"
    judge(tmp_path)


@pytest.mark.parametrize("action", ["eio", "enospc"])
@pytest.mark.parametrize(
    "point", ["flush.tmp_written", "flush.renamed", "manifest.tmp_written", "quarantine.tmp_written"]
)
def test_a_disk_that_fails_is_told_and_costs_nothing(tmp_path: Path, point: str, action: str) -> None:
    fill(tmp_path)
    lake = TestLake(tmp_path, hit=Failpoints(f"{point}:1:{action}").hit)
    with pytest.raises(Exception, match=r"stored|failpoint") as failed:
        replayer(lake).replay(OWNER, EVERYTHING, MEND)
    assert getattr(failed.value, "code", "") == "storage_unavailable"
    judge(tmp_path)


def delete_until_killed(root: Path) -> None:
    lake = TestLake(root, hit=Failpoints("replay.deleted:1:kill").hit)
    replayer(lake).delete(PROJECT, Selection({"j1-0-0"}))


def test_a_deleted_row_never_comes_back(tmp_path: Path) -> None:
    fill(tmp_path)
    assert killed_at(partial(delete_until_killed, tmp_path)) == -signal.SIGKILL
    fill(tmp_path)  # the flush of the same segments once more
    lake = TestLake(tmp_path)
    left = {row["event_id"] for row in replayer(lake).rows.page(PROJECT, Wanted(), None, 100)}
    assert left == {"e1", "e2", "e3", "e4"}
    lake.clock.advance(86_400)
    lake.quarantine.sweep(lake.clock)
    assert {row["event_id"] for row in replayer(lake).rows.page(PROJECT, Wanted(), None, 100)} == left


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (Changes(rename={"/a": "/b"}), {"b": 1, "deep": {"x": 2}}),
        (Changes(rename={"/deep/x": "/properties/y~1z"}), {"a": 1, "deep": {}, "properties": {"y/z": 2}}),
        (Changes(rename={"/nothing/here": "/b"}), {"a": 1, "deep": {"x": 2}}),
        (Changes(merge={"a": None, "deep": {"y": 3}}), {"deep": {"x": 2, "y": 3}}),
        (Changes(merge={"deep": [1]}), {"a": 1, "deep": [1]}),
        (Changes(rename={"/a": "/b"}, merge={"b": {"c": None}}), {"b": {}, "deep": {"x": 2}}),
    ],
)
def test_changes_are_made_as_the_standards_say(changes: Changes, expected: dict[str, object]) -> None:
    assert changed({"a": 1, "deep": {"x": 2}}, changes) == expected


@pytest.mark.parametrize("body", ['{"event":"buy","properties":{"long":"xx', "[1]", "", "5"])
def test_a_text_that_is_no_object_stays_refused(tmp_path: Path, body: str) -> None:
    lake = TestLake(tmp_path)
    lake.quarantine.keep("j1-1", [Refusal(PROJECT, NOON_US, Rejected(code="too_long", body=body, source="batch"))])
    (outcome,) = replayer(lake).replay(OWNER, EVERYTHING, Changes()).outcomes
    assert (outcome.result, outcome.code) == ("rejected", "validation_error")
    assert len(replayer(lake).rows.page(PROJECT, Wanted(state="waiting"), None, 10)) == 1


def test_poison_is_mended_by_a_time_that_fits(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    body = '{"id":"p","event_type":"buy","created_at":9223372036854775808,"user_id":"u","properties":{"n":1}}'
    lake.quarantine.keep(
        "j1-1", [Refusal(PROJECT, NOON_US, Rejected(code="poison", event_id="p", body=body, source="flush"))]
    )
    (outcome,) = replayer(lake).replay(OWNER, EVERYTHING, Changes()).outcomes
    assert (outcome.result, outcome.code) == ("rejected", "invalid_timestamp")
    (outcome,) = replayer(lake).replay(OWNER, EVERYTHING, Changes(merge={"created_at": NOON_US})).outcomes
    assert outcome.result == "accepted"
    assert ids(lake.take()) == ["p"]
