"""`iafa identity`: which events joined which ids, and taking that back. Works beside a server; no event is touched."""

from pathlib import Path

import click

from iafa.audit import AuditLog
from iafa.cli.lookup import project_called
from iafa.cli.options import actor, data_dir_option, house_at, json_option, print_json, run
from iafa.clock import to_iso
from iafa.errors import IafaError, WrongUsage
from iafa.lake.identity import Edge, IdentityEdges
from iafa.locks import held
from iafa.wiring import House

LOCK_WAIT_S = 60.0
events_argument = click.argument("events", nargs=-1, required=True)


@click.group("identity")
def identity_command() -> None:
    """See which ids were joined, and take it back."""


@identity_command.command("list")
@click.argument("project")
@click.argument("person", required=False)
@data_dir_option
@json_option
def list_command(project: str, person: str | None, data_dir: Path | None, as_json: bool) -> None:
    """The edges of PROJECT; with PERSON those of this user id or anonymous id."""
    house = house_at(data_dir)
    project_id = run(lambda: project_called(house, project)).id
    house.flusher().run()
    known = IdentityEdges(house.layout, house.manifests)
    edges = known.edges(project_id, house.manifests.latest(project_id))
    shown = sorted(
        (edge for edge in edges if person is None or person in (edge.user_id, edge.other)),
        key=lambda edge: (edge.at_us, edge.id),
    )
    if as_json:
        print_json({"edges": [_plain(edge) for edge in shown]})
        return
    for edge in shown:
        click.echo(_line(edge))


@identity_command.command("revoke")
@click.argument("project")
@events_argument
@data_dir_option
def revoke_command(project: str, events: tuple[str, ...], data_dir: Path | None) -> None:
    """Take back what EVENTS, by their ids, have joined in PROJECT."""
    _change(project, events, data_dir, is_revoked=True)


@identity_command.command("restore")
@click.argument("project")
@events_argument
@data_dir_option
def restore_command(project: str, events: tuple[str, ...], data_dir: Path | None) -> None:
    """Let what EVENTS have joined in PROJECT count again."""
    _change(project, events, data_dir, is_revoked=False)


def _change(project: str, events: tuple[str, ...], data_dir: Path | None, *, is_revoked: bool) -> None:
    house = house_at(data_dir)
    project_id = run(lambda: project_called(house, project)).id
    # What still waits would come as new edges, after the change.
    house.flusher().run()
    with held(house.layout.writer_lock, wait_s=LOCK_WAIT_S) as is_ours:
        if not is_ours:
            raise IafaError("another process has been writing for a minute; try again", code="conflict")
        changed = _changed(house, project_id, events, is_revoked=is_revoked)
        for edge in changed:
            details = {"edge": edge.id, "user_id": edge.user_id, "other": edge.other}
            action = "identity.revoke" if is_revoked else "identity.restore"
            AuditLog(house.layout.audit, house.clock, house.hit).add(actor(), action, f"project:{project_id}", details)
    for edge in changed:
        click.echo(_line(edge))


def _changed(house: House, project_id: str, events: tuple[str, ...], *, is_revoked: bool) -> tuple[Edge, ...]:
    known = IdentityEdges(house.layout, house.manifests)
    brought = {edge.event_id for edge in known.edges(project_id, house.manifests.latest(project_id))}
    missing = [event for event in events if event not in brought]
    if missing:
        raise WrongUsage(f"no edge comes from the event {missing[0]!r}; `iafa identity list` shows them")
    return known.revoke(project_id, events, is_revoked=is_revoked)


def _plain(edge: Edge) -> dict[str, object]:
    return {
        "event": edge.event_id,
        "kind": edge.kind,
        "user_id": edge.user_id,
        "other": edge.other,
        "at": to_iso(edge.at_us),
        "is_revoked": edge.is_revoked,
    }


def _line(edge: Edge) -> str:
    revoked = "  revoked" if edge.is_revoked else ""
    return f"{to_iso(edge.at_us)}  {edge.kind:8}  {edge.other} = {edge.user_id}  event {edge.event_id}{revoked}"
