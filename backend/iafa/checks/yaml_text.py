"""YAML to plain values and back: the only reader and writer of YAML. Knows nothing of funnels.

Only what JSON can say is read, so that one text means one thing: no anchors, no tags, no repeated keys, and a plain
word is a text unless it is a number, true, false or null as JSON writes them.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import yaml

from iafa.query.field_errors import pointer_to

TEXT_CHARS_MAX = 256 * 1024
DOCUMENTS_MAX = 100
VALUES_MAX = 50_000  # of one text
DEPTH_MAX = 30
_INTEGER_CHARS_MAX = 18
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?[0-9]+\.[0-9]*(?:[eE][-+][0-9]+)?")
_LINE_ENDS = "\x85\u2028\u2029"
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class WrongYaml(Exception):
    """The text cannot be read. `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


@dataclass
class Document:
    """One document: its value, and the line on which each value stands, by JSON pointer."""

    value: object
    lines: dict[str, int] = field(default_factory=dict)

    def line_of(self, pointer: str) -> int:
        """The line of the value, or of the nearest one around it."""
        while pointer not in self.lines and pointer:
            pointer = pointer.rpartition("/")[0]
        return self.lines.get(pointer, 1)


def read_documents(text: str) -> list[Document]:
    """All documents that hold something. Raises WrongYaml at the first thing that is wrong."""
    if len(text) > TEXT_CHARS_MAX:
        raise WrongYaml(1, f"the file is longer than {TEXT_CHARS_MAX} characters")
    try:
        documents = list(_Reader(yaml.parse(text, Loader=yaml.SafeLoader)).documents())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise WrongYaml(mark.line + 1 if mark else 1, error.problem or "is not valid YAML") from None
    except yaml.YAMLError as error:
        raise WrongYaml(1, f"is not valid YAML: {error}".partition("\n")[0]) from None
    return [document for document in documents if document.value is not None]


def write_documents(values: Sequence[object]) -> str:
    """The text that `read_documents` reads back as equal values."""
    for is_readable in (True, False):
        text: str = yaml.safe_dump_all(
            values, sort_keys=False, allow_unicode=is_readable, width=100, explicit_start=len(values) > 1
        )
        # The writer takes these for text, the reader for ends of lines; escaped they are safe.
        if not any(sign in text for sign in _LINE_ENDS):
            break
    return text


class _Reader:
    """Builds values out of the parser's events, which never look ahead and never repeat a part."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._left = VALUES_MAX
        self._lines: dict[str, int] = {}

    def documents(self) -> Iterator[Document]:
        count = 0
        for event in self._events:
            if not isinstance(event, yaml.DocumentStartEvent):
                continue
            count += 1
            if count > DOCUMENTS_MAX:
                raise WrongYaml(_line(event), f"a file holds at most {DOCUMENTS_MAX} documents")
            self._lines = {}
            yield Document(self._value(next(self._events), "", 0), self._lines)

    def _value(self, event: yaml.Event, pointer: str, depth: int) -> object:
        self._check(event, depth)
        self._lines.setdefault(pointer, _line(event))
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(pointer, depth)
        return self._mapping(pointer, depth)

    def _check(self, event: yaml.Event, depth: int) -> None:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise WrongYaml(_line(event), "anchors and aliases are not read; write the part out")
        if getattr(event, "tag", None) not in (None, "!"):
            raise WrongYaml(_line(event), "tags are not read; write a plain value")
        self._left -= 1
        if self._left < 0:
            raise WrongYaml(_line(event), f"the file holds more than {VALUES_MAX} values")
        if depth > DEPTH_MAX:
            raise WrongYaml(_line(event), f"is nested deeper than {DEPTH_MAX} levels")

    def _sequence(self, pointer: str, depth: int) -> list[object]:
        items: list[object] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, pointer_to(pointer, len(items)), depth + 1))
        return items

    def _mapping(self, pointer: str, depth: int) -> dict[str, object]:
        fields: dict[str, object] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            self._check(event, depth)
            if not isinstance(event, yaml.ScalarEvent):
                raise WrongYaml(_line(event), "a key must be a text")
            key = event.value
            if key in fields:
                raise WrongYaml(_line(event), f"the key {key[:100]!r} stands here twice")
            at = pointer_to(pointer, key)
            self._lines[at] = _line(event)
            fields[key] = self._value(next(self._events), at, depth + 1)
        return fields


def _line(event: yaml.Event) -> int:
    return 1 if event.start_mark is None else int(event.start_mark.line) + 1


def _scalar(event: yaml.ScalarEvent) -> object:
    """A quoted text is a text; a plain word may be what JSON calls a number, true, false or null."""
    text = event.value
    if not event.implicit[0] or event.style is not None:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        if len(text) > _INTEGER_CHARS_MAX:
            raise WrongYaml(_line(event), "the number is too large; quote it if it is a text")
        return int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if not math.isfinite(number):
            raise WrongYaml(_line(event), "the number is too large; quote it if it is a text")
        return number
    return text
