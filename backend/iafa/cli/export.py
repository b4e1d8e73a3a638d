"""`iafa export`: write a project's raw events into a file. Works beside a server, over one snapshot."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, get_args

import click

from iafa.api.event_files import EventFormat, event_file
from iafa.cli.import_events import watched
from iafa.cli.lookup import project_called
from iafa.cli.options import data_dir_option, house_at, json_option, print_json, run
from iafa.durable import unlink
from iafa.errors import WrongUsage
from iafa.query.events.export import EventFile
from iafa.query.events.question import parse_events_question
from iafa.wiring import House

STANDARD_OUTPUT = "-"


@click.command("export")
@click.argument("project")
@click.option("--format", "form", type=click.Choice(get_args(EventFormat)), default="csv", help="Default: csv.")
@click.option("--out", "path", required=True, help="The file to write, or - for the standard output.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("--from", "start", metavar="DAY", help="First day, of the project's time zone.")
@click.option("--to", "end", metavar="DAY", help="Last day, included.")
@click.option("--event", "event_types", multiple=True, help="Only events of this name; repeat it for several.")
@click.option("--user", "user_id", help="Only events of the person that this user is.")
@click.option("--filters", help="A JSON array of filters, as in the stages of a funnel.")
@click.option("--fields", default="", help="What to write, with commas between: columns, person, properties.NAME.")
@click.option("--exclude-bots", is_flag=True, help="Without events of bots.")
@data_dir_option
@json_option
def export_command(project: str, **options: Any) -> None:
    """Write the raw events of PROJECT (its id or name) into a file."""
    file = event_file(options["form"], [options["fields"]] if options["fields"] else [])
    house = house_at(options["data_dir"])
    try:
        written = _written(house, project, file, options)
    finally:
        house.query_pool.shutdown()  # the export gives back the files that it held
        house.engine.close()
    if options["as_json"]:
        print_json(written)
    elif options["path"] != STANDARD_OUTPUT:
        click.echo(f"{written['file']}: {written['events']:,} events, data version {written['data_version']}")


def _written(house: House, project: str, file: EventFile, options: dict[str, Any]) -> dict[str, Any]:
    counted = _Counted(file)

    async def write(target: IO[bytes]) -> dict[str, Any]:
        owner = await project_called(house, project)
        asked = parse_events_question(
            event_types=options["event_types"],
            user_id=options["user_id"],
            start=options["start"],
            end=options["end"],
            filters=options["filters"],
            exclude_bots=options["exclude_bots"],
            timezone=owner.timezone,
        )
        snapshot = await house.snapshot(owner.id)
        pieces = await house.events_export(snapshot, asked, counted)
        with watched(owner.name, unit="events", is_quiet=options["as_json"]) as watch:
            async for piece in pieces:
                target.write(piece)
                watch(counted.rows, counted.rows, snapshot.rows)
        return {"file": options["path"], "events": counted.rows, "data_version": snapshot.data_version}

    with _target(options["path"], is_over=options["force"]) as target:
        return run(partial(write, target))


@contextmanager
def _target(path: str, *, is_over: bool) -> Iterator[IO[bytes]]:
    """Where the file goes. One that does not become whole is removed again."""
    if path == STANDARD_OUTPUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if not is_over and Path(path).exists():
        raise WrongUsage(f"{path} is there already; --force writes over it")
    has_begun = False
    try:
        with open(path, "wb") as file:
            has_begun = True
            yield file
    except BaseException as error:
        if has_begun:
            unlink(Path(path))
        if isinstance(error, OSError):
            raise WrongUsage(f"{path} cannot be written: {error.strerror}") from None
        raise


class _Counted:
    """A file that knows how many events it holds."""

    def __init__(self, file: EventFile) -> None:
        self.rows = 0
        self.columns = file.columns
        self.begin, self.end = file.begin, file.end
        self._add = file.add

    def add(self, events: Any) -> bytes:
        self.rows += events.num_rows
        return self._add(events)
