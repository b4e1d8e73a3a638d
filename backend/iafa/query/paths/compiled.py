"""The one door to the compiler. Without numba the same functions run as plain Python: slower, never different."""

import hashlib
import importlib.util
import os
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., object])
IS_COMPILED = importlib.util.find_spec("numba") is not None
_ROOM = Path(__file__).parent


def compiled(function: Function) -> Function:
    """The function in machine code, made at its first call and kept on disk; it never holds the interpreter's lock."""
    if not IS_COMPILED:
        return function
    from numba import config, njit

    config.CACHE_DIR = _cache_folder()  # type: ignore[attr-defined]
    try:
        return cast(Function, njit(cache=True, nogil=True)(function))
    except RuntimeError:  # no folder can be written
        return cast(Function, njit(nogil=True)(function))


def folder_for(sources: Iterable[Path]) -> str:
    """The name of a folder for the machine code of these files; another one as soon as one of them changes.

    The code of a function holds that of the functions it calls. Numba keeps it as long as the function's own file is
    the same: after an update of another file the old code of that one would go on being used.
    """
    known = hashlib.sha256()
    for path in sorted(sources):
        known.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return f"solvers-{known.hexdigest()[:16]}"


@cache
def _cache_folder() -> str:
    from numba import config

    beside, given = _ROOM / "__pycache__", config.CACHE_DIR  # type: ignore[attr-defined]
    if not given:
        is_ours = os.access(beside if beside.exists() else _ROOM, os.W_OK)
        given = beside if is_ours else Path.home() / ".cache" / "iafa"
    return str(Path(given) / folder_for(_ROOM.glob("*.py")))
