"""Questions during flush and compaction: whole batches, never fewer than before, each event once, no error."""

import multiprocessing
import threading
from collections.abc import Callable
from multiprocessing.synchronize import Event as Flag
from pathlib import Path

from iafa.cli.options import read_settings
from iafa.query.binding import Parameters
from iafa.query.source import events_sql
from iafa.wiring import House, open_house, open_intake
from tests.support.events import PROJECT, encode, make_event

BATCH = 100
QUESTIONS = 500
BATCHES = 300
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
        assert compactor.run(everything=rounds % 5 == 4).failed == []
        rounds += 1


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


def test_every_answer_during_flush_and_compaction_is_consistent(tmp_path: Path, say: Callable[[str], None]) -> None:
    context = multiprocessing.get_context("forkserver")
    over = context.Event()
    tender = context.Process(target=tend, args=(tmp_path, over))
    house, stop = house_at(tmp_path), threading.Event()
    writer = threading.Thread(target=write, args=(house, stop))
    tender.start()
    writer.start()
    try:
        answers = [ask(house) for _ in range(QUESTIONS)]
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
    manifest = house.manifests.latest(PROJECT)
    assert any(file.is_day or ".m" in file.path for file in manifest.files), "nothing was merged meanwhile"
    say(f"questions={QUESTIONS} events={counts[-1]} versions={len(versions)} generations={manifest.generation}")
