"""Starting and ending: the URL is printed when it answers, SIGTERM loses nothing, few descriptors end nobody."""

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from iafa.api.server import GRACE_S
from iafa.cli.children import STOP_WAIT_S
from tests.support.server import Account, ServerProcess

SENDERS = 6
STOP_S_MAX = GRACE_S + STOP_WAIT_S
DESCRIPTORS = 64
Started = tuple[str, subprocess.Popen[str]]


@contextmanager
def printed_url(
    data_dir: Path, *, workers: int, descriptors: int = 4096
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The URL as soon as it is printed; the caller may ask it at once."""
    serve = f"exec {sys.executable} -m iafa serve --port 0 --workers {workers} --data-dir {data_dir}"
    with open(data_dir.with_suffix(".log"), "w") as log:
        process = subprocess.Popen(
            ["sh", "-c", f"ulimit -n {descriptors}; {serve}"], stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("IAFA serves http://127.0.0.1:"), data_dir.with_suffix(".log").read_text()
            yield line.split()[2], process
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)


def test_a_server_with_few_descriptors_refuses_and_lives(tmp_path: Path) -> None:
    """More connections than descriptors: some wait or are refused, then it serves as before."""
    with printed_url(tmp_path / "data", workers=1, descriptors=DESCRIPTORS) as (url, process):
        owner = Account(url)
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        opened = [socket.create_connection(address, timeout=10) for _ in range(2 * DESCRIPTORS)]
        time.sleep(0.5)
        for connection in opened[:: DESCRIPTORS // 8]:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(1)
        assert process.poll() is None
        for connection in opened:
            connection.close()
        deadline = time.monotonic() + 60
        statuses: list[int] = []
        while (not statuses or statuses[-1] != 200) and time.monotonic() < deadline:
            try:
                event = {"event": "visit", "user_id": "u", "id": "one"}
                answer = httpx.post(f"{url}/track", json=event, headers={"x-api-key": owner.secret_key}, timeout=5)
                statuses.append(answer.status_code)
            except httpx.TransportError:
                time.sleep(0.1)
        assert statuses[-1:] == [200]
        assert set(statuses) <= {200, 503}
        owner.client.headers["connection"] = "close"
        assert owner.event_counts() == {"visit": 1}
        owner.client.close()
        assert process.poll() is None
    log = (tmp_path / "data").with_suffix(".log").read_text()
    assert process.returncode == 0, log
    assert "Traceback" not in log, log[:4000]
    # Only asyncio's own loop tells of a connection that it cannot accept; uvloop refuses it in silence.
    assert log.count("no descriptor is left") <= 3, "a shortage must not fill the disk with its own log"
    assert "Too many open files" in log or "no descriptor is left" in log


@dataclass
class Load:
    """Senders that note what was acknowledged and how the others ended."""

    url: str
    key: str
    acknowledged: list[str] = field(default_factory=list)
    refused: set[int] = field(default_factory=set)
    torn: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def send(self, sender: int) -> None:
        number = 0
        with httpx.Client(base_url=self.url, headers={"x-api-key": self.key}, timeout=30) as client:
            while not self.stop.is_set():
                number += 1
                event_id = f"{sender}-{number}"
                try:
                    answer = client.post("/track", json={"event": "visit", "id": event_id, "user_id": event_id})
                except (httpx.ConnectError, httpx.ReadError, httpx.WriteError):
                    return
                except httpx.RemoteProtocolError as error:
                    # No answer at all is as good as a refusal; the beginning of one would be a lie.
                    if "without sending a response" not in str(error):
                        self.torn.append(str(error))
                    return
                if answer.status_code == 200:
                    self.acknowledged.append(event_id)
                else:
                    self.refused.add(answer.status_code)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_printed_url_answers_and_sigterm_under_load_loses_nothing(workers: int, tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with printed_url(data_dir, workers=workers) as (url, process):
        assert httpx.get(f"{url}/health").status_code == 200, "it was printed before it was true"
        owner = Account(url)
        load = Load(url, owner.secret_key)
        with ThreadPoolExecutor(SENDERS) as pool:
            senders = [pool.submit(load.send, sender) for sender in range(SENDERS)]
            deadline = time.monotonic() + 30
            while len(load.acknowledged) < 200 and time.monotonic() < deadline:
                time.sleep(0.02)
            process.send_signal(signal.SIGTERM)
            process.wait(STOP_S_MAX)
            load.stop.set()
            for each in senders:
                each.result()
    assert process.returncode == 0
    assert len(load.acknowledged) >= 200
    assert load.torn == []
    assert load.refused <= {503}
    log = data_dir.with_suffix(".log").read_text()
    assert "Traceback" not in log, log
    with ServerProcess(data_dir) as server:
        owner.client.base_url = httpx.URL(f"{server.url}/api/v1")
        found = owner.event_counts()["visit"]
        people = owner.funnel("visit")["stages"][0]["users"]
        server.kill(whole_group=True)
    owner.client.close()
    assert found == people >= len(load.acknowledged), "each once"
    assert found <= len(load.acknowledged) + SENDERS, "at most the last request of each was stored unanswered"


def test_a_server_starts_again_around_tickets_that_nobody_used_and_forgets_them(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with ServerProcess(data_dir) as server:
        owner = Account(server.url)
        issue = f"/projects/{owner.project_id}/live/ticket"
        path = owner.client.post(issue).json()["path"]
    for _again in range(2):
        with ServerProcess(data_dir) as server:
            with connect(f"ws://127.0.0.1:{server.port}{path}", proxy=None) as socket, pytest.raises(ConnectionClosed):
                socket.recv(30)
            assert socket.close_code == 4401, "a ticket of the server before"
            owner.client.base_url = httpx.URL(f"{server.url}/api/v1")
            issued = owner.client.post(issue)
            assert issued.status_code == 201, issued.text
            path = issued.json()["path"]
    owner.client.close()
