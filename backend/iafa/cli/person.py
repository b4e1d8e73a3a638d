"""`iafa person`: export or erase a person, and follow that. Works beside a server."""

import sys
import time
from itertools import chain
from pathlib import Path

import click

from iafa.api.erasures import shown
from iafa.api.person import end_of, event_lines, head_of, refusal_lines
from iafa.cli.lookup import project_called
from iafa.cli.options import actor, data_dir_option, house_at, json_option, print_json, run
from iafa.errors import NotFound
from iafa.jobs.erase import Erased
from iafa.lake.erasure import Erasure
from iafa.query.cancellation import Cancellation
from iafa.query.person import PersonQuestion, all_events
from iafa.query.person_rows import find_person
from iafa.wiring import House

LOOK_EVERY_S = 1.0


@click.group("person")
def person_command() -> None:
    """Export or erase a person, and see what became of erasures."""


@person_command.command("export")
@click.argument("project")
@click.argument("user")
@data_dir_option
def export_command(project: str, user: str, data_dir: Path | None) -> None:
    """Write all that PROJECT knows of USER to standard output, as NDJSON."""
    house = house_at(data_dir)
    found = run(lambda: project_called(house, project))
    snapshot = house.snapshots.take(found.id)
    asked = PersonQuestion(snapshot, find_person(house.engine, snapshot, user), found.session_gap_seconds)
    out, events, refused, desk = sys.stdout.buffer, 0, 0, house.erasure_desk()
    batches = all_events(house.engine, asked, Cancellation())
    first = next(batches, None)
    if first is None and not desk.is_named(snapshot, asked.person):
        raise NotFound(f"nothing is known of {user}")
    out.write(head_of(asked, house.clock.now_us()))
    for rows in chain([first or []], batches):
        events += len(rows)
        out.write(event_lines(rows))
    for refusals in desk.refusals(found.id, asked.person):
        refused += len(refusals)
        out.write(refusal_lines(refusals))
    out.write(end_of(events, refused))
    out.flush()
    house.engine.close()


@person_command.command("erase")
@click.argument("project")
@click.argument("user")
@click.option("--wait", is_flag=True, help="Until no file holds anything of them any more.")
@data_dir_option
@json_option
def erase_command(project: str, user: str, wait: bool, data_dir: Path | None, as_json: bool) -> None:
    """Erase USER, a user id or the anonymous id of one person, from PROJECT."""
    house = house_at(data_dir)
    project_id = run(lambda: project_called(house, project)).id
    desk = house.erasure_desk()
    erasure = desk.erase(actor(), project_id, user)
    waits_for = _work(house, project_id)
    while wait and (erasure := desk.erasures.get(project_id, erasure.id) or erasure).state != "done":
        time.sleep(LOOK_EVERY_S)
        waits_for = _work(house, project_id)
    erasure = desk.erasures.get(project_id, erasure.id) or erasure
    if as_json:
        print_json(shown(erasure))
        return
    click.echo(_line(erasure))
    if erasure.state != "done" and waits_for:
        click.echo(f"not done yet: {waits_for}; a server goes on with it, or this command with --wait")


@person_command.command("erasures")
@click.argument("project")
@click.argument("user", required=False)
@data_dir_option
@json_option
def erasures_command(project: str, user: str | None, data_dir: Path | None, as_json: bool) -> None:
    """The erasures of PROJECT; with USER those of whom this id meant then."""
    house = house_at(data_dir)
    project_id = run(lambda: project_called(house, project)).id
    desk = house.erasure_desk()
    found = desk.erasures.all(project_id) if user is None else desk.of_person(project_id, user)
    if as_json:
        print_json({"erasures": [shown(one) for one in found]})
        return
    for one in found:
        click.echo(_line(one))


def _work(house: House, project_id: str) -> str | None:
    """As the background process of a server does it; why it is not done yet."""
    house.flusher().run()
    done: Erased = house.eraser().run()
    return done.waiting.get(project_id)


def _line(erasure: Erasure) -> str:
    told = shown(erasure)
    removed = ", ".join(f"{count:,} {name}" for name, count in sorted(erasure.removed.items())) or "nothing yet"
    return (
        f"{erasure.id}  {erasure.state}  asked {told['requested_at']}  {erasure.rows_hidden:,} events hidden; "
        f"removed from files: {removed}"
    )
