"""The application: routers, layers and error answers put together. Which parts they work on, wiring decides."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.middleware.cors import CORSMiddleware

from iafa import __version__
from iafa.api import (
    alerts,
    analytics,
    anomalies,
    audit,
    auth,
    docs_pages,
    drivers,
    events,
    flows,
    funnels,
    health,
    keys,
    members,
    metrics,
    notes,
    pages,
    people,
    projects,
    properties,
    receipts,
    retention,
    schema,
    sessions,
    shared_links,
    shares,
    suggestions,
    tracker_files,
    trends,
    views,
)
from iafa.api.access import declared_access
from iafa.api.error_answers import register_error_answers
from iafa.api.middleware import Envelope, HeadOfGet
from iafa.api.openapi import build_document
from iafa.api.services import Services

API_BASE = "/api/v1"
API_ROUTERS = (
    auth.router,
    members.router,
    audit.router,
    projects.router,
    keys.router,
    funnels.router,
    analytics.router,
    events.router,
    people.router,
    properties.router,
    sessions.router,
    anomalies.router,
    alerts.router,
    views.router,
    notes.router,
    shares.router,
    shared_links.router,
    suggestions.router,
    schema.router,
    receipts.router,
    drivers.router,
    trends.router,
    retention.router,
    flows.router,
    health.router,
)
ROOT_ROUTERS = (health.router, metrics.router, docs_pages.router, tracker_files.router, pages.router)
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(services: Services, *, lifespan: Lifespan | None = None, extra: Sequence[APIRouter] = ()) -> FastAPI:
    """The whole HTTP side. Raises `UndeclaredAccess` when a route does not say who may call it."""
    app = _bare_app(lifespan, extra)
    app.state.services = services
    settings = services.settings
    app.add_middleware(HeadOfGet)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_credentials=True,
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "If-Match", "X-API-Key"],
            expose_headers=["ETag", "Retry-After", "X-Request-Id"],
        )
    app.add_middleware(Envelope, is_tls=settings.public_url.startswith("https://"))
    return app


def openapi_document(extra: Sequence[APIRouter] = ()) -> dict[str, Any]:
    """The OpenAPI document, made without a data directory."""
    return _bare_app(None, extra).openapi()


def _bare_app(lifespan: Lifespan | None, extra: Sequence[APIRouter]) -> FastAPI:
    app = FastAPI(
        title="IAFA",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
    )
    for router in API_ROUTERS:
        app.include_router(router, prefix=API_BASE)
    for router in (*extra, *ROOT_ROUTERS):
        app.include_router(router)
    access = declared_access(app.routes)
    app.router.default = pages.no_route_took_it
    register_error_answers(app)
    document: list[dict[str, Any]] = []

    def openapi() -> dict[str, Any]:
        if not document:
            document.append(build_document(app, access))
        return document[0]

    app.openapi = openapi  # type: ignore[method-assign]
    return app


def _operation_id(route: APIRoute) -> str:
    """The handler's name: the generated clients' method names. Health is served under two bases."""
    return f"root_{route.name}" if route.path_format.startswith("/health") else route.name
