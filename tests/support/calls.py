"""The calls of one process that decide what a disk holds after power loss, in their order, by path."""

import json
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

WRITE, SYNC, CREATE, MAKE_DIR, RENAME, LINK, UNLINK, TRUNCATE, ANSWER = (
    "write",
    "sync",
    "create",
    "mkdir",
    "rename",
    "link",
    "unlink",
    "truncate",
    "answer",
)


@dataclass(frozen=True)
class Call:
    """`target` is the new name of a rename or link, `lists` the files that a linked manifest names.

    An `answer` is where a caller was told that it is done.
    """

    kind: str
    path: str = ""
    target: str = ""
    failed: bool = False
    lists: tuple[str, ...] = ()
    descriptor: int = -1


@dataclass
class Recorder:
    """Records while the block runs. Paths are relative to `root`; what lies elsewhere is left out."""

    root: Path
    calls: list[Call] = field(default_factory=list)

    def answer(self, what: str) -> None:
        self.calls.append(Call(ANSWER, what))

    @contextmanager
    def recording(self) -> Iterator["Recorder"]:
        with pytest.MonkeyPatch.context() as patch:
            for name in ("write", "writev", "pwrite", "fsync", "fdatasync", "ftruncate"):
                patch.setattr(os, name, self._by_descriptor(name, getattr(os, name)))
            for name in ("rename", "replace", "link"):
                patch.setattr(os, name, self._by_two_paths(name, getattr(os, name)))
            for name in ("unlink", "remove", "mkdir"):
                patch.setattr(os, name, self._by_path(name, getattr(os, name)))
            patch.setattr(os, "open", self._open(os.open))
            yield self

    def relative(self, path: object) -> str | None:
        text = os.path.abspath(os.fspath(path))  # type: ignore[call-overload]  # whatever the system call takes
        return os.path.relpath(text, self.root) if text.startswith(f"{self.root}") else None

    def _add(
        self,
        kind: str,
        path: object,
        target: object = None,
        *,
        failed: bool = False,
        lists: tuple[str, ...] = (),
        descriptor: int = -1,
    ) -> None:
        relative = self.relative(path)
        if relative is not None:
            renamed = (self.relative(target) or "") if target else ""
            self.calls.append(Call(kind, relative, renamed, failed, lists, descriptor))

    def _by_descriptor(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        kind = {"fsync": SYNC, "fdatasync": SYNC, "ftruncate": TRUNCATE}.get(name, WRITE)

        def call(descriptor: int, *arguments: Any) -> Any:
            is_file = stat.S_ISREG(os.fstat(descriptor).st_mode) or stat.S_ISDIR(os.fstat(descriptor).st_mode)
            path = os.readlink(f"/proc/self/fd/{descriptor}").removesuffix(" (deleted)") if is_file else ""
            try:
                result = real(descriptor, *arguments)
            except OSError:
                self._add(kind, path or "/", failed=True, descriptor=descriptor)
                raise
            self._add(kind, path or "/", descriptor=descriptor)
            return result

        return call

    def _by_two_paths(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        kind = LINK if name == "link" else RENAME

        def call(source: Any, target: Any, **options: Any) -> Any:
            result = real(source, target, **options)
            lists = _lists(target) if kind == LINK else ()
            self._add(kind, source, target, lists=lists)
            return result

        return call

    def _by_path(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        kind = MAKE_DIR if name == "mkdir" else UNLINK

        def call(path: Any, *arguments: Any, **options: Any) -> Any:
            result = real(path, *arguments, **options)
            self._add(kind, path)
            return result

        return call

    def _open(self, real: Callable[..., int]) -> Callable[..., int]:
        def call(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
            is_new = bool(flags & os.O_CREAT) and not os.path.exists(path)
            descriptor = real(path, flags, *arguments, **options)
            if is_new:
                self._add(CREATE, path)
            return descriptor

        return call


def _lists(manifest: str | Path) -> tuple[str, ...]:
    content = json.loads(Path(manifest).read_bytes())
    return tuple(file["path"] for file in content["files"])
