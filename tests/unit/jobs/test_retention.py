"""Retention: what the setting names goes, nothing else; a trend says the same before and after; wrong clocks refuse."""

import json
import signal
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from iafa.audit import audit_files, verify
from iafa.clock import US_PER_DAY, FakeClock
from iafa.errors import WrongUsage
from iafa.failpoints import NAMES
from iafa.jobs.retention_plan import Limits, Policy, Report
from iafa.lake.dropped import drop
from iafa.lake.layout import Layout
from iafa.lake.rollups import Rollups
from iafa.locks import held
from iafa.query.engine_duckdb import DuckEngine, QueryLimits
from iafa.query.reports.frame import Setting
from iafa.query.reports.report import report_answer
from iafa.query.reports.trends import parse_trends
from tests.support.crasher import damage_manifest, retention_killed_at
from tests.support.events import NOON_US, OTHER_PROJECT, PROJECT, make_event
from tests.support.history import Counts, counted_by_hand, past_days
from tests.support.lake import TestLake, ids

HOUR_US = 3600 * 1_000_000
TYPES = ("page_view", "signup", "*")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[DuckEngine]:
    engine = DuckEngine(QueryLimits(), temp_directory=tmp_path / "spill", clock=FakeClock())
    yield engine
    engine.close()


def buckets(engine: DuckEngine, lake: TestLake) -> dict[tuple[str, str], dict[str, Any]]:
    series = [{"event": name, "counts_people": True} for name in TYPES]
    answer = report_answer(engine, lake.take(), parse_trends({"series": series}, Setting(now_us=lake.clock.now_us())))
    return {(one["event_type"], each["date"]): each for one in answer["series"] for each in one["buckets"]}


def told(engine: DuckEngine, lake: TestLake) -> Counts:
    found: Counts = {name: {} for name in TYPES}
    for (name, day), bucket in buckets(engine, lake).items():
        if bucket["events"]:
            found[name][day] = (bucket["events"], bucket["people"])
    return found


def run(lake: TestLake, **options: Any) -> Report:
    force = options.pop("force", False)
    return lake.retention(**options).run(actor="test", force=force)


def first_raw_day(lake: TestLake) -> str:
    return min(file.date for file in lake.manifests.latest(PROJECT).files)


def test_a_trend_says_the_same_before_and_after_old_days_are_removed(tmp_path: Path, engine: DuckEngine) -> None:
    lake, events = past_days(tmp_path / "data")
    expected = counted_by_hand(events)
    assert told(engine, lake) == expected
    report = run(lake, force=True)
    (removed,) = report.projects
    assert report.is_whole
    assert first_raw_day(lake) == "2025-10-22", "a day 30 days ago stays"
    assert (removed.days[0], removed.days[-1], len(removed.days)) == ("2025-10-12", "2025-10-21", 10)
    assert told(engine, lake) == expected
    sources = {bucket["date"]: bucket["source"] for bucket in buckets(engine, lake).values()}
    assert [day for day, source in sources.items() if source == "rollup"] == removed.days
    assert all(bucket["is_exact"] for bucket in buckets(engine, lake).values())
    kept = [event.id for event in events if event.created_at >= NOON_US - 30 * US_PER_DAY - 12 * HOUR_US]
    assert ids(lake.take()) == sorted(kept)


