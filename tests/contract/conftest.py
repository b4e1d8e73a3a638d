"""A room and a tenant for each case."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from passlib.context import CryptContext

from tests.unit.api.house import PASSWORD, Room, Tenant, make_settings


@pytest.fixture(scope="session")
def password_hash() -> str:
    return str(CryptContext(["argon2"]).hash(PASSWORD))


@pytest.fixture
async def tenant(tmp_path: Path, password_hash: str) -> AsyncIterator[tuple[Room, Tenant]]:
    data_dir = tmp_path / "data"
    room = Room(data_dir, make_settings(data_dir), tmp_path / "static")
    yield room, await room.tenant("ada", password_hash)
    room.engine.close()
