"""An event id counts once, whichever worker takes its copies, on whichever day they lie, before and after a restart."""

from datetime import UTC, datetime
from pathlib import Path

import httpx

from tests.sdk.stored import stored_rows
from tests.support.server import Account, ServerProcess
from tests.support.waiting import eventually
from tests.workers.test_two_workers import Site, _counts

COUNT = 20
ENVIRONMENT = {"EVENT_FLUSH_INTERVAL": "0.5"}


def send(client: httpx.Client, key: str, day: int) -> tuple[int, int]:
    """The same ids as always, on this day of November."""
    batch = [
        {"event": "visit", "user_id": f"u{number}", "id": f"e{number}", "timestamp": f"2026-11-{day:02d}T12:00:00Z"}
        for number in range(COUNT)
    ]
    answer = client.post("/api/v1/track/batch", json=batch, headers={"x-api-key": key})
    assert answer.status_code == 200, answer.text
    said = answer.json()
    return said["accepted"], said["duplicates"]


def settled(site: Site, project_id: str) -> None:
    """Every worker counts each id once, before the flush and after it."""
    for _ in range(2):
        with site.workers() as clients:
            assert [_counts(site, client, project_id) for client in clients.values()] == [{"visit": COUNT}] * 2
        eventually(lambda: site.metrics()["iafa_journal_bytes"] == 0, "all is flushed")


def test_an_id_counts_once_over_workers_days_and_a_restart(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with ServerProcess(data_dir, workers=2, environment=ENVIRONMENT) as server:
        owner = Account(server.url)
        site = Site(server, data_dir, owner)
        project = site.project(retention_days=None)
        key, project_id = project["secret_key"], project["id"]
        with site.workers() as clients:
            one, other = clients.values()
            assert send(one, key, 10) == (COUNT, 0)
            settled(site, project_id)
            assert sum(send(other, key, 12)) == COUNT
            assert sum(send(one, key, 13)) == COUNT
            settled(site, project_id)
    with ServerProcess(data_dir, workers=2, environment=ENVIRONMENT) as server:
        owner.client.base_url = httpx.URL(f"{server.url}/api/v1")
        site = Site(server, data_dir, owner)
        with site.workers() as clients:
            for day, client in zip((10, 15), clients.values(), strict=True):
                assert sum(send(client, key, day)) == COUNT
            settled(site, project_id)
    owner.client.close()
    rows = stored_rows(data_dir, project_id, COUNT)
    assert sorted(row["id"] for row in rows) == sorted(f"e{number}" for number in range(COUNT))
    assert {row["created_at"] for row in rows} == {datetime(2026, 11, 10, 12, tzinfo=UTC)}, "the first copy stays"
