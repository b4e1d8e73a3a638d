"""The files behind accounts: who may sign in, to which organization they belong, and who is invited."""

from pathlib import Path

from iafa.clock import Clock
from iafa.failpoints import Hit, no_failpoints
from iafa.meta.accounts import Accounts
from iafa.meta.invitations import Invitation, Invitations
from iafa.meta.json_file import JsonFile
from iafa.meta.login_throttle import LoginThrottle
from iafa.meta.membership import Membership
from iafa.meta.organizations import Organization, Organizations
from iafa.meta.passwords import Passwords
from iafa.meta.sessions import Session, Sessions
from iafa.meta.users import User, Users
from iafa.slots import Slots


def open_membership(
    data_dir: Path, clock: Clock, *, idle_s: int, logins: Slots | None = None, hit: Hit = no_failpoints
) -> Membership:
    """`logins` counts failed sign-ins of all workers; None: of this process alone."""
    accounts = Accounts(
        Users(JsonFile(data_dir, "users", User, clock=clock, hit=hit), clock),
        Organizations(JsonFile(data_dir, "organizations", Organization, clock=clock, hit=hit), clock),
        Sessions(JsonFile(data_dir, "sessions", Session, clock=clock, hit=hit), clock, idle_s=idle_s),
        Passwords(),
        LoginThrottle(clock, logins),
    )
    invitations = Invitations(JsonFile(data_dir, "invitations", Invitation, clock=clock, hit=hit), clock)
    return Membership(accounts, invitations)
