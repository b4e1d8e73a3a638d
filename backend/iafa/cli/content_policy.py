"""Whether a Content-Security-Policy lets a page load the tracker and send events."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

PORTS = {"http": 80, "https": 443}


def directives(policy: str) -> dict[str, list[str]]:
    """The sources of each directive; the first of a name counts."""
    found: dict[str, list[str]] = {}
    for part in policy.split(";"):
        name, *sources = part.split() or [""]
        if name:
            found.setdefault(name.lower(), sources)
    return found


def allows(policy: str, directive: str, url: str, page: str, *, nonce: str = "") -> bool:
    """Whether `directive`, or what stands for it, lets the page at `page` use `url`."""
    given = directives(policy)
    names = [directive, "script-src", "default-src"] if directive == "script-src-elem" else [directive, "default-src"]
    sources = next((given[name] for name in names if name in given), None)
    if sources is None:
        return True
    if directive.startswith("script") and (nonce and f"'nonce-{nonce}'" in sources):
        return True
    if directive.startswith("script") and "'strict-dynamic'" in sources:
        return False
    return any(_matches(source, url, page) for source in sources)


def refused_by(policies: Sequence[str], directive: str, url: str, page: str, *, nonce: str = "") -> str | None:
    """The first policy that stands in the way."""
    # A header may hold several policies with commas between them; each has to agree.
    single = [one for policy in policies for one in policy.split(",")]
    return next((one.strip() for one in single if not allows(one, directive, url, page, nonce=nonce)), None)


def _matches(source: str, url: str, page: str) -> bool:
    wanted, own = urlsplit(url), urlsplit(page)
    if source == "*":
        return wanted.scheme in PORTS
    if source == "'self'":
        return (wanted.scheme, wanted.hostname, _port(wanted.scheme, wanted.port)) == (
            own.scheme,
            own.hostname,
            _port(own.scheme, own.port),
        )
    if source.startswith("'"):
        return False
    if source.endswith(":"):
        return wanted.scheme == source[:-1].lower()
    scheme, _, rest = source.rpartition("://")
    host, _, path = rest.partition("/")
    name, _, port = host.partition(":")
    if scheme and wanted.scheme not in {scheme.lower(), "https"}:
        return False
    if not fnmatchcase((wanted.hostname or "").lower(), name.lower()):
        return False
    if port not in {"", "*"} and port != str(_port(wanted.scheme, wanted.port)):
        return False
    if not port and wanted.port not in {None, PORTS.get(wanted.scheme)}:
        return False
    return not path or (wanted.path == f"/{path}" or (path.endswith("/") and wanted.path.startswith(f"/{path}")))


def _port(scheme: str, port: int | None) -> int | None:
    return port or PORTS.get(scheme)