def test_removed_days_are_shown_only_where_their_counts_say_what_is_asked(tmp_path: Path, engine: DuckEngine) -> None:
    lake, events = past_days(tmp_path / "data")
    expected = counted_by_hand(events)["signup"]
    run(lake, force=True)
    snapshot = lake.take()

    def ask(zone: str = "UTC", **fields: Any) -> dict[str, Any]:
        series = [{"event": "signup", "counts_people": True}, {"event": "signup", "measure": "sessions"}]
        report = parse_trends({"series": series, **fields}, Setting(zone, 3_600, lake.clock.now_us()))
        return report_answer(engine, snapshot, report)

    months = ask(interval="month")
    october, november = months["series"][0]["buckets"]
    assert october["events"] + november["events"] == sum(count for count, _people in expected.values())
    assert (october["source"], october["is_exact"]) == ("both", False)
    assert (november["source"], november["is_exact"]) == ("raw", True)
    assert {one["source"] for one in months["series"][1]["buckets"]} == {"removed", "raw"}
    assert str(months["data_from"]).startswith("2025-10-22")
    for answer in (
        ask("Europe/Berlin", start_date="2025-10-12"),
        ask(start_date="2025-10-12", exclude_bots=True),
        ask(start_date="2025-10-12", filters=[{"property": "plan", "op": "not_exists"}]),
    ):
        buckets = {one["date"]: one for one in answer["series"][0]["buckets"]}
        assert (buckets["2025-10-15"]["value"], buckets["2025-10-15"]["source"]) == (None, "removed")
        assert not buckets["2025-10-15"]["is_exact"]
        assert buckets["2025-10-25"]["source"] == "raw"
        assert not answer["series"][0]["total"]["is_exact"]
    as_of = ask(start_date="2025-10-12", end_date="2025-10-16", as_of="2025-10-14T12:00:00Z")["series"][0]["buckets"]
    assert [one["source"] for one in as_of][:3] == ["rollup", "rollup", "removed"], "the day was not over then"


def test_days_leave_one_by_one_and_roll_ups_grow_without_doubling(tmp_path: Path, engine: DuckEngine) -> None:
    lake, events = past_days(tmp_path / "data")
    expected = counted_by_hand(events)
    assert run(lake, days=37).is_whole
    for _ in range(4):
        lake.clock.advance(86_400)
        assert run(lake, days=37).is_whole
        assert run(lake, days=37).projects == [], "a second run of the day finds nothing"
        assert told(engine, lake) == expected
    assert len(lake.manifests.latest(PROJECT).rollups) == 1


def test_a_month_has_one_roll_up_file_and_replaced_ones_go_with_the_trash(tmp_path: Path) -> None:
    lake, _ = past_days(tmp_path / "data")
    run(lake, force=True)
    lake.clock.advance(86_400)
    old = lake.layout.lake_file(PROJECT, lake.manifests.latest(PROJECT).rollups[0].path)
    snapshot = lake.take()
    run(lake)
    assert old.exists()
    assert snapshot.rollups is not None
    assert snapshot.rollups.counts(date(2025, 10, 1), date(2025, 10, 31), [None]), "a query that runs keeps its files"
    lake.clock.advance(601)
    run(lake)
    assert not old.exists()
    assert len(list(lake.layout.rollups.rglob("*.parquet"))) == 1


def test_removed_files_stay_for_running_queries_until_the_grace_is_over(tmp_path: Path) -> None:
    lake, events = past_days(tmp_path / "data")
    snapshot = lake.take()
    run(lake, force=True)
    assert len(ids(snapshot)) == len(events)
    lake.clock.advance(601)
    run(lake)
    assert len(ids(lake.take())) < len(events)
    assert {path for path in snapshot.files if path.exists()} == set(lake.take().files)


def test_late_events_are_added_and_the_answer_says_that_people_may_be_counted_twice(
    tmp_path: Path, engine: DuckEngine
) -> None:
    lake, events = past_days(tmp_path / "data")
    run(lake, force=True)
    late_us = NOON_US - 35 * US_PER_DAY
    late = [make_event(id="late", event_type="signup", user_id="user-new", created_at=late_us)]
    late += [make_event(id="late-2", event_type="refund", user_id="user-new", created_at=late_us)]
    day = "2025-10-17"
    lake.write(late)
    lake.flusher.run()
    expected = counted_by_hand([*events, *late])
    for source in ("both", "rollup"):
        found = buckets(engine, lake)
        assert found["signup", day]["source"] == source
        assert found["signup", day]["events"] == expected["signup"][day][0]
        assert found["*", day]["events"] == expected["*"][day][0]
        assert found["signup", day]["people"] == expected["signup"][day][1]
        assert not found["signup", day]["is_exact"]
        assert found["page_view", day]["is_exact"], "no late event of this type"
        assert found["signup", "2025-10-16"]["is_exact"]
        lake.clock.advance(8 * 86_400)
        run(lake, force=True)
    (refund,) = lake_counts(lake, "refund")
    assert (refund.events, refund.people, refund.is_exact) == (1, 1, True)


