"""What collecting costs: the lean path and the documented route beside a bare ASGI floor, interleaved in one run.

In process, without sockets: CPU of the whole process per request, 32 requests at a time, every request with events of
its own, journal synced before each answer. Prints the minimum of several rounds and its ratio to the floor.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from iafa.api.collect import CollectFront
from iafa.api.server import running
from iafa.settings import Settings
from iafa.wiring import open_house

ROUNDS = 5
AT_ONCE = 32
REQUESTS = {1: 2_000, 100: 200, 1_000: 40}

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


async def floor(_scope: Any, receive: Any, send: Any) -> None:
    """Reads the body and answers; nothing else."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})


def body_of(request: str, events: int) -> bytes:
    made = [
        {
            "id": f"{request}-{number}",
            "event_type": "add_to_cart",
            "user_id": f"user-{number % 50}",
            "session_id": "5c1e9b1f0a",
            "timestamp": "2026-11-21T14:02:07.120Z",
            "url": "https://shop.example/product/lamp",
            "properties": {"product": "lamp", "color": "green", "plan": "pro", "channel": "search", "step": "two"},
        }
        for number in range(events)
    ]
    return json.dumps({"events": made} if events > 1 else made[0]).encode()


async def ask(app: Asgi, path: str, key: str, body: bytes) -> int:
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    scope = {
        **{"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http"},
        **{"path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": ("127.0.0.1", 1)},
        "server": ("127.0.0.1", 8000),
        "headers": [(b"x-api-key", key.encode()), (b"content-type", b"application/json")],
    }
    await app(scope, receive, send)
    return status


async def cpu_us(app: Asgi, path: str, key: str, bodies: list[bytes]) -> float:
    queue = iter(bodies)

    async def sender() -> None:
        for body in queue:
            status = await ask(app, path, key, body)
            assert status == 200, status

    began = time.process_time()
    await asyncio.gather(*(sender() for _ in range(AT_ONCE)))
    return (time.process_time() - began) * 1e6 / len(bodies)


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.model_validate({"data_dir": Path(folder) / "data"})
        house = open_house(settings)
        organization = await house.organizations.add("Bench")
        _project, _write, secret = await house.projects.add(
            organization.id, name="Bench", settings={"rate_limit_per_minute": None}
        )
        async with running(settings) as app:
            assert isinstance(app, CollectFront)
            variants: dict[str, Asgi] = {"floor": floor, "lean path": app, "documented route": app._app}
            for events, requests in REQUESTS.items():
                path = "/api/v1/track" if events == 1 else "/api/v1/track/batch"
                least: dict[str, float] = {}
                for round_ in range(ROUNDS):
                    for name, variant in variants.items():
                        bodies = [body_of(f"{name}-{round_}-{one}", events) for one in range(requests)]
                        spent = await cpu_us(variant, path, secret, bodies)
                        least[name] = min(spent, least.get(name, spent))
                for name, spent in least.items():
                    print(
                        f"n={events:<5} {name:<17} {spent:>10.1f} us CPU/request  "
                        f"{spent / events:>7.2f} us/event  {spent / least['floor']:>7.2f} x floor"
                    )


if __name__ == "__main__":
    asyncio.run(main())
