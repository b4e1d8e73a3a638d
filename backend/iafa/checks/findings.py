"""What a check has to say about a file: errors fail it, warnings fail it only where they are asked to, notes never."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from iafa.checks.yaml_text import Document
from iafa.errors import FieldError

Level = Literal["error", "warning", "note"]


class Finding(msgspec.Struct, frozen=True):
    """One thing at one place. `pointer` is a JSON pointer into the document that begins on or before `line`."""

    level: Level
    code: str
    message: str
    pointer: str = ""
    line: int = 1


def found(document: Document, level: Level, code: str, message: str, pointer: str = "") -> Finding:
    return Finding(level, code, message, pointer, document.line_of(pointer))


def of_errors(document: Document, errors: Iterable[FieldError], *, within: str = "") -> list[Finding]:
    """The errors of a reader, whose pointers begin at `within`."""
    return [found(document, "error", error.code, error.message, within + error.pointer) for error in errors]