def lake_counts(lake: TestLake, event_type: str) -> list[Any]:
    files = lake.manifests.latest(PROJECT).rollups
    return Rollups(lake.layout, PROJECT, files).counts(date.min, date.max, [event_type])


def test_a_day_with_recent_arrivals_waits_for_the_dedup_window_but_not_longer(tmp_path: Path) -> None:
    lake = TestLake(tmp_path / "data")
    lake.write([make_event(id="late", created_at=NOON_US - 32 * US_PER_DAY)])
    lake.flusher.run()
    assert run(lake, force=True).projects == []
    lake.write([make_event(id="late", created_at=NOON_US - 32 * US_PER_DAY)])
    lake.flusher.run()
    assert ids(lake.take()) == ["late"], "a repeat is recognized, because the file stayed"
    lake.clock.advance(6 * 86_400)
    lake.write([make_event(id="trickle", created_at=NOON_US - 32 * US_PER_DAY)])
    lake.flusher.run()
    (removed,) = run(lake, force=True).projects
    assert removed.rows == 2


def test_null_keeps_for_ever_and_other_days_are_never_touched(tmp_path: Path) -> None:
    lake, events = past_days(tmp_path / "data", 10)
    lake.clock.advance(400 * 86_400)
    run(lake, days=None, force=True)
    assert len(ids(lake.take())) == len(events)


def test_counts_are_removed_after_their_own_retention(tmp_path: Path, engine: DuckEngine) -> None:
    lake, events = past_days(tmp_path / "data")
    run(lake, aggregate_days=35, force=True)
    days = set(told(engine, lake)["*"])
    assert min(days) == "2025-10-17"
    assert told(engine, lake)["*"] == {day: n for day, n in counted_by_hand(events)["*"].items() if day in days}
    lake.clock.advance(86_400)
    (removed,) = run(lake, aggregate_days=35).projects
    assert (removed.rollup_days, len(removed.days)) == (1, 1)
    run(lake, days=None, aggregate_days=1, force=True)
    assert lake.manifests.latest(PROJECT).rollups == ()


def test_a_dry_run_writes_nothing_and_names_what_would_go(tmp_path: Path) -> None:
    lake, _ = past_days(tmp_path / "data")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "data").rglob("*") if path.is_file()}
    planned = lake.retention().run(actor="test", dry_run=True, force=True).projects[0]
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "data").rglob("*") if path.is_file()}
    assert before == after
    (removed,) = run(lake, force=True).projects
    for what in ("days", "files", "rows", "bytes"):
        assert getattr(planned, what) == getattr(removed, what)


def test_a_second_run_at_once_does_nothing(tmp_path: Path) -> None:
    lake, events = past_days(tmp_path / "data")
    with held(lake.layout.retention_lock) as is_ours:
        assert is_ours
        report = run(lake, force=True)
    assert report.is_busy
    assert report.is_whole, "cron must not send a mail"
    assert len(ids(lake.take())) == len(events)


# (seconds by which the wall clock alone is set, what the refusal says)
STEPS = {
    "an hour back": (-3_600, "does not follow"),
    "before what was written": (-30 * 3_600, "was written at"),
    "400 days ahead": (400 * 86_400, "does not follow"),
    "three days ahead": (3 * 86_400, "does not follow"),
}


@pytest.mark.parametrize(("seconds", "says"), STEPS.values(), ids=STEPS)
def test_a_clock_that_was_set_removes_nothing(tmp_path: Path, seconds: int, says: str) -> None:
    lake, events = past_days(tmp_path / "data")
    lake.retention().look_at_clock()
    lake.clock.set_wall(lake.clock.now_us() + seconds * 1_000_000)
    for _ in range(2):  # also once the lake holds what arrived under the wrong clock
        report = run(lake)
        assert says in str(report.refused)
        assert not report.is_whole
        assert set(ids(lake.take())) >= {event.id for event in events}
        if seconds > 0:
            lake.write([make_event(id="under the wrong clock", created_at=lake.clock.now_us())])
            lake.flusher.run()
    assert not lake.layout.audit.exists()


def test_a_clock_far_ahead_on_a_machine_that_was_never_looked_at_removes_nothing(tmp_path: Path) -> None:
    lake, _ = past_days(tmp_path / "data")
    lake.clock.advance(400 * 86_400)
    assert "does not follow" in str(run(lake).refused)


