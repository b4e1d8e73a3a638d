"""The list of a backup: `backup.json`, written last. Without it, or with a damaged one, a folder is not a backup."""

from pathlib import Path, PurePosixPath

import msgspec

from iafa.durable import replace
from iafa.errors import DataDamaged
from iafa.seal import is_sealed, sealed

FORMAT_VERSION = 1
LIST_NAME = "backup.json"


class BackedUp(msgspec.Struct, frozen=True):
    """One file, by its path in the data directory."""

    path: str
    bytes: int
    xxh64: str


class ProjectState(msgspec.Struct, frozen=True):
    """What of a project is in the files of the backup; the journals hold what came after it."""

    id: str
    generation: int
    rows: int


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """`epoch` is the number of the last process start; `left_out` names files that were damaged or missing already."""

    format: int = FORMAT_VERSION
    version: str
    made_at_us: int
    epoch: int
    projects: tuple[ProjectState, ...] = ()
    files: tuple[BackedUp, ...] = ()
    left_out: tuple[str, ...] = ()


def write_contents(folder: Path, contents: Contents) -> None:
    replace(folder / LIST_NAME, sealed(msgspec.json.format(msgspec.json.encode(contents), indent=1)))


def read_contents(folder: Path) -> Contents:
    """Raises DataDamaged when the folder is not a finished backup of a known format."""
    path = folder / LIST_NAME
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise DataDamaged(
            f"{folder} is not a finished backup: {LIST_NAME}, which is written last, is missing"
        ) from None
    try:
        contents = msgspec.json.decode(data, type=Contents)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataDamaged(f"{path} is damaged: {error}; use another backup") from error
    if contents.format > FORMAT_VERSION:
        raise DataDamaged(f"{path} has format {contents.format}; this version reads up to {FORMAT_VERSION}")
    if not is_sealed(data):
        raise DataDamaged(f"{path} is damaged: its checksum is wrong; use another backup")
    for file in contents.files:
        parts = PurePosixPath(file.path)
        if parts.is_absolute() or ".." in parts.parts:
            raise DataDamaged(f"{path} names {file.path}, which is outside of a data directory")
    return contents
