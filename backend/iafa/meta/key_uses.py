"""When each API key was last used, to about a minute, also over restarts. Each process writes a small file of its own.

`note` is called for every request and only sets a number in memory. After a crash up to a minute of use is forgotten.
"""

import logging
from collections.abc import Mapping
from pathlib import Path

import msgspec

from iafa.clock import Clock
from iafa.durable import PRIVATE_DIR, replace_derived

log = logging.getLogger("iafa.key_uses")
WRITE_EVERY_S = 60.0
KEYS_MAX = 20_000  # of all projects, in one file; those that were not used for longest are left out
SUFFIX = ".json"
_decoder = msgspec.json.Decoder(dict[str, int])


class KeyUses:
    """Of one process; `all` reads what the others have written."""

    def __init__(self, folder: Path, process: str, clock: Clock) -> None:
        self._folder = folder
        self._path = folder / f"{process}{SUFFIX}"
        self._clock = clock
        self._last_us = _read(self._path)
        self._is_changed = False
        self._written_s = clock.monotonic_s()

    def note(self, key_id: str) -> None:
        self._last_us[key_id] = self._clock.now_us()
        self._is_changed = True

    def all(self) -> Mapping[str, int]:
        """By the key's id, in microseconds since 1970. Blocks."""
        found = dict(self._last_us)
        for path in self._folder.glob(f"*{SUFFIX}"):
            if path != self._path:
                for key_id, at_us in _read(path).items():
                    found[key_id] = max(at_us, found.get(key_id, 0))
        return found

    def publish(self) -> None:
        """Write what is new, once a minute at most."""
        if self._clock.monotonic_s() - self._written_s >= WRITE_EVERY_S:
            self.write()

    def write(self) -> None:
        """Never a reason for anything else to fail."""
        self._written_s = self._clock.monotonic_s()
        if not self._is_changed:
            return
        self._is_changed = False
        newest = sorted(dict(self._last_us).items(), key=lambda one: -one[1])[:KEYS_MAX]
        try:
            self._folder.mkdir(PRIVATE_DIR, parents=True, exist_ok=True)
            replace_derived(self._path, msgspec.json.encode(dict(newest)))
        except OSError as error:
            self._is_changed = True
            log.warning("cannot write when keys were used: %s", error.strerror)


def _read(path: Path) -> dict[str, int]:
    try:
        return _decoder.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return {}