def test_a_clock_that_ran_evenly_for_a_day_is_believed(tmp_path: Path) -> None:
    lake, _ = past_days(tmp_path / "data", 3)
    lake.clock.set_wall(lake.clock.now_us() + 29 * US_PER_DAY)
    assert run(lake).refused
    lake.clock.advance(86_399)
    assert run(lake).refused
    lake.clock.advance(1)
    assert run(lake).is_whole
    assert lake.take().rows == 0


def test_a_clock_set_during_the_run_stops_it_before_anything_is_removed(tmp_path: Path) -> None:
    lake, events = past_days(tmp_path / "data")

    def set_clock(name: str) -> None:
        if name == "retention.before_commit":
            lake.clock.set_wall(lake.clock.now_us() + 400 * US_PER_DAY)

    lake.hit = set_clock
    report = run(lake, force=True)
    assert "was set while" in str(report.refused)
    assert len(ids(lake.take())) == len(events)


@pytest.mark.parametrize("days", [0, -1, 36_501, 10**9])
def test_cut_offs_that_no_setting_may_have_are_refused(tmp_path: Path, days: int) -> None:
    with pytest.raises(WrongUsage):
        Limits.of(Policy(days), NOON_US)
    with pytest.raises(WrongUsage):
        Limits.of(Policy(None, days), NOON_US)
    lake, events = past_days(tmp_path / "data", 5)
    report = run(lake, days=days, force=True)
    assert len(report.failed) == 1
    assert len(ids(lake.take())) == len(events)


def test_a_large_share_at_once_needs_a_word_and_the_report_says_which(tmp_path: Path) -> None:
    lake, events = past_days(tmp_path / "data")
    report = run(lake)
    assert "10 days with" in str(report.projects[0].held_back)
    assert "iafa retention --force" in str(report.projects[0].held_back)
    assert not report.is_whole
    assert len(ids(lake.take())) == len(events)
    assert run(lake, force=True).is_whole


