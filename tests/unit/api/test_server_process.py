"""One serving process put together: what it says of itself, and how it answers on a real socket."""

import asyncio
import socket
from pathlib import Path

import httpx
import pytest

from iafa.api.server import _listening, running
from iafa.settings import Settings
from tests.support.events import make_events
from tests.support.lake import TestLake


def client_of(app: object) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://testserver")  # type: ignore[arg-type]


async def test_small_answers_leave_at_once(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path, "api_port": 0})
    accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection: socket.socket = writer.get_extra_info("socket")
        accepted.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()
        await writer.wait_closed()

    with _listening(settings) as listener:
        server = await asyncio.start_server(answer, sock=listener)
        _reader, writer = await asyncio.open_connection(*listener.getsockname())
        assert await accepted, "a part of an answer waits 40 ms for the client's acknowledgement of the part before"
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize("durability", ["sync", "interval:250", "off"])
async def test_the_durability_in_force_is_in_health_and_in_every_collect_answer(
    tmp_path: Path, durability: str
) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path / "data", "durability": durability})
    async with running(settings) as app, client_of(app) as client:
        for path in ("/health", "/health/live", "/api/v1/health"):
            assert (await client.get(path)).json()["durability"] == durability
        refused = await client.post("/api/v1/track", json={"event": "visit"})
        preflight = await client.options("/api/v1/track")
        assert [refused.status_code, preflight.status_code] == [401, 204]
        assert {one.headers["x-iafa-durability"] for one in (refused, preflight)} == {durability}


async def test_readiness_says_what_is_left_of_earlier_journals(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    lake.write(make_events(2))
    size = sum(path.stat().st_size for path in lake.layout.journal.rglob("*.ndjson"))
    settings = Settings.model_validate({"data_dir": tmp_path})
    async with running(settings, replayed_from=2) as app, client_of(app) as client:
        waiting = await client.get("/health/ready")
        assert (waiting.status_code, waiting.json()["code"]) == (503, "not_ready")
        assert f"journal 1 and later: {size} bytes in 1 segments" in waiting.json()["detail"]
        lake.flusher.run()
        assert (await client.get("/health/ready")).status_code == 200


async def test_below_the_watermark_collecting_says_when_to_come_again_and_queries_answer(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path / "data", "disk_free_min_mb": 10**9})
    async with running(settings) as app, client_of(app) as client:
        body = {"email": "owner@example.com", "password": "a long enough passphrase", "full_name": "Test Owner"}
        token = (await client.post("/api/v1/auth/register", json=body)).json()["access_token"]
        client.cookies.clear()
        headers = {"authorization": f"Bearer {token}"}
        project = (await client.post("/api/v1/projects", json={"name": "Shop"}, headers=headers)).json()
        sent = {"event": "visit", "user_id": "u"}
        for _ in range(2):
            answer = await client.post("/api/v1/track", json=sent, headers={"x-api-key": project["secret_key"]})
            assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
            assert int(answer.headers["retry-after"]) > 0
        query = {"project_id": project["id"], "name": "test", "stages": [{"name": "visit", "event": "visit"}] * 2}
        answer = await client.post("/api/v1/analytics/funnel", json=query, headers=headers)
        assert (answer.status_code, answer.json()["stages"][0]["users"]) == (200, 0)
