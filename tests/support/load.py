"""Senders that never give up: what gets no answer, or a refusal for now, is sent again unchanged."""

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.support.chance import chance
from tests.support.ledger import Ledger, Wire

# Plain HTTP: `verify=False` only spares every client the loading of certificates, 20 ms of processor each.
SENDERS = 3
PAUSE_S_MAX = 0.3  # of a sender, so that what has been killed gets its share of the processor to come back
WAIT_S_MAX = 60.0


@contextlib.contextmanager
def loading(url: str, key: str, ledger: Ledger, salt: object) -> Iterator[None]:
    """Senders that go on for as long as the block does, whoever dies meanwhile."""
    stop = threading.Event()
    with ThreadPoolExecutor(SENDERS) as pool:
        senders = [
            pool.submit(send, url, key, ledger, stop, chance(f"{salt} sender {number}")) for number in range(SENDERS)
        ]
        try:
            yield
        finally:
            stop.set()
        for sender in senders:
            sender.result()


def send(url: str, key: str, ledger: Ledger, stop: threading.Event, choices: random.Random) -> None:
    while not stop.is_set():  # a new connection now and then, so that every worker gets its share
        with httpx.Client(base_url=url, headers={"x-api-key": key}, timeout=10, verify=False) as client:
            for _ in range(10):
                if stop.is_set() or not post(client, ledger, ledger.next_batch(choices)):
                    break
                time.sleep(choices.random() * PAUSE_S_MAX)


def post(client: httpx.Client, ledger: Ledger, batch: list[Wire]) -> bool:
    try:
        answer = client.post("/api/v1/track/batch", json={"events": batch})
    except httpx.TransportError:
        ledger.not_answered(batch)
        time.sleep(0.2)
        return False
    if answer.status_code == 200:
        content = answer.json()
        assert content["accepted"] + content["duplicates"] == len(batch), content
        ledger.answered(batch)
    else:
        assert answer.status_code == 503, answer.text
        ledger.not_answered(batch)
    return True


def wait_until(is_so: Callable[[], bool], what: str, *, at_most_s: float = WAIT_S_MAX) -> None:
    deadline = time.monotonic() + at_most_s
    while not is_so():
        assert time.monotonic() < deadline, f"not within {at_most_s} s: {what}"
        time.sleep(0.05)
