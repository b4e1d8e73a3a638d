"""Pages: the dashboard, the tracker and the documents, as built or not built yet; no outside host anywhere."""

import re
from pathlib import Path

import httpx
import pytest

from iafa.api.app import create_app
from iafa.api.pages import PAGES_DIR
from tests.unit.api.house import Room

HTML = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def built(room: Room) -> Room:
    files = {
        "dashboard/index.html": "<!doctype html><title>dashboard</title>",
        "dashboard/favicon.svg": "<svg/>",
        "dashboard/.vite/manifest.json": "{}",
        "dashboard/assets/main-abc123.js": "1",
        "tracker/tracker.js": "tracker()",
        "tracker/t.js": "tracker()",
        "docs/swagger-ui.css": "a{}",
        "docs/swagger-ui-bundle.js": "1",
        "docs/redoc.standalone.js": "1",
        "docs/secret.txt": "no",
        "outside.txt": "no",
    }
    for name, text in files.items():
        path = room.static_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return room


async def test_the_dashboard_answers_its_own_addresses(built: Room) -> None:
    async with built.client(HTML) as client:
        for path in ("/", "/login", "/projects/abc/funnels/def", "/funnels?range=30"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8"), path
            assert "dashboard" in answer.text
            assert answer.headers["cache-control"] == "no-cache"
            assert answer.headers["etag"]
        assert (await client.head("/")).status_code == 200


async def test_only_navigations_fall_back_to_the_dashboard(built: Room) -> None:
    async with built.client() as client:
        for headers in ({"Accept": "application/json"}, {"Accept": "*/*"}, {**HTML, "Sec-Fetch-Mode": "cors"}):
            answer = await client.get("/login", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_built_files_are_kept_by_browsers_for_ever_and_others_for_an_hour(built: Room) -> None:
    async with built.client() as client:
        asset = await client.get("/assets/main-abc123.js")
        assert (asset.status_code, asset.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
        icon = await client.get("/favicon.svg")
        assert (icon.status_code, icon.headers["cache-control"]) == (200, "public, max-age=3600")
        assert icon.headers["content-type"].startswith("image/svg+xml")


@pytest.mark.parametrize(
    ("said", "encoding", "text"),
    [
        ("gzip, deflate, br", "br", "brotli's"),
        ("gzip, deflate", "gzip", "gzip's"),
        ("br;q=0, gzip;q=0.5", "gzip", "gzip's"),
        ("identity", None, "1"),
    ],
)
async def test_a_compressed_copy_goes_to_who_can_read_it(
    built: Room, said: str, encoding: str | None, text: str
) -> None:
    assets = built.static_dir / "dashboard" / "assets"
    (assets / "main-abc123.js.br").write_text("brotli's")
    (assets / "main-abc123.js.gz").write_text("gzip's")
    async with built.client() as client:
        request = client.build_request("GET", "/assets/main-abc123.js", headers={"Accept-Encoding": said})
        answer = await client.send(request, stream=True)
        assert b"".join([part async for part in answer.aiter_raw()]).decode() == text
        assert answer.headers.get("content-encoding") == encoding
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert "Accept-Encoding" in answer.headers["vary"]
        again = await client.get(
            "/assets/main-abc123.js", headers={"Accept-Encoding": said, "If-None-Match": answer.headers["etag"]}
        )
        assert again.status_code == 304


@pytest.mark.parametrize("path", ["/tracker.js", "/t.js"])
async def test_the_tracker_may_be_loaded_by_any_page_and_is_revalidated(built: Room, path: str) -> None:
    async with built.client({"Origin": "https://shop.example"}) as client:
        first = await client.get(path)
        assert (first.status_code, first.text) == (200, "tracker()")
        assert first.headers["access-control-allow-origin"] == "*"
        assert first.headers["cross-origin-resource-policy"] == "cross-origin"
        assert first.headers["cache-control"] == "public, max-age=3600"
        assert "javascript" in first.headers["content-type"]
        again = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../../outside.txt",
        "/assets/%2e%2e/%2e%2e/outside.txt",
        "/assets/..%2f..%2foutside.txt",
        "/assets//etc/hostname",
        "/assets/%00",
        "/assets/" + "a" * 5000,
        "/.vite/manifest.json",
        "/%2e%2e/outside.txt",
        "/..%2foutside.txt",
        "/docs/files/secret.txt",
        "/docs/files/..%2f..%2foutside.txt",
    ],
)
async def test_nothing_else_of_the_disk_is_served(built: Room, path: str) -> None:
    async with built.client() as client:
        answer = await client.get(httpx.URL("http://iafa.test", raw_path=path.encode()))
    assert answer.status_code == 404, answer.text


async def test_a_link_out_of_the_folder_is_not_followed(built: Room, tmp_path: Path) -> None:
    (built.static_dir / "dashboard" / "assets" / "link.txt").symlink_to(built.static_dir / "outside.txt")
    async with built.client() as client:
        assert (await client.get("/assets/link.txt")).status_code == 404


async def test_without_a_build_the_page_says_what_to_do(room: Room) -> None:
    async with room.client(HTML) as client:
        for path in ("/", "/funnels"):
            answer = await client.get(path)
            assert answer.status_code == 503
            assert "make build" in answer.text
        for path in ("/tracker.js", "/docs/files/redoc.standalone.js"):
            assert (await client.get(path)).status_code == 404
        assert (await client.get("/api/v1/health")).status_code == 200


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_the_documents_load_nothing_from_outside(built: Room, page: str) -> None:
    async with built.client() as client:
        answer = await client.get(page)
        assert answer.headers["content-type"].startswith("text/html")
        references = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
        assert len(references) >= 3
        for reference in set(references) - {"data:,"}:
            assert reference.startswith("/")
            assert not reference.startswith("//")
            assert (await client.get(reference)).status_code == 200, reference
        assert not re.search(r"<script(?![^>]*src=)", answer.text), "a script in the page breaks its content policy"
        assert " style=" not in answer.text


@pytest.mark.parametrize("name", sorted(path.name for path in PAGES_DIR.iterdir()))
def test_no_page_names_an_outside_host(name: str) -> None:
    assert "://" not in (PAGES_DIR / name).read_text()


async def test_the_document_is_served_and_can_be_switched_off(built: Room) -> None:
    async with built.client() as client:
        answer = await client.get("/openapi.json")
        assert answer.json()["info"]["title"] == "IAFA"
    hidden = built.settings.model_copy(update={"docs": False})
    services = type(built.services)(**{**built.services.__dict__, "settings": hidden})
    async with built.client(app=create_app(services)) as client:
        for path in ("/docs", "/redoc", "/openapi.json", "/docs/files/docs-start.js"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_web_socket_is_closed_and_not_an_error(room: Room) -> None:
    sent = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(message["type"])

    scope = {"type": "websocket", "path": "/live", "headers": [], "query_string": b"", "subprotocols": []}
    await room.app(scope, receive, send)  # type: ignore[arg-type]  # a bare ASGI call
    assert sent == ["websocket.close"]
