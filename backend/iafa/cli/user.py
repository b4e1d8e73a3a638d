"""`iafa user`: make users without a browser. Works beside a server."""

import sys
from pathlib import Path

import click

from iafa.api.text import email_address, plain_text
from iafa.cli.options import actor, data_dir_option, house_at, json_option, print_json, run
from iafa.errors import Conflict, WrongUsage
from iafa.meta.organizations import Organization
from iafa.meta.passwords import check_password
from iafa.meta.recorded import about_member
from iafa.meta.roles import ROLES, Role
from iafa.meta.users import User
from iafa.wiring import House


@click.group("user")
def user_command() -> None:
    """Manage users."""


@user_command.command("add")
@click.option("--email", required=True)
@click.option("--name", required=True, help="The full name.")
@click.option("--organization", help="Id or name of one to join, or the name of a new one.")
@click.option("--role", type=click.Choice(ROLES), default="owner", show_default=True, help="In the organization.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@data_dir_option
@json_option
def add_command(
    email: str,
    name: str,
    organization: str | None,
    role: Role,
    password_stdin: bool,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Make a user."""
    try:
        email, name = email_address(email), plain_text(name)
    except ValueError as error:
        raise WrongUsage(f"the e-mail address or the name {error}") from None
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else _ask()
    house = house_at(data_dir)

    async def add() -> tuple[User, Organization]:
        user = await _add(house, email=email, name=name, password=password, organization=organization, role=role)
        house.audit.add(actor(), "member.add", f"organization:{user.organization_id}", about_member(user))
        return user, await house.accounts.organization_of(user)

    user, owner = run(add)
    if as_json:
        shown = {"id": user.id, "email": user.email, "full_name": user.full_name}
        print_json(shown | {"organization": owner.name, "role": user.role})
    else:
        click.echo(f"made the user {user.email} ({user.id}), {user.role} of {owner.name!r} ({owner.id})")


async def _add(house: House, *, email: str, name: str, password: str, organization: str | None, role: Role) -> User:
    text = (organization or "").strip()
    known = [one for one in await house.accounts.organizations.all() if text in (one.id, one.name)]
    if len(known) > 1:
        raise WrongUsage(f"several organizations are called {text!r}; use the id")
    if not known and role != "owner":
        raise WrongUsage("the first user of an organization is its owner")
    if not known:
        return await house.accounts.register(
            email=email, password=password, full_name=name, organization_name=text or None
        )
    check_password(password, context=[email, name, known[0].name], pointer="/password")
    if await house.accounts.users.by_email(email) is not None:
        raise Conflict("there is an account with this e-mail address already")
    password_hash = await house.accounts.passwords.hash(password)
    return await house.accounts.users.add(
        email=email, full_name=name, organization_id=known[0].id, password_hash=password_hash, role=role
    )


def _ask() -> str:
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password
