"""`iafa project` and `iafa user`: a person without a browser gets a working set-up."""

import json
import stat
from pathlib import Path

import pytest

from iafa.audit import audit_files
from iafa.cli.options import house_at, run
from tests.unit.cli.conftest import Command

PASSWORD = "correct horse battery"


def test_a_first_project_makes_a_default_organization_and_says_so(iafa: Command) -> None:
    made = iafa("project", "add", "Shop")

    assert made.code == 0
    assert "made the organization 'Default': there was none" in made.out
    assert "iafa_w_" in made.out
    assert "iafa_s_" in made.out

    second = iafa("project", "add", "Blog", "--timezone", "Europe/Vienna", "--domain", "blog.example", "--json").json
    assert second["organization"] == "Default"
    assert (second["timezone"], second["domain"], second["retention_days"]) == ("Europe/Vienna", "blog.example", 90)

    listed = iafa("project", "list", "--json").json["projects"]
    assert [project["name"] for project in listed] == ["Shop", "Blog"]
    assert not any("secret" in key for project in listed for key in project)


@pytest.mark.parametrize("flags", [("--data-dir", ""), ()], ids=["option", "environment"])
def test_an_empty_name_is_no_data_directory(
    iafa: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...]
) -> None:
    """A variable that a script forgot to set must not fill the working directory."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data") if flags else "")
    refused = iafa("project", "add", "Shop", *flags)
    assert refused.code == 2
    assert "empty" in refused.err
    assert list(tmp_path.iterdir()) == []


def test_keys_from_the_command_are_valid(iafa: Command, tmp_path: Path) -> None:
    made = iafa("project", "add", "Shop", "--json").json
    ring = house_at(tmp_path / "data").projects.key_ring()

    for name, kind in (("api_key", "write"), ("secret_key", "secret")):
        grant = ring.grant(made[name], now_us=0)
        assert grant is not None
        assert (grant.kind, grant.project_id) == (kind, made["id"])


def test_metadata_files_are_private(iafa: Command, tmp_path: Path) -> None:
    iafa("project", "add", "Shop")

    for path in (tmp_path / "data" / "metadata").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_settings_change_and_only_those_that_are_named(iafa: Command) -> None:
    iafa("project", "add", "Shop", "--timezone", "Europe/Vienna")

    changed = iafa("project", "set", "shop", "--retention-days", "forever", "--json").json

    assert (changed["retention_days"], changed["timezone"]) == (None, "Europe/Vienna")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("project", "add", "X", "--timezone", "Mars/Base"), "timezone"),
        (("project", "add", " "), "name"),
        (("project", "add", "X", "--organization", "Nobody"), "there is no organization"),
        (("project", "add", "X", "--retention-days", "0"), "retention_days"),
        (("project", "set", "Shop"), "at least one"),
        (("project", "set", "Other", "--domain", "a.example"), "there is no project"),
        (("project", "add"), "NAME"),
        (("user", "add", "--email", "nobody", "--name", "N"), "e-mail"),
    ],
)
def test_wrong_usage_ends_with_2(iafa: Command, words: tuple[str, ...], message: str) -> None:
    iafa("project", "add", "Shop")

    refused = iafa(*words)

    assert refused.code == 2
    assert message in refused.err
    assert "Traceback" not in refused.err


def test_a_second_project_of_the_name_is_refused(iafa: Command) -> None:
    iafa("project", "add", "Shop")

    assert iafa("project", "add", "shop").code == 1


def add_user(iafa: Command, email: str, *words: str, password: str = PASSWORD) -> int:
    return iafa(
        "user", "add", "--email", email, "--name", "Ann Lee", "--password-stdin", *words, stdin=password + "\n"
    ).code


def test_a_user_can_sign_in_and_owns_a_new_organization(iafa: Command, tmp_path: Path) -> None:
    assert add_user(iafa, "ann@example.org", "--organization", "Acme") == 0

    house = house_at(tmp_path / "data")
    signed_in = run(lambda: house.accounts.login(email="ann@example.org", password=PASSWORD, address="::1"))
    assert (signed_in.organization.name, signed_in.user.full_name) == ("Acme", "Ann Lee")


def test_a_user_can_join_the_organization_of_a_project(iafa: Command, tmp_path: Path) -> None:
    iafa("project", "add", "Shop")
    assert add_user(iafa, "ann@example.org", "--organization", "Default") == 0
    assert add_user(iafa, "bob@example.org", "--organization", "Default") == 0

    organizations = run(house_at(tmp_path / "data").accounts.organizations.all)
    assert [organization.name for organization in organizations] == ["Default"]


def test_a_user_joins_in_a_role_and_the_audit_log_says_so(iafa: Command, tmp_path: Path) -> None:
    assert add_user(iafa, "ann@example.org", "--organization", "Acme", "--role", "viewer") == 2
    assert add_user(iafa, "ann@example.org", "--organization", "Acme") == 0
    assert add_user(iafa, "bob@example.org", "--organization", "Acme", "--role", "viewer") == 0
    iafa("project", "add", "Shop", "--organization", "Acme")
    iafa("project", "set", "Shop", "--retention-days", "7")

    house = house_at(tmp_path / "data")
    (acme,) = run(house.accounts.organizations.all)
    users = run(lambda: house.accounts.users.of_organization(acme.id))
    (bob,) = [user for user in users if user.email == "bob@example.org"]
    assert sorted(user.role for user in users) == ["owner", "viewer"]
    (log,) = audit_files(house.layout.audit)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["action"] for line in lines] == ["member.add", "member.add", "project.make", "project.change"]
    assert {line["actor"].partition("=")[0] for line in lines} == {"command:uid"}
    assert lines[1]["details"] == {"user": bob.id, "email": "bob@example.org", "role": "viewer"}
    assert lines[3]["details"] == {"changed": {"retention_days": [90, 7]}}


@pytest.mark.parametrize("organization", ["Default", "New one"])
def test_a_taken_address_and_a_weak_password_are_refused(iafa: Command, organization: str) -> None:
    iafa("project", "add", "Shop")
    assert add_user(iafa, "ann@example.org") == 0

    assert add_user(iafa, "ANN@example.org", "--organization", organization) == 1
    assert add_user(iafa, "eve@example.org", "--organization", organization, password="password1") == 1
