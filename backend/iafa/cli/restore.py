"""`iafa restore`: a data directory out of a backup."""

from pathlib import Path

import click

from iafa.cli.options import actor, data_dir_option, json_option, print_json, read_settings
from iafa.clock import SystemClock, to_iso
from iafa.jobs.restore import Restore
from iafa.wiring import failpoints


@click.command("restore")
@click.argument("backup", type=click.Path(path_type=Path, exists=True, file_okay=False))
@data_dir_option
@click.option("--force", is_flag=True, help="Move a directory that is not empty aside; it is never deleted.")
@json_option
def restore_command(backup: Path, data_dir: Path | None, force: bool, as_json: bool) -> None:
    """Make the data directory from BACKUP, after comparing every file with its checksum."""
    settings = read_settings(data_dir=data_dir)
    place = settings.data_dir.absolute()
    restored = Restore(backup.absolute(), place, SystemClock(), failpoints(settings), actor()).run(force=force)
    contents, moved_to = restored.contents, restored.moved_to
    rows = sum(project.rows for project in contents.projects)
    if as_json:
        print_json(
            {
                "data_dir": str(place),
                "made_at": to_iso(contents.made_at_us),
                "files": len(contents.files),
                "rows": rows,
                "left_out": list(contents.left_out),
                "moved_to": None if moved_to is None else str(moved_to),
            }
        )
        return
    click.echo(
        f"restored the backup of {to_iso(contents.made_at_us)}: {len(contents.files)} files, {rows:,} stored events;"
        f" `iafa serve --data-dir {place}` takes in what its journals hold"
    )
    if moved_to is not None:
        click.echo(f"what was there before is in {moved_to}")
    for path in contents.left_out:
        click.echo(f"iafa: {path} was damaged when the backup was made and is not in it; run `iafa verify`", err=True)
