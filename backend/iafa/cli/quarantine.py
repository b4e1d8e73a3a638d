"""`iafa quarantine`: see, download and replay refused events. Works beside a server."""

import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from iafa.api.csv_text import csv_lines
from iafa.api.quarantine import COLUMNS, shown
from iafa.cli.exit_codes import FAILED
from iafa.cli.lookup import project_called
from iafa.cli.options import actor, data_dir_option, house_at, json_option, print_json, run
from iafa.errors import WrongUsage
from iafa.event import DEPTH_MAX
from iafa.ingest.judging_again import Changes, is_deeper
from iafa.ingest.pipeline import parse_time
from iafa.jobs.replay import Owner, Replayed, Selection
from iafa.lake.quarantine_rows import Wanted

SHOWN = 50
_TOO_DEEP = f"--merge is nested deeper than {DEPTH_MAX} levels"
reason_option = click.option("--reason", help="Only rows of this code.")
type_option = click.option("--event-type", help="Only events of this name.")
since_option = click.option("--since", help="Received at this time (ISO 8601) or later.")


@click.group("quarantine")
def quarantine_command() -> None:
    """See, download and replay refused events."""


@quarantine_command.command("list")
@click.argument("project")
@reason_option
@type_option
@since_option
@click.option("--limit", type=click.IntRange(1, 1000), default=SHOWN, show_default=True, help="At most so many rows.")
@data_dir_option
@json_option
def list_command(
    project: str,
    reason: str | None,
    event_type: str | None,
    since: str | None,
    limit: int,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """The newest refused events of PROJECT, and how many events were not stored in all."""
    house = house_at(data_dir)
    project_id = run(lambda: project_called(house, project)).id
    desk = house.quarantine_desk()
    rows = [shown(row) for row in desk.rows.page(project_id, _wanted(reason, event_type, since), None, limit)]
    counts, repeats = desk.counts(project_id)
    if as_json:
        days = [one._asdict() | {"day": one.day.isoformat(), "is_complete": one.is_complete} for one in counts]
        print_json({"rows": rows, "counts": days, "repeats": repeats})
        return
    for one in counts:
        click.echo(f"{one.day}  {one.dropped:>8}  {one.reason}  (kept {one.kept}, replayed {one.replayed})")
    for row in rows:
        mark = "  replayed" if row["replayed_at"] else "" if row["is_replayable"] else "  cannot be replayed"
        click.echo(f"{row['id']}  {row['received_at']}  {row['reason']}  {row['pointer']}  {row['message']}{mark}")


@quarantine_command.command("export")
@click.argument("project")
@click.option("--format", "file_format", type=click.Choice(["ndjson", "csv"]), default="ndjson", show_default=True)
@reason_option
@type_option
@since_option
@data_dir_option
def export_command(
    project: str,
    file_format: str,
    reason: str | None,
    event_type: str | None,
    since: str | None,
    data_dir: Path | None,
) -> None:
    """Write the refused events of PROJECT to standard output, oldest day first."""
    house = house_at(data_dir)
    project_id = run(lambda: project_called(house, project)).id
    out = sys.stdout.buffer
    if file_format == "csv":
        out.write(csv_lines([list(COLUMNS)]))
    for rows in house.quarantine_desk().rows.batches(project_id, _wanted(reason, event_type, since)):
        answers = [shown(row) for row in rows]
        if file_format == "csv":
            out.write(csv_lines([one[name] for name in COLUMNS] for one in answers))
        else:
            out.writelines(msgspec.json.encode(one) + b"\n" for one in answers)
    out.flush()


@quarantine_command.command("replay")
@click.argument("project")
@click.argument("rows", nargs=-1)
@reason_option
@type_option
@since_option
@click.option("--rename", multiple=True, metavar="OLD=NEW", help="Move a member, by JSON pointers: /usr=/user_id.")
@click.option("--merge", metavar="JSON", help="A JSON merge patch for every text.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@data_dir_option
@json_option
def replay_command(project: str, rows: tuple[str, ...], data_dir: Path | None, **given: Any) -> None:
    """Store refused events of PROJECT after all: ROWS by their ids, or those that the filters choose."""
    wanted = _wanted(given["reason"], given["event_type"], given["since"])
    if rows and wanted != Wanted():
        raise WrongUsage("give either rows or filters")
    if not rows and wanted == Wanted():
        raise WrongUsage("give the ids of rows, --reason, --event-type or --since")
    changes = _changes(given["rename"], given["merge"])
    house = house_at(data_dir)
    found = run(lambda: project_called(house, project))
    owner = Owner.of(found)
    desk, replays = house.quarantine_desk(), []
    selection = Selection(frozenset(rows) if rows else None, wanted._replace(state="waiting"))
    while True:
        replays.append(desk.replay(actor(), owner, selection, changes, is_trial=given["dry_run"]))
        if replays[-1].last is None:
            break
        selection = selection._replace(after=replays[-1].last)
    click.get_current_context().exit(_tell(replays, as_json=given["as_json"]))


def _tell(replays: list[Replayed], *, as_json: bool) -> int:
    outcomes = [one for replayed in replays for one in replayed.outcomes]
    counts = {
        verdict: sum(one.result == verdict for one in outcomes) for verdict in ("accepted", "duplicate", "rejected")
    }
    missing = [row_id for replayed in replays for row_id in replayed.not_found]
    if as_json:
        print_json(counts | {"results": msgspec.to_builtins(outcomes), "not_found": missing})
    else:
        for row_id in missing:
            click.echo(f"{row_id}  is not there")
        for one in outcomes:
            if one.result == "rejected":
                click.echo(f"{one.id}  {one.code}  {one.pointer}  {one.message}")
        click.echo(", ".join(f"{count} {name}" for name, count in counts.items()))
    return FAILED if counts["rejected"] or missing else 0


def _changes(rename: tuple[str, ...], merge: str | None) -> Changes:
    pairs = [one.partition("=") for one in rename]
    if not all(old.startswith("/") and new.startswith("/") for old, _, new in pairs):
        raise WrongUsage("--rename needs two JSON pointers: /old=/new")
    try:
        patch = {} if merge is None else msgspec.json.decode(merge, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise WrongUsage(f"--merge is no JSON object: {error}") from None
    except RecursionError:
        raise WrongUsage(_TOO_DEEP) from None
    if is_deeper(patch, DEPTH_MAX):
        raise WrongUsage(_TOO_DEEP)
    return Changes({old: new for old, _, new in pairs}, patch)


def _wanted(reason: str | None, event_type: str | None, since: str | None) -> Wanted:
    from_us = 0 if since is None else parse_time(since)
    if from_us is None:
        raise WrongUsage("--since must be an ISO 8601 time")
    return Wanted(reason, event_type, from_us)
