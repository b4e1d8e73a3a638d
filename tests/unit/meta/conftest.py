"""Real stores over a temporary folder and a clock that is turned by hand."""

from pathlib import Path

import pytest

from iafa.clock import FakeClock
from iafa.meta.accounts import Accounts
from iafa.meta.funnels import Funnels, StoredFunnel
from iafa.meta.json_file import JsonFile
from iafa.meta.login_throttle import LoginThrottle
from iafa.meta.organizations import Organization, Organizations
from iafa.meta.passwords import Passwords
from iafa.meta.projects import Project, Projects
from iafa.meta.sessions import Session, Sessions
from iafa.meta.users import User, Users

IDLE_S = 24 * 3600


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def projects(tmp_path: Path, clock: FakeClock) -> Projects:
    return Projects(JsonFile(tmp_path, "projects", Project, clock=clock), clock)


@pytest.fixture
def funnels(tmp_path: Path, clock: FakeClock) -> Funnels:
    return Funnels(JsonFile(tmp_path, "funnels", StoredFunnel, clock=clock), clock)


@pytest.fixture
def sessions(tmp_path: Path, clock: FakeClock) -> Sessions:
    return Sessions(JsonFile(tmp_path, "sessions", Session, clock=clock), clock, idle_s=IDLE_S)


@pytest.fixture
def accounts(tmp_path: Path, clock: FakeClock, sessions: Sessions) -> Accounts:
    return Accounts(
        users=Users(JsonFile(tmp_path, "users", User, clock=clock), clock),
        organizations=Organizations(JsonFile(tmp_path, "organizations", Organization, clock=clock), clock),
        sessions=sessions,
        passwords=Passwords(),
        throttle=LoginThrottle(clock),
    )
