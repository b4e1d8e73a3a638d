"""Reading of untrusted JSON: collects every wrong field with its pointer. Knows no definition's fields."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from iafa.errors import FieldError, ValidationFailed

ERRORS_MAX = 100
_KEY_CHARS_MAX = 100


def pointer_to(parent: str, key: str | int) -> str:
    """RFC 6901, with a key that is too long cut and one that is no valid text made printable."""
    name = str(key)[:_KEY_CHARS_MAX].encode("utf-8", "replace").decode()
    return f"{parent}/{name.replace('~', '~0').replace('/', '~1')}"


class FieldErrors:
    """The errors found so far. Readers add and go on, so that one answer lists all of them."""

    def __init__(self) -> None:
        self._errors: list[FieldError] = []
        self._spent: Counter[str] = Counter()

    def spend(self, what: str, pointer: str, *, most: int) -> bool:
        """Count one more of a thing that the whole definition may hold only so many of; False when it is too many."""
        self._spent[what] += 1
        if self._spent[what] == most + 1:
            self.add(pointer, "too_many", f"a definition holds at most {most} {what}")
        return self._spent[what] <= most

    def add(self, pointer: str, code: str, message: str) -> None:
        if len(self._errors) < ERRORS_MAX:
            self._errors.append(FieldError(pointer=pointer, code=code, message=message))

    def __len__(self) -> int:
        return len(self._errors)

    @property
    def found(self) -> tuple[FieldError, ...]:
        return tuple(self._errors)

    def raise_any(self, detail: str) -> None:
        if self._errors:
            raise ValidationFailed(detail, errors=self._errors)

    def mapping(self, raw: object, pointer: str) -> Mapping[str, object] | None:
        if isinstance(raw, Mapping):
            return raw
        self.add(pointer, "wrong_type", "must be an object")
        return None

    def sequence(self, raw: object, pointer: str, *, most: int, least: int = 0) -> Sequence[object]:
        """The items, never more than `most`; an empty sequence when the value is no array."""
        if not isinstance(raw, list | tuple):
            self.add(pointer, "wrong_type", "must be an array")
            return ()
        if len(raw) < least:
            self.add(pointer, "too_short", f"must hold at least {least} item{'s' if least > 1 else ''}")
        if len(raw) > most:
            self.add(pointer, "too_long", f"must hold at most {most} items")
        return raw[:most]

    def text(self, raw: object, pointer: str, *, most: int, least: int = 1) -> str:
        """A string that can be stored and bound; empty when it is wrong."""
        if not isinstance(raw, str):
            self.add(pointer, "wrong_type", "must be a string")
        elif len(raw) > most:
            self.add(pointer, "too_long", f"must have at most {most} characters")
        elif len(raw.strip()) < least:
            self.add(pointer, "too_short", "must not be empty")
        elif not _is_clean(raw):
            self.add(pointer, "invalid_character", "must be valid text without NUL characters")
        else:
            return raw
        return ""

    def choice(self, raw: object, pointer: str, choices: Sequence[str]) -> str:
        """One of `choices`; the first of them when the value is wrong."""
        if isinstance(raw, str) and raw in choices:
            return raw
        self.add(pointer, "unsupported_value", f"must be one of: {', '.join(choices)}")
        return choices[0]

    def unknown(self, raw: Mapping[str, object], pointer: str, known: Collection[str]) -> None:
        for key in raw:
            if key not in known:
                self.add(pointer_to(pointer, key), "unknown_field", "there is no such field")


def _is_clean(text: str) -> bool:
    if "\x00" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
