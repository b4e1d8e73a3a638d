"""Who may do what. Every route takes one of these dependencies; a route without one stops the app from being made.

`project_of` and `funnel_of` are the one place that turns an id from outside into an object of the caller.
"""

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Depends, Request, WebSocket
from fastapi.routing import APIRoute, APIWebSocketRoute, iter_route_contexts
from starlette.routing import BaseRoute

from iafa.api.bodies import json_object
from iafa.api.cookies import ACCESS, read_cookie
from iafa.api.origins import refuse_foreign_page
from iafa.api.roles import LEAST_ROLE
from iafa.api.services import Services, ServicesOf
from iafa.errors import FieldError, InsufficientScope, InvalidCredentials, NotFound, ValidationFailed
from iafa.meta.api_keys import KeyGrant
from iafa.meta.funnels import StoredFunnel
from iafa.meta.ids import is_id
from iafa.meta.projects import Project
from iafa.meta.roles import refuse_lower
from iafa.meta.users import User

EXTENSION = "x-access"
ROLE_EXTENSION = "x-role"


class Access(StrEnum):
    """What a route demands. Later policies are stricter: a route's is the strictest of its dependencies."""

    PUBLIC = "public"
    SESSION = "session"
    SESSION_OR_SECRET_KEY = "session_or_secret_key"  # noqa: S105 - a policy, no secret
    MEMBER = "member"
    MEMBER_OR_SECRET_KEY = "member_or_secret_key"  # noqa: S105 - a policy, no secret
    WRITE_KEY = "write_key"
    SECRET_KEY = "secret_key"  # noqa: S105 - a policy, no secret
    OPERATOR = "operator"
    TICKET = "ticket"


@dataclass(frozen=True)
class SignedIn:
    """A user with a live session."""

    user: User
    session_id: str

    def owns(self, project: Project) -> bool:
        return project.organization_id == self.user.organization_id


@dataclass(frozen=True)
class KeyBearer:
    """A program with the secret key of one project."""

    grant: KeyGrant

    def owns(self, project: Project) -> bool:
        return project.id == self.grant.project_id


Caller = SignedIn | KeyBearer


async def project_of(services: Services, caller: Caller, project_id: str) -> Project:
    """The project, if it is the caller's. Missing, foreign and ill-formed ids are not told apart."""
    project = await services.projects.get(project_id) if is_id(project_id) else None
    if project is None or not caller.owns(project):
        raise NotFound
    return project


async def funnel_of(services: Services, caller: Caller, funnel_id: str) -> tuple[StoredFunnel, Project]:
    """The funnel and its project, if they are the caller's."""
    funnel = await services.funnels.get(funnel_id) if is_id(funnel_id) else None
    if funnel is None:
        raise NotFound
    return funnel, await project_of(services, caller, funnel.project_id)


def public() -> None:
    """Anybody."""


async def signed_in(request: Request, services: ServicesOf) -> SignedIn:
    """A user with a live session and the role of the route: a Bearer token of a program, or the dashboard's cookie."""
    token = _bearer(request)
    if token is None:
        token = read_cookie(request, services.settings, ACCESS)
        if token is None:
            raise InvalidCredentials("send a valid access token")
        refuse_foreign_page(request, services.settings)
    claims = services.tokens.verify(token)
    user = await services.accounts.caller(claims.user_id, claims.session_id)
    refuse_lower(user.role, LEAST_ROLE[request.scope["route"].name])
    return SignedIn(user=user, session_id=claims.session_id)


async def reader(request: Request, services: ServicesOf) -> Caller:
    """A signed-in user, or a program that may read its project."""
    if "x-api-key" in request.headers:
        return KeyBearer(await secret_key(request, services))
    return await signed_in(request, services)


async def write_key(request: Request, services: ServicesOf) -> KeyGrant:
    """Any valid key: a secret key may send events too."""
    return _key(request, services)


async def secret_key(request: Request, services: ServicesOf) -> KeyGrant:
    grant = _key(request, services)
    if grant.kind != "secret":
        raise InsufficientScope("this key may only send events; use the project's secret key")
    return grant


def live_ticket(websocket: WebSocket) -> str:
    """The ticket of a socket, which the route redeems once the socket can be told why it is closed."""
    return websocket.query_params.get("ticket", "")


def metrics_reader(request: Request, services: ServicesOf) -> None:
    """Whom `IAFA_METRICS` lets in: nobody, programs on this machine, anybody."""
    policy = services.settings.metrics
    if policy == "off":
        raise NotFound
    if policy == "local" and not _is_from_this_machine(request):
        raise InsufficientScope("the metrics are for programs on the server's machine; see the setting IAFA_METRICS")


async def member_project(
    project_id: str, services: ServicesOf, caller: Annotated[SignedIn, Depends(signed_in)]
) -> Project:
    return await project_of(services, caller, project_id)


async def readable_project(
    project_id: str, services: ServicesOf, caller: Annotated[Caller, Depends(reader)]
) -> Project:
    return await project_of(services, caller, project_id)


async def member_funnel(
    funnel_id: str, services: ServicesOf, caller: Annotated[SignedIn, Depends(signed_in)]
) -> StoredFunnel:
    return (await funnel_of(services, caller, funnel_id))[0]


async def readable_funnel(
    funnel_id: str, services: ServicesOf, caller: Annotated[Caller, Depends(reader)]
) -> tuple[StoredFunnel, Project]:
    return await funnel_of(services, caller, funnel_id)


