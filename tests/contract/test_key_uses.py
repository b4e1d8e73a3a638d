"""When keys were last used, as the list of keys says it, at a real server and after its restart."""

from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from iafa.api.server import running
from iafa.clock import SystemClock, from_datetime
from iafa.settings import Settings
from tests.contract.test_quarantine import Site


async def test_a_key_that_sends_or_reads_was_used_also_after_a_restart(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path / "data"})
    before_us = SystemClock().now_us()
    async with running(settings) as app, client_of(app) as client:
        site = Site(client, settings)
        client.headers.update(await site.account("owner@example.com"))
        site.project = (await client.post("/api/v1/projects", json={"name": "Shop"})).json()
        assert await uses(site) == {"write": None, "secret": None}
        assert (await site.batch({"event": "buy", "user_id": "u"}, key="api_key"))["accepted"] == 1
        used = await uses(site)
        assert used["secret"] is None
        assert before_us <= from_datetime(datetime.fromisoformat(str(used["write"]))) <= SystemClock().now_us()
        headers = dict(client.headers)
    async with running(settings) as app, client_of(app) as client:
        client.headers.update(headers)
        assert await uses(Site(client, settings, site.project)) == used


def client_of(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://testserver")


async def uses(site: Site) -> dict[str, str | None]:
    answer = await site.client.get(f"/api/v1/projects/{site.project['id']}/keys")
    assert answer.status_code == 200, answer.text
    return {one["kind"]: one["last_used_at"] for one in answer.json()["keys"]}
