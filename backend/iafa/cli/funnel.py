"""`iafa funnel`: compute a funnel over the data directory and draw it. Works beside a server, and sees what it saw."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from iafa.cli.bars import funnel_lines, receipt_lines
from iafa.cli.lookup import project_called
from iafa.cli.options import data_dir_option, house_at, json_option, print_json, run
from iafa.errors import WrongUsage
from iafa.meta.funnels import StoredFunnel
from iafa.meta.projects import Project
from iafa.query.definition_reading import parse_definition
from iafa.query.question import Extras
from iafa.query.time_range import resolve_time_range
from iafa.wiring import House

_WINDOW = re.compile(r"(\d+)\s*(s|m|h|d|w)?")
_UNIT_S = {None: 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}
NO_LIMIT = "none"


class Window(click.ParamType[int | None]):
    """`30m`, `7d`, seconds, or `none` for no limit."""

    name = "window"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        text = str(value).strip().lower()
        if text == NO_LIMIT:
            return None
        found = _WINDOW.fullmatch(text)
        if found is None:
            self.fail("write a number and s, m, h, d or w, such as 7d, or none", param, ctx)
        return int(found[1]) * _UNIT_S[found[2]]


@click.command("funnel")
@click.option("--project", required=True, help="The project's id or name.")
@click.option("--funnel", "saved", help="A saved funnel's id or name.")
@click.option("--stage", "events", multiple=True, metavar="EVENT", help="One stage; repeat it in order.")
@click.option("--file", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A JSON definition.")
@click.option("--window", type=Window(), help="From the first stage on: 30m, 7d (the default), none.")
@click.option("--from", "start", metavar="DAY", help="First day, of the project's time zone.")
@click.option("--to", "end", metavar="DAY", help="Last day, included.")
@click.option("--receipt", is_flag=True, help="Also print the SQL that counted, and what it read.")
@data_dir_option
@json_option
@click.pass_context
def funnel_command(
    ctx: click.Context, /, project: str, saved: str | None, events: tuple[str, ...], path: Path | None, **options: Any
) -> None:
    """Compute a funnel and draw it in the terminal."""
    if sum((saved is not None, bool(events), path is not None)) != 1:
        raise click.UsageError("give one of --funnel, --stage and --file")
    house = house_at(options["data_dir"])
    window: dict[str, Any] = {}
    if ctx.get_parameter_source("window") is not click.core.ParameterSource.DEFAULT:
        window["window_seconds"] = options["window"]

    async def ask() -> dict[str, Any]:
        owner = await project_called(house, project)
        funnel = None if saved is None else await _saved(house, owner, saved)
        if funnel is not None:
            raw: Mapping[str, Any] = funnel.definition
        else:
            raw = _of_events(events) if path is None else _read(path)
        definition = parse_definition({**raw, **window})
        time_range = resolve_time_range(options["start"], options["end"], timezone=owner.timezone)
        snapshot = await house.snapshot(owner.id)
        include = frozenset({"receipt"} if options["receipt"] else ())
        extras = Extras(include, None, owner.session_gap_seconds, owner.may_miss_single_events_until_us)
        return await house.run_funnel(snapshot, definition, time_range, None if funnel is None else funnel.id, extras)

    try:
        answer = run(ask)
    finally:
        house.engine.close()
    if options["as_json"]:
        print_json(answer)
    else:
        click.echo("\n".join(funnel_lines(answer)))
        if options["receipt"]:
            click.echo("\n" + "\n".join(receipt_lines(answer["receipt"])))


async def _saved(house: House, project: Project, text: str) -> StoredFunnel:
    funnels = await house.funnels.of_project(project.id)
    for funnel in funnels:
        if text == funnel.id or text.casefold() == funnel.name.casefold():
            return funnel
    names = ", ".join(funnel.name for funnel in funnels) or "none yet"
    raise WrongUsage(f"the project has no funnel {text!r}; saved are: {names}")


def _of_events(events: tuple[str, ...]) -> Mapping[str, Any]:
    return {"name": " > ".join(events)[:200], "stages": [{"name": event, "event": event} for event in events]}


def _read(path: Path) -> Mapping[str, Any]:
    try:
        raw = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise WrongUsage(f"{path} is not a definition in JSON: {error}") from None
    return {"name": path.stem, **{key: value for key, value in raw.items() if key != "project_id"}}
