"""The tracker's files: builds, copies under a hash, compression, and a project's settings inside."""

import gzip
import json

import httpx
import pytest

from iafa.api.tracker_files import attributes
from iafa.meta.projects import TrackerSettings
from tests.unit.api.house import Room, Tenant

SCRIPT = "($=>{start($)})({});"
HASH = "0123456789abcdef"


@pytest.fixture
def built(room: Room) -> Room:
    folder = room.static_dir / "tracker"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("t.js", "tracker.js", "t.lite.js", f"t.{HASH}.js", f"t.vitals.{HASH}.js"):
        (folder / name).write_text(SCRIPT)
    (folder / "t.js.br").write_bytes(b"brotli")
    (folder / "t.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (folder / "builds.json").write_text("{}")
    return room


@pytest.fixture
async def owner(built: Room, password_hash: str) -> Tenant:
    return await built.tenant("ana", password_hash)


async def get(room: Room, path: str, encoding: str = "identity") -> httpx.Response:
    async with room.client({"Accept-Encoding": encoding}) as client, client.stream("GET", path) as answer:
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    return httpx.Response(answer.status_code, headers=answer.headers, extensions={"raw": raw})


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("br;q=0.0", None),
        ("identity", None),
        ("bro", None),
    ],
)
async def test_a_build_is_sent_as_small_as_the_browser_takes_it(
    built: Room, accepted: str, encoding: str | None
) -> None:
    answer = await get(built, "/t.js", accepted)
    bodies = {"br": b"brotli", None: SCRIPT.encode()}
    raw: bytes = answer.extensions["raw"]
    assert (gzip.decompress(raw) if encoding == "gzip" else raw) == bodies.get(encoding, SCRIPT.encode())
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("path", "cache"),
    [
        ("/t.js", "public, max-age=3600"),
        ("/t.lite.js", "public, max-age=3600"),
        (f"/t.{HASH}.js", "public, max-age=31536000, immutable"),
        (f"/t.vitals.{HASH}.js", "public, max-age=31536000, immutable"),
    ],
)
async def test_a_name_with_a_hash_is_kept_for_ever(built: Room, path: str, cache: str) -> None:
    answer = await get(built, path)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, cache)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


@pytest.mark.parametrize("path", ["/t.nothing.js", "/t.web.js", "/t.fedcba9876543210.js", "/t.builds.json.js"])
async def test_a_build_that_is_not_there_is_not_found(built: Room, path: str) -> None:
    assert (await get(built, path)).status_code == 404


async def test_settings_of_a_project_are_in_its_file_and_change_without_the_page(built: Room, owner: Tenant) -> None:
    path = f"/t.js?key={owner.write_key}"
    first = await get(built, path)
    assert first.extensions["raw"].decode() == SCRIPT.replace(
        "{});", json.dumps({"key": owner.write_key}, separators=(",", ":")) + ");"
    )
    async with built.client(owner.bearer) as client:
        chosen = {"build": "lite", "consent": "required", "sample": 0.25, "domains": ["*.shop.example"], "dnt": False}
        changed = await client.put(f"/api/v1/projects/{owner.project.id}", json={"tracker": chosen})
        assert changed.status_code == 200, changed.text
        assert changed.json()["tracker"] == {
            **{"build": "full", "auto": True, "spa": True, "hash": False, "local": True, "dnt": True},
            **{"consent": "granted", "cookieless": False, "sample": 1.0, "exit": "beacon"},
            **{"domains": [], "exclude": [], "tag": None},
            **chosen,
        }
        same = await client.get(f"/api/v1/projects/{owner.project.id}")
        assert same.json()["tracker"] == changed.json()["tracker"]
    second = await get(built, path, "gzip")
    assert second.headers["etag"] != first.headers["etag"]
    text = gzip.decompress(second.extensions["raw"]).decode()
    assert json.loads(text.removeprefix("($=>{start($)})(").removesuffix(");")) == {
        **{"key": owner.write_key, "dnt": "off", "domains": "*.shop.example", "consent": "required", "sample": "0.25"}
    }
    async with built.client({"If-None-Match": second.headers["etag"]}) as client:
        assert (await client.get(path)).status_code == 304


async def test_only_a_write_key_has_a_file(built: Room, owner: Tenant) -> None:
    for key in ("nonsense", owner.secret_key, ""):
        assert (await get(built, f"/t.js?key={key}")).status_code == 404


@pytest.mark.parametrize(
    "tracker",
    [
        {"build": "huge"},
        {"sample": 0},
        {"sample": 1.5},
        {"domains": ["a b"]},
        {"exclude": ["admin"]},
        {"exclude": ["/(x"]},
        {"tag": ""},
        {"unknown": 1},
    ],
    ids=str,
)
async def test_a_wrong_setting_is_refused(built: Room, owner: Tenant, tracker: dict[str, object]) -> None:
    async with built.client(owner.bearer) as client:
        answer = await client.put(f"/api/v1/projects/{owner.project.id}", json={"tracker": tracker})
    assert answer.status_code == 422


def test_what_is_usual_is_left_out_and_the_rest_is_what_a_tag_would_say() -> None:
    assert attributes(TrackerSettings(), "k") == {"key": "k"}
    unusual = TrackerSettings(
        auto=False, spa=False, hash=True, local=False, dnt=False, consent="cookieless", cookieless=True, sample=0.5,
        exit="next", domains=("a.example", "b.example"), exclude=("/x/*",), tag="B",
    )  # fmt: skip
    assert attributes(unusual, "k") == {
        **{"key": "k", "auto": "off", "spa": "off", "hash": "on", "local": "off", "dnt": "off", "cookieless": "on"},
        **{"consent": "cookieless", "sample": "0.5", "exit": "next", "domains": "a.example,b.example"},
        **{"exclude": "/x/*", "tag": "B"},
    }
