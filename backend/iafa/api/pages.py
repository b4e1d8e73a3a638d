"""Pages: the built dashboard with its client-side routes."""

from pathlib import Path

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

from iafa.api.access import public
from iafa.api.services import Services, ServicesOf, services_of
from iafa.api.static_folder import NOT_FOUND, StaticFolder

PAGES_DIR = Path(__file__).resolve().parent / "pages"
READ = ["GET", "HEAD"]
REVALIDATE = "no-cache"
ONE_HOUR = "public, max-age=3600"
FOR_EVER = "public, max-age=31536000, immutable"  # built names carry a hash of the content
# Under these a wrong address is an error of a program, never a page.
PROGRAM_PATHS = ("/api/", "/e/", "/v1/", "/k/", "/track", "/health", "/metrics", "/docs", "/redoc", "/assets/")

router = APIRouter(include_in_schema=False, dependencies=[Depends(public)])


@router.api_route("/", methods=READ)
async def home(request: Request, services: ServicesOf) -> Response:
    return await _dashboard(request, services)


@router.api_route("/assets/{path:path}", methods=READ)
async def asset(path: str, request: Request, services: ServicesOf) -> Response:
    folder = StaticFolder(services.static_dir / "dashboard")
    return await folder.get(f"assets/{path}", request, cache=FOR_EVER)


async def no_route_took_it(scope: Scope, receive: Receive, send: Send) -> None:
    """The last stop of the router: addresses of the dashboard's own pages, its other files, else 404."""
    if scope["type"] != "http":
        await WebSocketClose()(scope, receive, send)
        return
    request = Request(scope, receive)
    path = request.url.path
    if request.method not in READ or path.startswith(PROGRAM_PATHS):
        raise HTTPException(NOT_FOUND)
    services = services_of(request)
    found = await StaticFolder(services.static_dir / "dashboard").find(path.lstrip("/"), request, cache=ONE_HOUR)
    if found is None:
        if not _is_navigation(request):
            raise HTTPException(NOT_FOUND)
        found = await _dashboard(request, services)
    await found(scope, receive, send)


def _is_navigation(request: Request) -> bool:
    mode = request.headers.get("sec-fetch-mode")
    return mode == "navigate" if mode else "text/html" in request.headers.get("accept", "")


async def _dashboard(request: Request, services: Services) -> Response:
    folder = StaticFolder(services.static_dir / "dashboard")
    response = await folder.find("index.html", request, cache=REVALIDATE)
    if response is None:
        return FileResponse(PAGES_DIR / "not-built.html", 503, headers={"cache-control": "no-store"})
    return response
