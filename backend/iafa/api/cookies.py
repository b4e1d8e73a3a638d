"""Session cookies of the dashboard: their names, flags and life. HttpOnly always; `__Host-` and Secure behind TLS."""

from starlette.requests import Request
from starlette.responses import Response

from iafa.api.tokens import ACCESS_S
from iafa.settings import Settings

ACCESS = "iafa_access"
REFRESH = "iafa_refresh"


def is_tls(request: Request, settings: Settings) -> bool:
    return request.url.scheme == "https" or settings.public_url.startswith("https://")


def cookie_name(name: str, *, tls: bool) -> str:
    """Browsers accept `__Host-` only with Secure, for this host alone and from no subdomain."""
    return f"__Host-{name}" if tls else name


def read_cookie(request: Request, settings: Settings, name: str) -> str | None:
    return request.cookies.get(cookie_name(name, tls=is_tls(request, settings)))


def set_session_cookies(request: Request, response: Response, settings: Settings, *, access: str, refresh: str) -> None:
    refresh_s = settings.jwt_expiration_hours * 3600
    for name, value, age_s in ((ACCESS, access, ACCESS_S), (REFRESH, refresh, refresh_s)):
        _set(request, response, settings, name=name, value=value, age_s=age_s)


def clear_session_cookies(request: Request, response: Response, settings: Settings) -> None:
    for name in (ACCESS, REFRESH):
        _set(request, response, settings, name=name, value="", age_s=0)


def _set(request: Request, response: Response, settings: Settings, *, name: str, value: str, age_s: int) -> None:
    tls = is_tls(request, settings)
    response.set_cookie(
        cookie_name(name, tls=tls),
        value,
        max_age=age_s,
        path="/",
        secure=tls,
        httponly=True,
        samesite="strict",
    )
