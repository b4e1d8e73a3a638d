"""What the demo keeps in a data directory: a login, a project with funnels, and the generated history."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from iafa.cli.demo_events import History, generated
from iafa.cli.import_events import watched
from iafa.cli.options import run
from iafa.demo.funnels import FUNNELS
from iafa.demo.rhythm import HOME_ZONE
from iafa.demo.watching import SCHEMAS
from iafa.durable import write_private
from iafa.errors import IafaError
from iafa.jobs.upload import Receipt, Target
from iafa.meta.collect_rules import SchemaRule
from iafa.meta.projects import Project
from iafa.query.definition import to_dict
from iafa.query.definition_reading import parse_definition
from iafa.wiring import House

EMAIL = "demo@example.com"
ORGANIZATION = "Demo organization"
PROJECT = "Demo shop"
PASSWORD_BYTES = 12
_SETTINGS: dict[str, Any] = {
    "timezone": HOME_ZONE,
    "domain": "shop.example",
    "rate_limit_per_minute": None,
    "rate_limit_per_ip_per_minute": None,
    "retention_days": None,
    "schemas": tuple(
        SchemaRule(event_type=rule["event_type"], schema=msgspec.json.encode(rule["schema"]).decode())
        for rule in SCHEMAS
    ),
}


class Login(msgspec.Struct, frozen=True):
    """Kept in the data directory (0600), so that every run prints the same, with the history that was loaded.
    Furnished is a demo whose boards, notes and alerts were made: what somebody removes stays away."""

    email: str
    password: str
    history: History
    is_furnished: bool = False


@dataclass(frozen=True)
class Demo:
    project: Project
    login: Login
    loaded: Receipt | None  # None when the history was there already

    @property
    def write_key(self) -> str:
        """A write key stands in pages, so its text is kept; None of them is left when all were revoked."""
        texts = [key.public_text for key in self.project.keys.values() if key.public_text]
        if not texts:
            raise IafaError("the demo project has no write key any more; make one, or use --no-live")
        return texts[0]


def prepare(house: House, history: History) -> Demo:
    """Make what is missing. Killed anywhere, it goes on where it was; a history is loaded once."""
    path = _path(house.layout.root)
    is_new = not path.exists()
    if is_new:
        _write(path, Login(EMAIL, secrets.token_urlsafe(PASSWORD_BYTES), history))
    login = msgspec.json.decode(path.read_bytes(), type=Login)
    project = run(lambda: _project(house, login, is_new=is_new))
    if house.manifests.latest(project.id).files:
        return Demo(project, login, None)
    login = _write(path, msgspec.structs.replace(login, history=history))
    run(lambda: _add_funnels(house, project))
    return Demo(project, login, _load(house, project, history))


def keep_furnished(data_dir: Path, login: Login) -> None:
    _write(_path(data_dir), msgspec.structs.replace(login, is_furnished=True))


def _path(data_dir: Path) -> Path:
    return data_dir / "config" / "demo_login.json"


def _write(path: Path, login: Login) -> Login:
    write_private(path, msgspec.json.encode(login))
    return login


async def _project(house: House, login: Login, *, is_new: bool) -> Project:
    accounts = house.accounts
    user = await accounts.users.by_email(login.email)
    if user is None:
        user = await accounts.register(
            email=login.email, password=login.password, full_name="Demo", organization_name=ORGANIZATION
        )
    elif is_new:  # the note of the password is gone: what will be printed must work
        await accounts.users.update(user.id, password_hash=await accounts.passwords.hash(login.password))
    for project in await house.projects.of_organization(user.organization_id):
        if project.name == PROJECT:
            return project
    return (await house.projects.add(user.organization_id, name=PROJECT, settings=_SETTINGS))[0]


async def _add_funnels(house: House, project: Project) -> None:
    known = {funnel.name for funnel in await house.funnels.of_project(project.id)}
    for raw in FUNNELS:
        definition = parse_definition({**raw, "project_id": project.id})
        if definition.name not in known:
            await house.funnels.add(project.id, name=definition.name, definition=to_dict(definition))


def _load(house: House, project: Project, history: History) -> Receipt:
    """Through the same job as every upload, so that the demo is made of what a user could have sent."""
    with generated(history) as file, watched("making the demo shop", unit="days", is_quiet=False) as watch:
        return house.uploader().load(file, Target(project.id), watch)
