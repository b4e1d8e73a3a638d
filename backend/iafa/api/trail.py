"""How routes write into the audit log who did what; what the lines say, meta/recorded knows."""

import asyncio
from collections.abc import Mapping
from typing import Any

from iafa.api.access import Caller, SignedIn
from iafa.api.services import Services
from iafa.errors import StorageUnavailable
from iafa.meta.users import User

_RETRY_AFTER_S = 5


async def record(
    services: Services, caller: Caller | User, action: str, object: str, details: Mapping[str, Any]
) -> None:
    """One line, durable when it returns."""
    try:
        await asyncio.to_thread(services.audit.add, _actor(caller), action, object, details)
    except OSError as error:
        raise _not_recorded(error) from error


async def record_sign_in(services: Services, user: User | None, address: str, *, failed: bool) -> None:
    try:
        if user is None:
            await asyncio.to_thread(services.sign_ins.failed, address)
        elif failed:
            await asyncio.to_thread(services.sign_ins.failed, address, user.id, user.organization_id)
        else:
            await asyncio.to_thread(services.sign_ins.succeeded, user.id, user.organization_id, address)
    except OSError as error:
        raise _not_recorded(error) from error


def _actor(caller: Caller | User) -> str:
    if isinstance(caller, User):
        return f"user:{caller.id}"
    return f"user:{caller.user.id}" if isinstance(caller, SignedIn) else f"key:{caller.grant.key_id}"


def _not_recorded(error: OSError) -> StorageUnavailable:
    return StorageUnavailable(f"it cannot be recorded in the audit log: {error.strerror}", retry_after_s=_RETRY_AFTER_S)
