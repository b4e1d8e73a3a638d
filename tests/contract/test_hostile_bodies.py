"""Bodies that break parsers, on every operation that takes a body: the answer is a problem and never a 500."""

import json
import re
from typing import Any

import httpx
import pytest

from iafa.api.app import openapi_document
from iafa.event import WIRE_BYTES_MAX
from tests.unit.api.house import Room, Tenant

OPERATIONS = [
    (method.upper(), path, operation["requestBody"])
    for path, operations in openapi_document()["paths"].items()
    for method, operation in operations.items()
    if "requestBody" in operation
]
NAMES = [f"{method} {path}" for method, path, _ in OPERATIONS]

BROKEN: dict[str, bytes] = {
    "not json": b"hello",
    "cut short": b'{"name": "a',
    "only a brace": b"{",
    "trailing comma": b'{"name": "a",}',
    "trailing text": b'{"name": "a"} x',
    "two values": b"{}{}",
    "single quotes": b"{'name': 'a'}",
    "comment": b'{"name": "a"} // b',
    "NaN": b'{"name": NaN}',
    "Infinity": b'{"name": -Infinity}',
    "1e999": b'{"name": 1e999}',
    "1e999 deep": b'{"x": {"y": [1e999]}}',
    "5,000 digits": b'{"name": ' + b"9" * 5000 + b"}",
    "leading zero": b'{"name": 01}',
    "lone surrogate": b'{"name": "\\ud800"}',
    "reversed surrogates": b'{"name": "\\udc00\\ud800 x"}',
    "lone surrogate as a key": b'{"\\ud800x": 1}',
    "bad escape": b'{"name": "\\x41"}',
    "raw NUL": b'{"name": "a\x00"}',
    "raw line break": b'{"name": "a\nb"}',
    "bad utf-8": b'{"name": "\xff"}',
    "bad utf-8 as a key": b'{"\xc3\x28": 1}',
    "encoded surrogate": b'{"name": "\xed\xa0\x80"}',
    "overlong": b'{"name": "\xc0\xaf"}',
    "BOM": b"\xef\xbb\xbf{}",
    "UTF-16": '{"name": "a"}'.encode("utf-16"),
    "UTF-32": '{"name": "a"}'.encode("utf-32"),
    "depth bomb of arrays": b"[" * 100_000,
    "depth bomb of objects": b'{"a":' * 50_000,
    "spaces only": b"   ",
}
READABLE: dict[str, bytes] = {
    "null": b"null",
    "number": b"5",
    "text": b'"a"',
    "true": b"true",
    "list": b"[]",
    "list of bodies": b"[{}]",
    "400 deep": b'{"name": ' + b"[" * 400 + b"]" * 400 + b"}",
    "21 deep": b'{"name": ' + b"[" * 21 + b"]" * 21 + b"}",
    "2^53 + 1": b'{"name": 9007199254740993}',
    "30 digits": b'{"name": 100000000000000000000000000000}',
    "escaped NUL": b'{"name": "a\\u0000b"}',
    "escaped NUL as a key": b'{"a\\u0000b": 1}',
    "proto": b'{"__proto__": {"a": 1}, "constructor": 1}',
    "repeated key": b'{"zzz": [{"name": "a", "name": "b"}]}',
    "many keys": json.dumps({f"key{i}": i for i in range(5000)}).encode(),
    "long key": json.dumps({"k" * 100_000: 1}).encode(),
    "long text": json.dumps({"name": "x" * 500_000, "password": "x" * 300_000}).encode(),
    "wrong types": b'{"name": [], "email": {}, "password": 1, "stages": "x", "project_id": 7, "kind": null}',
    "markup": b'{"name": "<script>alert(1)</script>", "zzz": "<b>"}',
}
SAVED = re.compile(r"\{(view_id|board_id|note_id|token)\}")
LINKS: dict[str, str] = {}  # the tokens of the projects' links, which are shown once
SECRETS = ("<script>alert", "key4999", "x" * 300)


async def filled(path: str, room: Room, tenant: Tenant) -> str:
    """The path of something that is there."""
    project_id = tenant.project.id
    funnels = await room.services.funnels.of_project(project_id)
    alerts = await room.services.alerts.of_project(project_id)
    return path.format(
        project_id=project_id,
        funnel_id=funnels[0].id if funnels else await add_funnel(room, tenant),
        key_id=next(iter(tenant.project.keys)),
        user_id=tenant.signed_in.user.id,
        alert_id=alerts[0].id if alerts else await add_alert(room, tenant),
        **(await saved_ids(room, tenant) if SAVED.search(path) else {}),
    )


def check_problem(answer: httpx.Response, request: str) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json", (request, answer.text)
    body: dict[str, Any] = answer.json()
    assert body["status"] == answer.status_code
    assert body["type"] == f"urn:iafa:problem:{body['code']}"
    assert body["instance"] == f"urn:iafa:request:{answer.headers['x-request-id']}"
    assert ("retry-after" in answer.headers) == (answer.status_code in (408, 429, 500, 503, 504))
    assert len(answer.content) < 40_000
    assert not any(secret in body["detail"] for secret in SECRETS)
    for error in body.get("errors", ()):
        assert not any(secret in error["message"] for secret in SECRETS)
        assert len(error["pointer"]) <= 250
    return body


