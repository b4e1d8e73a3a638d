"""`iafa retention`: remove what is older than the projects' settings say. For cron; works beside a server."""

import sys
from pathlib import Path

import click
import msgspec

from iafa.cli.exit_codes import FAILED
from iafa.cli.options import actor, data_dir_option, house_at, json_option, print_json
from iafa.jobs.retention_plan import Removed, Report


@click.command("retention")
@click.option("--dry-run", is_flag=True, help="Only show what would go.")
@click.option("--force", is_flag=True, help="The clock is right and the amount is wanted: remove it.")
@click.option(
    "--archive",
    type=click.Path(path_type=Path),
    default=None,
    help="Copy files to this folder before they go (IAFA_ARCHIVE_DIR).",
)
@data_dir_option
@json_option
def retention_command(dry_run: bool, force: bool, archive: Path | None, data_dir: Path | None, as_json: bool) -> None:
    """Remove events older than each project's retention. Daily counts stay for trends."""
    house = house_at(data_dir)
    report = house.retention(archive).run(actor=actor(), dry_run=dry_run, force=force)
    if as_json:
        print_json(msgspec.to_builtins(report))
    else:
        _show(report)
    sys.exit(0 if report.is_whole else FAILED)


def _show(report: Report) -> None:
    if report.is_busy:
        click.echo("another run is at work, or the lake is busy; what is left goes with the next run")
    if report.refused:
        click.echo(f"iafa: refused: {report.refused}; if the clock is right, run it with --force", err=True)
    for project in report.projects:
        if project.held_back:
            click.echo(f"iafa: project {project.project_id}: {project.held_back}", err=True)
        click.echo(_line(project, is_plan=report.is_dry_run or project.held_back is not None))
    if not report.projects and not report.is_busy and not report.refused:
        click.echo("nothing is older than the projects' settings say")
    for failure in report.failed:
        click.echo(f"iafa: {failure}", err=True)


def _line(project: Removed, *, is_plan: bool) -> str:
    span = f" ({project.days[0]} to {project.days[-1]})" if project.days else ""
    parts = [
        f"project {project.project_id}: {'would remove' if is_plan else 'removed'} {len(project.days)} days{span},",
        f"{project.files} files, {project.rows:,} events, {project.bytes:,} bytes",
    ]
    if project.rollup_days:
        parts.append(f"and the counts of {project.rollup_days} days")
    if project.archived:
        parts.append(f"({project.archived} files archived)")
    return " ".join(parts)
