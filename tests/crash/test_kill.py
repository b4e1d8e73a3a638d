"""SIGKILL at random moments under load, again and again on the same data; the judge is a process that is not killed."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from iafa.clock import SystemClock
from tests.support.chance import chance, seed, times
from tests.support.ledger import TYPES, Ledger, Verdict, is_flushed, manifest_of, read_back
from tests.support.load import loading, post, wait_until
from tests.support.server import Account, ServerProcess

KILLS = 20
WORKERS = 2
ACKNOWLEDGED_MIN = 2_000
ROUND_ACKNOWLEDGED_MIN = 60
READY_S_MAX = 60  # on a machine that does much else as well; what it took is printed
EAGER = {
    "EVENT_FLUSH_INTERVAL": "0.4",
    "EVENT_BUFFER_SIZE": "200",
    "IAFA_COMPACT_INTERVAL_S": "0.5",
    "IAFA_COMPACT_PARTS_MIN": "2",
    "IAFA_RETENTION_INTERVAL_S": "1",
    "IAFA_DEDUP_WINDOW_DAYS": "1",
    "IAFA_WORKERS": str(WORKERS),
}
PAST_DAYS = (100, 99, 98)  # days ago; more than three at once would have to be forced
PAST_EVENTS = 40
VICTIMS = ("worker", "background", "group", "worker", "parent", "background")


@dataclass
class Round:
    """What happens in a kill: load, the moment, the victim, and how long until the service is back."""

    data_dir: Path
    owner: Account
    ledger: Ledger
    server: ServerProcess | None = None
    ready_s: list[float] = field(default_factory=list)

    def start(self) -> ServerProcess:
        self.server = ServerProcess(self.data_dir, workers=WORKERS, environment=EAGER).start()
        self.owner.client.base_url = httpx.URL(f"{self.server.url}/api/v1")
        return self.server

    def run(self, number: int, victim: str) -> None:
        choices = chance(f"round {number}")
        server = self.server or self.start()
        enough = len(self.ledger.acknowledged) + ROUND_ACKNOWLEDGED_MIN
        with loading(server.url, self.owner.secret_key, self.ledger, number):
            wait_until(lambda: len(self.ledger.acknowledged) >= enough, "the load gets answers")
            time.sleep(choices.random() * 0.5)
            if victim in ("worker", "background"):
                self.ready_s.append(server.kill_child(victim))
            else:
                server.kill(whole_group=victim == "group")
        if victim in ("parent", "group"):
            self.ready_s.append(self.start().ready_s)


class Past:
    """A project with old days, whose retention is lowered before the kills begin: they go while processes die."""

    def __init__(self, owner: Account) -> None:
        self._client = owner.client
        made = owner.client.post(
            "/projects", json={"name": "Past", "retention_days": None, "rate_limit_per_minute": None}
        )
        self.project: dict[str, Any] = made.json()
        now = datetime.now(UTC)
        self.days = [(now - timedelta(days=ago)).date().isoformat() for ago in PAST_DAYS]
        for day in self.days:
            events = [
                {"event": "old", "user_id": f"{day}-{n}", "timestamp": f"{day}T12:00:00Z"} for n in range(PAST_EVENTS)
            ]
            headers = {"x-api-key": self.project["secret_key"]}
            assert owner.client.post("/track/batch", json=events, headers=headers).json()["accepted"] == PAST_EVENTS
        changed = owner.client.put(f"/projects/{self.project['id']}", json={"retention_days": 30})
        assert changed.status_code == 200, changed.text

    def is_over(self, data_dir: Path) -> bool:
        """True when the raw days are gone; then their counts are the ones that were sent."""
        manifest = manifest_of(data_dir, self.project["id"])
        if manifest["files"] or not manifest["rollups"]:
            return False
        parameters = {
            "project_id": self.project["id"],
            "event": "old",
            "start_date": self.days[0],
            "end_date": self.days[-1],
        }
        answer = self._client.get("/analytics/trends", params=parameters)
        assert answer.status_code == 200, answer.text
        (series,) = answer.json()["series"]
        assert [(one["date"], one["events"], one["people"]) for one in series["buckets"]] == [
            (day, PAST_EVENTS, PAST_EVENTS) for day in self.days
        ]
        return True


@pytest.fixture
def rounds(tmp_path: Path) -> Iterator[Round]:
    data_dir = tmp_path / "data"
    with ServerProcess(data_dir) as server:
        owner = Account(server.url)
    found = Round(data_dir, owner, Ledger(SystemClock().now_us()))
    yield found
    owner.client.close()
    if found.server is not None:
        with contextlib.suppress(ProcessLookupError):
            found.server.kill(whole_group=True)


@pytest.mark.slow
def test_killed_again_and_again_every_acknowledged_event_is_there_once_and_unchanged(
    rounds: Round, say: Callable[[str], None]
) -> None:
    ledger, data_dir, project_id = rounds.ledger, rounds.data_dir, rounds.owner.project_id
    rounds.start()
    past = Past(rounds.owner)
    merges = 0
    for number in range(times(KILLS)):
        rounds.run(number, VICTIMS[number % len(VICTIMS)])
        merges += any(_is_merged(file) for file in manifest_of(data_dir, project_id)["files"])
        verdict = ledger.judge(read_back(data_dir, project_id))
        assert verdict.is_clean, f"seed {seed()}, after kill {number + 1}: {verdict}"
        _public_answers_agree(rounds)
    wait_until(lambda: past.is_over(data_dir), "old days are removed and counted")
    verdict = _everything_is_in_files(rounds)
    generations = manifest_of(data_dir, project_id)["generation"]
    say(
        f"seed={seed()} kills={times(KILLS)} acknowledged={len(ledger.acknowledged)} {verdict} "
        f"generations={generations}, ready again within {max(rounds.ready_s):.1f} s"
    )
    assert len(ledger.acknowledged) >= ACKNOWLEDGED_MIN
    assert generations >= times(KILLS), "the kills were to span flushes"
    assert merges >= times(KILLS) // 2, "the kills were to span compactions"
    assert max(rounds.ready_s) <= READY_S_MAX


def _is_merged(file: dict[str, Any]) -> bool:
    """A whole day, or the merged parts of one that still runs."""
    return bool(file["is_day"]) or ".m" in file["path"]


def _public_answers_agree(rounds: Round) -> None:
    """While unanswered requests may still turn up: between what was acknowledged and what was sent, each once."""
    counts, people = rounds.owner.event_counts(), rounds.owner.funnel("*")["stages"][0]["users"]
    acknowledged, sent = rounds.ledger.counts(rounds.ledger.acknowledged), rounds.ledger.counts(rounds.ledger.sent)
    assert all(acknowledged[kind] <= counts.get(kind, 0) <= sent[kind] for kind in TYPES), (counts, acknowledged, sent)
    assert sum(acknowledged.values()) <= people <= sum(sent.values())


def _everything_is_in_files(rounds: Round) -> Verdict:
    """One fresh event goes all the way; then files, public answers and the oracle tell the same."""
    ledger, data_dir, project_id = rounds.ledger, rounds.data_dir, rounds.owner.project_id
    server = rounds.server
    assert server is not None
    with httpx.Client(
        base_url=server.url, headers={"x-api-key": rounds.owner.secret_key}, timeout=10, verify=False
    ) as client:
        ledger.again.clear()
        assert post(client, ledger, ledger.next_batch(chance("fresh")))
    wait_until(lambda: is_flushed(data_dir, project_id), "everything is flushed")
    rows = read_back(data_dir, project_id, with_journals=False)
    verdict = ledger.judge(rows)
    assert verdict.is_clean, verdict
    assert rounds.owner.event_counts() == dict(ledger.counts(one for one, _digest in rows))
    server.stop()
    assert sorted(read_back(data_dir, project_id)) == sorted(rows)
    return verdict
