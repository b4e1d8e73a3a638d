"""The upload route: a whole server in one process, keys and projects as a user has them."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest

from iafa.api.server import running
from iafa.settings import Settings
from iafa.wiring import open_house
from tests.unit.upload.exports import AMPLITUDE
from tests.unit.upload.files import ndjson, numbered

CSV = b"customer,action,at\nu1,signup,2025-11-20 09:15:02\nu2,signup,2025-11-20 09:15:03\n"
COLUMNS = "user_id:customer,event_type:action,created_at:at"
BYTES_MAX = 100_000


class Served(NamedTuple):
    client: httpx.AsyncClient
    data_dir: Path
    project_id: str
    secret_key: str
    write_key: str

    async def upload(self, content: Any, *, format: str = "ndjson", **over: Any) -> httpx.Response:
        headers = {"x-api-key": self.secret_key, **over.pop("headers", {})}
        params = {"format": format, **over}
        return await self.client.post("/api/v1/upload", content=content, params=params, headers=headers)

    async def users(self, *events: str) -> list[int]:
        stages = [{"name": event, "event": event} for event in events]
        question = {"project_id": self.project_id, "name": "f", "stages": stages}
        answer = await self.client.post(
            "/api/v1/analytics/funnel", json=question, headers={"x-api-key": self.secret_key}
        )
        assert answer.status_code == 200, answer.text
        return [stage["users"] for stage in answer.json()["stages"]]

    def left_over(self) -> list[Path]:
        return list((self.data_dir / "tmp").glob("upload-*"))


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    settings = Settings(data_dir=tmp_path / "data", upload_bytes_max=BYTES_MAX, _env_file=None)  # type: ignore[call-arg]  # pydantic-settings takes it
    house = open_house(settings)
    owner = await house.accounts.organizations.add("org")
    project, write_key, secret_key = await house.projects.add(owner.id, name="p", settings={"retention_days": None})
    house.engine.close()
    async with running(settings) as app:
        transport = httpx.ASGITransport(app, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://iafa.test") as client:
            yield Served(client, settings.data_dir, project.id, secret_key, write_key)


async def test_an_upload_is_in_the_funnel_when_its_answer_is_there(served: Served) -> None:
    lines = ndjson({"event_type": "a"}, {"event_type": "b", "timestamp": "2025-11-20T11:00:00Z"})

    answer = await served.upload(lines)

    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "accepted": 2,
        "duplicates": 0,
        "rejected": 0,
        "first_event": "2025-11-20T10:00:00.000000Z",
        "last_event": "2025-11-20T11:00:00.000000Z",
        "warnings": [],
        "errors": [],
        "rejected_by_code": {},
    }
    assert await served.users("a", "b") == [1, 1]
    assert (await served.upload(lines)).json()["duplicates"] == 2


@pytest.mark.parametrize("is_zipped", [False, True])
async def test_csv_with_columns_plain_and_zipped(served: Served, is_zipped: bool) -> None:
    headers = {"content-encoding": "gzip"} if is_zipped else {}
    content = gzip.compress(CSV) if is_zipped else CSV

    answer = await served.upload(content, format="csv", columns=COLUMNS, headers=headers)

    assert answer.json()["accepted"] == 2
    assert await served.users("signup") == [2]


REFUSALS: list[Any] = [
    pytest.param({"content": b"{}", "format": "xml"}, 422, "invalid_query", id="format"),
    pytest.param({"content": CSV, "format": "csv", "columns": "nobody:x"}, 422, "validation_error", id="field"),
    pytest.param({"content": CSV, "format": "csv", "columns": "user_id:x"}, 422, "validation_error", id="column"),
    pytest.param({"content": CSV, "format": "csv"}, 422, "validation_error", id="no map"),
    pytest.param({"content": CSV, "format": "parquet"}, 422, "validation_error", id="not parquet"),
    pytest.param({"content": CSV, "headers": {"content-encoding": "br"}}, 415, "unsupported_encoding", id="br"),
    pytest.param({"content": CSV, "headers": {"content-encoding": "gzip"}}, 400, "bad_encoding", id="not gzip"),
    pytest.param({"content": b"x", "headers": {"x-api-key": "iafa_s_x"}}, 401, "invalid_credentials", id="key"),
    pytest.param({"content": b" " * (BYTES_MAX + 1)}, 413, "payload_too_large", id="length"),
    pytest.param(
        {"content": gzip.compress(b" " * 3_000_000), "headers": {"content-encoding": "gzip"}},
        413, "payload_too_large", id="bomb",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "status", "code"), REFUSALS)
async def test_refusals_are_problems_and_store_nothing(
    served: Served, request_: dict[str, Any], status: int, code: str
) -> None:
    answer = await served.upload(**request_)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert served.left_over() == []
    assert await served.users("view") == [0]


async def test_a_write_key_may_not_upload(served: Served) -> None:
    answer = await served.upload(ndjson({}), headers={"x-api-key": served.write_key})

    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


async def test_a_body_without_length_is_cut_at_the_limit(served: Served) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 10_000
            yield b"\n" * 10_000

    answer = await served.upload(endless())

    assert (answer.status_code, answer.json()["limit"]) == (413, BYTES_MAX)
    assert sent < 2_000_000
    assert served.left_over() == []


async def test_a_client_that_leaves_stores_nothing(served: Served) -> None:
    messages = [{"type": "http.request", "body": numbered(10), "more_body": True}, {"type": "http.disconnect"}]
    answers: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        answers.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/api/v1/upload", "raw_path": b"/api/v1/upload", "root_path": "",
        "query_string": b"format=ndjson", "http_version": "1.1", "scheme": "http", "client": ("127.0.0.1", 1),
        "server": ("iafa.test", 80), "headers": [(b"host", b"iafa.test"), (b"x-api-key", served.secret_key.encode())],
    }  # fmt: skip
    transport = served.client._transport
    assert isinstance(transport, httpx.ASGITransport)

    await transport.app(scope, receive, send)

    assert answers[0]["status"] == 400
    assert served.left_over() == []
    assert await served.users("view") == [0]


async def test_uploads_at_once_are_bounded(served: Served) -> None:
    gate, arrived = asyncio.Event(), asyncio.Semaphore(0)

    async def slow() -> AsyncIterator[bytes]:
        arrived.release()
        await gate.wait()
        yield ndjson({})

    running_ = [asyncio.create_task(served.upload(slow())) for _ in range(4)]
    for _ in running_:
        await arrived.acquire()

    refused = await served.upload(ndjson({}))
    gate.set()

    assert (refused.status_code, refused.json()["retryable"]) == (429, True)
    assert int(refused.headers["retry-after"]) > 0
    answers = [answer.json() for answer in await asyncio.gather(*running_)]
    assert sum(answer["accepted"] for answer in answers) == 1
    assert sum(answer["duplicates"] for answer in answers) == 3


async def test_the_route_is_documented(served: Served) -> None:
    document = (await served.client.get("/openapi.json")).json()
    operation = document["paths"]["/api/v1/upload"]["post"]

    assert operation["x-access"] == "secret_key"
    assert set(operation["requestBody"]["content"]) >= {"application/x-ndjson", "text/csv"}
    assert {"200", "400", "401", "403", "408", "413", "415", "422", "429", "503"} <= set(operation["responses"])
    assert operation["responses"]["200"]["content"]["application/json"]["example"]["accepted"] > 0


async def test_an_export_of_another_tool_is_read_by_its_preset(served: Served) -> None:
    content = msgspec.json.encode(AMPLITUDE) + b"\n"

    answer = await served.upload(content, preset="amplitude")
    refused = await served.upload(content, preset="amplitude", columns="user_id:device_id")
    unknown = await served.upload(content, preset="spreadsheet")
    mistyped = await served.upload(content, presett="amplitude")

    assert answer.json()["accepted"] == 1, answer.text
    assert await served.users("Order Completed") == [1]
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/preset")
    assert (unknown.status_code, unknown.json()["code"]) == (422, "invalid_query")
    assert (mistyped.status_code, mistyped.json()["errors"][0]["pointer"]) == (422, "/presett")
