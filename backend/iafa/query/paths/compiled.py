"""The one door to the compiler. Without numba the same functions run as plain Python: slower, never different."""

import importlib.util
from collections.abc import Callable
from typing import TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., object])
IS_COMPILED = importlib.util.find_spec("numba") is not None


def compiled(function: Function) -> Function:
    """The function in machine code, made at its first call and kept on disk; it never holds the interpreter's lock."""
    if not IS_COMPILED:
        return function
    from numba import njit

    try:
        return cast(Function, njit(cache=True, nogil=True)(function))
    except RuntimeError:  # no folder can be written, neither the package's nor the user's nor NUMBA_CACHE_DIR
        return cast(Function, njit(nogil=True)(function))
