"""Saved funnels: kept as accepted, changed as a whole, never overwritten unseen."""

import pytest

from iafa.errors import Conflict, NotFound
from iafa.meta.funnels import Funnels

PROJECT = "project00001"
DEFINITION = {"name": "Checkout", "stages": [{"name": "Cart", "event": "add_to_cart"}]}


async def test_a_funnel_keeps_its_definition(funnels: Funnels) -> None:
    funnel = await funnels.add(PROJECT, name="Checkout", definition=DEFINITION)
    assert await funnels.get(funnel.id) == funnel
    assert funnel.definition == DEFINITION
    assert [f.id for f in await funnels.of_project(PROJECT)] == [funnel.id]
    assert await funnels.of_project("project00002") == []


async def test_a_name_is_used_once_in_a_project(funnels: Funnels) -> None:
    await funnels.add(PROJECT, name="Checkout", definition=DEFINITION)
    await funnels.add("project00002", name="Checkout", definition=DEFINITION)
    with pytest.raises(Conflict):
        await funnels.add(PROJECT, name="CHECKOUT", definition=DEFINITION)


async def test_a_stale_version_does_not_overwrite(funnels: Funnels) -> None:
    funnel = await funnels.add(PROJECT, name="Checkout", definition=DEFINITION)
    changed = await funnels.replace(funnel.id, name="Buy", definition={"name": "Buy"}, expected_version=1)
    assert (changed.version, changed.definition) == (2, {"name": "Buy"})
    with pytest.raises(Conflict) as refused:
        await funnels.replace(funnel.id, name="Buy", definition={}, expected_version=1)
    assert refused.value.code == "version_conflict"


async def test_removing_a_project_removes_its_funnels(funnels: Funnels) -> None:
    funnel = await funnels.add(PROJECT, name="Checkout", definition=DEFINITION)
    other = await funnels.add("project00002", name="Checkout", definition=DEFINITION)
    await funnels.remove_of_project(PROJECT)
    assert await funnels.get(funnel.id) is None
    assert await funnels.get(other.id) is not None
    with pytest.raises(NotFound):
        await funnels.remove(funnel.id)
