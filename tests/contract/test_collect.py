"""Collecting over HTTP: every case through the lean path and through the documented route, with equal answers."""

import asyncio
import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from iafa.api.collect import CollectFront
from iafa.api.server import running
from iafa.settings import Settings

MIB = 1024 * 1024


@dataclass
class Site:
    """The complete application in process, with one registered project."""

    lean: httpx.AsyncClient
    routed: httpx.AsyncClient
    app: CollectFront
    project_id: str
    write_key: str
    secret_key: str
    token: str

    async def people(self, *events: str) -> list[int]:
        stages = [{"name": event, "event": event} for event in events]
        body = {"project_id": self.project_id, "name": "test", "stages": stages}
        headers = {"authorization": f"Bearer {self.token}"}
        answer = await self.lean.post("/api/v1/analytics/funnel", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return [stage["users"] for stage in answer.json()["stages"]]


def client_of(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://testserver")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    settings = Settings.model_validate({"data_dir": tmp_path / "data"})
    async with running(settings) as app:
        assert isinstance(app, CollectFront)
        async with client_of(app) as lean, client_of(app._app) as routed:
            body = {"email": "owner@example.com", "password": "a long enough passphrase", "full_name": "Test Owner"}
            token = (await lean.post("/api/v1/auth/register", json=body)).json()["access_token"]
            lean.cookies.clear()
            made = await lean.post(
                "/api/v1/projects",
                json={"name": "Shop", "rate_limit_per_minute": 100_000},
                headers={"authorization": f"Bearer {token}"},
            )
            project = made.json()
            yield Site(lean, routed, app, project["id"], project["api_key"], project["secret_key"], token)


JSON = {"content-type": "application/json"}
EVENT = {"event": "visit", "user_id": "user-1"}


def deep(levels: int) -> bytes:
    return b'{"event":"a","user_id":"u","properties":' + b'{"a":' * levels + b"1" + b"}" * levels + b"}"


BAD = [
    pytest.param("track", b"", JSON, 400, "invalid_json", id="empty"),
    pytest.param("track", b"{", JSON, 400, "invalid_json", id="broken"),
    pytest.param("track", b'{"event":NaN}', JSON, 400, "invalid_json", id="NaN"),
    pytest.param("track", b'{"event":"\xff"}', JSON, 400, "invalid_json", id="bad utf-8"),
    pytest.param("track", deep(5000), JSON, 400, "invalid_json", id="5,000 deep"),
    pytest.param("track", deep(21), JSON, 422, "validation_error", id="21 deep"),
    pytest.param("track", b"[]", JSON, 422, "invalid_batch", id="a list as one event"),
    pytest.param("track", b"{}", JSON, 422, "validation_error", id="no fields"),
    pytest.param("track", b"{}", {}, 415, "unsupported_media_type", id="no content type"),
    pytest.param("track", b"{}", {"content-type": "text/plain"}, 415, "unsupported_media_type", id="plain text"),
    pytest.param("track", b"{}", {**JSON, "content-encoding": "br"}, 415, "unsupported_encoding", id="brotli"),
    pytest.param("track", b"{}", {**JSON, "content-encoding": "gzip, gzip"}, 415, "unsupported_encoding", id="nested"),
    pytest.param("track", b"{}", {**JSON, "content-encoding": "gzip"}, 400, "bad_encoding", id="no gzip"),
    pytest.param(
        "track", gzip.compress(b"{}")[:-4], {**JSON, "content-encoding": "gzip"}, 400, "bad_encoding", id="cut gzip"
    ),
    pytest.param(
        "track",
        gzip.compress(bytes(64 * MIB)),
        {**JSON, "content-encoding": "gzip"},
        413,
        "payload_too_large",
        id="bomb",
    ),
    pytest.param("track", b" " * (MIB + 1), JSON, 413, "payload_too_large", id="over the wire cap"),
    pytest.param(
        "track",
        json.dumps(EVENT | {"properties": {str(n): "x" * 8000 for n in range(5)}}).encode(),
        JSON,
        413,
        "event_too_large",
        id="event over 32 KiB",
    ),
    pytest.param("track/batch", b"[]", JSON, 422, "invalid_batch", id="empty batch"),
    pytest.param("track/batch", b'{"events":5}', JSON, 422, "invalid_batch", id="events is no list"),
    pytest.param("track/batch", b"[" + b"1," * 2500 + b"1]", JSON, 413, "payload_too_large", id="2,501 events"),
]


@pytest.mark.parametrize(("path", "body", "headers", "status", "code"), BAD)
async def test_bad_input_gets_its_problem_and_nothing_is_stored(
    site: Site, path: str, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answers = []
    for client in (site.lean, site.routed):
        answer = await client.post(f"/api/v1/{path}", content=body, headers={**headers, "x-api-key": site.secret_key})
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert ("retry-after" in answer.headers) == (status in (408, 429, 500, 503, 504))
        content = answer.json()
        assert content.pop("instance") == f"urn:iafa:request:{answer.headers['x-request-id']}"
        answers.append(content)
    assert answers[0] == answers[1]
    assert await site.people("visit") == [0]


@pytest.mark.parametrize("key", [None, b"", b"nonsense", b"iafa_w_" + b"x" * 43, b"\xff" * 300])
async def test_wrong_key_is_refused_before_the_body_is_looked_at(site: Site, key: bytes | None) -> None:
    headers = [(b"content-type", b"application/json"), *([] if key is None else [(b"x-api-key", key)])]
    for client in (site.lean, site.routed):
        answer = await client.post("/api/v1/track", content=b"{broken", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
        assert "www-authenticate" in answer.headers


@pytest.mark.parametrize("path", ["/api/v1/track", "/track"])
async def test_event_is_in_the_answer_right_after_its_200(site: Site, path: str) -> None:
    for number, client in enumerate((site.lean, site.routed)):
        answer = await client.post(
            path, json={**EVENT, "user_id": f"u{number}"}, headers={"x-api-key": site.secret_key}
        )
        assert answer.status_code == 200
        assert answer.json()["status"] == "ok"
        assert answer.headers["x-iafa-durability"] == "sync"
        assert await site.people("visit") == [number + 1]


async def test_batch_answers_what_became_of_each_event(site: Site) -> None:
    headers = {"x-api-key": site.secret_key}
    events = [EVENT | {"id": "a"}, EVENT | {"id": "a"}, {"event": "visit"}, EVENT | {"id": "b"}]
    answer = await site.lean.post("/api/v1/track/batch?verbose=1", json={"events": events}, headers=headers)
    content = answer.json()
    assert {key: content[key] for key in ("accepted", "duplicates", "sampled_out", "rejected", "retry")} == {
        **{"accepted": 2, "duplicates": 1, "sampled_out": 0, "rejected": 1, "retry": 0}
    }
    assert [one["result"] for one in content["results"]] == ["ok", "duplicate", "rejected", "ok"]
    assert content["results"][2]["pointer"] == "/events/2/user_id"


async def test_gzip_body_is_understood(site: Site) -> None:
    body = gzip.compress(json.dumps([EVENT]).encode())
    headers = {**JSON, "content-encoding": "gzip", "x-api-key": site.secret_key}
    answer = await site.lean.post("/api/v1/track/batch", content=body, headers=headers)
    assert answer.json()["accepted"] == 1


async def test_second_member_behind_the_gzip_is_not_dropped_in_silence(site: Site) -> None:
    body = gzip.compress(json.dumps([EVENT]).encode()) + gzip.compress(b"[]")
    headers = {**JSON, "content-encoding": "gzip", "x-api-key": site.secret_key}
    answer = await site.lean.post("/api/v1/track/batch", content=body, headers=headers)
    assert answer.json()["code"] == "bad_encoding"


async def test_beacon_needs_no_header_and_answers_204(site: Site) -> None:
    body = {"t": 1, "a": "visitor-1", "e": [{"i": "e1", "n": "visit"}]}
    for client in (site.lean, site.routed):
        answer = await client.post(f"/e/{site.write_key}", content=json.dumps(body).encode())
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"
    assert await site.people("visit") == [1]


async def test_the_pixel_is_a_page_view_of_the_page_it_stands_on(site: Site) -> None:
    for client in (site.lean, site.routed):
        answer = await client.get(
            f"/e/{site.write_key}.gif?r=https%3A%2F%2Fsearch.example%2F%3Fq%3Da%2Bb",
            headers={"referer": "https://shop.example/cart", "user-agent": "text browser"},
        )
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
        assert answer.content.startswith(b"GIF89a")
        assert answer.headers["cache-control"] == "no-store"
    assert await site.people("page_view") == [1]


async def test_the_pixel_names_another_page_and_may_have_none(site: Site) -> None:
    assert (await site.lean.get(f"/e/{site.write_key}.gif?u=https%3A%2F%2Fshop.example%2F")).status_code == 200
    assert (await site.lean.get(f"/e/{site.write_key}.gif")).status_code == 200
    assert (await site.lean.get("/e/nonsense.gif")).status_code == 401
    assert (await site.lean.get(f"/e/{site.write_key}.png")).status_code == 405


@pytest.mark.parametrize("path", ["/e/{key}", "/e/{key}.gif"])
async def test_secret_key_in_a_page_is_refused_as_such(site: Site, path: str) -> None:
    method = "GET" if path.endswith(".gif") else "POST"
    answer = await site.lean.request(
        method, path.format(key=site.secret_key), content=b"{}" if method == "POST" else None
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert "rotate" in answer.json()["detail"]


@pytest.mark.parametrize("referer", ["http://[", "http://[::1", "//", "a", "\u00ff"])
async def test_pixel_of_a_page_with_a_broken_address_is_answered(site: Site, referer: str) -> None:
    answer = await site.lean.get(f"/e/{site.write_key}.gif", headers=[(b"referer", referer.encode("latin-1"))])
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/gif"


async def test_beacon_with_rejected_events_still_answers_204(site: Site) -> None:
    body = {"e": [{"n": ""}, {"n": "visit", "a": "visitor-1"}]}
    answer = await site.lean.post(f"/e/{site.write_key}", content=json.dumps(body).encode())
    assert answer.status_code == 204
    assert await site.people("visit") == [1]


async def test_beacon_with_an_unknown_key_is_refused_where_a_page_can_see_it(site: Site) -> None:
    answer = await site.lean.post("/e/nonsense", content=b"{}", headers={"origin": "https://shop.example"})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "X-Request-Id" in answer.headers["access-control-expose-headers"]


async def test_preflight_of_a_collect_path_names_the_headers(site: Site) -> None:
    answer = await site.lean.options("/api/v1/track", headers={"origin": "https://shop.example"})
    assert answer.status_code == 204
    assert "x-api-key" in answer.headers["access-control-allow-headers"]
    assert answer.headers["access-control-max-age"] == "7200"


@pytest.mark.parametrize("path", ["/api/v1/track", "/api/v1/track/batch", "/track"])
async def test_other_methods_are_told_what_is_allowed(site: Site, path: str) -> None:
    answer = await site.lean.put(path)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("time", ["1e306", "9" * 400, "-1e306"])
async def test_absurd_time_costs_neither_a_500_nor_its_neighbours(site: Site, time: str) -> None:
    bad = f'{{"event":"visit","user_id":"u1","timestamp":{time}}}'
    body = f'[{bad},{{"event":"visit","user_id":"u2"}}]'.encode()
    headers = {**JSON, "x-api-key": site.secret_key}
    answer = await site.lean.post("/api/v1/track/batch", content=body, headers=headers)
    assert answer.status_code == 200
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (1, 1)
    assert (await site.lean.post("/api/v1/track", content=bad.encode(), headers=headers)).status_code == 422


async def test_slow_beacon_is_answered_and_stores_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iafa.api.collect.BODY_SECONDS_MAX", 0.01)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(60)
        raise AssertionError

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        **{"type": "http", "method": "POST", "path": f"/e/{site.write_key}", "query_string": b"", "headers": []},
        "client": ("192.0.2.1", 1),
    }
    await site.app(scope, receive, send)
    assert sent[0]["status"] == 400  # never 408: a browser would send the whole request again by itself


async def test_slow_body_of_a_management_route_is_answered_408(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iafa.api.bodies.BODY_SECONDS_MAX", 0.01)

    async def drip() -> AsyncIterator[bytes]:
        yield b'{"email":'
        await asyncio.sleep(60)

    answer = await site.lean.post("/api/v1/auth/login", content=drip(), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (408, "request_timeout")
    assert "retry-after" in answer.headers


async def test_flood_of_regular_expressions_is_refused_and_collecting_goes_on(site: Site) -> None:
    filters = [{"property": "plan", "op": "regex", "value": f"^{number}$"} for number in range(50)]
    stages = [{"name": "a", "event": "a", "filters": filters} for _ in range(20)]
    body = {"project_id": site.project_id, "name": "flood", "stages": stages}
    asked = asyncio.create_task(
        site.lean.post("/api/v1/analytics/funnel", json=body, headers={"authorization": f"Bearer {site.token}"})
    )
    collected = await site.lean.post("/api/v1/track", json=EVENT, headers={"x-api-key": site.secret_key})
    assert collected.status_code == 200
    answer = await asked
    assert answer.status_code == 422
    assert "too_many" in {error["code"] for error in answer.json()["errors"]}


async def test_rate_limit_answers_429_with_a_time_to_wait(site: Site) -> None:
    headers = {"authorization": f"Bearer {site.token}"}
    await site.lean.put(f"/api/v1/projects/{site.project_id}", json={"rate_limit_per_minute": 2}, headers=headers)
    await asyncio.sleep(1.1)  # keys are re-read at most once a second
    answers = [
        await site.lean.post("/api/v1/track", json=EVENT, headers={"x-api-key": site.secret_key}) for _ in range(3)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["retry-after"]) >= 1
    assert answers[2].json()["retryable"] is True
    limits = [[int(one.headers[f"ratelimit-{name}"]) for name in ("limit", "remaining")] for one in answers]
    assert limits == [[2, 1], [2, 0], [2, 0]]
    assert [0 < int(one.headers["ratelimit-reset"]) <= 60 for one in answers] == [True] * 3
    for one in answers:
        exposed = one.headers["access-control-expose-headers"]
        assert {"Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} <= set(exposed.split(", "))


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/api/v1/track", EVENT),
        ("/api/v1/track/batch", [EVENT]),
        ("/e/{key}", {"e": [{"n": "visit"}]}),
        ("/v1/t", {"event": "visit", "userId": "u"}),
        ("/capture", {"event": "visit", "distinct_id": "u"}),
    ],
)
async def test_every_collect_route_says_how_much_is_left(site: Site, path: str, content: Any) -> None:
    headers = {**JSON, "x-api-key": site.write_key}
    for client in (site.lean, site.routed):
        answer = await client.post(path.format(key=site.write_key), json=content, headers=headers)
        assert answer.status_code in (200, 204), answer.text
        # A beacon's address has fewer requests than its key has events.
        assert answer.headers["ratelimit-limit"] == ("100" if path.startswith("/e/") else "100000")
        assert int(answer.headers["ratelimit-remaining"]) < int(answer.headers["ratelimit-limit"])


async def test_a_used_up_quota_refuses_the_request_and_says_until_when(site: Site) -> None:
    headers = {"authorization": f"Bearer {site.token}"}
    url = f"/api/v1/projects/{site.project_id}"
    await site.lean.put(url, json={"monthly_quota": 2}, headers=headers)
    await asyncio.sleep(1.1)  # keys are re-read at most once a second
    key = {"x-api-key": site.secret_key}
    paths = [("/api/v1/track", EVENT), ("/api/v1/track/batch", [EVENT, EVENT]), ("/api/v1/track", EVENT)]
    answers = [await site.lean.post(path, json=content, headers=key) for path, content in paths]
    answers += [await site.lean.post("/v1/t", json={"event": "visit", "userId": "u"}, headers=key)]
    assert [answer.status_code for answer in answers] == [200, 200, 402, 402]
    assert [answer.json()["code"] for answer in answers[2:]] == ["quota_exceeded"] * 2
    assert "retry-after" not in answers[2].headers
    status = (await site.lean.get(f"{url}/status", headers=headers)).json()
    assert (status["events_this_month"], status["monthly_quota"], status["events_total"]) == (3, 2, 3)
    assert status["month_ends_at"].endswith("-01T00:00:00.000000Z")
    counted = site.app._collector.counters.read()
    assert (counted["events_dropped"]["quota_exceeded"], counted["requests_refused"]["quota_exceeded"]) == (2, 2)


async def test_request_key_makes_a_retry_without_ids_harmless(site: Site) -> None:
    headers = {"x-api-key": site.secret_key, "idempotency-key": "order-77"}
    answers = [await client.post("/api/v1/track", json=EVENT, headers=headers) for client in (site.lean, site.routed)]
    assert [answer.json()["status"] for answer in answers] == ["ok", "duplicate"]
    assert await site.people("visit") == [1]


async def test_every_refused_request_is_counted_by_its_code(site: Site) -> None:
    headers = {**JSON, "x-api-key": site.secret_key}
    await site.lean.post("/api/v1/track", content=b"{", headers=headers)
    await site.lean.post("/api/v1/track", content=b"{}", headers=headers)
    await site.lean.post("/api/v1/track", content=b"{}", headers={**JSON, "x-api-key": "guess"})
    await raw(site.app, [{"type": "http.disconnect"}], [(b"x-api-key", site.secret_key.encode()), *RAW_JSON])
    assert site.app._collector.counters.read()["requests_refused"] == {
        **{"client_left": 1, "invalid_credentials": 1, "invalid_json": 1, "validation_error": 1}
    }


async def test_body_that_comes_in_time_but_in_two_parts_is_taken(site: Site) -> None:
    """The first part is there at once, the second one is waited for."""
    body = json.dumps(EVENT).encode()
    parts = iter([(body[:10], True), (body[10:], False)])
    statuses = []

    async def receive() -> dict[str, Any]:
        part, more = next(parts)
        if not more:
            await asyncio.sleep(0.001)
        return {"type": "http.request", "body": part, "more_body": more}

    async def send(message: Any) -> None:
        statuses.append(message.get("status"))

    scope = {
        **{"type": "http", "method": "POST", "path": "/api/v1/track", "query_string": b"", "client": ("192.0.2.1", 1)},
        "headers": [(b"x-api-key", site.secret_key.encode()), *RAW_JSON],
    }
    await site.app(scope, receive, send)
    assert statuses[0] == 200
    assert await site.people("visit") == [1]


RAW_JSON = [(b"content-type", b"application/json")]


async def raw(app: CollectFront, messages: list[dict[str, Any]], headers: list[tuple[bytes, bytes]]) -> list[Any]:
    """What the application sends for a scripted client."""
    sent: list[Any] = []
    script = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(script)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        **{"type": "http", "method": "POST", "path": "/api/v1/track", "query_string": b"", "headers": headers},
        "client": ("192.0.2.1", 1),
    }
    await app(scope, receive, send)
    return sent


async def test_client_that_leaves_in_the_middle_stores_nothing_and_gets_no_answer(site: Site) -> None:
    headers = [(b"x-api-key", site.secret_key.encode()), (b"content-type", b"application/json")]
    body = json.dumps(EVENT).encode()
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": body, "more_body": True},
        {"type": "http.disconnect"},
    ]
    assert await raw(site.app, messages, headers) == []
    assert await site.people("visit") == [0]


async def test_length_and_chunks_at_once_are_refused(site: Site) -> None:
    headers = [
        (b"x-api-key", site.secret_key.encode()),
        (b"content-type", b"application/json"),
        (b"content-length", b"2"),
        (b"transfer-encoding", b"chunked"),
    ]
    sent = await raw(site.app, [{"type": "http.request", "body": b"{}", "more_body": False}], headers)
    assert sent[0]["status"] == 400


async def test_bomb_costs_no_memory(site: Site) -> None:
    body = gzip.compress(bytes(200 * MIB))
    assert len(body) < MIB
    tracemalloc.start()
    try:
        headers = {**JSON, "content-encoding": "gzip", "x-api-key": site.secret_key}
        answer = await site.lean.post("/api/v1/track", content=body, headers=headers)
        assert answer.status_code == 413
        assert tracemalloc.get_traced_memory()[1] < 24 * MIB
    finally:
        tracemalloc.stop()