async def body_project(
    raw: Annotated[Mapping[str, Any], Depends(json_object)],
    services: ServicesOf,
    caller: Annotated[SignedIn, Depends(signed_in)],
) -> Project:
    """The project that a body names."""
    return await _named_project(services, caller, raw)


async def readable_body_project(
    raw: Annotated[Mapping[str, Any], Depends(json_object)],
    services: ServicesOf,
    caller: Annotated[Caller, Depends(reader)],
) -> Project:
    return await _named_project(services, caller, raw)


async def _named_project(services: Services, caller: Caller, raw: Mapping[str, Any]) -> Project:
    project_id = raw.get("project_id")
    if not isinstance(project_id, str):
        raise ValidationFailed(
            "the body names no project", errors=[FieldError("/project_id", "missing", "this field is required")]
        )
    return await project_of(services, caller, project_id)


CallerIsUser = Annotated[SignedIn, Depends(signed_in)]
CallerReads = Annotated[Caller, Depends(reader)]
MemberProject = Annotated[Project, Depends(member_project)]
ReadableProject = Annotated[Project, Depends(readable_project)]
BodyProject = Annotated[Project, Depends(body_project)]
ReadableBodyProject = Annotated[Project, Depends(readable_body_project)]
MemberFunnel = Annotated[StoredFunnel, Depends(member_funnel)]
ReadableFunnel = Annotated[tuple[StoredFunnel, Project], Depends(readable_funnel)]

DEMANDS: Mapping[Callable[..., Any], Access] = {
    public: Access.PUBLIC,
    signed_in: Access.SESSION,
    reader: Access.SESSION_OR_SECRET_KEY,
    member_project: Access.MEMBER,
    body_project: Access.MEMBER,
    member_funnel: Access.MEMBER,
    readable_project: Access.MEMBER_OR_SECRET_KEY,
    readable_body_project: Access.MEMBER_OR_SECRET_KEY,
    readable_funnel: Access.MEMBER_OR_SECRET_KEY,
    write_key: Access.WRITE_KEY,
    secret_key: Access.SECRET_KEY,
    metrics_reader: Access.OPERATOR,
    live_ticket: Access.TICKET,
}

SECURITY: Mapping[Access, list[dict[str, list[str]]]] = {
    Access.PUBLIC: [],
    Access.SESSION: [{"bearer": []}, {"cookie": []}],
    Access.MEMBER: [{"bearer": []}, {"cookie": []}],
    Access.SESSION_OR_SECRET_KEY: [{"bearer": []}, {"cookie": []}, {"api_key": []}],
    Access.MEMBER_OR_SECRET_KEY: [{"bearer": []}, {"cookie": []}, {"api_key": []}],
    Access.WRITE_KEY: [{"api_key": []}],
    Access.SECRET_KEY: [{"api_key": []}],
    Access.OPERATOR: [],
    Access.TICKET: [],
}


OF_MEMBERS = frozenset(access for access, ways in SECURITY.items() if {"bearer": []} in ways)


class UndeclaredAccess(Exception):
    """A route does not say who may call it."""


def declared_access(routes: Iterable[BaseRoute]) -> dict[tuple[str, str], Access]:
    """The policy of every path and method; raises for a route without one.

    A route that authenticates by itself, outside the framework, states its policy as `openapi_extra["x-access"]`.
    """
    found: dict[tuple[str, str], Access] = {}
    for context in iter_route_contexts(list(routes)):
        route = context.original_route
        if isinstance(route, APIWebSocketRoute):
            found[str(context.path_format), "WEBSOCKET"] = _guarded(route, ["WEBSOCKET"])
            continue
        if not isinstance(route, APIRoute):
            raise UndeclaredAccess(f"{getattr(route, 'path', route)} is not an API route and declares no policy")
        access = _policy(route)
        if access in OF_MEMBERS and route.name not in LEAST_ROLE:
            raise UndeclaredAccess(f"{route.path} names no role: add {route.name} to the table in api/roles")
        found.update({(str(context.path_format), method): access for method in context.methods or ()})
    return found


def _policy(route: APIRoute) -> Access:
    stated = (route.openapi_extra or {}).get(EXTENSION)
    if stated is not None:
        return Access(stated)
    return _guarded(route, sorted(route.methods or ()))


def _guarded(route: APIRoute | APIWebSocketRoute, methods: list[str]) -> Access:
    """The strictest of what the route depends on."""
    found = [
        DEMANDS[dependency.call]
        for dependency in route.dependant.dependencies
        if dependency.call is not None and dependency.call in DEMANDS
    ]
    if not found:
        raise UndeclaredAccess(f"{methods} {route.path} declares no access policy")
    if Access.PUBLIC in found and len(set(found)) > 1:
        raise UndeclaredAccess(f"{methods} {route.path} is declared public and guarded at once")
    return max(found, key=list(Access).index)


FORWARDING_HEADERS = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")


def _is_from_this_machine(request: Request) -> bool:
    """A proxy on this machine asks for others: what it forwards does not count as local."""
    if request.client is None or any(name in request.headers for name in FORWARDING_HEADERS):
        return False
    try:
        address = ipaddress.ip_address(request.client.host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _bearer(request: Request) -> str | None:
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise InvalidCredentials("send the access token as `Authorization: Bearer ...`")
    return token.strip()


def _key(request: Request, services: Services) -> KeyGrant:
    text = request.headers.get("x-api-key")
    if text is None:
        raise InvalidCredentials("send a valid key as X-API-Key")
    grant = services.projects.grant(text, now_us=services.clock.now_us())
    if grant is None:
        raise InvalidCredentials("the key is not valid")
    services.key_uses.note(grant.key_id)
    return grant
