"""Ids that the server makes; they may stand in a path, so their grammar is closed (`event.ID_PATTERN`)."""

import secrets

from iafa.event import ID_PATTERN

ID_CHARS = 20
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


def new_id() -> str:
    """20 random characters, 103 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(ID_CHARS))


def is_id(value: str) -> bool:
    return ID_PATTERN.fullmatch(value) is not None
