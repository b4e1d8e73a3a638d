"""The demo's live visitors: a thread that sends their events to the server as any page's tracker would."""

import logging
import threading

import httpx

from iafa.clock import Clock, SystemClock, to_datetime
from iafa.demo.live import LiveVisitors
from iafa.demo.visit import WireEvent
from iafa.event import BATCH_EVENTS_MAX

log = logging.getLogger("iafa.demo")
EVERY_S = 1.0
TIMEOUT_S = 10.0


class LiveStream:
    """Runs beside the server. What it did not take is sent again: the ids make that safe."""

    def __init__(self, key: str, *, seed: int, clock: Clock | None = None, every_s: float = EVERY_S) -> None:
        self._key = key
        self._every_s = every_s
        self._seed = seed
        self._clock = clock or SystemClock()
        self._stopped = threading.Event()

    def start(self, url: str) -> None:
        threading.Thread(target=self._run, args=(url,), name="demo-live", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self, url: str) -> None:
        visitors = LiveVisitors(seed=self._seed, since=to_datetime(self._clock.now_us()))
        waiting: list[WireEvent] = []
        with httpx.Client(base_url=url, headers={"x-api-key": self._key}, timeout=TIMEOUT_S) as client:
            while not self._stopped.wait(self._every_s):
                waiting += visitors.until(to_datetime(self._clock.now_us()))
                waiting = waiting[-BATCH_EVENTS_MAX:]
                if waiting and self._is_taken(client, waiting):
                    waiting = []

    def _is_taken(self, client: httpx.Client, events: list[WireEvent]) -> bool:
        try:
            answer = client.post("/api/v1/track/batch", json={"events": events})
        except httpx.HTTPError as error:
            log.debug("live events wait for the server: %s", error)
            return False
        return answer.is_success