async def send(
    room: Room, tenant: Tenant, operation: tuple[str, str, Any], body: bytes, **headers: str
) -> httpx.Response:
    method, path, _ = operation
    url = await filled(path, room, tenant)
    sent = {"Content-Type": "application/json", **tenant.bearer, **headers}
    async with room.client() as client:
        return await client.request(method, url, content=body, headers=sent)


async def add_funnel(room: Room, tenant: Tenant) -> str:
    definition = {"project_id": tenant.project.id, "name": "Buy", "stages": [{"name": "A", "event": "a"}]}
    return (await room.services.funnels.add(tenant.project.id, name="Buy", definition=definition)).id


async def saved_ids(room: Room, tenant: Tenant) -> dict[str, str]:
    """One of each thing that members save, and a link."""
    saved, project_id = room.services.saved, tenant.project.id
    card = {"kind": "note", "title": None, "question": {"text": "a"}, "range": None, "view": {}}
    views = await saved.views.of_project(project_id)
    view = views[0] if views else await saved.views.add(project_id, name="a", card=card)
    boards = await saved.boards.of_project(project_id)
    board = boards[0] if boards else await saved.boards.add(project_id, name="a", range=None, cards=())
    notes = await saved.notes.of_project(project_id)
    note = notes[0] if notes else await saved.notes.add(project_id, start="2026-11-01", end=None, text="a")
    token = LINKS.get(project_id)
    if token is None:
        _share, token = await saved.shares.make(project_id, kind="view", target_id=view.id, question={})
        LINKS[project_id] = token
    return {"view_id": view.id, "board_id": board.id, "note_id": note.id, "token": token}


async def add_alert(room: Room, tenant: Tenant) -> str:
    rule = {"kind": "silence", "event": "a", "window_seconds": 86_400}
    made = await room.services.alerts.add(
        tenant.project.id,
        name="Sales",
        rule=rule,
        webhook_url="https://hooks.example.org/",
        is_paused=True,
        interval_seconds=300,
    )
    return made.id


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
async def test_what_no_parser_reads_is_400(tenant: tuple[Room, Tenant], operation: tuple[str, str, Any]) -> None:
    room, ada = tenant
    for name, body in BROKEN.items():
        answer = await send(room, ada, operation, body)
        assert answer.status_code == 400, (name, answer.text)
        assert check_problem(answer, name)["code"] == "invalid_json"


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
async def test_what_is_json_but_not_ours_is_422(tenant: tuple[Room, Tenant], operation: tuple[str, str, Any]) -> None:
    room, ada = tenant
    for name, body in READABLE.items():
        answer = await send(room, ada, operation, body)
        if name == "null" and not operation[2].get("required"):
            continue
        assert answer.status_code == 422, (name, answer.status_code, answer.text[:300])
        assert check_problem(answer, name)["errors"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
async def test_size_and_type_are_checked_first(tenant: tuple[Room, Tenant], operation: tuple[str, str, Any]) -> None:
    room, ada = tenant
    large = await send(room, ada, operation, b" " * (WIRE_BYTES_MAX + 1))
    assert large.status_code == 413
    assert check_problem(large, "large")["limit"] == WIRE_BYTES_MAX
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/jsonx"):
        answer = await send(room, ada, operation, b"{}", **{"Content-Type": kind})
        assert answer.status_code == 415, kind
        assert check_problem(answer, kind)["code"] == "unsupported_media_type"
    packed = await send(room, ada, operation, b"{}", **{"Content-Encoding": "gzip"})
    assert check_problem(packed, "gzip")["code"] == "unsupported_encoding"
    if operation[2].get("required"):
        empty = await send(room, ada, operation, b"")
        assert (empty.status_code, check_problem(empty, "empty")["code"]) == (400, "invalid_json")


async def test_other_json_types_are_accepted_and_repeated_names_are_not(tenant: tuple[Room, Tenant]) -> None:
    room, ada = tenant
    async with room.client(ada.bearer) as client:
        for number, kind in enumerate(
            ("application/json; charset=utf-8", "application/merge-patch+json", "APPLICATION/JSON")
        ):
            answer = await client.post(
                "/api/v1/projects",
                content=f'{{"name": "shop {number}"}}'.encode(),
                headers={"Content-Type": kind},
            )
            assert (answer.status_code, answer.json()["name"]) == (201, f"shop {number}")
        twice = await client.post(
            "/api/v1/projects",
            content=b'{"name": "first", "name": "last"}',
            headers={"Content-Type": "application/json"},
        )
        assert (twice.status_code, check_problem(twice, "twice")["errors"][0]["pointer"]) == (422, "/name")


async def test_after_all_of_it_the_room_still_works(tenant: tuple[Room, Tenant]) -> None:
    room, ada = tenant
    for operation in OPERATIONS:
        await send(room, ada, operation, BROKEN["depth bomb of arrays"])
    async with room.client(ada.bearer) as client:
        assert (await client.post("/api/v1/projects", json={"name": "fine"})).status_code == 201
