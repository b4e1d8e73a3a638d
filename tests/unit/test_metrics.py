"""Metrics: the text is what Prometheus reads, several processes add up, and one that returns goes on counting."""

import json
import os
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from iafa import __version__
from iafa.clock import FakeClock
from iafa.jobs.gauges import Gauges
from iafa.jobs.measuring import Measurer
from iafa.jobs.overview import Overview
from iafa.jobs.task_runs import TaskRuns
from iafa.journal.watchers import Watchers
from iafa.meta.live_tickets import LiveTickets
from iafa.metrics import METRICS, Counters, text_of
from iafa.published import EVERY_S, Publisher, clear, read_all
from tests.support.events import OTHER_PROJECT, PROJECT, encode, make_events
from tests.support.lake import TestLake


def read(text: str) -> dict[tuple[str, str], float]:
    """{(name, the label's value): value}"""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(sample.name, "".join(sample.labels.values())): sample.value for sample in samples}


def no_gauges() -> dict[str, float]:
    return {}


def test_the_text_is_read_by_prometheus_with_kind_help_and_labels() -> None:
    label = 'a "quoted" back\\slash and\na line'
    text = text_of({"events_dropped": {label: 3, "duplicate": 4}, "made_up": {"x": 1}})
    families = {family.name: family for family in text_string_to_metric_families(text)}
    dropped = families["iafa_events_dropped"]
    assert (dropped.type, dropped.documentation) == ("counter", METRICS["events_dropped"].help)
    assert {sample.labels["reason"]: sample.value for sample in dropped.samples} == {label: 3, "duplicate": 4}
    assert families["iafa_disk_free_bytes"].type == "gauge"
    assert read(text)["iafa_made_up_total", "x"] == 1, "a counter without a description is shown all the same"


def test_a_counter_without_a_label_is_there_before_it_counts() -> None:
    assert read(text_of({}))["iafa_events_accepted_total", ""] == 0


def test_processes_add_up_and_each_says_that_it_is_there(tmp_path: Path) -> None:
    clock, lake = FakeClock(), TestLake(tmp_path / "data")
    worker, other = Counters(), Counters()
    own = Publisher(lake.layout.run, "worker-0", worker, clock, lambda: {"event_loop_lag_seconds": 0.25})
    worker.add("events_dropped", "duplicate", 2)
    other.add("events_dropped", "duplicate", 5)
    other.add("flush_events", amount=7)
    Publisher(lake.layout.run, "background", other, clock, lambda: {"day_parts": 3}).publish()
    gauges = Gauges(lake.layout, lake.manifests, lake.clock)
    overview = Overview(lake.layout.run, "worker-0", own.now, gauges, clock, durability="sync")
    found = read(overview.text())
    assert found["iafa_events_dropped_total", "duplicate"] == 7
    assert found["iafa_flush_events_total", ""] == 7
    assert found["iafa_event_loop_lag_seconds", "worker-0"] == 0.25
    assert found["iafa_day_parts", ""] == 3
    assert found["iafa_durability_info", "sync"] == found["iafa_build_info", __version__] == 1
    assert found["iafa_process_resident_bytes", "worker-0"] > 1_000_000
    assert found["iafa_process_open_descriptors", "worker-0"] > 2
    assert [found["iafa_process_up", name] for name in ("worker-0", "background")] == [1, 1]
    clock.advance(60)
    found = read(overview.text())
    assert [found["iafa_process_up", name] for name in ("worker-0", "background")] == [1, 0]
    assert found["iafa_flush_events_total", ""] == 7, "what a process has counted stays when it is gone"


def test_a_process_that_is_started_again_goes_on_counting(tmp_path: Path) -> None:
    for life in (1, 2, 3):
        counters = Counters()
        publisher = Publisher(tmp_path / "run", "worker-0", counters, FakeClock(), no_gauges).start()
        counters.add("events_accepted", amount=10)
        publisher.close()
        assert read_all(tmp_path / "run")["worker-0"].counts == {"events_accepted": {"": 10 * life}}
    run = tmp_path / "run"
    for _start in range(2):
        tickets = LiveTickets(run / "tickets", FakeClock())
        ticket = tickets.issue(PROJECT, "user", "session")
        Watchers(run / "watched", FakeClock()).tell({PROJECT})
        (run / "elsewhere").symlink_to(tmp_path)
        clear(run)
        assert list(run.iterdir()) == []
        assert tickets.redeem(ticket) is None
    assert tmp_path.exists()
    assert read_all(run) == {}


def test_a_file_that_is_damaged_or_half_written_stops_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    Publisher(folder, "background", Counters(), FakeClock(), no_gauges).publish()
    (folder / "worker-0.json").write_text('{"pid": 1, "at_s"')
    (folder / ".worker-1.json.77.tmp").write_text("{")
    assert set(read_all(folder)) == {"background"}
    assert Publisher(folder, "worker-0", Counters(), FakeClock(), no_gauges).now().counts == {}


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file is in the way")
    publisher = Publisher(tmp_path / "run", "worker-0", Counters(), FakeClock(), no_gauges).start()
    publisher.close()
    assert read_all(tmp_path / "run") == {}
    assert EVERY_S <= 1, "documented as about a second"


def test_the_data_directory_is_measured_without_naming_a_project(tmp_path: Path) -> None:
    lake = TestLake(tmp_path / "data")
    gauges = Gauges(lake.layout, lake.manifests, lake.clock)
    measurer = Measurer(lake.layout, lake.manifests, lake.clock, 8, TaskRuns(lake.clock))
    assert measurer.projects() == 0
    lake.write(make_events(2, prefix="first"))
    received_us = lake.clock.now_us()
    lake.clock.advance(90)
    journal = lake.open_journal()
    journal.append_blocking(OTHER_PROJECT, lake.clock.now_us(), encode(make_events(2, prefix="second")), 2)
    quick = gauges.quick()
    assert quick["journal_oldest_seconds"] == (lake.clock.now_us() - received_us) / 1_000_000 == 90
    assert quick["journal_bytes"] == sum(path.stat().st_size for path in lake.layout.journal.rglob("*.ndjson"))
    assert quick["disk_free_bytes"] > 0
    lake.flusher.run()
    assert gauges.quick()["journal_oldest_seconds"] == 0, "the dead journal is flushed; the second record is of now"
    journal.close()
    lake.flusher.run()
    assert gauges.quick()["journal_bytes"] == 0
    lake.write(make_events(1, prefix="third"))
    lake.flusher.run()
    assert measurer.projects() == 2
    text = json.dumps(gauges.quick())
    assert PROJECT not in text
    assert OTHER_PROJECT not in text


def test_only_the_owner_reads_what_is_published(tmp_path: Path) -> None:
    Publisher(tmp_path / "run", "worker-0", Counters(), FakeClock(), no_gauges).publish()
    assert os.stat(tmp_path / "run" / "worker-0.json").st_mode & 0o777 == 0o600
