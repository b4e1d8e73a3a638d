"""Where a request comes from: which page may act with a cookie, and which address counts its attempts."""

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request

from iafa.errors import InsufficientScope
from iafa.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
IPV6_PREFIX = 64  # one customer's network: single addresses are free to change


def refuse_foreign_page(request: Request, settings: Settings) -> None:
    """A request that a cookie authenticates must not come from another site's page, unless it changes nothing."""
    if request.method in SAFE_METHODS:
        return
    origin = request.headers.get("origin")
    if origin is not None and origin in settings.cors_origins:
        return
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise _foreign()
    if origin is not None and not _is_own(origin, request.headers, settings):
        raise _foreign()


def client_address(request: Request) -> str:
    """The address that limits count: the peer's, or what a trusted proxy said it is; an IPv6 network as one."""
    host = request.client.host if request.client is not None else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((int(address), IPV6_PREFIX), strict=False))


def is_own_page(headers: Headers, settings: Settings) -> bool:
    """Whether a socket is opened by this server's page, by one of `CORS_ORIGINS`, or by no page at all."""
    origin = headers.get("origin")
    return origin is None or origin in settings.cors_origins or _is_own(origin, headers, settings)


def _is_own(origin: str, headers: Headers, settings: Settings) -> bool:
    # The host alone: behind a proxy that ends TLS the scheme seen here may differ from the browser's.
    own = {headers.get("host", "")}
    if settings.public_url:
        own.add(urlsplit(settings.public_url).netloc)
    try:
        return urlsplit(origin).netloc in own - {""}
    except ValueError:
        return False


def _foreign() -> InsufficientScope:
    return InsufficientScope("a page of another site may not act here with your cookie")
