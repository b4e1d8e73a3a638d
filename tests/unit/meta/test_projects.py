"""Projects and keys: what a key grants, how fast it ends, what is never written down."""

from pathlib import Path

import pytest

from iafa.clock import FakeClock
from iafa.errors import Conflict, NotFound
from iafa.event import TIME_MAX_US
from iafa.meta.api_keys import KeyGrant
from iafa.meta.collect_rules import SamplingRule
from iafa.meta.json_file import JsonFile
from iafa.meta.projects import KEYS_MAX, Project, Projects

ORGANIZATION = "organization1"


def grant(projects: Projects, key: str, clock: FakeClock) -> KeyGrant | None:
    return projects.key_ring().grant(key, now_us=clock.now_us())


async def test_a_new_project_has_a_write_key_and_a_secret_key(projects: Projects, clock: FakeClock) -> None:
    project, write, secret = await projects.add(
        ORGANIZATION, name="Shop", settings={"timezone": "Europe/Vienna", "rate_limit_per_minute": None}
    )
    assert write.startswith("iafa_w_")
    assert secret.startswith("iafa_s_")
    write_grant, secret_grant = grant(projects, write, clock), grant(projects, secret, clock)
    assert write_grant is not None
    assert secret_grant is not None
    assert (write_grant.kind, secret_grant.kind) == ("write", "secret")
    assert write_grant.project_id == secret_grant.project_id == project.id
    assert (write_grant.timezone, write_grant.rate_limit_per_minute) == ("Europe/Vienna", None)
    assert write_grant.salt == bytes.fromhex(project.salt)


@pytest.mark.parametrize("key", ["", "iafa_w_", "iafa_s_x", "\0", "a" * 10_000, "\udcff", "iafa_w_ä"])
async def test_a_key_that_was_never_given_grants_nothing(projects: Projects, clock: FakeClock, key: str) -> None:
    await projects.add(ORGANIZATION, name="Shop", settings={})
    assert grant(projects, key, clock) is None


async def test_only_the_public_write_key_is_kept_in_clear(projects: Projects, tmp_path: Path) -> None:
    _project, write, secret = await projects.add(ORGANIZATION, name="Shop", settings={})
    kept = (tmp_path / "metadata" / "projects.json").read_text()
    assert write in kept
    assert secret not in kept
    assert secret[7:-4] not in kept


async def test_a_revoked_key_ends_within_two_seconds_in_another_process(
    projects: Projects, clock: FakeClock, tmp_path: Path
) -> None:
    other = Projects(JsonFile(tmp_path, "projects", Project, clock=clock), clock)
    project, write, _secret = await projects.add(ORGANIZATION, name="Shop", settings={})
    assert grant(other, write, clock) is not None
    key_id = next(key.id for key in project.keys.values() if key.kind == "write")
    await projects.revoke_key(project.id, key_id)
    assert grant(projects, write, clock) is None
    clock.advance(1.1)
    assert grant(other, write, clock) is None


async def test_the_ring_is_rebuilt_only_when_something_changed(projects: Projects, clock: FakeClock) -> None:
    await projects.add(ORGANIZATION, name="Shop", settings={})
    ring = projects.key_ring()
    clock.advance(10)
    assert projects.key_ring() is ring
    await projects.add(ORGANIZATION, name="Other", settings={})
    assert projects.key_ring() is not ring


async def test_rotation_lets_the_old_key_work_for_the_overlap(projects: Projects, clock: FakeClock) -> None:
    project, old, _secret = await projects.add(ORGANIZATION, name="Shop", settings={})
    key_id = next(key.id for key in project.keys.values() if key.kind == "write")
    key, new = await projects.rotate_key(project.id, key_id, overlap_s=60)
    assert key.kind == "write"
    clock.advance(59)
    assert grant(projects, old, clock) is not None
    clock.advance(1)
    assert grant(projects, old, clock) is None
    assert grant(projects, new, clock) is not None
    with pytest.raises(NotFound):
        await projects.rotate_key(project.id, key_id, overlap_s=60)


