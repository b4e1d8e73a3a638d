"""What a project gathers with time, made in the demo as people would make it: over HTTP, with the demo's own login."""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import httpx

from iafa.cli.demo_history import Demo
from iafa.clock import Clock, SystemClock, to_datetime
from iafa.demo.boards import VIEWS, boards
from iafa.demo.dates import date_notes
from iafa.demo.watching import alert_rules, refused_events
from iafa.errors import IafaError

log = logging.getLogger("iafa.demo")
TIMEOUT_S = 30.0


class Furnishing:
    """Runs beside the server, whose start does not wait for it. What fails is made by the next start; what is there
    is left alone."""

    def __init__(self, demo: Demo, *, done: Callable[[], None], clock: Clock | None = None) -> None:
        self._demo = demo
        self._done = done
        self._clock = clock or SystemClock()

    def start(self, url: str) -> None:
        threading.Thread(target=self.run, args=(url,), name="demo-furnishing", daemon=True).start()

    def run(self, url: str) -> None:
        try:
            with httpx.Client(base_url=f"{url}/api/v1", timeout=TIMEOUT_S) as client:
                self._furnish(client)
            self._done()
        except (httpx.HTTPError, IafaError) as error:
            log.warning("boards, notes and alerts of the demo are not complete, the next start goes on: %s", error)

    def _furnish(self, client: httpx.Client) -> None:
        login, history = self._demo.login, self._demo.login.history
        signed_in = _content(client.post("/auth/login", json={"email": login.email, "password": login.password}))
        client.cookies.clear()  # of a program they would be taken for those of a page
        client.headers["authorization"] = f"Bearer {signed_in['access_token']}"
        project_id = self._demo.project.id
        room = _Room(client, f"/projects/{project_id}")
        room.add("notes", "text", date_notes(end=history.end, days=history.days))
        found = _content(client.get("/funnels", params={"project_id": project_id}))["funnels"]
        funnels = {one["name"]: one["id"] for one in found}
        views = room.add("views", "name", VIEWS)
        room.add("boards", "name", boards(end=history.end, days=history.days, funnels=funnels, views=views))
        room.add("alerts", "name", alert_rules(funnels))
        if self._demo.project.schemas:  # without them what is to be refused would be taken
            events = refused_events(to_datetime(self._clock.now_us()))
            _content(client.post("/track/batch", json={"events": events}, headers={"x-api-key": self._demo.write_key}))
        client.post("/auth/logout", json={"refresh_token": signed_in["refresh_token"]})


class _Room:
    """The project's things of one kind each, by the name that tells them apart."""

    def __init__(self, client: httpx.Client, path: str) -> None:
        self._client = client
        self._path = path

    def add(self, kind: str, name: str, wanted: Iterable[Mapping[str, Any]]) -> dict[str, str]:
        """Make those that are missing. Returns the ids by name."""
        path = f"{self._path}/{kind}"
        known = {one[name]: one["id"] for one in _content(self._client.get(path))[kind]}
        for body in wanted:
            if body[name] not in known:
                known[body[name]] = _content(self._client.post(path, json=body))["id"]
        return known


def _content(answer: httpx.Response) -> dict[str, Any]:
    if not answer.is_success:
        raise IafaError(f"{answer.request.method} {answer.request.url.path} was answered {answer.status_code}")
    content: dict[str, Any] = answer.json()
    return content
