"""Load over real sockets, from a process of its own: as fast as answers come, or at a fixed rate.

Run: python -m tests.bench.load PORT PATH KEY EVENTS PREFIX SECONDS CONNECTIONS RATE (0 = as fast as answers come).
Prints one line: BENCH requests, microseconds, p50, p90, p99 (microseconds), errors.
"""

import json
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Callable

EVENT = (
    '{"id":"%s-%d","event_type":"add_to_cart","user_id":"user-%d","session_id":"5c1e9b1f0a%d",'
    '"timestamp":"%sT14:02:%02d.%03dZ","url":"https://shop.example/product/lamp-%d",'
    '"properties":{"product":"lamp-%d","color":"green","plan":"pro","channel":"search","step":"two"}}'
)


class Bodies:
    """Requests of which no two are alike."""

    def __init__(self, path: str, key: str, events: int, prefix: str) -> None:
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench\r\nX-API-Key: {key}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        )
        self._events = events
        self._prefix = prefix
        self._serial = 0
        self._day = time.strftime("%Y-%m-%d", time.gmtime())

    def next(self) -> bytes:
        if self._events == 1:
            body = self._event()
        else:
            body = '{"events":[' + ",".join([self._event() for _ in range(self._events)]) + "]}"
        return f"{self._head}{len(body)}\r\n\r\n{body}".encode()

    def _event(self) -> str:
        self._serial += 1
        n = self._serial
        parts = (self._prefix, n, n % 5003, n % 509, self._day, n % 60, n % 1000, n % 211, n % 97)
        return EVENT % parts


class Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.began_s = 0.0
        self._received = b""

    def send(self, request: bytes, began_s: float) -> None:
        self.began_s = began_s
        self.socket.sendall(request)

    def status(self) -> int | None:
        """What has come by now: the status of a complete answer, or None."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the server has closed the connection")
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return None
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if len(body) < length:
            return None
        self._received = b""
        return int(head[9:12])


def drive(connections: list[Connection], make: Callable[[], bytes], seconds: float, rate: float) -> tuple[str, int]:
    """The line to print and the number of failures. With a rate, a latency counts from the scheduled moment."""
    free = deque(connections)
    busy: dict[socket.socket, Connection] = {}
    latencies: list[float] = []
    errors = 0
    began = time.perf_counter()
    ends, sent = began + seconds, 0
    while True:
        now = time.perf_counter()
        while free and now < ends and (rate == 0 or began + sent / rate <= now):
            connection = free.popleft()
            connection.send(make(), began + sent / rate if rate else now)
            busy[connection.socket] = connection
            sent += 1
            now = time.perf_counter()
        if now >= ends and not busy:
            break
        wait_s = max(0.0, began + sent / rate - now) if rate and free and now < ends else 1.0
        for ready in select.select(list(busy), (), (), wait_s)[0]:
            connection = busy[ready]
            status = connection.status()
            if status is None:
                continue
            del busy[ready]
            free.append(connection)
            latencies.append(time.perf_counter() - connection.began_s)
            errors += status not in (200, 204)
    latencies.sort()
    p50, p90, p99 = (latencies[int(len(latencies) * share)] * 1e6 for share in (0.5, 0.9, 0.99))
    duration_us = (time.perf_counter() - began) * 1e6
    return f"BENCH {len(latencies)} {duration_us:.0f} {p50:.0f} {p90:.0f} {p99:.0f} {errors}", errors


def main() -> None:
    port, path, key, events, prefix, seconds, connections, rate = sys.argv[1:]
    bodies = Bodies(path, key, int(events), prefix)
    json.loads(bodies.next().partition(b"\r\n\r\n")[2])
    line, _errors = drive(
        [Connection(int(port)) for _ in range(int(connections))], bodies.next, float(seconds), float(rate)
    )
    print(line)


if __name__ == "__main__":
    main()
