"""Questions during flush, compaction and retention: whole batches, never fewer, each once, no error."""

import multiprocessing
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from multiprocessing.synchronize import Event as Flag
from pathlib import Path

from iafa.cli.options import read_settings
from iafa.clock import US_PER_DAY
from iafa.intake import open_intake
from iafa.jobs.retention_plan import Policy
from iafa.lake.parts import Arrival, to_table
from iafa.query.binding import Parameters
from iafa.query.reports.frame import Setting
from iafa.query.reports.report import report_answer
from iafa.query.reports.trends import parse_trends
from iafa.query.source import events_sql
from iafa.wiring import House, open_house
from tests.support.events import OTHER_PROJECT, PROJECT, encode, make_event

BATCH = 100
QUESTIONS = 300
BATCHES = 300
OLD_DAYS = 60  # of a project of its own: all but the newest become roll-ups while trends of it are asked
OLD_EVENTS = 5  # a day
PAUSE_S = 0.03
END_S_MAX = 60
Answer = tuple[str, int, int]


def house_at(root: Path) -> House:
    """Segments of two batches, merges of three files, and a short grace."""
    return open_house(
        read_settings(
            data_dir=root,
            event_buffer_size=2 * BATCH,
            compact_parts_min=3,
            trash_grace_s=30.0,
            query_timeout_s=20.0,
        )
    )


def tend(root: Path, stop: Flag) -> None:
    """Another process: flushes, merges and empties the trash without a pause."""
    house = house_at(root)
    flusher, compactor = house.flusher(), house.compactor()
    rounds = 0
    while not stop.is_set():
        flusher.run()
        policies = {OTHER_PROJECT: Policy(max(1, OLD_DAYS - rounds), None)}
        retention = replace(house.retention(), policies=partial(dict, policies))
        assert retention.run(actor="test", force=True).failed == []
        assert compactor.run(everything=rounds % 5 == 4).failed == []
        rounds += 1


def fill_old_days(house: House) -> None:
    """Events that arrived when they happened, long ago."""
    for day in range(OLD_DAYS):
        then_us = house.clock.now_us() - (day + 20) * US_PER_DAY
        events = [make_event(id=f"old-{day}-{one}", created_at=then_us) for one in range(OLD_EVENTS)]
        table = to_table(Arrival(OTHER_PROJECT, then_us, event) for event in events)
        appender = house.appender()
        appender.publish(OTHER_PROJECT, appender.write(OTHER_PROJECT, table, f"u{day}"))


def ask_trend(house: House) -> tuple[int, set[str]]:
    """(all events of the project, where its days were counted)"""
    report = parse_trends({"series": [{"event": "*", "counts_people": True}]}, Setting(now_us=house.clock.now_us()))
    answer = report_answer(house.engine, house.snapshots.take(OTHER_PROJECT), report)
    buckets = [bucket for bucket in answer["series"][0]["buckets"] if bucket["events"]]
    return sum(bucket["events"] for bucket in buckets), {bucket["source"] for bucket in buckets}


def write(house: House, stop: threading.Event) -> None:
    journal = open_intake(house).journal
    for number in range(BATCHES):
        if stop.wait(PAUSE_S):
            break
        now_us = house.clock.now_us()
        events = [make_event(id=f"{number}-{one}", created_at=now_us, user_id=str(one)) for one in range(BATCH)]
        journal.append_blocking(PROJECT, now_us, encode(events), BATCH)
    journal.close()


def ask(house: House) -> Answer:
    snapshot = house.snapshots.take(PROJECT)
    parameters = Parameters()
    sql = f"select count(*)::varchar, count(distinct id)::varchar from ({events_sql(snapshot, ['id'], parameters)})"
    with house.engine.reading(snapshot) as reading:
        ((rows, distinct),) = reading.rows(sql, parameters.values)
    return snapshot.data_version, int(str(rows)), int(str(distinct))


def test_every_answer_during_flush_compaction_and_retention_is_consistent(
    tmp_path: Path, say: Callable[[str], None]
) -> None:
    context = multiprocessing.get_context("forkserver")
    over = context.Event()
    tender = context.Process(target=tend, args=(tmp_path, over))
    house, stop = house_at(tmp_path), threading.Event()
    writer = threading.Thread(target=write, args=(house, stop))
    fill_old_days(house)
    tender.start()
    writer.start()
    told: list[tuple[int, set[str]]] = []
    answers: list[Answer] = []
    try:
        for _ in range(QUESTIONS):
            answers.append(ask(house))
            told.append(ask_trend(house))
        assert tender.is_alive()
    finally:
        stop.set()
        writer.join(END_S_MAX)
        over.set()
        tender.join(END_S_MAX)
    assert tender.exitcode == 0
    counts = [rows for _version, rows, _distinct in answers]
    assert all(rows == distinct for _version, rows, distinct in answers)
    assert all(rows % BATCH == 0 for rows in counts)
    assert counts == sorted(counts), "an answer was lower than the one before"
    versions = {version: rows for version, rows, _distinct in answers}
    assert all(versions[version] == rows for version, rows, _distinct in answers)
    assert {events for events, _sources in told} == {OLD_DAYS * OLD_EVENTS}, "a day was counted twice or not at all"
    assert {"raw", "rollup"} <= set.union(*(sources for _events, sources in told))
    manifest = house.manifests.latest(PROJECT)
    assert any(file.is_day or ".m" in file.path for file in manifest.files), "nothing was merged meanwhile"
    say(f"questions={QUESTIONS} events={counts[-1]} versions={len(versions)} generations={manifest.generation}")
