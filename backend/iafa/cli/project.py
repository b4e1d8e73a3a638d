"""`iafa project`: make, list and change projects without a browser. Works beside a server."""

from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel, ValidationError

from iafa.api.project_models import ProjectChange, ProjectCreation
from iafa.cli.lookup import only_organization, organization_called, project_called
from iafa.cli.options import actor, data_dir_option, house_at, json_option, print_json, run
from iafa.errors import WrongUsage
from iafa.meta.projects import Project
from iafa.meta.recorded import changed_settings, of_project

FOREVER = "forever"
_SETTINGS = frozenset(field for field in ProjectCreation.model_fields if field != "name")


class Days(click.ParamType[int | None]):
    """A number of days, or `forever`."""

    name = "days"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        if str(value).strip().lower() == FOREVER:
            return None
        try:
            return int(value)
        except ValueError:
            self.fail(f"write a number of days or {FOREVER}", param, ctx)


timezone_option = click.option("--timezone", help="IANA name, such as Europe/Vienna; days are counted in it.")
domain_option = click.option("--domain", help="The site's host name.")
retention_option = click.option("--retention-days", type=Days(), help="Days to keep events (90), or forever.")

aggregate_option = click.option(
    "--aggregate-retention-days", type=Days(), help="Days to keep daily counts of removed events, or forever (default)."
)


@click.group("project")
def project_command() -> None:
    """Manage projects."""


@project_command.command("add")
@click.argument("name")
@click.option("--organization", help="Id or name; by default the only one there is.")
@timezone_option
@domain_option
@retention_option
@aggregate_option
@data_dir_option
@json_option
@click.pass_context
def add_command(
    ctx: click.Context, /, name: str, organization: str | None, data_dir: Path | None, as_json: bool, **settings: Any
) -> None:
    """Make a project and print its keys, this once."""
    given = _checked(ProjectCreation, {"name": name, **_given(ctx, settings)})
    house = house_at(data_dir)

    async def add() -> tuple[Project, dict[str, str], bool]:
        is_new = False
        if organization is None:
            owner, is_new = await only_organization(house)
        else:
            owner = await organization_called(house, organization)
        project, api_key, secret_key = await house.projects.add(owner.id, name=given.pop("name"), settings=given)
        house.audit.add(actor(), "project.make", of_project(project.id), {"name": project.name})
        return project, {"organization": owner.name, "api_key": api_key, "secret_key": secret_key}, is_new

    project, shown, is_new = run(add)
    if as_json:
        print_json({**_plain(project), **shown})
        return
    if is_new:
        click.echo(f"made the organization {shown['organization']!r}: there was none")
    click.echo(f"made the project {project.name!r} of {shown['organization']!r}")
    click.echo(f"  id          {project.id}")
    click.echo(f"  api key     {shown['api_key']}  (public, for pages)")
    click.echo(f"  secret key  {shown['secret_key']}  (for servers; shown this once)")


@project_command.command("list")
@data_dir_option
@json_option
def list_command(data_dir: Path | None, as_json: bool) -> None:
    """List all projects."""
    house = house_at(data_dir)

    async def collect() -> tuple[list[Project], dict[str, str]]:
        owners = {organization.id: organization.name for organization in await house.accounts.organizations.all()}
        return await house.projects.all(), owners

    projects, owners = run(collect)
    if as_json:
        rows = [{**_plain(project), "organization": owners.get(project.organization_id)} for project in projects]
        print_json({"projects": rows})
        return
    if not projects:
        click.echo("there are no projects yet; make one with `iafa project add NAME`")
    for project in projects:
        kept = FOREVER if project.retention_days is None else f"{project.retention_days} days"
        owner = owners.get(project.organization_id, "")
        click.echo(f"{project.id}  {project.name}  ({owner}, {project.timezone}, keeps events {kept})")


@project_command.command("set")
@click.argument("project")
@timezone_option
@domain_option
@retention_option
@aggregate_option
@data_dir_option
@json_option
@click.pass_context
def set_command(ctx: click.Context, /, project: str, data_dir: Path | None, as_json: bool, **settings: Any) -> None:
    """Change settings of a project."""
    changes = _checked(ProjectChange, _given(ctx, settings))
    if not changes:
        raise click.UsageError("name at least one setting")
    house = house_at(data_dir)

    async def change() -> Project:
        found = await project_called(house, project)
        changed = await house.projects.update(found.id, changes=changes)
        if details := changed_settings(found, changed):
            house.audit.add(actor(), "project.change", of_project(found.id), details)
        return changed

    changed = run(change)
    if as_json:
        print_json(_plain(changed))
    else:
        click.echo(f"changed {changed.name!r}: {', '.join(sorted(changes))}")


def _given(ctx: click.Context, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings that stand on the command line; null is a value of some."""
    default = click.core.ParameterSource.DEFAULT
    return {
        name: value
        for name, value in settings.items()
        if name in _SETTINGS and ctx.get_parameter_source(name) is not default
    }


def _checked(model: type[BaseModel], given: dict[str, Any]) -> dict[str, Any]:
    """The rules of the HTTP route hold here too."""
    try:
        return model.model_validate(given).model_dump(exclude_unset=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise WrongUsage(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from None


def _plain(project: Project) -> dict[str, Any]:
    return {
        "id": project.id,
        "name": project.name,
        "organization_id": project.organization_id,
        "domain": project.domain,
        "timezone": project.timezone,
        "retention_days": project.retention_days,
        "aggregate_retention_days": project.aggregate_retention_days,
    }
