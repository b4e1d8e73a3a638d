"""Clients that repeat everything, two writers where one belongs, and what a failed request leaves: nothing."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from iafa.clock import SystemClock
from iafa.journal.writer import JournalLimits
from tests.support.chance import chance, seed, times
from tests.support.events import PROJECT, encode, make_events
from tests.support.lake import TestLake, ids
from tests.support.ledger import Ledger, Wire, is_flushed, read_back
from tests.support.load import wait_until
from tests.support.server import Account, ServerProcess

BATCHES = 40
COPIES_MAX = 5
WINDOW_S = 7 * 86_400
EAGER = {
    "EVENT_FLUSH_INTERVAL": "0.4",
    "EVENT_BUFFER_SIZE": "100",
    "IAFA_COMPACT_INTERVAL_S": "0.5",
    "IAFA_COMPACT_PARTS_MIN": "2",
}


@pytest.mark.slow
def test_storm_of_retries_over_workers_and_a_restart_stores_each_event_once(
    tmp_path: Path, say: Callable[[str], None]
) -> None:
    choices, ledger = chance("storm"), Ledger(SystemClock().now_us())
    batches = [ledger.next_batch(choices) for _ in range(times(BATCHES))]
    copies = [batch for batch in batches for _ in range(choices.randint(1, COPIES_MAX))]
    choices.shuffle(copies)
    data_dir = tmp_path / "data"
    with ServerProcess(data_dir) as server:
        owner = Account(server.url)
    for half in (copies[: len(copies) // 2], copies[len(copies) // 2 :]):
        with ServerProcess(data_dir, workers=2, environment=EAGER) as server:
            owner.client.base_url = httpx.URL(f"{server.url}/api/v1")
            with ThreadPoolExecutor(4) as pool:
                for _ in pool.map(lambda batch, url=server.url: _post(url, owner, ledger, batch), half):
                    pass
            refused = _refused_requests(server.url, owner)
            wait_until(lambda: is_flushed(data_dir, owner.project_id), "everything is flushed")
            counts = owner.event_counts()
    assert counts == dict(ledger.counts(ledger.acknowledged))
    rows = read_back(data_dir, owner.project_id)
    verdict = ledger.judge(rows)
    assert verdict.is_clean, f"seed {seed()}: {verdict}"
    assert ledger.acknowledged == set(ledger.sent)
    say(f"seed={seed()} batches={len(batches)} sent={len(copies)} refused={refused} {verdict}")
    owner.client.close()


def _post(url: str, owner: Account, ledger: Ledger, batch: list[Wire]) -> None:
    """On a connection of its own, so that copies reach different workers."""
    headers = {"x-api-key": owner.secret_key}
    answer = httpx.post(f"{url}/api/v1/track/batch", json={"events": batch}, headers=headers, timeout=30, verify=False)
    assert answer.status_code == 200, answer.text
    assert answer.json()["accepted"] + answer.json()["duplicates"] == len(batch)
    ledger.answered(batch)


def _refused_requests(url: str, owner: Account) -> int:
    """Requests with a good event in them that are refused as a whole: none of it may be found."""
    good = '{"event":"visit","user_id":"u","id":"ghost-%d"}'
    key = {"x-api-key": owner.secret_key, "content-type": "application/json"}
    cases: list[tuple[str, str | bytes, dict[str, str], int]] = [
        ("batch", '{"events":[' + good % 1 + ",]}", key, 400),
        ("batch", '{"events":[' + good % 2 + '],"events":7}', key, 422),
        ("batch", "[" + ",".join([good % 3] * 2_501) + "]", key, 413),
        ("batch", '{"events":[' + good % 4 + "]}", key | {"x-api-key": "sk_unknown"}, 401),
        ("batch", '{"events":[' + good % 5 + "]}", key | {"content-type": "text/plain"}, 415),
        ("batch", b'{"events":[' + (good % 6).encode() + b"]}", key | {"content-encoding": "gzip"}, 400),
        ("", (good % 7).replace('"u"', "7.5"), key, 422),
        ("", (good % 8)[:-1] + ',"timestamp":"never"}', key, 422),
    ]
    for route, body, headers, status in cases:
        path = f"{url}/api/v1/track/{route}".rstrip("/")
        answer = httpx.post(path, content=body, headers=headers, timeout=30, verify=False)
        assert answer.status_code == status, (body[:80], answer.text)
    return len(cases)


@pytest.mark.parametrize("run", range(times(3)))
def test_retries_until_the_end_of_the_window_over_journals_flushes_and_merges(tmp_path: Path, run: int) -> None:
    """Copies spread over almost the whole window, on two journals at a time that come and go."""
    choices = chance(f"window {run}")
    lake = TestLake(tmp_path, limits=JournalLimits(segment_events_max=20))
    first_us = lake.clock.now_us()
    batches = {f"b{number}": make_events(7, prefix=f"b{number}") for number in range(12)}
    sent = [name for name in batches for _ in range(choices.randint(1, COPIES_MAX))]
    choices.shuffle(sent)
    journals = [lake.open_journal(), lake.open_journal()]
    for name in sent:
        journal = choices.choice(journals)
        journal.append_blocking(PROJECT, lake.clock.now_us(), encode(batches[name]), 7)
        happens = choices.random()
        if happens < 0.2:
            journals.remove(journal)
            journal.close()
            journals.append(lake.open_journal())
        elif happens < 0.5:
            lake.flusher.run()
        elif happens < 0.7:
            lake.compactor.run(everything=True)
        lake.clock.advance((WINDOW_S - 60) / len(sent))
    assert lake.clock.now_us() - first_us < WINDOW_S * 1_000_000
    expected = sorted(f"{name}-{number}" for name in set(sent) for number in range(7))
    assert ids(lake.take()) == expected
    for journal in journals:
        journal.close()
    lake.flusher.run()
    lake.compactor.run(everything=True)
    assert ids(lake.take()) == expected


def test_copies_at_once_on_two_journals_are_stored_once(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    journals = [lake.open_journal(), lake.open_journal()]
    content = encode(make_events(50))
    start = threading.Barrier(2)

    def send(number: int) -> None:
        start.wait()
        journals[number].append_blocking(PROJECT, lake.clock.now_us(), content, 50)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(send, range(2)))
    assert len(ids(lake.take())) == 50
    for journal in journals:
        journal.close()
    assert lake.flusher.run().duplicates == 50
    assert len(ids(lake.take())) == 50


@pytest.mark.slow
def test_second_server_is_refused_two_crons_do_no_harm_and_a_killed_server_leaves_no_lock(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    ledger, choices = Ledger(SystemClock().now_us()), chance("crons")
    server = ServerProcess(data_dir, environment=EAGER)
    with server:
        owner = Account(server.url)
        second = _iafa("serve", "--port", "0", "--data-dir", str(data_dir))
        assert second.returncode != 0
        assert f"pid {server.processes()[0].pid}" in second.stderr
        for _ in range(3):
            for _ in range(3):
                _post(server.url, owner, ledger, ledger.next_batch(choices))
            with ThreadPoolExecutor(2) as pool:
                crons = list(pool.map(lambda _: _iafa("compact", "--data-dir", str(data_dir)), range(2)))
            assert [cron.returncode for cron in crons] == [0, 0], crons
        server.kill(whole_group=True)
        assert (data_dir / "LOCK").exists()
        server.start()
        owner.client.base_url = httpx.URL(f"{server.url}/api/v1")
        _post(server.url, owner, ledger, ledger.next_batch(choices))
        assert owner.event_counts() == dict(ledger.counts(ledger.sent))
        assert ledger.judge(read_back(data_dir, owner.project_id)).is_clean
        owner.client.close()


def _iafa(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "iafa", *arguments], capture_output=True, text=True, timeout=120, check=False
    )
