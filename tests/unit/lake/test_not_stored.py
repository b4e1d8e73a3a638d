"""What a project was sent and did not store: counted once, by day, and never with another project's."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from iafa.clock import US_PER_DAY
from iafa.event import Rejected
from iafa.failpoints import Failpoints
from iafa.lake.manifest import REPEAT_DAYS_MAX, Manifest, added_days
from iafa.lake.quarantine import KEPT_DAYS, Quarantine, Refusal
from iafa.lake.snapshot import Snapshot
from iafa.query.receipts.receipt import not_stored
from tests.support.events import NOON_US, OTHER_PROJECT, PROJECT, make_event
from tests.support.lake import TestLake


def repeats(lake: TestLake, project_id: str = PROJECT) -> dict[str, int]:
    dropped = lake.take(project_id).dropped
    assert dropped is not None
    assert dropped.repeats_since_us == 0
    return dict(dropped.repeats)


def test_repeats_are_counted_by_day_before_and_after_the_flush(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    day_before = NOON_US - US_PER_DAY
    lake.write([make_event(id="a"), make_event(id="b", created_at=day_before), make_event(id="a")])
    assert repeats(lake) == {"2025-11-21": 1}
    lake.flusher.run()
    assert repeats(lake) == {"2025-11-21": 1}
    lake.write([make_event(id="b", created_at=day_before), make_event(id="c")])
    assert repeats(lake) == {"2025-11-20": 1, "2025-11-21": 1}
    lake.flusher.run()
    lake.compactor.run(everything=True)
    assert repeats(lake) == {"2025-11-20": 1, "2025-11-21": 1}
    assert repeats(lake, OTHER_PROJECT) == {}


@pytest.mark.parametrize("point", ["flush.before_manifest", "journal.before_unlink"])
def test_a_flush_that_is_run_again_counts_no_repeat_twice(tmp_path: Path, point: str) -> None:
    lake = TestLake(tmp_path, hit=Failpoints(f"{point}:1:eio").hit)
    lake.write([make_event(id="a"), make_event(id="a")])
    with pytest.raises(OSError, match="failpoint"):
        lake.flusher.run()
    lake.flusher.run()
    assert repeats(lake) == {"2025-11-21": 1}


def test_repeats_of_earlier_formats_are_unknown(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    lake.write([make_event(id="a")])
    lake.flusher.run()
    old = msgspec.structs.replace(lake.manifests.latest(PROJECT), generation=7, repeats_since_us=None)
    lake.manifests.supersede(old)
    dropped = lake.take().dropped
    assert dropped is not None
    assert dropped.repeats_since_us == old.made_at_us
    lake.clock.advance(60)
    lake.write([make_event(id="a")])
    lake.flusher.run()
    dropped = lake.take().dropped
    assert dropped is not None
    assert dropped.repeats_since_us == lake.clock.now_us()
    shown = not_stored(lake.take(), 0, NOON_US * 2, lake.clock.now_us())["duplicates"]
    assert isinstance(shown, dict)
    assert (shown["count"], shown["is_exact"]) == (1, False)
    assert "counted since" in shown["reason"]


def test_the_count_of_days_is_bounded() -> None:
    many = {f"{year:04d}-01-01": 1 for year in range(1970, 1970 + REPEAT_DAYS_MAX + 5)}
    kept = added_days(many, {"9999-01-01": 2, "5000-01-01": 1})
    assert len(kept) == REPEAT_DAYS_MAX
    assert min(kept) > min(many)
    assert kept["9999-01-01"] == 2
    assert Manifest(project_id=PROJECT).repeats == {}


def refused(lake: TestLake, snapshot: Snapshot, from_us: int, to_us: int) -> dict[str, object]:
    found = not_stored(snapshot, from_us, to_us, lake.clock.now_us())["rejected"]
    assert isinstance(found, dict)
    return found


def test_refused_events_of_the_range_are_counted_by_code(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    quarantine = Quarantine(lake.layout)

    def refusal(code: str, at_us: int, project_id: str = PROJECT) -> Refusal:
        return Refusal(project_id, at_us, Rejected(code=code, event_id="x", body="{}"))

    late = NOON_US - US_PER_DAY
    quarantine.keep("j1-1", [refusal("too_long", NOON_US), refusal("too_deep", NOON_US - 1), refusal("too_long", late)])
    quarantine.keep("j1-2", [refusal("too_long", NOON_US + 1), refusal("too_long", NOON_US, OTHER_PROJECT)])
    snapshot = lake.take()
    lake.clock.advance(60)
    assert refused(lake, snapshot, NOON_US, NOON_US + 2) == {
        "count": 2,
        "is_exact": True,
        "reason": None,
        "by_code": {"too_long": 2},
    }
    assert refused(lake, snapshot, NOON_US - 1, NOON_US)["by_code"] == {"too_deep": 1}
    assert refused(lake, snapshot, late, NOON_US + 2)["count"] == 4
    quarantine.sweep(lake.clock)
    assert refused(lake, snapshot, late, NOON_US + 2)["count"] == 4


def test_a_bound_of_the_quarantine_is_said(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    rows = [Refusal(PROJECT, NOON_US, Rejected(code="too_long", event_id=str(n), body="{}")) for n in range(3)]
    Quarantine(lake.layout, rows_max=2).keep("j1-1", rows)
    snapshot = lake.take()
    assert snapshot.dropped is not None
    snapshot = replace(
        snapshot, dropped=replace(snapshot.dropped, refused=replace(snapshot.dropped.refused, rows_max=2))
    )
    found = refused(lake, snapshot, NOON_US, NOON_US + 1)
    assert (found["count"], found["is_exact"]) == (2, False)
    assert "on 2025-11-21" in str(found["reason"])
    lake.clock.advance(3600)
    whole = refused(lake, snapshot, 0, NOON_US)
    assert str(KEPT_DAYS) in str(whole["reason"])
