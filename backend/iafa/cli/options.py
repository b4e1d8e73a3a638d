"""Options that several commands share, and how flags and environment become settings. Flags win."""

import asyncio
import json
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from pydantic import ValidationError

from iafa.errors import WrongUsage
from iafa.settings import Settings

if TYPE_CHECKING:
    from iafa.wiring import House

Result = TypeVar("Result")


class _Folder(click.Path):
    """An empty name is a variable that somebody forgot to set, not the working directory."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("it is empty: name a folder, or leave the option away", param, ctx)
        return super().convert(value, param, ctx)


data_dir_option = click.option(
    "--data-dir", type=_Folder(path_type=Path), default=None, help="The data directory (DATA_DIR, default ./data)."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document for programs.")


def actor() -> str:
    """Who runs this command, for the audit log."""
    return f"command:uid={os.getuid()}"


def read_settings(**flags: object) -> Settings:
    """Settings of the environment with the given flags on top; a flag that is None counts as not given."""
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given).checked()  # type: ignore[arg-type]  # pydantic validates them
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise WrongUsage(
            f"setting {'.'.join(str(part) for part in first['loc'])}: {first['msg'].removeprefix('Value error, ')}"
        ) from None


def house_at(data_dir: Path | None) -> "House":
    from iafa.wiring import open_house  # it loads all that IAFA has, and not every command opens a house

    return open_house(read_settings(data_dir=data_dir))


def run(main: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run an asynchronous command."""
    return asyncio.run(main())


def print_json(content: object) -> None:
    click.echo(json.dumps(content, indent=2, ensure_ascii=False))
