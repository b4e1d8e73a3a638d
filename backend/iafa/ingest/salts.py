"""The salts of address hashes: a project's own, or one that is thrown away after its day or month.

A thrown-away salt is random and in no backup: once it is gone, nobody can tell whose hash was whose.
"""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from iafa.clock import US_PER_DAY, Clock, to_datetime
from iafa.durable import create_only, unlink
from iafa.errors import StorageUnavailable
from iafa.event import TIME_MAX_US

SaltKind = Literal["fixed", "daily", "monthly"]
SALT_BYTES = 32
_FORMS: Mapping[str, str] = {"daily": "%Y-%m-%d", "monthly": "%Y-%m"}
KEPT_DAYS = 2  # of today and of yesterday
SALTS_MAX = 1000
RETRY_AFTER_S = 10


class Salts:
    def __init__(self, folder: Path, temporary_dir: Path, clock: Clock) -> None:
        self._folder = folder
        self._temporary_dir = temporary_dir
        self._clock = clock
        self._day = -1
        self._made: dict[tuple[str, bytes], bytes] = {}

    def of(self, kind: SaltKind, own: bytes) -> bytes:
        """The salt of a project now; `own` is the one that stays. Raises StorageUnavailable."""
        if kind == "fixed":
            return own
        day = self._clock.now_us() // US_PER_DAY
        if day != self._day or len(self._made) >= SALTS_MAX:
            self._made.clear()
            self._day = day
        made = self._made.get((kind, own))
        if made is None:
            made = hashlib.blake2b(own, key=self._read(kind), digest_size=SALT_BYTES).digest()
            self._made[kind, own] = made
        return made

    def of_history(self, kind: SaltKind, own: bytes, time_us: int | None) -> bytes:
        """The salt of an event of another time that comes now: it ends with the one of now, and within it each day or
        month has its own, so that nobody is told again from one to the next."""
        now = self.of(kind, own)
        if kind == "fixed" or time_us is None or not 0 <= time_us <= TIME_MAX_US:
            return now
        period, current = (to_datetime(one).strftime(_FORMS[kind]) for one in (time_us, self._clock.now_us()))
        return now if period == current else hashlib.blake2b(period.encode(), key=now, digest_size=SALT_BYTES).digest()

    def sweep(self) -> None:
        """Remove salts whose time is long enough over that no request needs them any more."""
        now_us = self._clock.now_us()
        for kind, form in _FORMS.items():
            kept = {to_datetime(now_us - days * US_PER_DAY).strftime(form) for days in range(KEPT_DAYS)}
            for path in self._folder.glob(f"{kind}-*"):
                if path.name.removeprefix(f"{kind}-") not in kept:
                    unlink(path)

    def _read(self, kind: str) -> bytes:
        path = self._folder / f"{kind}-{to_datetime(self._clock.now_us()).strftime(_FORMS[kind])}"
        try:
            if not path.exists():
                create_only(path, os.urandom(SALT_BYTES), temporary_dir=self._temporary_dir)
            return path.read_bytes()
        except OSError as error:  # a full disk at the turn of the day: who is told so sends again
            message = f"the salt of address hashes cannot be kept: {error.strerror}; nothing was stored"
            raise StorageUnavailable(message, retry_after_s=RETRY_AFTER_S) from error
