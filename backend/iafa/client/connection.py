"""The server's address, the key and the HTTP client behind all calls; one HTTP client for each process."""

import threading
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit

import httpx

from iafa.client.clock import now

API = "/api/v1"
CONNECT_S = 10.0
RETRY_AFTER_MAX_S = 3600.0
RETRIED_STATUSES = frozenset({408, 425, 429, 502, 503, 504})


class Connection:
    """Safe for threads and forks: a child process never uses the sockets of its parent."""

    def __init__(self, key: str | None, host: str) -> None:
        key = (key or "").strip()  # a variable of the environment that is not set is None
        if not (key and key.isascii() and key.isprintable()):
            raise ValueError("the key must be the project's key, a text such as iafa_s_...")
        parts = urlsplit(host)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("host must be the server's address, such as https://iafa.example.org")
        _ = parts.port  # raises ValueError for what is no port
        if any(sign.isspace() for sign in host.strip()):
            raise ValueError("host must not hold spaces")
        parts.hostname.encode("idna")  # raises UnicodeError, a ValueError, for what is no name
        self.host = host.rstrip("/").removesuffix(API)
        self._headers = {"x-api-key": key, "user-agent": f"iafa-python/{_version()}"}
        self._lock = threading.Lock()
        # Made at once: it loads modules, and a child that is forked in the middle of that could never load them.
        self._client = self._made()
        self._inherited: list[httpx.Client] = []

    @property
    def client(self) -> httpx.Client:
        with self._lock:
            if self._client.is_closed:
                self._client = self._made()
            return self._client

    def close(self) -> None:
        with self._lock:
            self._client.close()

    def after_fork(self) -> None:
        """The parent's sockets stay open and unused: closing an encrypted one would end it for the parent, too."""
        self._lock = threading.Lock()
        self._inherited.append(self._client)
        self._client = self._made()

    def _made(self) -> httpx.Client:
        return httpx.Client(base_url=f"{self.host}{API}", headers=self._headers, timeout=CONNECT_S)


def retry_after_s(answer: httpx.Response) -> float | None:
    """How long the server wants to be left alone; None if it does not say."""
    said = answer.headers.get("retry-after", "").strip()
    try:
        seconds = float(said) if said.isdecimal() else parsedate_to_datetime(said).timestamp() - now().timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), RETRY_AFTER_MAX_S)


def _version() -> str:
    try:
        return version("iafa")
    except PackageNotFoundError:
        return "0"
