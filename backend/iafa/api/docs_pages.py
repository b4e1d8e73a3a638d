"""The API's documents: `/openapi.json` and two pages that show it, with their scripts bundled. No outside host."""

from typing import Any, cast

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import FileResponse

from iafa.api.access import public
from iafa.api.middleware import CONTENT_POLICY
from iafa.api.pages import ONE_HOUR, PAGES_DIR, READ
from iafa.api.services import ServicesOf
from iafa.api.static_folder import StaticFolder
from iafa.errors import NotFound

OWN_FILES = frozenset({"docs.css", "docs-start.js", "redoc-start.js"})
BUNDLED_FILES = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "redoc.standalone.js"})
# Redoc fills style elements through the object model, which the policy allows, but has to create them empty first. The
# hashes are those of the empty text and of its scroll bars' style sheet; they admit nothing else.
REDOC_POLICY = CONTENT_POLICY.replace(
    "style-src 'self'",
    "style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' "
    "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='",
)


def _when_shown(services: ServicesOf) -> None:
    if not services.settings.docs:
        raise NotFound


router = APIRouter(include_in_schema=False, dependencies=[Depends(public), Depends(_when_shown)])


@router.api_route("/openapi.json", methods=READ)
async def openapi(request: Request) -> Response:
    document = cast(dict[str, Any], request.app.openapi())
    return Response(msgspec.json.encode(document), media_type="application/json")


@router.api_route("/docs", methods=READ)
async def docs() -> Response:
    return FileResponse(PAGES_DIR / "docs.html")


@router.api_route("/redoc", methods=READ)
async def redoc() -> Response:
    return FileResponse(PAGES_DIR / "redoc.html", headers={"content-security-policy": REDOC_POLICY})


@router.api_route("/docs/files/{name}", methods=READ)
async def docs_file(name: str, request: Request, services: ServicesOf) -> Response:
    if name in OWN_FILES:
        return await StaticFolder(PAGES_DIR).get(name, request, cache=ONE_HOUR)
    if name not in BUNDLED_FILES:
        raise NotFound
    return await StaticFolder(services.static_dir / "docs").get(name, request, cache=ONE_HOUR)
