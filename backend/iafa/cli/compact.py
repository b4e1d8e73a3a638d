"""`iafa compact`: flush what is sealed, merge the parts of every day, empty the trash. Works beside a server."""

import sys
from pathlib import Path

import click

from iafa.cli.exit_codes import FAILED
from iafa.cli.options import data_dir_option, house_at, json_option, print_json


@click.command("compact")
@data_dir_option
@json_option
def compact_command(data_dir: Path | None, as_json: bool) -> None:
    """Merge the parts of every day into one sorted file and remove what no query needs any more."""
    house = house_at(data_dir)
    flushed = house.flusher().run()
    done = house.compactor().run(everything=True)
    if as_json:
        print_json(
            {
                "flushed_events": flushed.events,
                "days": done.days,
                "files_in": done.files_in,
                "rows": done.rows,
                "repeats": done.repeats,
                "unlinked": done.unlinked,
                "is_other_running": done.is_other_running,
                "failed": done.failed,
            }
        )
        sys.exit(FAILED if done.failed else 0)
    events, segments = _several(flushed.events, "event"), _several(flushed.segments, "journal segment")
    click.echo(f"flushed {events} from {segments}")
    if done.is_other_running:
        click.echo("another compaction is running; nothing was merged")
        return
    repeats = f", left out {_several(done.repeats, 'repeat')}" if done.repeats else ""
    click.echo(
        f"merged {_several(done.files_in, 'file')} of {_several(done.days, 'day')} "
        f"({_several(done.rows, 'row')}){repeats}, "
        f"removed {_several(done.unlinked, 'old file')}"
    )
    for failure in done.failed:
        click.echo(f"iafa: {failure}", err=True)
    sys.exit(FAILED if done.failed else 0)


def _several(amount: int, thing: str) -> str:
    return f"{amount:,} {thing}{'' if amount == 1 else 's'}"
