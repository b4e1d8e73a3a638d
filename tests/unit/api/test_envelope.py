"""What every answer carries, whatever happened: request id, headers, the right status, nothing of the inside."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse

from iafa.api.access import public
from iafa.api.app import create_app
from iafa.errors import DataDamaged, QueryTimeout, StorageUnavailable
from tests.unit.api.house import Room, Tenant

ERRORS = {
    "bug": (RuntimeError("secret detail"), 500, "internal_error"),
    "damaged": (DataDamaged("/srv/data/secret detail"), 500, "internal_error"),
    "disk": (StorageUnavailable("the disk is full", retry_after_s=7), 503, "storage_unavailable"),
    "slow": (QueryTimeout("the query took longer than 30 s"), 504, "query_timeout"),
}


@pytest.mark.parametrize(("error", "status", "code"), ERRORS.values(), ids=ERRORS)
async def test_an_error_is_a_problem_and_shows_nothing_of_the_inside(
    room: Room, error: Exception, status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    router = APIRouter(dependencies=[Depends(public)])

    @router.get("/api/v1/broken")
    async def broken() -> None:
        raise error

    with caplog.at_level(logging.ERROR):
        async with room.client(app=create_app(room.services, extra=[router])) as client:
            answer = await client.get("/api/v1/broken")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == ("7" if code == "storage_unavailable" else "1")
    assert answer.json()["instance"].endswith(answer.headers["x-request-id"])
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert (answer.headers["x-request-id"] in caplog.text) == (status == 500)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/api/v1/projects", "GET, POST"),
        ("POST", "/api/v1/auth/me", "DELETE, GET, PUT"),
        ("POST", "/api/v1/funnels/abc", "DELETE, GET, PUT"),
        ("GET", "/api/v1/auth/login", "POST"),
        ("POST", "/", "GET, HEAD"),
        ("PUT", "/docs", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(room: Room, method: str, path: str, allowed: str) -> None:
    async with room.client() as client:
        answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == allowed


async def test_what_is_read_by_get_answers_head_without_a_body(room: Room, ada: Tenant) -> None:
    room.events[ada.project.id] = [{"event_type": "a", "user_id": f"u{n}"} for n in range(3)]
    asked = f"project_id={ada.project.id}"
    paths = {
        "/health": 200,
        "/api/v1/projects": 200,
        f"/api/v1/analytics/sessions?{asked}": 200,
        f"/api/v1/export?{asked}&format=csv": 200,
        f"/api/v1/analytics/sessions?{asked}&interval=eon": 422,
        "/api/v1/nothing": 404,
        "/api/v1/auth/login": 405,
    }
    async with room.client(ada.bearer) as client:
        for path, status in paths.items():
            head, got = await client.head(path), await client.get(path)
            assert (head.status_code, got.status_code, head.content) == (status, status, b""), path
            assert head.headers["content-type"] == got.headers["content-type"]
            assert set(head.headers) == set(got.headers)
    async with room.client() as client:
        assert (await client.head("/api/v1/projects")).status_code == 401


async def test_head_of_a_stream_does_not_wait_for_its_end(room: Room) -> None:
    router = APIRouter(dependencies=[Depends(public)])
    ended = asyncio.Event()

    async def without_end() -> AsyncIterator[bytes]:
        try:
            while True:
                await asyncio.sleep(0)
                yield b"x"
        finally:
            ended.set()

    @router.get("/api/v1/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(without_end())

    async with room.client(app=create_app(room.services, extra=[router])) as client:
        assert (await client.head("/api/v1/stream")).status_code == 200
    await ended.wait()


async def test_an_unknown_address_of_a_program_is_a_problem(room: Room) -> None:
    async with room.client({"Accept": "text/html"}) as client:
        for path in ("/api/v1/nothing", "/api/v1/projects/", "/e/abc", "/docs/files/x.js", "/assets/x.js"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
        assert (await client.post("/nothing")).status_code == 404


async def test_every_answer_has_the_security_headers(room: Room, ada: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        for path in ("/", "/funnels", "/docs", "/openapi.json", "/health", "/api/v1/projects", "/api/v1/nothing"):
            answer = await client.get(path, headers={"Accept": "text/html"})
            policy = answer.headers["content-security-policy"]
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert "http" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"]
            assert len(answer.headers["x-request-id"]) == 32


async def test_answers_of_the_api_are_never_kept_by_caches(room: Room, ada: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        for path in ("/api/v1/projects", "/api/v1/auth/me", "/api/v1/nothing"):
            answer = await client.get(path)
            assert "no-store" in answer.headers["cache-control"]
            assert {"Authorization", "Origin"} <= set(answer.headers["vary"].replace(" ", "").split(","))


async def test_health_and_readiness_differ(room: Room) -> None:
    async with room.client() as client:
        for base in ("", "/api/v1"):
            room.is_ready = False
            for path in ("/health", "/health/live"):
                answer = await client.get(base + path)
                assert (answer.status_code, answer.json()["status"]) == (200, "ok")
            answer = await client.get(f"{base}/health/ready")
            assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
            assert "retry-after" in answer.headers
            room.is_ready = True
            assert (await client.get(f"{base}/health/ready")).json() == {"ready": True}