async def test_rotation_without_overlap_ends_the_old_key_at_once(projects: Projects, clock: FakeClock) -> None:
    project, _write, old = await projects.add(ORGANIZATION, name="Shop", settings={})
    key_id = next(key.id for key in project.keys.values() if key.kind == "secret")
    _key, new = await projects.rotate_key(project.id, key_id, overlap_s=0)
    assert grant(projects, old, clock) is None
    assert grant(projects, new, clock) is not None


async def test_a_second_rotation_does_not_prolong_the_first_overlap(projects: Projects, clock: FakeClock) -> None:
    project, old, _secret = await projects.add(ORGANIZATION, name="Shop", settings={})
    key_id = next(key.id for key in project.keys.values() if key.kind == "write")
    await projects.rotate_key(project.id, key_id, overlap_s=60)
    await projects.rotate_key(project.id, key_id, overlap_s=6000)
    clock.advance(61)
    assert grant(projects, old, clock) is None


async def test_keys_of_a_project_are_bounded(projects: Projects) -> None:
    project, _write, _secret = await projects.add(ORGANIZATION, name="Shop", settings={})
    for number in range(KEYS_MAX - 2):
        await projects.add_key(project.id, kind="write", name=str(number))
    with pytest.raises(Conflict):
        await projects.add_key(project.id, kind="write", name="one too many")


async def test_a_removed_project_takes_its_keys_along(projects: Projects, clock: FakeClock) -> None:
    project, write, _secret = await projects.add(ORGANIZATION, name="Shop", settings={})
    await projects.remove(project.id)
    await projects.remove(project.id)
    assert grant(projects, write, clock) is None
    assert await projects.get(project.id) is None


async def test_a_name_is_used_once_in_an_organization(projects: Projects) -> None:
    first, _, _ = await projects.add(ORGANIZATION, name="Shop", settings={})
    second, _, _ = await projects.add(ORGANIZATION, name="Blog", settings={})
    await projects.add("organization2", name="Shop", settings={})
    with pytest.raises(Conflict):
        await projects.add(ORGANIZATION, name="shop", settings={})
    with pytest.raises(Conflict):
        await projects.update(second.id, changes={"name": "SHOP"})
    await projects.update(first.id, changes={"name": "SHOP"})


async def test_a_stale_version_does_not_overwrite(projects: Projects) -> None:
    project, _, _ = await projects.add(ORGANIZATION, name="Shop", settings={})
    changed = await projects.update(project.id, changes={"retention_days": None}, expected_version=1)
    assert (changed.version, changed.retention_days) == (2, None)
    with pytest.raises(Conflict) as refused:
        await projects.update(project.id, changes={"retention_days": 5}, expected_version=1)
    assert refused.value.code == "version_conflict"


async def test_rules_that_chose_single_events_are_remembered_when_they_are_gone(
    projects: Projects, clock: FakeClock
) -> None:
    project, _write, _secret = await projects.add("org", name="p", settings={})
    by_user, singly = SamplingRule(rate=0.5), SamplingRule(rate=0.5, by="random")
    assert project.may_miss_single_events_until_us == 0
    project = await projects.update(project.id, changes={"sampling": (by_user, SamplingRule(rate=0, by="random"))})
    assert project.may_miss_single_events_until_us == 0
    project = await projects.update(project.id, changes={"sampling": (by_user, singly)})
    assert project.may_miss_single_events_until_us == TIME_MAX_US
    project = await projects.update(project.id, changes={"name": "q"})
    clock.advance(60)
    project = await projects.update(project.id, changes={"sampling": (by_user,)})
    until_us = project.may_miss_single_events_until_us
    assert clock.now_us() < until_us < clock.now_us() + 60_000_000
    clock.advance(60)
    project = await projects.update(project.id, changes={"sampling": ()})
    assert project.may_miss_single_events_until_us == until_us
