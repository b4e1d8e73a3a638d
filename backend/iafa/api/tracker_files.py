"""The tracker's files: its builds, their immutable copies under a hash, one with a project's settings inside."""

import gzip
import hashlib
import re
from typing import Any
from urllib.parse import urlsplit

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response

from iafa.api.access import public
from iafa.api.services import Services, ServicesOf
from iafa.api.static_folder import StaticFolder, accepts
from iafa.errors import NotFound
from iafa.ingest.attempts import CHECK_AGENT
from iafa.meta.projects import TrackerSettings

READ = ["GET", "HEAD"]
ONE_HOUR = "public, max-age=3600"
FOR_EVER = "public, max-age=31536000, immutable"
JAVASCRIPT = "text/javascript; charset=utf-8"
_HASHED = re.compile(r"(?:lite\.|web\.|vitals\.)?[0-9a-f]{16}")
_PLACE = "({});"  # how every build ends: the settings go here

router = APIRouter(include_in_schema=False, dependencies=[Depends(public)])


@router.api_route("/tracker.js", methods=READ)
@router.api_route("/t.js", methods=READ)
async def tracker(request: Request, services: ServicesOf, key: str | None = Query(None, max_length=200)) -> Response:
    if key is not None:
        return await _baked(request, services, key)
    return await _file(request, services, request.url.path.lstrip("/"), cache=ONE_HOUR)


@router.api_route("/t.{build}.js", methods=READ)
async def tracker_build(build: str, request: Request, services: ServicesOf) -> Response:
    cache = FOR_EVER if _HASHED.fullmatch(build) else ONE_HOUR
    return await _file(request, services, f"t.{build}.js", cache=cache)


def attributes(settings: TrackerSettings, key: str) -> dict[str, str]:
    """The settings as a page would write them on the tag, without `data-`; what is usual is left out."""
    said: dict[str, Any] = {
        "key": key,
        "auto": None if settings.auto else "off",
        "spa": None if settings.spa else "off",
        "local": None if settings.local else "off",
        "dnt": None if settings.dnt else "off",
        "hash": "on" if settings.hash else None,
        "cookieless": "on" if settings.cookieless else None,
        "domains": ",".join(settings.domains),
        "exclude": ",".join(settings.exclude),
        "consent": None if settings.consent == "granted" else settings.consent,
        "exit": None if settings.exit == "beacon" else settings.exit,
        "sample": None if settings.sample == 1 else str(settings.sample),
        "tag": settings.tag,
    }
    return {name: value for name, value in said.items() if value}


async def _baked(request: Request, services: Services, key: str) -> Response:
    grant = services.projects.grant(key, now_us=services.clock.now_us())
    project = await services.projects.get(grant.project_id) if grant is not None and grant.kind == "write" else None
    if request.headers.get("user-agent") != CHECK_AGENT:
        services.tracker_fetched(None if project is None else project.id, key, _page_origin(request))
    if project is None:
        raise NotFound
    name = "t.js" if project.tracker.build == "full" else f"t.{project.tracker.build}.js"
    path = services.static_dir / "tracker" / name
    if not path.is_file():
        raise NotFound
    head, place, tail = path.read_text("utf-8").rpartition(_PLACE)
    settings = msgspec.json.encode(attributes(project.tracker, key)).decode()
    body = f"{head}({settings});{tail}".encode() if place else b""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"cache-control": ONE_HOUR, "etag": etag, "vary": "Accept-Encoding"}
    if etag in request.headers.get("if-none-match", ""):
        return _for_any_page(Response(status_code=304, headers=headers))
    if accepts(request, "gzip"):
        body = gzip.compress(body, 9, mtime=0)
        headers["content-encoding"] = "gzip"
    return _for_any_page(Response(body, headers=headers, media_type="text/javascript"))


async def _file(request: Request, services: Services, name: str, *, cache: str) -> Response:
    folder = StaticFolder(services.static_dir / "tracker")
    found = await folder.get(name, request, cache=cache)
    found.headers["content-type"] = JAVASCRIPT
    return _for_any_page(found)


def _page_origin(request: Request) -> str | None:
    """Of the page that the tag stands on, as far as the browser says."""
    said = request.headers.get("origin") or request.headers.get("referer")
    try:
        parts = urlsplit(said) if said else None
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.netloc}" if parts and parts.netloc else None


def _for_any_page(response: Response) -> Response:
    """Any page may load it, also as a module or with an integrity check."""
    response.headers["access-control-allow-origin"] = "*"
    response.headers["cross-origin-resource-policy"] = "cross-origin"
    return response
