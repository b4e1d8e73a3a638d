"""SQL text from the package and the values bound to it. No value of a request ever becomes SQL text that is run here;
for a person to run elsewhere, `with_values` writes them in as literals.
"""

import re
from collections.abc import Mapping
from importlib.resources import files


class Parameters:
    """Named values of one statement; `bind` gives the placeholder to write into its text."""

    def __init__(self, **named: object) -> None:
        self.values: dict[str, object] = dict(named)
        self._texts: dict[str, str] = {}
        self._properties: list[str] = []

    def bind(self, value: object) -> str:
        """Equal texts share a placeholder: the engine then sees that it reads the same property twice."""
        if isinstance(value, str) and value in self._texts:
            return self._texts[value]
        name = f"p{len(self.values)}"
        self.values[name] = value
        if isinstance(value, str):
            self._texts[value] = f"${name}"
        return f"${name}"

    def property_place(self, pointer: str) -> int:
        """From 1 on: where in the list `$properties` the JSON pointer stands. Each is there once."""
        pointers = self._properties
        if pointer not in pointers:
            pointers.append(pointer)
        return pointers.index(pointer) + 1

    def bind_properties(self) -> str:
        """The list of all pointers, also of those that are asked for later."""
        self.values["properties"] = self._properties
        return "$properties"


def sql_text(name: str, **parts: str) -> str:
    """The statement `sql/{name}.sql` with its `{parts}`, each a text made by the compilers of this room."""
    return files("iafa.query.sql").joinpath(f"{name}.sql").read_text(encoding="utf-8").format(**parts)


_PLACEHOLDER = re.compile(r"\$([a-z_][a-z0-9_]*)")


def with_values(text: str, values: Mapping[str, object]) -> str:
    """The statement with a literal in place of each placeholder. What a literal holds is not looked at again."""
    return _PLACEHOLDER.sub(lambda found: literal(values[found[1]]), text)


def literal(value: object) -> str:
    """A value as DuckDB reads it. Its plain strings know no escape but the doubled quote."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value) if value >= 0 else f"({value})"
        case float():
            return f"'{value!r}'::double"
        case str():
            assert "\0" not in value, "no text of a definition holds a NUL"
            return "'" + value.replace("'", "''") + "'"
        case list() | tuple():
            return f"[{', '.join(literal(each) for each in value)}]"
    raise TypeError(f"no literal for {type(value).__name__}")
