"""Identity edges: where they come from, how they are kept, whose the events of an anonymous id are."""

from pathlib import Path

import pytest

from iafa.clock import US_PER_DAY, FakeClock
from iafa.errors import DataDamaged
from iafa.event import identity_hash
from iafa.lake.identity import FILES_MAX, Edge, IdentityEdges, identities
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine, QueryLimits
from iafa.query.funnel import funnel
from iafa.query.question import Extras
from iafa.query.time_range import resolve_time_range
from tests.support.events import NOON_US, PROJECT, make_event
from tests.support.lake import TestLake


def owners(*edges: Edge) -> set[tuple[str, int, int, str]]:
    names = {identity_hash(name): name for edge in edges for name in (edge.user_id, edge.other)}
    table = identities(edges)
    assert table is not None
    return {
        (names[row["identity_hash"]], as_us(row["from_at"]), as_us(row["until_at"]), names[row["owner_hash"]])
        for row in table.to_pylist()
    }


def as_us(time: object) -> int:
    return -1 if getattr(time, "year", 0) == 9999 else round(time.timestamp() * 1_000_000)  # type: ignore[attr-defined]


def test_the_first_owner_has_the_past_too() -> None:
    assert owners(Edge("1", "ann", "device", 100)) == {("device", 0, -1, "ann")}


def test_a_shared_device_belongs_to_one_after_the_other() -> None:
    edges = [Edge("1", "ann", "device", 100), Edge("2", "bob", "device", 200), Edge("3", "bob", "device", 300)]
    assert owners(*edges) == {("device", 0, 199, "ann"), ("device", 200, -1, "bob")}


def test_of_two_edges_at_one_instant_the_greater_id_counts_from_then_on() -> None:
    edges = [Edge("1", "ann", "device", 100), Edge("2", "bob", "device", 100)]
    assert owners(*edges) == {("device", 0, 99, "ann"), ("device", 100, -1, "bob")}


def test_aliases_connect_users_and_their_devices() -> None:
    edges = [Edge("1", "b", "a", 0, "alias"), Edge("2", "c", "b", 0, "alias"), Edge("3", "c", "device", 5)]
    assert owners(*edges) == {("b", 0, -1, "a"), ("c", 0, -1, "a"), ("device", 0, -1, "a")}


def test_a_revoked_edge_is_none() -> None:
    assert identities([Edge("1", "ann", "device", 100, is_revoked=True)]) is None
    assert identities([]) is None


@pytest.fixture
def lake(tmp_path: Path) -> TestLake:
    return TestLake(tmp_path / "data")


@pytest.fixture
def edges(lake: TestLake) -> IdentityEdges:
    return IdentityEdges(lake.layout, lake.manifests)


def test_edges_are_kept_once_and_can_be_revoked(lake: TestLake, edges: IdentityEdges) -> None:
    edge = Edge("1", "ann", "device", 100)
    first = edges.add_edges(PROJECT, [edge])
    assert edges.add_edges(PROJECT, [edge]).generation == first.generation
    assert edges.edges(PROJECT, first) == (edge,)
    revoked = Edge("1", "ann", "device", 100, is_revoked=True)
    assert edges.edges(PROJECT, edges.add_edges(PROJECT, [revoked])) == (revoked,)
    assert edges.edges(PROJECT, first) == (edge,)
    assert lake.take().identities is None


def test_many_files_become_one_and_the_old_ones_trash(lake: TestLake, edges: IdentityEdges) -> None:
    for number in range(FILES_MAX + 1):
        edges.add_edges(PROJECT, [Edge(str(number), "ann", f"device-{number}", number)])
    manifest = lake.manifests.latest(PROJECT)
    assert len(manifest.identity) == 1
    assert len(manifest.trash) == FILES_MAX
    assert len(edges.edges(PROJECT, manifest)) == FILES_MAX + 1


def test_a_damaged_file_is_said_and_not_left_out(lake: TestLake, edges: IdentityEdges) -> None:
    manifest = edges.add_edges(PROJECT, [Edge("1", "ann", "device", 100)])
    path = lake.layout.lake_file(PROJECT, manifest.identity[0])
    path.write_bytes(path.read_bytes().replace(b"ann", b"bob"))
    with pytest.raises(DataDamaged, match="checksum"):
        edges.edges(PROJECT, manifest)


def test_vector_14_an_edge_that_is_known_later(lake: TestLake, tmp_path: Path) -> None:
    """Visits without a name, then an order with one: the login between joins them, in the tail, in parts, merged."""
    lake.write(
        [
            make_event(id="1", event_type="A", user_id=None, anonymous_id="device"),
            make_event(id="2", event_type="B", user_id="ann", created_at=NOON_US + 2),
            make_event(id="3", event_type="A", user_id=None, anonymous_id="other device", created_at=NOON_US + 1),
        ]
    )
    engine = DuckEngine(QueryLimits(), temp_directory=tmp_path / "spill", clock=FakeClock(NOON_US + US_PER_DAY))
    assert people(engine, lake) == [2, 0]
    identify = make_event(id="4", event_type="identify", user_id="ann", anonymous_id="device", created_at=NOON_US + 3)
    lake.write([identify])
    assert people(engine, lake) == [2, 1]
    lake.flusher.run()
    assert len(lake.manifests.latest(PROJECT).identity) == 1
    assert people(engine, lake) == [2, 1]
    lake.compactor.run(everything=True)
    assert people(engine, lake) == [2, 1]
    revoked = Edge("4", "ann", "device", NOON_US + 3, is_revoked=True)
    IdentityEdges(lake.layout, lake.manifests).add_edges(PROJECT, [revoked])
    assert people(engine, lake) == [2, 0]
    engine.close()


def people(engine: DuckEngine, lake: TestLake) -> list[int]:
    """By SQL and by paths."""
    stages = [{"name": name, "event": name} for name in "AB"]
    found = []
    for include in ((), ("times",)):
        definition = parse_definition({"name": "f", "stages": stages})
        answer = funnel(engine, lake.take(), definition, resolve_time_range(), extras=Extras(frozenset(include)))
        assert isinstance(answer["stages"], list)
        found.append([stage["users"] for stage in answer["stages"]])
    assert found[0] == found[1]
    return found[0]
