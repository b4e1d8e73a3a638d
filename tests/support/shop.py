"""A running server for clients of all kinds, a project for each test, and the recorder between them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

from tests.sdk.recorder import Recorder
from tests.sdk.stored import Row, stored_rows
from tests.support.server import Account, ServerProcess


class Running(NamedTuple):
    """A server whose events are in Parquet soon, and the account of who owns its projects."""

    server: ServerProcess
    data_dir: Path
    owner: Account


@dataclass
class Shop:
    """A project with its keys, and what passed between a client and its server."""

    running: Running
    recorder: Recorder
    project: dict[str, Any]

    @property
    def owner(self) -> Account:
        return self.running.owner

    @property
    def id(self) -> str:
        return str(self.project["id"])

    @property
    def write_key(self) -> str:
        return str(self.project["api_key"])

    @property
    def secret_key(self) -> str:
        return str(self.project["secret_key"])

    def rows(self, count: int) -> list[Row]:
        return stored_rows(self.running.data_dir, self.id, count)


ShopKind = TypeVar("ShopKind", bound=Shop)


@contextmanager
def running_in(data_dir: Path) -> Iterator[Running]:
    with ServerProcess(data_dir, environment={"EVENT_FLUSH_INTERVAL": "0.5"}) as server:
        owner = Account(server.url)
        yield Running(server, data_dir, owner)
        owner.client.close()


@contextmanager
def opened(kind: type[ShopKind], running: Running, **settings: Any) -> Iterator[ShopKind]:
    """A new project without limits, but for what the settings say."""
    body = {"name": f"Shop {uuid4()}", "rate_limit_per_minute": None, "rate_limit_per_ip_per_minute": None, **settings}
    made = running.owner.client.post("/projects", json=body)
    assert made.status_code == 201, made.text
    with Recorder(running.server.url) as recorder:
        yield kind(running, recorder, made.json())
