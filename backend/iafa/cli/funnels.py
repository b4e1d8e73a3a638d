"""`iafa funnels`: saved funnels as YAML files, templates, and funnels that a project's own events suggest."""

from pathlib import Path
from typing import Any

import click

from iafa.checks.export import definition_text, file_names, funnel_text, funnels_text
from iafa.checks.templates import template_matches, templates
from iafa.cli.lookup import project_called
from iafa.cli.options import data_dir_option, house_at, json_option, print_json, run
from iafa.errors import WrongUsage
from iafa.meta.funnels import StoredFunnel
from iafa.query.event_names import LIMIT_MAX
from iafa.query.time_range import resolve_time_range


@click.group("funnels")
def funnels_command() -> None:
    """Saved funnels as YAML, templates, suggestions."""


@funnels_command.command("export")
@click.option("--project", required=True, help="The project's id or name.")
@click.option("--funnel", "wanted", multiple=True, help="Id or name of one; may be repeated. By default all.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="One file each in this folder.")
@click.option("--force", is_flag=True, help="With --out: write over files that are there.")
@data_dir_option
def export_command(
    project: str, wanted: tuple[str, ...], out: Path | None, *, force: bool, data_dir: Path | None
) -> None:
    """Write saved funnels as YAML for `iafa check`, to the screen or into a folder."""
    house = house_at(data_dir)

    async def saved() -> list[StoredFunnel]:
        return await house.funnels.of_project((await project_called(house, project)).id)

    funnels = run(saved)
    if wanted:
        funnels = [_one(funnels, text) for text in dict.fromkeys(wanted)]
    if out is None:
        click.echo(funnels_text(funnels), nl=False)
        return
    out.mkdir(parents=True, exist_ok=True)
    named = file_names(funnels)
    there = [name for name in named if (out / name).exists()]
    if there and not force:
        raise WrongUsage(f"{out} has {', '.join(there[:5])} already; --force writes over them")
    for name, funnel in named.items():
        (out / name).write_text(funnel_text(funnel), encoding="utf-8")
        click.echo(f"{out / name}: {funnel.name}")


@funnels_command.command("templates")
@click.option("--project", help="Say which of them fit the events of this project.")
@click.option("--show", metavar="ID", help="Print one as YAML, with its tests.")
@data_dir_option
@json_option
def templates_command(project: str | None, show: str | None, data_dir: Path | None, as_json: bool) -> None:
    """List funnels that many products have."""
    if show is not None:
        found = next((one for one in templates() if one.id == show), None)
        if found is None:
            raise WrongUsage(f"there is no template {show!r}; there are {', '.join(one.id for one in templates())}")
        click.echo(found.text, nl=False)
        return
    rows = [one.shown() for one in templates()] if project is None else _matched(project, data_dir)
    if as_json:
        print_json({"templates": rows})
        return
    for row in rows:
        matches = row.get("matches")
        fits = "" if matches is None else f"  {matches['found']} of {matches['needed']} stages"
        click.echo(f"{row['id']:<16} {row['category']:<13} {row['name']}{fits}")


@funnels_command.command("suggest")
@click.option("--project", required=True, help="The project's id or name.")
@data_dir_option
@json_option
def suggest_command(project: str, data_dir: Path | None, as_json: bool) -> None:
    """Write funnels that the events of a project suggest as YAML, or with --json with their numbers."""
    house = house_at(data_dir)

    async def suggested() -> list[dict[str, Any]]:
        owner = await project_called(house, project)
        time_range = resolve_time_range(timezone=owner.timezone)
        return list(await house.suggested_funnels(await house.snapshot(owner.id), time_range))

    try:
        funnels = run(suggested)
    finally:
        house.engine.close()
    if as_json:
        print_json({"funnels": funnels})
    else:
        click.echo(definition_text(one["definition"] for one in funnels), nl=False)


def _matched(project: str, data_dir: Path | None) -> list[dict[str, Any]]:
    house = house_at(data_dir)

    async def names() -> list[str]:
        snapshot = await house.snapshot((await project_called(house, project)).id)
        return [str(one["event_type"]) for one in await house.event_names(snapshot, "", LIMIT_MAX)]

    try:
        return template_matches(run(names))
    finally:
        house.engine.close()


def _one(funnels: list[StoredFunnel], text: str) -> StoredFunnel:
    for funnel in funnels:
        if text == funnel.id or text.casefold() == funnel.name.casefold():
            return funnel
    raise WrongUsage(f"the project has no funnel {text!r}; it has {', '.join(one.name for one in funnels) or 'none'}")
