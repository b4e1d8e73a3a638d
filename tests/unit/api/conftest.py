"""A room with two tenants who must never see each other."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from passlib.context import CryptContext

from iafa.settings import Settings
from tests.unit.api.house import PASSWORD, Room, Tenant, make_settings


@pytest.fixture(scope="session")
def password_hash() -> str:
    return str(CryptContext(["argon2"]).hash(PASSWORD))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return make_settings(tmp_path / "data")


@pytest.fixture
def room(tmp_path: Path, settings: Settings) -> Iterator[Room]:
    found = Room(settings.data_dir, settings, tmp_path / "static")
    yield found
    found.close()


@pytest.fixture
async def ada(room: Room, password_hash: str) -> Tenant:
    return await room.tenant("ada", password_hash)


@pytest.fixture
async def eve(room: Room, password_hash: str) -> Tenant:
    return await room.tenant("eve", password_hash)
