"""Eight questions at once to a real server that answers one at a time: each is right, or told when to come back."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.support.server import Account, ServerProcess

PEOPLE, AT_ONCE, ROUNDS = 3_000, 8, 3
BATCH = 500


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Account]:
    environment = {"IAFA_QUERY_CONCURRENCY": "1", "IAFA_QUERY_MEMORY_MB": "128", "IAFA_QUERY_THREADS": "1"}
    with ServerProcess(tmp_path / "data", environment=environment) as server:
        owner = Account(server.url)
        yield owner
        owner.client.close()


def fill(owner: Account) -> None:
    events = [{"event": "visit", "user_id": f"u{person}"} for person in range(PEOPLE)]
    events += [{"event": "buy", "user_id": f"u{person}"} for person in range(0, PEOPLE, 3)]
    for first in range(0, len(events), BATCH):
        sent = owner.client.post(
            "/track/batch", json={"events": events[first : first + BATCH]}, headers={"x-api-key": owner.write_key}
        )
        assert sent.is_success, sent.text


def test_questions_at_once_are_answered_or_told_to_come_back(owner: Account) -> None:
    fill(owner)
    stages = [{"name": "Visit", "event": "visit"}, {"name": "Buy", "event": "buy"}]

    def ask(number: int) -> httpx.Response:
        body = {"project_id": owner.project_id, "name": "f", "stages": stages}
        # No two are alike, so that none is answered from memory.
        options = {"window_seconds": 86_400 + number, "order": ("ordered", "strict", "unordered")[number % 3]}
        return owner.client.post("/analytics/funnel", json=body | options)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(ask, range(AT_ONCE * ROUNDS)))
    for answer in answers:
        if answer.status_code == 200:
            assert [stage["users"] for stage in answer.json()["stages"]] == [PEOPLE, PEOPLE // 3]
        else:
            assert (answer.status_code, answer.json()["code"]) == (503, "query_busy"), answer.text
            assert int(answer.headers["retry-after"]) >= 1
    assert any(answer.status_code == 200 for answer in answers)
