"""Roles of an organization's members, from the most to the least, and who may manage whom."""

from typing import Literal

from iafa.errors import InsufficientScope

Role = Literal["owner", "admin", "editor", "viewer"]
ROLES: tuple[Role, ...] = ("owner", "admin", "editor", "viewer")


def reaches(role: Role, least: Role) -> bool:
    """Whether a role may do what a lower or the same one may."""
    return ROLES.index(role) <= ROLES.index(least)


def may_manage(role: Role, other: Role) -> bool:
    """Owners manage everybody, admins everybody but owners, the rest nobody."""
    return role == "owner" or (role == "admin" and other != "owner")


def refuse_lower(role: Role, least: Role) -> None:
    """Raises InsufficientScope with the role that is needed."""
    if not reaches(role, least):
        above = "" if least == "owner" else " or a higher one"
        raise InsufficientScope(f"this needs the role {least}{above}; yours is {role}")


def refuse_unmanaged(role: Role, *others: Role) -> None:
    """Raises InsufficientScope unless the role may manage members of all the others."""
    for other in others:
        if not may_manage(role, other):
            refuse_lower(role, "owner" if other == "owner" else "admin")
