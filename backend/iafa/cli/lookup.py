"""Projects and organizations by what a person at a terminal calls them: their id or their name."""

from collections.abc import Sequence
from typing import TypeVar

from iafa.errors import WrongUsage
from iafa.meta.organizations import Organization
from iafa.meta.projects import Project
from iafa.wiring import House

DEFAULT_ORGANIZATION = "Default"
Named = TypeVar("Named", Project, Organization)


async def project_called(house: House, text: str) -> Project:
    """Raises WrongUsage when there is none, or several of the name."""
    projects = await house.projects.all()
    if not projects:
        raise WrongUsage(f"there is no project in {house.layout.root}; make one with `iafa project add NAME`")
    return _one(projects, text, "project")


async def organization_called(house: House, text: str) -> Organization:
    return _one(await house.accounts.organizations.all(), text, "organization")


async def only_organization(house: House) -> tuple[Organization, bool]:
    """The organization when none was named, and whether it was just made."""
    organizations = await house.accounts.organizations.all()
    if len(organizations) > 1:
        names = ", ".join(sorted(organization.name for organization in organizations))
        raise WrongUsage(f"there are several organizations ({names}); choose one with --organization")
    if organizations:
        return organizations[0], False
    return await house.accounts.organizations.add(DEFAULT_ORGANIZATION), True


def _one(records: Sequence[Named], text: str, kind: str) -> Named:
    for record in records:
        if record.id == text:
            return record
    found = [record for record in records if record.name.casefold() == text.strip().casefold()]
    if not found:
        raise WrongUsage(
            f"there is no {kind} with the id or the name {text!r}; `iafa project list` shows what there is"
        )
    if len(found) > 1:
        raise WrongUsage(f"several {kind}s are called {text!r}; use the id: {', '.join(one.id for one in found)}")
    return found[0]
