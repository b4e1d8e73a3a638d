"""Passwords: rules, hashing (argon2id) and checking. At most two hashes are computed at once (64 MiB each)."""

import asyncio
import re
import warnings
from collections.abc import Callable, Sequence
from typing import TypeVar

from passlib.context import CryptContext
from passlib.exc import PasslibHashWarning, UnknownHashError

from iafa.errors import FieldError, RateLimited, ValidationFailed
from iafa.meta.common_passwords import COMMON_PASSWORDS

CHARS_MIN = 8
CHARS_MAX = 1024
AT_ONCE_MAX = 2
WAITING_MAX = 64
CONTEXT_WORD = "iafa"
CONTEXT_CHARS_MIN = 4  # shorter words of a name are too common to forbid
WORD = re.compile(r"[^\W_]+")

_Result = TypeVar("_Result")


class Passwords:
    """One instance a process. Verifying against no hash costs the same as verifying against one."""

    def __init__(self) -> None:
        self._context = CryptContext(["argon2", "bcrypt"], deprecated="auto")
        self._slots = asyncio.Semaphore(AT_ONCE_MAX)
        self._waiting = 0
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        return await self._in_slot(self._context.hash, password)

    async def verify(self, password: str, stored: str | None) -> str | None:
        """None when the password is wrong; otherwise the hash to keep from now on (a newer one, or the same)."""
        decoy = await self._decoy_hash()  # in both cases: the first call makes it
        kept = await self._in_slot(self._verify, password, stored or decoy)
        return kept if stored else None

    def _verify(self, password: str, stored: str) -> str | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", PasslibHashWarning)
                is_right, newer = self._context.verify_and_update(password, stored)
        except (UnknownHashError, ValueError):
            # bcrypt raises on more than 72 bytes: such a password never made that hash
            return None
        return (newer or stored) if is_right else None

    async def _decoy_hash(self) -> str:
        decoy = self._decoy
        if decoy is None:
            decoy = await self.hash("no account has this password")
            self._decoy = decoy
        return decoy

    async def _in_slot(self, work: Callable[..., _Result], *texts: str) -> _Result:
        if self._waiting >= WAITING_MAX:
            raise RateLimited("too many sign-ins at this moment", retry_after_s=2)
        self._waiting += 1
        try:
            async with self._slots:
                return await asyncio.to_thread(work, *texts)
        finally:
            self._waiting -= 1


def check_password(password: str, *, context: Sequence[str], pointer: str) -> None:
    """Refuse what an attacker tries first. No rules of composition: length is what counts."""
    problem = _problem(password, context)
    if problem is not None:
        code, message = problem
        raise ValidationFailed("the password is not acceptable", errors=[FieldError(pointer, code, message)])


def _problem(password: str, context: Sequence[str]) -> tuple[str, str] | None:
    if not CHARS_MIN <= len(password) <= CHARS_MAX:
        return "password_length", f"a password has {CHARS_MIN} to {CHARS_MAX} characters; 15 or more are advised"
    folded = password.casefold()
    if folded in COMMON_PASSWORDS or len(set(folded)) < 3:
        return "password_common", "this is one of the passwords that are guessed first"
    rest = folded
    for word in _context_words(context):
        rest = rest.replace(word, "")
    # What is left once the known words are gone has to be more than a year or a digit at the end.
    if rest != folded and len(rest) < CHARS_MIN:
        return "password_context", "the password is made of your name, your e-mail address or this product's name"
    return None


def _context_words(context: Sequence[str]) -> list[str]:
    words = {CONTEXT_WORD}
    for text in context:
        folded = text.casefold()
        words.add(folded)
        words.update(WORD.findall(folded))
    return sorted((word for word in words if len(word) >= CONTEXT_CHARS_MIN), key=len, reverse=True)
