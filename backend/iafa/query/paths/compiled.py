"""The one door to the compiler. Without numba the same functions run as plain Python: slower, never different."""

import hashlib
import importlib.util
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import cache, update_wrapper
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., object])
IS_COMPILED = importlib.util.find_spec("numba") is not None
_ROOM = Path(__file__).parent


def compiled(function: Function) -> Function:
    """The function in machine code, made at its first call and kept on disk; it never holds the interpreter's lock."""
    return cast(Function, _Waiting(function)) if IS_COMPILED else function


class _Waiting:
    """Stands for a function until the first call of any. The compiler alone takes longer to load than all of IAFA, and
    most commands solve nothing.
    """

    all: ClassVar[list["_Waiting"]] = []
    lock: ClassVar[threading.RLock] = threading.RLock()

    def __init__(self, function: Callable[..., object]) -> None:
        self.py_func = function  # as the compiler calls it
        update_wrapper(self, function)
        self.all.append(self)
        self._made: Callable[..., object] | None = None

    def __call__(self, *arguments: object, **named: object) -> object:
        if self._made is None:
            self._take_places()  # if another thread has done it meanwhile, nobody waits any more
        assert self._made is not None
        return self._made(*arguments, **named)

    @classmethod
    def _take_places(cls) -> None:
        """Everywhere at once, for a compiled function may name only compiled ones. Functions wait in the order in which
        they are made, those that others call first: so is each module complete before another thread can call it.
        """
        with cls.lock:
            made = {id(each): _in_machine_code(each.py_func) for each in cls.all}
            for each in cls.all:
                names = each.py_func.__globals__
                names |= {name: made[id(value)] for name, value in names.items() if id(value) in made}
            for each in cls.all:
                each._made = made[id(each)]
            cls.all.clear()


def _in_machine_code(function: Callable[..., object]) -> Callable[..., object]:
    from numba import config, njit

    config.CACHE_DIR = _cache_folder()  # type: ignore[attr-defined]
    try:
        made = njit(cache=True, nogil=True)(function)
    except RuntimeError:  # no folder can be written
        made = njit(nogil=True)(function)
    _make_once(made)
    return cast(Callable[..., object], made)


def _make_once(made: Any) -> None:
    """One code for all whole numbers. Else a function is made again for every constant and every width of a number
    that another one calls it with, and so is all that it calls: a quarter of the time.
    """
    from numba import types

    def wide(kind: object) -> object:
        kind = types.unliteral(kind)  # type: ignore[no-untyped-call]
        return types.int64 if kind in types.signed_domain else kind

    def template_of(kinds: tuple[object, ...], named: Mapping[str, object]) -> object:
        return narrow(tuple(map(wide, kinds)), {name: wide(kind) for name, kind in named.items()})

    narrow = made.get_call_template
    made.get_call_template = template_of


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
