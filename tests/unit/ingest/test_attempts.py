"""What a worker remembers of requests: bounded, merged with others', kept over a restart, without keys."""

from pathlib import Path

import pytest

from iafa.clock import US_PER_S, FakeClock
from iafa.ingest.attempts import (
    ALL,
    HOURS_KEPT,
    MINUTES_KEPT,
    PROJECTS_MAX,
    SAMPLES_MAX,
    STRAYS,
    STRAYS_MAX,
    TEXT_CHARS_MAX,
    Attempts,
    Sample,
    key_parts,
    read_tallies,
    route_of,
    sweep,
)

PROJECT = "project00000"
KEY = "iafa_w_" + "k" * 43


def test_workers_add_up_and_a_restarted_one_goes_on(tmp_path: Path) -> None:
    clock = FakeClock()
    one, two = Attempts(clock, tmp_path, "worker-0"), Attempts(clock, tmp_path, "worker-1")
    one.accept(PROJECT, 2, clock.now_us(), is_bot=True)
    two.accept(PROJECT, 3, clock.now_us(), is_bot=False)
    two.publish()
    assert one.tally(PROJECT).day(clock.now_us()) == {"accepted": 5, "bot": 2}
    again = Attempts(clock, tmp_path, "worker-0")
    again.accept(PROJECT, 1, clock.now_us(), is_bot=False)
    assert again.tally(PROJECT).day(clock.now_us())["accepted"] == 6
    assert again.tally(ALL).day(clock.now_us())["accepted"] == 6


def test_time_goes_and_buckets_with_it(tmp_path: Path) -> None:
    clock = FakeClock()
    attempts = Attempts(clock, tmp_path)
    for _ in range(3 * HOURS_KEPT):
        clock.advance(1_800)
        attempts.drop(PROJECT, "duplicate", 1, clock.now_us())
    tally = read_tallies(tmp_path, PROJECT)
    assert not tally, "nothing is written before it is published"
    found = attempts.tally(PROJECT)
    assert len(found.hours) == HOURS_KEPT
    assert len(found.minutes) <= MINUTES_KEPT
    assert found.between(clock.now_us() - 900 * US_PER_S) == {"duplicate": 1}
    assert found.day(clock.now_us())["duplicate"] in range(2 * HOURS_KEPT - 2, 2 * HOURS_KEPT + 1)


def test_a_clock_that_goes_back_adds_no_end_of_buckets(tmp_path: Path) -> None:
    clock = FakeClock()
    attempts = Attempts(clock, tmp_path)
    for minute in range(10 * MINUTES_KEPT):
        attempts.drop(PROJECT, "duplicate", 1, clock.now_us() - minute * 60 * US_PER_S)
    attempts.publish()
    (tally,) = read_tallies(tmp_path, PROJECT)
    assert len(tally.minutes) <= 2 * MINUTES_KEPT + 1


@pytest.mark.parametrize(("name", "most"), [(PROJECT, SAMPLES_MAX), (None, STRAYS_MAX)])
def test_samples_are_bounded_in_number_and_length(tmp_path: Path, name: str | None, most: int) -> None:
    clock = FakeClock()
    attempts = Attempts(clock, tmp_path)
    for number in range(most + 10):
        origin = f"https://{number}.example/" + "x" * 1_000
        attempts.refuse(name, Sample(what="unknown_key", origin=origin, last_us=clock.now_us()), path="/" + "p" * 9_000)
    found = attempts.tally(name or STRAYS).samples
    assert len(found) == most
    assert all(len(one.origin or "") == len(one.route or "") == TEXT_CHARS_MAX for one in found)


def test_alike_samples_are_one(tmp_path: Path) -> None:
    clock = FakeClock()
    attempts = Attempts(clock, tmp_path)
    first_us = clock.now_us()
    for _ in range(3):
        attempts.refuse(PROJECT, Sample(what="blocked_origin", origin="https://a.example", last_us=clock.now_us()))
        clock.advance(1)
    (sample,) = attempts.tally(PROJECT).samples
    assert (sample.count, sample.first_us, sample.last_us) == (3, first_us, first_us + 2 * US_PER_S)


def test_more_projects_than_fit_into_memory_are_in_their_files(tmp_path: Path) -> None:
    clock = FakeClock()
    attempts = Attempts(clock, tmp_path)
    for number in range(PROJECTS_MAX + 5):
        attempts.drop(f"p{number:012}", "duplicate", 1, clock.now_us())
    attempts.drop("p000000000000", "duplicate", 1, clock.now_us())
    assert attempts.tally("p000000000000").day(clock.now_us()) == {"duplicate": 2}


@pytest.mark.parametrize(
    "path",
    [f"/e/{KEY}", f"/e/{KEY}.gif", f"/k/{KEY}/t", f"/v1/projects/{KEY}/settings", f"/array/{KEY}/config", f"/k/{KEY}"],
)
def test_no_route_keeps_a_key(path: str) -> None:
    assert KEY not in route_of(path)
    assert KEY[:20] not in route_of(path)
    assert route_of(path).replace("KEY", KEY) == path


@pytest.mark.parametrize("text", ["", "hello", "a password", "iafa_x_" + "k" * 43, "iafa_w_short", None])
def test_nothing_is_kept_of_what_is_no_key(text: str | None) -> None:
    assert key_parts(text) == (None, None)


def test_of_a_key_its_kind_and_its_end_are_kept() -> None:
    assert key_parts("iafa_s_" + "a" * 39 + "wxyz") == ("secret", "wxyz")


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file is in the way")
    attempts = Attempts(FakeClock(), tmp_path / "run")
    attempts.accept(PROJECT, 1, 0, is_bot=False)
    attempts.publish()


def test_a_start_forgets_what_is_older_than_a_day(tmp_path: Path) -> None:
    clock = FakeClock()
    attempts = Attempts(clock, tmp_path)
    attempts.accept(PROJECT, 1, clock.now_us(), is_bot=False)
    attempts.publish()
    written_us = round((tmp_path / PROJECT / "worker-0.json").stat().st_mtime * US_PER_S)
    sweep(tmp_path, written_us + 3_600 * US_PER_S)
    assert (tmp_path / PROJECT).is_dir()
    sweep(tmp_path, written_us + 26 * 3_600 * US_PER_S)
    assert not (tmp_path / PROJECT).exists()