def test_a_damaged_day_stays_and_the_others_go(tmp_path: Path) -> None:
    lake, _ = past_days(tmp_path / "data")
    victim = next(file for file in lake.manifests.latest(PROJECT).files if file.date == "2025-10-15")
    path = lake.layout.lake_file(PROJECT, victim.path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    report = run(lake, force=True)
    assert "2025-10-15 stays" in report.failed[0]
    assert len(report.projects[0].days) == 9
    assert first_raw_day(lake) == "2025-10-15"


def test_a_project_with_a_damaged_manifest_is_reported_and_stops_no_other_one(tmp_path: Path) -> None:
    lake, _ = past_days(tmp_path / "data")
    damage_manifest(lake.layout, OTHER_PROJECT)
    report = run(lake, force=True)
    assert [OTHER_PROJECT in line for line in report.failed] == [True]
    assert len(report.projects[0].days) == 10
    lake.retention().look_at_clock()


@pytest.mark.parametrize("path", ["../../../outside.parquet", "/etc/passwd", "2025/10/../../../x.parquet", "2025/10/a"])
def test_a_path_outside_the_project_is_refused(tmp_path: Path, path: str) -> None:
    from iafa.errors import DataDamaged

    with pytest.raises(DataDamaged):
        Layout(tmp_path).lake_file(PROJECT, path)


def test_nothing_is_removed_through_a_symbolic_link(tmp_path: Path) -> None:
    lake, _ = past_days(tmp_path / "data")
    month = lake.layout.project(PROJECT) / "2025" / "10"
    month.rename(tmp_path / "elsewhere")
    month.symlink_to(tmp_path / "elsewhere")
    before = sorted((tmp_path / "elsewhere").iterdir())
    assert "symbolic link" in run(lake, force=True).failed[0]
    lake.clock.advance(601)
    run(lake, force=True)
    assert sorted((tmp_path / "elsewhere").iterdir()) == before


def test_a_deleted_project_takes_its_roll_ups_along(tmp_path: Path) -> None:
    lake, _ = past_days(tmp_path / "data")
    run(lake, force=True)
    drop(lake.layout, PROJECT)
    lake.compactor.run()
    assert not list(lake.layout.rollups.iterdir())
    lake.clock.advance(601)
    lake.compactor.run()
    assert [path.name for path in lake.layout.trash.iterdir()] == [f"project_{PROJECT}.dropped"]


def test_every_run_that_removes_is_in_the_audit_log(tmp_path: Path) -> None:
    lake, events = past_days(tmp_path / "data")
    run(lake, force=True)
    (file,) = audit_files(lake.layout.audit)
    (line,) = [json.loads(line) for line in file.read_text().splitlines()]
    manifest = lake.manifests.latest(PROJECT)
    assert (line["actor"], line["action"], line["object"]) == ("test", "retention.remove", f"project:{PROJECT}")
    assert line["details"]["before"]["rows"] == len(events)
    assert line["details"]["after"]["generation"] == manifest.generation
    assert line["details"]["after"]["rows"] == sum(one.rows for one in manifest.files)
    assert len(line["details"]["days"]) == 10
    assert verify(lake.layout.audit) == []


def test_copies_in_the_archive_are_whole_and_in_the_same_layout(tmp_path: Path) -> None:
    lake, events = past_days(tmp_path / "data")
    archive = tmp_path / "archive"
    archive.mkdir()
    before = {path.relative_to(lake.root): path.read_bytes() for path in lake.layout.events.rglob("*.parquet")}
    (removed,) = run(lake, archive=archive, force=True).projects
    copies = {path.relative_to(archive): path.read_bytes() for path in archive.rglob("*") if path.is_file()}
    assert len(copies) == removed.files == removed.archived
    assert copies.items() <= before.items()
    assert removed.rows + len(ids(lake.take())) == len(events)


@pytest.mark.parametrize("where", ["data", "data/archive", "missing"])
def test_an_archive_that_cannot_serve_is_refused(tmp_path: Path, where: str) -> None:
    lake, events = past_days(tmp_path / "data", 3)
    (tmp_path / "data" / "archive").mkdir()
    with pytest.raises(WrongUsage):
        run(lake, archive=tmp_path / where, force=True)
    assert len(ids(lake.take())) == len(events)


def test_another_file_in_the_archive_is_never_overwritten_and_stops_the_removal(tmp_path: Path) -> None:
    lake, events = past_days(tmp_path / "data")
    file = min(lake.manifests.latest(PROJECT).files, key=lambda one: one.date)
    other = tmp_path / "archive" / lake.layout.lake_file(PROJECT, file.path).relative_to(lake.root)
    other.parent.mkdir(parents=True)
    other.write_bytes(b"of another data directory")
    assert "nothing is overwritten" in run(lake, archive=tmp_path / "archive", force=True).failed[0]
    assert other.read_bytes() == b"of another data directory"
    assert len(ids(lake.take())) == len(events)


POINTS = sorted(name for name in NAMES if name.startswith(("retention.", "audit.")))


@pytest.mark.parametrize(
    "point", [*(f"{name}:1" for name in POINTS), "retention.archived:4", "retention.file_unlinked:3"]
)
def test_killed_anywhere_nothing_more_is_lost_and_nothing_is_counted_twice(
    tmp_path: Path, engine: DuckEngine, point: str
) -> None:
    _, events = past_days(tmp_path / "data")
    archive = tmp_path / "archive"
    archive.mkdir()
    assert retention_killed_at(tmp_path / "data", f"{point}:kill", archive) == -signal.SIGKILL, "never reached"
    lake = TestLake(tmp_path / "data", clock=FakeClock(NOON_US + HOUR_US))
    expected = counted_by_hand(events)
    assert told(engine, lake) == expected
    recent = {event.id for event in events if event.created_at >= NOON_US - 30 * US_PER_DAY - 12 * HOUR_US}
    assert recent <= set(ids(lake.take()))
    assert run(lake, archive=archive, force=True).is_whole
    assert told(engine, lake) == expected
    assert set(ids(lake.take())) == recent
    assert verify(lake.layout.audit) == []
    lake.clock.advance(601)
    run(lake, archive=archive)
    on_disk = set(lake.layout.project(PROJECT).rglob("*.parquet"))
    assert on_disk == set(lake.take().files)
    assert len(list(archive.rglob("*.parquet"))) == 10
    assert not list(archive.rglob("*.tmp"))
