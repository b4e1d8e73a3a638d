"""Whether a listed file is still what was written: size and checksum against the manifest, once in each process."""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path

from iafa.errors import DataDamaged
from iafa.lake.manifest import LakeFile, RollupFile
from iafa.lake.parts import file_checksum
from iafa.metrics import Counters

REMEMBERED_MAX = 100_000
_Stamp = tuple[int, int, int]


class Soundness:
    """Remembers what was compared; a file that was touched since then is compared again. Safe between threads."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._told: set[tuple[tuple[Path, str], _Stamp | None]] = set()
        self._sound: OrderedDict[tuple[Path, str], _Stamp] = OrderedDict()
        self._lock = threading.Lock()

    def require(self, directory: Path, files: Iterable[LakeFile], go_on: Callable[[], None]) -> None:
        """Raise DataDamaged naming the first file that is missing or not what was written.

        The engine itself notices few damages: most flipped bits give it other numbers. `go_on` is called before each
        file that has to be read, and may raise; what was compared until then counts.
        """
        for file in files:
            key = (directory / file.path, file.xxh64)
            stamp = _stamp(key[0])
            if stamp is not None and self._sound.get(key) == stamp:
                continue
            with self._lock:
                if stamp is None or self._sound.get(key) != stamp:
                    go_on()
                    if difference := _difference_of(key[0], file):
                        self._tell(key, stamp)
                        raise damaged(file, difference)
                    self._remember(key, stamp)

    def _tell(self, key: tuple[Path, str], stamp: _Stamp | None) -> None:
        """Count a damaged file once, however often it is asked for."""
        if (key, stamp) not in self._told and len(self._told) < REMEMBERED_MAX:
            self._told.add((key, stamp))
            self._counters.add("damaged_files")

    def _remember(self, key: tuple[Path, str], stamp: _Stamp | None) -> None:
        if stamp is not None:
            self._sound[key] = stamp
        while len(self._sound) > REMEMBERED_MAX:
            self._sound.popitem(last=False)


def difference_of(path: Path, file: LakeFile | RollupFile) -> str:
    """How the file differs from what was written; empty when it does not. A missing file raises FileNotFoundError."""
    size = path.stat().st_size
    if size != file.bytes:
        return f"has {size:,} bytes instead of {file.bytes:,}"
    return "" if file_checksum(path) == file.xxh64 else "has another checksum than what was written"


def damaged(file: LakeFile, difference: str) -> DataDamaged:
    return DataDamaged(f"the event file {file.path} {difference}; run `iafa verify`, it says what to do")


def _difference_of(path: Path, file: LakeFile) -> str:
    try:
        return difference_of(path, file)
    except FileNotFoundError:
        return "is missing"


def _stamp(path: Path) -> _Stamp | None:
    """None when it is missing."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
