"""Stands between an SDK and the server: writes down what passes, and disturbs it when a test says so."""

import contextlib
import gzip
import http.client
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

# A number: this status is answered in the server's place. A function: what is done before the request is passed on.
Fault = Literal["pass", "lose the answer", "send twice"] | int | Callable[[], object]
_HOP = frozenset({"connection", "transfer-encoding", "keep-alive", "content-length", "date", "server"})


@dataclass(frozen=True)
class Passed:
    """A request and the answer that the server gave."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    status: int
    answer: bytes
    at_s: float = field(default_factory=time.time)

    @property
    def content(self) -> Any:
        is_packed = self.headers.get("content-encoding") == "gzip" or self.body.startswith(b"\x1f\x8b")
        return msgspec.json.decode(gzip.decompress(self.body) if is_packed else self.body)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages of a Segment request, with what the batch says about all of them."""
        content = self.content
        if "batch" not in content:
            return [content]
        context, sent = content.get("context") or {}, {"sentAt": content.get("sentAt")}
        return [
            sent | message | {"context": {**context, **(message.get("context") or {})}} for message in content["batch"]
        ]


@dataclass
class Recorder:
    """A proxy on a port of its own. `faults` are taken one by one by the POSTs that come."""

    target: str
    faults: deque[Fault] = field(default_factory=deque)
    passed: list[Passed] = field(default_factory=list)

    def __enter__(self) -> "Recorder":
        recorder = self

        class Passing(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _pass_on(self) -> None:
                recorder._pass_on(self)

            do_GET = do_POST = do_OPTIONS = _pass_on  # noqa: N815 - the names that the base class looks for

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Passing)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def posts(self, *, status: int | None = 200) -> list[Passed]:
        return [one for one in self.passed if one.method == "POST" and status in (None, one.status)]

    def count(self, method: str) -> int:
        return sum(one.method == method for one in self.passed)

    def sent(self) -> list[dict[str, Any]]:
        """Every message that the server said it has, in the order of its first arrival."""
        return list({message["messageId"]: message for one in self.posts() for message in one.messages}.values())

    def sent_to_posthog(self) -> list[dict[str, Any]]:
        """The same of PostHog's clients."""
        posts = [one for one in self.posts() if one.path.startswith(("/batch", "/e/"))]
        return list({event["uuid"]: event for one in posts for event in one.content["batch"]}.values())

    def _pass_on(self, request: BaseHTTPRequestHandler) -> None:
        headers: Iterable[tuple[str, str]]
        body = request.rfile.read(int(request.headers.get("content-length") or 0))
        fault: Fault = self.faults.popleft() if self.faults and request.command == "POST" else "pass"
        if callable(fault):
            fault()
        if isinstance(fault, int):
            status, headers, answer = fault, [("Content-Type", "text/html")], b"<h1>no</h1>"
            names = {name.lower(): value for name, value in request.headers.items()}
            self.passed.append(Passed(request.command, request.path, names, body, status, answer))
        else:
            status, headers, answer = self._ask(request, body)
        if fault == "send twice":
            status, headers, answer = self._ask(request, body)
        if fault == "lose the answer":
            request.close_connection = True
            request.connection.close()
            return
        request.send_response(status)
        for name, value in headers:
            if name.lower() not in _HOP:
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(answer)))
        request.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # a page that goes away reads no answer
            request.wfile.write(answer)

    def _ask(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, Iterable[tuple[str, str]], bytes]:
        host = urlsplit(self.target).netloc
        connection = http.client.HTTPConnection(host, timeout=30)
        try:
            # The headers as they are, the host too: the settings document names it.
            connection.putrequest(request.command, request.path, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers.items():
                if name.lower() != "connection":
                    connection.putheader(name, value)
            connection.endheaders(body)
            said = connection.getresponse()
            answer, headers = said.read(), said.getheaders()
        finally:
            connection.close()
        names = {name.lower(): value for name, value in request.headers.items()}
        self.passed.append(Passed(request.command, request.path, names, body, said.status, answer))
        return said.status, headers, answer
