"""`iafa verify`: read everything, say what is damaged, missing or unlisted, and mend it if asked to."""

import sys
from pathlib import Path

import click

from iafa.cli.exit_codes import FAILED
from iafa.cli.options import actor, data_dir_option, house_at, json_option, print_json
from iafa.errors import StorageUnavailable, WrongUsage
from iafa.jobs.findings import Report
from iafa.jobs.repair import Step
from iafa.locks import held
from iafa.wiring import House

LOCK_WAIT_S = 60.0


@click.command("verify")
@data_dir_option
@json_option
@click.option("--project", "project_id", default=None, help="Only the project of this id.")
@click.option("--repair", is_flag=True, help="Mend what can be mended; nothing is deleted.")
@click.option(
    "--from",
    "backup",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=None,
    help="A backup to take lost and damaged files from (with --repair).",
)
def verify_command(
    data_dir: Path | None, as_json: bool, project_id: str | None, repair: bool, backup: Path | None
) -> None:
    """Read every file of the data directory and compare it with what was written. Works beside a server."""
    if backup is not None and not repair:
        raise WrongUsage("--from goes with --repair")
    house = house_at(data_dir)
    if project_id is not None and project_id not in house.layout.project_ids():
        raise WrongUsage(f"there are no events of a project {project_id!r} in {house.layout.root}")
    before = house.verifier().run(project_id)
    steps = _repaired(house, before, backup) if repair else []
    report = house.verifier().run(project_id) if steps else before
    if as_json:
        print_json(_document(before, steps, report))
    else:
        _show(before, steps, report)
    sys.exit(FAILED if report.problems else 0)


def _repaired(house: House, report: Report, backup: Path | None) -> list[Step]:
    if not report.problems:
        return []
    with held(house.layout.writer_lock, wait_s=LOCK_WAIT_S) as is_ours:
        if not is_ours:
            raise StorageUnavailable("another process writes the event files; try again, or stop the server first")
        return house.repairer(backup, actor=actor()).run(report)


def _document(before: Report, steps: list[Step], report: Report) -> dict[str, object]:
    return {
        "sound": not report.problems,
        "data_dir": str(report.root),
        "looked_at": report.looked_at,
        "findings": [
            {
                "kind": finding.kind.value,
                "problem": finding.is_problem,
                "path": finding.path,
                "what": finding.what,
                "advice": finding.advice,
                "project_id": finding.project_id,
                "rows": finding.file.rows if finding.file else None,
                "date": finding.file.date if finding.file else None,
            }
            for finding in before.findings
        ],
        "repairs": [vars(step) for step in steps],
        "problems_left": len(report.problems),
    }


def _show(before: Report, steps: list[Step], report: Report) -> None:
    looked_at = ", ".join(f"{count:,} {what.replace('_', ' ')}" for what, count in before.looked_at.items())
    click.echo(f"read {before.root}: {looked_at or 'nothing is there'}")
    for finding in sorted(before.findings, key=lambda finding: not finding.is_problem):
        click.echo(f"{'PROBLEM' if finding.is_problem else 'note   '}  {finding.path}: {finding.what}")
        click.echo(f"         {finding.advice}")
    for step in steps:
        click.echo(f"REPAIR   {step.path}: {step.action.replace('_', ' ')}: {step.what}")
    if steps:
        lost = -sum(step.rows for step in steps if step.rows < 0)
        found = sum(step.rows for step in steps if step.rows > 0)
        click.echo(f"repaired: {lost:,} events taken out of use, {found:,} taken in")
    problems = len(report.problems)
    click.echo("all is sound" if not problems else f"{problems} problem{'s' if problems > 1 else ''}")
