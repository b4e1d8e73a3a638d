"""`iafa sql`: ask a project's events in SQL, as a funnel sees them. Works beside a server; nothing can be written."""

import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import click

from iafa.cli.lookup import project_called
from iafa.cli.options import data_dir_option, house_at, run
from iafa.errors import IafaError
from iafa.lake.snapshot import Snapshot
from iafa.query.engine_console import Console, Found

TABLE_ROWS_MAX = 1_000
CELL_CHARS_MAX = 60
PROMPT, MORE = "iafa> ", "  ... "
GREETING = (
    "Views: events (whose event it is: user_hash), raw_events (as stored). End a statement with ;  Leave with \\q"
)


@click.command("sql", context_settings={"ignore_unknown_options": True})  # a query may begin with a comment
@click.argument("project")
@click.argument("query", required=False)
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", help="How answers are printed."
)
@data_dir_option
def sql_command(project: str, query: str | None, form: str, data_dir: Path | None) -> None:
    """Ask the events of PROJECT (its id or name) in SQL, by DuckDB. Without QUERY it is read from the input."""
    house = house_at(data_dir)

    async def take() -> Snapshot:
        owner = await project_called(house, project)
        return await house.snapshot(owner.id)

    snapshot = run(take)
    with house.console(snapshot) as console:
        if query is None and sys.stdin.isatty():
            click.echo(f"{snapshot.rows} events, data version {snapshot.data_version}. {GREETING}")
            _talk(console, FORMS[form])
        else:
            _print_all(console, sys.stdin.read() if query is None else query, FORMS[form])


Form = Callable[[Found], Iterator[str]]


def _print_all(console: Console, text: str, form: Form) -> None:
    for found in console.run(text):
        for line in form(found):
            click.echo(line)


def _talk(console: Console, form: Form) -> None:
    for text in _statements():
        try:
            _print_all(console, text, form)
        except IafaError as error:
            click.echo(error.detail, err=True)
        except KeyboardInterrupt:
            console.interrupt()
            click.echo("interrupted", err=True)


def _statements() -> Iterator[str]:
    """What is typed, up to a line that ends with a semicolon."""
    lines: list[str] = []
    while True:
        try:
            line = input(MORE if lines else PROMPT)
        except KeyboardInterrupt:
            click.echo()
            lines = []
            continue
        except EOFError:
            click.echo()
            return
        if not lines and line.strip().rstrip(";").lower() in ("\\q", "quit", "exit"):
            return
        lines.append(line)
        if line.rstrip().endswith(";"):
            yield "\n".join(lines)
            lines = []


def _table(found: Found) -> Iterator[str]:
    """The first rows, in columns that are as wide as they need to be."""
    rows = [[_cell(value) for value in row] for row in islice(found.rows, TABLE_ROWS_MAX + 1)]
    is_cut = len(rows) > TABLE_ROWS_MAX
    shown = [found.columns, *rows[:TABLE_ROWS_MAX]]
    widths = [max(len(row[n]) for row in shown) for n in range(len(found.columns))]
    for place, row in enumerate(shown):
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        if place == 0:
            yield "  ".join("-" * width for width in widths)
    if is_cut:
        yield f"(the first {TABLE_ROWS_MAX} rows; --format csv prints all)"


def _csv(found: Found) -> Iterator[str]:
    line = _Line()
    writer = csv.writer(line, lineterminator="")
    writer.writerow(found.columns)
    yield line.text
    for values in found.rows:
        writer.writerow("" if value is None else _plain(value) for value in values)
        yield line.text


def _json(found: Found) -> Iterator[str]:
    """One array of objects for each answer, row by row."""
    lead = "["
    for row in found.rows:
        yield lead + json.dumps(dict(zip(found.columns, row, strict=True)), default=str, ensure_ascii=False)
        lead = ","
    yield "]" if lead == "," else "[]"


FORMS: Mapping[str, Form] = {"table": _table, "csv": _csv, "json": _json}


class _Line:
    """Takes the one line that a CSV writer writes."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def _plain(value: Any) -> Any:
    return json.dumps(value, default=str, ensure_ascii=False) if isinstance(value, list | dict) else value


def _cell(value: object) -> str:
    text = "" if value is None else str(_plain(value)).replace("\n", "\\n").replace("\r", "\\r")
    return text if len(text) <= CELL_CHARS_MAX else text[: CELL_CHARS_MAX - 1] + "…"
