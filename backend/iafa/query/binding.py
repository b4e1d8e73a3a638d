"""SQL text from the package and the values bound to it. No value of a request ever becomes SQL text."""

from importlib.resources import files


class Parameters:
    """Named values of one statement; `bind` gives the placeholder to write into its text."""

    def __init__(self, **named: object) -> None:
        self.values: dict[str, object] = dict(named)

    def bind(self, value: object) -> str:
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"${name}"


def sql_text(name: str, **parts: str) -> str:
    """The statement `sql/{name}.sql` with its `{parts}`, each a text made by the compilers of this room."""
    return files("iafa.query.sql").joinpath(f"{name}.sql").read_text(encoding="utf-8").format(**parts)
