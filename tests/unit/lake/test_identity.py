"""Identity edges: where they come from, how they are kept, whose the events of an anonymous id are."""

import random
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iafa.clock import US_PER_DAY, FakeClock
from iafa.errors import DataDamaged
from iafa.event import identity_hash
from iafa.lake.identity import FILES_MAX, Edge, IdentityEdges, table_of
from iafa.lake.identity_spans import Identities, KnownIdentities
from iafa.lake.recent import PROJECTS_KEPT
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine, QueryLimits
from iafa.query.funnel import funnel
from iafa.query.question import Extras
from iafa.query.time_range import resolve_time_range
from tests.support.events import NOON_US, PROJECT, make_event
from tests.support.lake import TestLake


def owners(*edges: Edge) -> set[tuple[str, int, int, str]]:
    return named(Identities.of(table_of(edges)), edges)


def named(identities: Identities, edges: Sequence[Edge]) -> set[tuple[str, int, int, str]]:
    names = {identity_hash(name): name for edge in edges for name in (edge.user_id, edge.other)}
    return {
        (names[row["identity_hash"]], as_us(row["from_at"]), as_us(row["until_at"]), names[row["owner_hash"]])
        for row in ([] if identities.table is None else identities.table.to_pylist())
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
    assert Identities.of(table_of([Edge("1", "ann", "device", 100, is_revoked=True)])).table is None
    assert Identities.of(table_of([])).table is None


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


def test_few_files_hold_many_edges_and_the_old_ones_are_trash(lake: TestLake, edges: IdentityEdges) -> None:
    for number in range(200):
        edges.add_edges(PROJECT, [Edge(str(number), "ann", f"device-{number}", number)])
    manifest = lake.manifests.latest(PROJECT)
    assert len(manifest.identity) <= 9  # each more than twice as large as the next
    assert {edge.id for edge in edges.edges(PROJECT, manifest)} == {str(number) for number in range(200)}
    trashed = {one.path for one in manifest.trash}
    assert trashed
    assert trashed.isdisjoint(manifest.identity)


def test_even_files_that_shrink_ever_more_are_no_more_than_a_bound(lake: TestLake, edges: IdentityEdges) -> None:
    for number in range(FILES_MAX + 3):
        size = 3 * FILES_MAX - 2 * number
        edges.add_edges(PROJECT, [Edge(f"{number}-{one}", "ann", f"device-{one}", one) for one in range(size)])
        assert len(lake.manifests.latest(PROJECT).identity) <= FILES_MAX


def test_a_damaged_file_is_said_and_not_left_out(lake: TestLake, edges: IdentityEdges) -> None:
    manifest = edges.add_edges(PROJECT, [Edge("1", "ann", "device", 100)])
    path = lake.layout.lake_file(PROJECT, manifest.identity[0])
    path.write_bytes(path.read_bytes().replace(b"ann", b"bob"))  # a name in a page of its own
    with pytest.raises(DataDamaged, match="checksum"):
        edges.edges(PROJECT, manifest)


def slow_owners(edges: Sequence[Edge]) -> set[tuple[str, int, int, str]]:
    """The sentences of the semantics, one after the other: (id, from, until, owner); until -1 is for ever."""
    last = {edge.id: edge for edge in edges}
    valid = [edge for edge in last.values() if not edge.is_revoked]
    groups: list[set[str]] = []
    for edge in valid:
        if edge.kind == "alias":
            touching = [group for group in groups if {edge.user_id, edge.other} & group]
            groups = [group for group in groups if group not in touching]
            groups.append({edge.user_id, edge.other}.union(*touching))
    label = {user: min(group) for group in groups for user in group}
    found = {(user, 0, -1, name) for user, name in label.items() if user != name}
    identifies = sorted((one.at_us, one.id, one.other, one.user_id) for one in valid if one.kind == "identify")
    for device in {other for _at, _id, other, _user in identifies}:
        owner_at = {at: label.get(user, user) for at, _id, other, user in identifies if other == device}
        past = next(label.get(user, user) for _at, _id, other, user in identifies if other == device)
        changes = [(0, past)]
        for at, owner in owner_at.items():
            if changes[-1][1] != owner:
                changes.append((at, owner))
        ends = [at - 1 for at, _owner in changes[1:]] + [-1]
        found |= {(device, at, end, owner) for (at, owner), end in zip(changes, ends, strict=True)}
    return found


@given(st.data())
@settings(max_examples=300)
def test_however_edges_arrive_the_owners_are_those_of_the_semantics(data: st.DataObject) -> None:
    names = st.sampled_from(["ann", "bob", "cid"])
    edge = st.builds(
        Edge,
        id=st.sampled_from([f"{number}" for number in range(12)]),
        user_id=names,
        other=st.sampled_from(["ann", "bob", "pad", "tv", "car"]),
        at_us=st.integers(1, 6),
        kind=st.sampled_from(["identify", "identify", "identify", "alias"]),
        is_revoked=st.sampled_from([False, False, False, True]),
    )
    batches = data.draw(st.lists(st.lists(edge, max_size=4), max_size=6))
    folded = Identities.of(table_of([]))
    for batch in batches:
        folded = folded.joined(table_of(batch))
    whole = [one for batch in batches for one in batch]
    for found in (folded, Identities.of(table_of(whole))):
        assert named(found, whole) == slow_owners(whole)


def test_identities_follow_the_files_and_what_waits(lake: TestLake, edges: IdentityEdges) -> None:
    """Files that were merged, revoked and added since the last look give what all of them give at once."""
    known, draw = KnownIdentities(edges), random.Random(7)
    said: list[Edge] = []
    for step in range(60):
        batch = [
            Edge(
                str(draw.randrange(80)),
                draw.choice("abc"),
                draw.choice("xyz"),
                draw.randrange(9),
                "identify",
                step % 7 == 6,
            )
            for _ in range(draw.randrange(1, 4))
        ]
        edges.add_edges(PROJECT, batch)
        said += batch
        if step % 3 == 0:
            found = known.of(PROJECT, lake.manifests.latest(PROJECT))
            assert named(found, said) == slow_owners(said)
            waiting = [Edge("w", "a", "x", 4), Edge(said[0].id, "nobody", "x", 5)]
            assert named(found.with_unknown(table_of(waiting)), [*said, *waiting]) == slow_owners([*said, waiting[0]])


def test_only_the_projects_asked_last_are_kept(
    lake: TestLake, edges: IdentityEdges, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = KnownIdentities(edges)
    projects = [f"project{number:05}" for number in range(PROJECTS_KEPT + 2)]
    said = {project: [Edge("1", f"user of {project}", "device", 1)] for project in projects}
    for project in projects:
        edges.add_edges(project, said[project])
    read: list[str] = []
    real = IdentityEdges.read

    def counted(self: IdentityEdges, project_id: str, path: str) -> pa.Table:
        read.append(project_id)
        return real(self, project_id, path)

    monkeypatch.setattr(IdentityEdges, "read", counted)

    def right(project: str) -> bool:
        found = known.of(project, lake.manifests.latest(project))
        return named(found, said[project]) == slow_owners(said[project])

    first, second, *others = projects
    assert all(right(project) for project in (first, second))
    for project in others:
        assert right(project)
        assert right(first)  # asked again and again: kept
    assert len(known) == PROJECTS_KEPT
    assert read == projects
    assert right(second)  # forgotten: read again
    assert read == [*projects, second]
    said[second].append(Edge("2", "another", "device", 5))
    edges.add_edges(second, said[second][1:])
    assert right(second)


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
