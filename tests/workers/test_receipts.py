"""Receipts of a real server: every kind of funnel, over merged days, parts and events in no file, with identity edges
and bots. The notebooks run when the server has gone, and again when its files have been merged.
"""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.notebooks import run_notebooks
from tests.support.server import Account, ServerProcess

NAMES = "AABBCCDX"
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def stages(*names: str, **over: Any) -> dict[str, Any]:
    return {"name": "f", "stages": [{"name": name, "event": name} for name in names], "window_seconds": 172_800, **over}


def with_stage(number: int, definition: dict[str, Any], **over: Any) -> dict[str, Any]:
    definition["stages"][number].update(over)
    return definition


CUT: dict[str, Any] = {"exclusions": [{"event": "X", "from_stage": 1, "to_stage": 2}]}
PLAN = [{"property": "plan", "op": "eq", "value": "it's"}]
DEFINITIONS: dict[str, dict[str, Any]] = {
    "plain": stages("A", "B", "C"),
    "repeated": stages("A", "A", "B"),
    "any of": with_stage(1, stages("A", "B", "C"), event=None, events=["B", "C"]),
    "strict": stages("A", "B", order="strict"),
    "unordered": stages("A", "B", "C", order="unordered"),
    "unordered, first required": stages("A", "B", "C", order="unordered", first_required=True),
    "cut": stages("A", "B", "C", **CUT),
    "drop": stages("A", "B", "C", **CUT, exclusion_mode="drop"),
    "hold": stages("A", "B", hold=["plan"]),
    "session": stages("A", "B", unit="session"),
    "client session": stages("A", "B", unit="session", sessions="client"),
    "grace": stages("A", "B", "C", tie="grace:3600"),
    "tie strict": stages("A", "B", tie="strict"),
    "optional": with_stage(1, stages("A", "D", "B"), optional=True),
    "windows": with_stage(1, stages("A", "B", "C"), within_seconds=7_200, after_seconds=1_800),
    "totals": stages("A", "B", count="totals"),
    "all steps": stages("A", "B", "C", range="all_steps"),
    "first entry": stages("A", "B", entry="first"),
    "filters": stages("A", "B", filters=PLAN),
    "no bots": stages("A", "B", "C", exclude_bots=True),
    "no limit": stages("A", "B", window_seconds=None),
}


