"""Alias events join two ids, whichever kind they are; revoked edges and later ones do not."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from iafa.event import Event, identity_hash
from iafa.lake.identity import Edge, IdentityEdges, table_of
from iafa.lake.identity_spans import Identities
from iafa.lake.snapshot import Snapshot
from tests.support.events import NOON_US, PROJECT, make_event
from tests.support.lake import TestLake, rows


def alias(id_: str, user: str | None, previous: Any, at_us: int = NOON_US + 100) -> Event:
    properties = msgspec.Raw(msgspec.json.encode({"previous_id": previous, "other": 1}))
    return make_event(id=id_, event_type="alias", user_id=user, created_at=at_us, properties=properties)


def owners(snapshot: Snapshot) -> dict[int, int]:
    """Whose each identity's events are at the end."""
    if snapshot.identities is None:
        return {}
    return {row["identity_hash"]: row["owner_hash"] for row in snapshot.identities.to_pylist()}


def resolved(snapshot: Snapshot) -> dict[str, int]:
    """Event id -> whose it is."""
    owned = owners(snapshot)
    found = {}
    for id_, user, visitor in rows(snapshot, "id, user_id, anonymous_id"):
        own = identity_hash(str(user or visitor))
        found[str(id_)] = owned.get(own, own)
    return found


@pytest.fixture
def lake(tmp_path: Path) -> TestLake:
    return TestLake(tmp_path / "data")


def visit(id_: str, *, user: str | None = None, visitor: str | None = None) -> Event:
    return make_event(id=id_, event_type="visit", user_id=user, anonymous_id=visitor, created_at=NOON_US)


def test_alias_joins_users_and_anonymous_ids_in_the_tail_and_in_the_files(lake: TestLake) -> None:
    lake.write([visit("1", user="old"), visit("2", visitor="old"), visit("3", user="new"), visit("4", visitor="new")])
    assert len(set(resolved(lake.take()).values())) == 2, "a user and a visitor of one id have one hash"
    lake.write([alias("5", "new", "old")])
    for _ in range(2):
        assert len(set(resolved(lake.take()).values())) == 1
        lake.flusher.run()
    assert len(lake.manifests.latest(PROJECT).identity) == 1


def test_aliases_chain_over_any_number_of_steps(lake: TestLake) -> None:
    lake.write(
        [visit(str(n), user=f"u{n}") for n in range(5)] + [alias(f"a{n}", f"u{n}", f"u{n + 1}") for n in range(3)]
    )
    found = resolved(lake.take())
    assert len({found[str(n)] for n in range(4)}) == 1
    assert found["4"] != found["0"]


@pytest.mark.parametrize(
    ("user", "previous"),
    [
        ("u", None),
        ("u", ""),
        ("u", "undefined"),
        ("u", "u"),
        (None, "old"),
        ("u", ["old"]),
        ("u", "x" * 201),
        ("u", True),
    ],
)
def test_alias_that_names_nobody_joins_nobody(lake: TestLake, user: str | None, previous: Any) -> None:
    lake.write([alias("1", user, previous)])
    assert lake.take().identities is None
    lake.flusher.run()
    assert lake.manifests.latest(PROJECT).identity == ()


def test_number_as_the_previous_id_is_its_text(lake: TestLake) -> None:
    lake.write([visit("1", user="77"), visit("2", user="new"), alias("3", "new", 77)])
    assert len(set(resolved(lake.take()).values())) == 1


def test_revoked_alias_is_gone_from_the_next_question_and_comes_back(lake: TestLake) -> None:
    lake.write([visit("1", user="old"), visit("2", user="new"), alias("3", "new", "old"), alias("4", "third", "new")])
    lake.flusher.run()
    edges = IdentityEdges(lake.layout, lake.manifests)
    stored = [path.read_bytes() for path in lake.take().files]
    assert len({*resolved(lake.take()).values()}) == 1
    changed = edges.revoke(PROJECT, ["3"])
    assert {(edge.event_id, edge.is_revoked) for edge in changed} == {("3", True)}
    assert len(changed) == 3
    found = resolved(lake.take())
    assert found["1"] != found["2"]
    assert found["2"] == found["4"]
    assert edges.revoke(PROJECT, ["3"]) == ()
    assert len(edges.revoke(PROJECT, ["3"], is_revoked=False)) == 3
    assert len({*resolved(lake.take()).values()}) == 1
    assert [path.read_bytes() for path in lake.take().files] == stored, "no event is rewritten"


def test_edges_that_came_later_do_not_count_as_of_a_time(lake: TestLake) -> None:
    identify = make_event(id="3", event_type="identify", user_id="ann", anonymous_id="device", created_at=NOON_US + 50)
    lake.write(
        [visit("1", visitor="device"), visit("2", user="ann"), identify, alias("4", "ann", "old", NOON_US + 100)]
    )
    for _ in range(2):
        snapshot = lake.take()
        counts = []
        for at_us in (NOON_US + 49, NOON_US + 50, NOON_US + 99, NOON_US + 100):
            then = snapshot.known_at(at_us)
            owned = owners(then)
            counts.append((owned.get(identity_hash("device")) is not None, owned.get(identity_hash("old")) is not None))
        # "ann" is the smaller id: from the alias on, "old" is hers.
        assert counts == [(False, False), (True, False), (True, False), (True, True)]
        assert snapshot.known_at(NOON_US + 10**9).identities is not None
        lake.flusher.run()


def test_as_of_is_the_same_as_edges_that_were_never_made() -> None:
    edges = [Edge(str(n), f"u{n % 5}", f"d{n % 7}", n * 10, "alias" if n % 4 == 0 else "identify") for n in range(40)]
    everything = Identities.of(table_of(edges))
    for at_us in range(-5, 405, 15):
        expected = Identities.of(table_of([edge for edge in edges if edge.at_us <= at_us])).table
        found = everything.at(at_us).table
        assert (found is None) == (expected is None)
        assert found is None or found.equals(expected)
