"""`iafa backup`: a checksummed copy of a data directory, also while it is being served."""

import sys
from pathlib import Path

import click

from iafa.cli.exit_codes import FAILED
from iafa.cli.options import data_dir_option, house_at, json_option, print_json


@click.command("backup")
@click.argument("target", type=click.Path(path_type=Path))
@data_dir_option
@click.option("--copy", "copies", is_flag=True, help="Copy event files instead of hard-linking them.")
@json_option
def backup_command(target: Path, data_dir: Path | None, copies: bool, as_json: bool) -> None:
    """Back up the data directory into TARGET, a new or empty folder. Holds every event acknowledged before."""
    made = house_at(data_dir).backup(target, may_link=not copies).run()
    if as_json:
        print_json({"target": str(target.resolve()), **vars(made)})
    else:
        click.echo(
            f"backed up {made.rows:,} stored events, the journals and the metadata: {made.files} files,"
            f" {made.bytes:,} bytes ({made.linked} hard links) in {target}"
        )
    for path in made.left_out:
        click.echo(f"iafa: {path} is damaged or missing and is not in the backup; run `iafa verify`", err=True)
    sys.exit(FAILED if made.left_out else 0)
