"""What the audit log says of accounts, keys and settings. Never a secret."""

from typing import Any

from iafa.meta.api_keys import ApiKey
from iafa.meta.funnels import StoredFunnel
from iafa.meta.projects import Project
from iafa.meta.users import User

_NO_SETTINGS = frozenset(
    {
        "id",
        "organization_id",
        "salt",
        "created_us",
        "updated_us",
        "version",
        "sampled_singly_until_us",
        "keys",
        "removed_keys",
    }
)
_SHORT = (bool, int, float, str)
_LIST_MAX = 10


def of_organization(user: User) -> str:
    """The object of what concerns the user's organization."""
    return f"organization:{user.organization_id}"


def of_project(project_id: str) -> str:
    return f"project:{project_id}"


def about_member(user: User) -> dict[str, Any]:
    """With the address: when the account is gone, its id says nothing any more."""
    return {"user": user.id, "email": user.email, "role": user.role}


def about_key(key: ApiKey) -> dict[str, Any]:
    return {"key": key.id, "kind": key.kind, "name": key.name, "last4": key.last4}


def about_funnel(funnel: StoredFunnel) -> dict[str, Any]:
    """With the version: what a number meant on a day depends on it."""
    return {"funnel": funnel.id, "name": funnel.name, "version": funnel.version}


def changed_settings(before: Project, after: Project) -> dict[str, Any]:
    """`changed`: of each setting that is another one now, both values if they are short, else null."""
    names = [name for name in Project.__struct_fields__ if name not in _NO_SETTINGS]
    pairs = {name: [getattr(before, name), getattr(after, name)] for name in names}
    changed = {name: pair if all(map(_is_short, pair)) else None for name, pair in pairs.items() if pair[0] != pair[1]}
    return {"changed": changed} if changed else {}


def _is_short(value: object) -> bool:
    if isinstance(value, tuple):
        return len(value) <= _LIST_MAX and all(isinstance(one, _SHORT) for one in value)
    return value is None or isinstance(value, _SHORT)