@dataclass
class Shop:
    server: ServerProcess
    owner: Account
    data_dir: Path
    noon: datetime
    draw: random.Random = field(default_factory=lambda: random.Random(3))
    _made: int = 0

    def events(self, count: int) -> list[dict[str, Any]]:
        """Of three days, on so few instants that ties abound; a part is anonymous."""
        made = []
        for _ in range(count):
            self._made += 1
            person = self.draw.randrange(60)
            who = {"user_id": f"user-{person}"} if self.draw.random() < 0.7 else {"anonymous_id": f"device-{person}"}
            at = self.noon - timedelta(days=self.draw.randint(1, 3), minutes=30 * self.draw.randrange(8))
            event: dict[str, Any] = {
                "id": f"e{self._made}",
                "event_type": self.draw.choice(NAMES),
                "timestamp": at.isoformat(),
            } | who
            event["properties"] = {"plan": self.draw.choice(("it's", "pro"))}
            event["session_id"] = f"s{self.draw.randrange(3)}"
            if self.draw.random() < 0.1:
                event["user_agent"] = BOT
            made.append(event)
        return made

    def upload(self, events: list[dict[str, Any]]) -> None:
        body = "\n".join(json.dumps(event) for event in events)
        params = {"format": "ndjson"}
        headers = {"X-API-Key": self.owner.secret_key}
        sent = self.owner.client.post("/upload", params=params, content=body, headers=headers)
        assert sent.status_code == 200, sent.text

    def track(self, events: list[dict[str, Any]]) -> dict[str, Any]:
        sent = self.owner.client.post(
            "/track/batch", json={"events": events}, headers={"X-API-Key": self.owner.secret_key}
        )
        assert sent.status_code == 200, sent.text
        content: dict[str, Any] = sent.json()
        return content

    def command(self, *words: str) -> str:
        ended = subprocess.run(
            [sys.executable, "-m", "iafa", *words, "--data-dir", str(self.data_dir)],
            capture_output=True,
            text=True,
            env=os.environ
            | {"IAFA_TRASH_GRACE_S": "0.02", "IAFA_QUERY_TIMEOUT_S": "0.01"},  # what is merged goes at once
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def receipt(self, definition: dict[str, Any], form: str, **over: Any) -> bytes:
        body = {"project_id": self.owner.project_id, **definition, "format": form, **over}
        answer = self.owner.client.post("/analytics/funnel/receipt", json=body)
        assert answer.status_code == 200, answer.text
        return answer.content


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    data_dir = tmp_path_factory.mktemp("receipts") / "data"
    settings = {"EVENT_FLUSH_INTERVAL": "3600", "IAFA_COMPACT_INTERVAL_S": "3600", "IAFA_QUERY_TIMEOUT_S": "300"}
    with ServerProcess(data_dir, environment=settings) as server:
        noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
        shop = Shop(server, Account(server.url), data_dir, noon)
        try:
            _fill(shop)
            yield shop
        finally:
            shop.owner.client.close()


def _fill(shop: Shop) -> None:
    """Merged days, parts, and a tail; some of the identity edges are in the tail."""
    shop.upload(shop.events(400))
    identified = [
        {
            "id": f"i{person}",
            "event_type": "identify",
            "user_id": f"user-{person}",
            "anonymous_id": f"device-{(person * 7) % 60}",
            "timestamp": (shop.noon - timedelta(days=2)).isoformat(),
        }
        for person in range(0, 60, 3)
    ]
    shop.track(identified[:10])
    shop.command("compact")
    shop.upload(shop.events(200))
    shop.upload(shop.events(200))
    shop.track([*shop.events(100), *identified[10:]])


@pytest.mark.slow
def test_every_notebook_gives_the_number_without_the_server(shop: Shop, tmp_path: Path) -> None:
    ranged = {
        "start_date": (shop.noon - timedelta(days=3)).date().isoformat(),
        "end_date": (shop.noon - timedelta(days=2)).date().isoformat(),
    }
    asked = [(definition, over) for definition in DEFINITIONS.values() for over in ({}, ranged)]
    users, notebooks = [], []
    for definition, over in asked:
        body = {"project_id": shop.owner.project_id, **definition, **over}
        answer = shop.owner.client.post("/analytics/funnel", json=body).json()
        users.append([stage["users"] for stage in answer["stages"]])
        receipt = json.loads(shop.receipt(definition, "json", **over))
        assert [stage["users"] for stage in receipt["stages"]] == users[-1], definition
        notebooks.append(shop.receipt(definition, "notebook", **over))

    whole = json.loads(shop.receipt(DEFINITIONS["plain"], "json"))["receipt"]
    assert whole["tail_rows"] > 100
    assert whole["identity_edges"] > 10
    assert len({Path(file["path"]).name.count(".") for file in whole["files"]}) == 2, "merged days and parts"
    assert whole["events_in_range"] == whole["rows_read"] == 920
    assert sum(row[-1] for row in users) > 100
    run_in_iafa_sql(shop, users)

    shop.server.stop()
    check(run_notebooks(shop.data_dir, notebooks, tmp_path / "first"), users)
    shop.command("compact")
    shop.command("compact")
    ran = run_notebooks(shop.data_dir, notebooks, tmp_path / "second")
    assert "Some of the files are gone" in ran[0]["said"]
    check(ran, users)


def check(ran: list[dict[str, Any]], users: list[list[int]]) -> None:
    assert len(ran) == len(users)
    for each, expected in zip(ran, users, strict=True):
        assert each["is_same_data"], each["said"]
        assert each["result"]["users"] == expected, each["definition"]
        assert "The same numbers." in each["said"]


def run_in_iafa_sql(shop: Shop, users: list[list[int]]) -> None:
    """Beside the server: the tail is in it."""
    for place in (0, 1):
        definition = list(DEFINITIONS.values())[place]
        receipt = json.loads(shop.receipt(definition, "json"))["receipt"]
        said = shop.command("sql", shop.owner.project_id, receipt["sql"], "--format", "csv").splitlines()[-1]
        assert [int(text) for text in said.split(",")][:3] == users[2 * place]
