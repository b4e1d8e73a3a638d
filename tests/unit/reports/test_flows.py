"""Paths against a plain loop over sessions and people, on a lake with ties, late events, identities and changes of
clocks; and what holds for every node.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import duckdb
import pytest

from iafa.clock import FakeClock, to_iso
from iafa.errors import ValidationFailed
from iafa.lake.snapshot import Snapshot
from iafa.query.array_memory import ArrayMemory
from iafa.query.engine_duckdb import DuckEngine, Reading
from iafa.query.paths.compiled import IS_COMPILED
from iafa.query.paths.warming import WARMING
from iafa.query.reports import flow_walks
from iafa.query.reports.flow_graph import Way, graph_of
from iafa.query.reports.flows import PATHS_SHOWN, TOP_MAX, parse_flows
from iafa.query.reports.frame import Setting
from iafa.query.reports.report import report_answer, report_key
from tests.support.chance import chance
from tests.support.events import make_event
from tests.support.flows_oracle import Asked, Event, flow
from tests.support.lake import TestLake
from tests.support.report_lake import AUTUMN_US, DAY_US, HOUR_US, SPRING_US, ReportLake, report_lake
from tests.support.reports_oracle import Answer
from tests.support.reports_oracle import Asked as FunnelAsked
from tests.unit.query.rows import an_engine, snapshot_of

BERLIN = "Europe/Berlin"
needs_compiler = pytest.mark.skipif(not IS_COMPILED, reason="numba is not installed")
GAP_S = 5 * 3_600  # the lake's people do little: with an hour most sessions would be a single event
Predicate = Callable[[Event], bool]
MATCHERS: dict[str, tuple[Any, Predicate]] = {
    "search": ("search", lambda event: event["name"] == "search"),
    "buy or pay": ({"events": ["purchase", "checkout"]}, lambda event: event["name"] in ("purchase", "checkout")),
    "product": ({"page": "/p/*"}, lambda event: "/p/" in (event["url"] or "")),
    "dear": (
        {"event": "*", "filters": [{"property": "amount", "op": "gte", "value": 5}]},
        lambda event: event["properties"]["amount"] in (10, "7"),
    ),
}


@pytest.fixture(scope="module", params=[SPRING_US, AUTUMN_US], ids=["spring", "autumn"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ReportLake:
    return report_lake(tmp_path_factory.mktemp("shop") / "data", people=30, first_us=request.param)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    engine = an_engine(tmp_path_factory.mktemp("engine"))
    yield engine
    engine.close()


def ask(engine: DuckEngine, snapshot: Snapshot, now_us: int, **fields: Any) -> dict[str, Any]:
    """By the program, and by the statement: both have to say the same."""
    report = parse_flows(fields, Setting(timezone=BERLIN, session_gap_s=GAP_S, now_us=now_us))
    answer = report_answer(engine, snapshot, report)
    with WARMING.plain():
        assert report_answer(engine, snapshot, report) | {"elapsed_ms": 0} == answer | {"elapsed_ms": 0}
    check_flow(answer)
    return answer


def check_flow(answer: Mapping[str, Any]) -> None:
    """What comes into a node goes out of it: to the next, to the end, or further than is shown."""
    nodes, links, depth = answer["nodes"], answer["links"], answer["depth"]
    is_back, is_between = (answer["direction"] == one for one in ("backward", "between"))
    comes, goes = Counter[int](), Counter[int]()
    for link in links:
        source, target = (link["target"], link["source"]) if is_back else (link["source"], link["target"])
        assert nodes[target]["depth"] == nodes[source]["depth"] + 1
        comes[target] += link["value"]
        goes[source] += link["value"]
    steps = [node for node in nodes if node["kind"] in ("value", "other")]
    assert [node["id"] for node in nodes] == list(range(len(nodes)))
    for node in nodes:
        assert node["depth"] == 1 or comes[node["id"]] == node["entities"] > 0
        assert (node in steps) or not goes[node["id"]]
    for node in steps:
        left = node["entities"] - node["goes_on"] - (node["ends"] if is_between else 0)
        assert goes[node["id"]] == left
        assert node["depth"] == depth or node["goes_on"] == 0
    ends = sum(node["entities"] for node in nodes if node["kind"] in ("exit", "entry"))
    assert ends == (0 if is_between else sum(node["ends"] for node in steps))
    assert sum(node["ends"] + node["goes_on"] for node in steps) == answer["entities"]
    assert sum(path["entities"] for path in answer["paths"]) <= answer["entities"]


def compare(answer: Mapping[str, Any], events: list[Event], asked: Asked) -> None:
    expected = flow(events, asked)
    nodes = answer["nodes"]
    names = [None if node["kind"] == "other" else node["name"] for node in nodes]
    steps = [node for node in nodes if node["kind"] in ("value", "other")]
    assert answer["entities"] == expected.entities
    assert {(node["depth"], names[node["id"]]): node["entities"] for node in steps} == expected.nodes
    links = Counter[tuple[int, str | None, str | None]]()
    for link in answer["links"]:
        source, target = (link["target"], link["source"]) if asked.is_back else (link["source"], link["target"])
        if nodes[target] in steps:
            links[nodes[source]["depth"], names[source], names[target]] += link["value"]
    assert links == expected.links
    assert {(node["depth"], names[node["id"]]): node["ends"] for node in steps if node["ends"]} == expected.ends
    assert {names[node["id"]]: node["goes_on"] for node in steps if node["goes_on"]} == expected.goes_on
    order = sorted(expected.whole.items(), key=lambda one: -one[1])
    shown = {(tuple(path["names"]), path["is_whole"]): path["entities"] for path in answer["paths"]}
    assert [path["entities"] for path in answer["paths"]] == [count for _path, count in order[:PATHS_SHOWN]]
    assert shown.items() <= expected.whole.items()


def a_question(draw: random.Random, shop: ReportLake) -> tuple[dict[str, Any], Asked]:
    first_us = min(event["t"] for event in shop.events)
    lo = first_us + draw.randrange(2 * DAY_US) // HOUR_US * HOUR_US
    hi = lo + draw.randrange(DAY_US, 3 * DAY_US)
    start, end = (draw.choice([None, None, *MATCHERS.values()]) for _ in range(2))
    include = draw.choice((None, ["search", "purchase"], ["page_view", "checkout", "search"]))
    exclude = draw.choice(([], ["search"], ["page_view", "identify"]))
    asked = Asked(
        lo,
        hi,
        start=start and start[1],
        end=end and end[1],
        by_session=draw.random() < 0.5,
        by_page=draw.random() < 0.4,
        is_step=lambda event: (include is None or event["name"] in include) and event["name"] not in exclude,
        collapse=draw.random() < 0.7,
        depth=draw.choice((1, 2, 3, 5, 10)),
        top=draw.choice((1, 2, 30)),
        gap_us=GAP_S * 1_000_000,
    )
    fields: dict[str, Any] = {
        "start_date": to_iso(lo),
        "end_date": to_iso(hi),
        "unit": "session" if asked.by_session else "user",
        "nodes": "page" if asked.by_page else "event",
        "collapse": asked.collapse,
        "depth": asked.depth,
        "top": asked.top,
        "exclude_events": exclude,
    }
    fields |= {} if include is None else {"include_events": include}
    fields |= {} if start is None else {"start": start[0]}
    fields |= {} if end is None else {"end": end[0]}
    return fields, asked


@pytest.mark.parametrize("seed", range(10))
def test_random_questions_are_answered_as_by_hand(engine: DuckEngine, shop: ReportLake, seed: int) -> None:
    draw = chance(f"flows {seed} {min(event['t'] for event in shop.events)}")
    fields, asked = a_question(draw, shop)
    events = list(shop.events)
    if draw.random() < 0.4:
        fields["exclude_bots"] = True
        events = [event for event in events if not event["is_bot"]]
    if draw.random() < 0.3:
        as_of = asked.lo + (asked.hi - asked.lo) // 2
        fields["as_of"] = to_iso(as_of)
        events = [event for event in events if event["t"] <= as_of]
    answer = ask(engine, shop.snapshot, shop.clock.now_us(), **fields)
    compare(answer, events, asked)


def test_filters_choose_among_the_events_of_a_session(engine: DuckEngine, shop: ReportLake) -> None:
    fields = {"filters": [{"property": "plan", "op": "eq", "value": "pro"}], "nodes": "event"}
    answer = ask(engine, shop.snapshot, shop.clock.now_us(), **fields)
    asked = Asked(0, 2**60, keep=lambda event: event["properties"].get("plan") == "pro", gap_us=GAP_S * 1_000_000)
    compare(answer, list(shop.events), asked)
    assert answer["entities"] > 20


STAGES = [{"event": "search"}, {"event": "add_to_cart"}, {"event": "purchase"}]
FUNNEL = {"stages": [{"name": stage["event"], **stage} for stage in STAGES], "window_seconds": 86_400}


@pytest.mark.parametrize("stage", [1, 2])
@pytest.mark.parametrize("unit", ["session", "user"])
def test_after_a_drop_off(engine: DuckEngine, shop: ReportLake, unit: str, stage: int) -> None:
    lo = min(event["t"] for event in shop.events) + DAY_US
    hi = lo + 2 * DAY_US
    people = defaultdict(list)
    for event in sorted(shop.events, key=lambda one: (one["t"], one["id"])):
        people[event["person"]].append(event)
    found = Answer(FunnelAsked(FUNNEL, lo, hi), list(people.values())).find(FunnelAsked(FUNNEL, lo, hi))
    ways = [way for one in found for way in one.paths if len(way) == stage]
    assert len(ways) > 3
    fields = {
        **{"start_date": to_iso(lo), "end_date": to_iso(hi), "unit": unit},
        "after_drop": {"funnel": FUNNEL, "stage": stage},
    }
    answer = ask(engine, shop.snapshot, shop.clock.now_us(), **fields)
    anchors = frozenset(way[stage]["id"] for way in ways)
    until = hi if unit == "session" else hi + DAY_US  # what people did within the window after the range
    asked = Asked(lo, until, anchors=anchors, by_session=unit == "session", gap_us=GAP_S * 1_000_000)
    compare(answer, list(shop.events), asked)
    assert answer["after_drop"] == {"funnel": "search \N{RIGHTWARDS ARROW} purchase", "stage": stage}
    assert {node["name"] for node in answer["nodes"] if node["depth"] == 1} == {STAGES[stage - 1]["event"]}
    if unit == "user":
        assert answer["entities"] == len(ways)


@pytest.mark.parametrize("unit", ["session", "user"])
def test_who_goes_on_in_a_later_file_has_not_dropped_off(engine: DuckEngine, tmp_path: Any, unit: str) -> None:
    """The funnel's window reaches further than the sessions of the range: into a file of the next day."""
    lake = TestLake(tmp_path / "data", clock=FakeClock(SPRING_US + 3 * DAY_US))
    seen = [("stays", "search", 0), ("goes-on", "search", 0), ("goes-on", "add_to_cart", 20)]
    lake.write(
        [
            make_event(id=f"{user}-{hours}", user_id=user, event_type=name, created_at=SPRING_US + hours * HOUR_US)
            for user, name, hours in seen
        ]
    )
    lake.flusher.run()
    snapshot = lake.take()
    assert len(snapshot.files) == 2
    day = to_iso(SPRING_US)[:10]
    fields = {"start_date": day, "end_date": day, "unit": unit, "after_drop": {"funnel": FUNNEL, "stage": 1}}
    assert ask(engine, snapshot, lake.clock.now_us(), **fields)["entities"] == 1


def asked_of_the_engine(
    monkeypatch: pytest.MonkeyPatch, engine: DuckEngine, snapshot: Snapshot, fields: dict[str, Any]
) -> list[str]:
    """The questions that the statements answer, in turn."""
    asked: list[str] = []
    with monkeypatch.context() as watched:
        for name in ("rows", "batches"):
            real = getattr(Reading, name)

            def told(reading: Reading, sql: str, *rest: Any, real: Any = real) -> Any:
                asked.append(sql.partition("\n")[0])
                return real(reading, sql, *rest)

            watched.setattr(Reading, name, told)
        report_answer(engine, snapshot, parse_flows(fields, Setting(now_us=NOW_US)))
    return asked


@needs_compiler
def test_ids_are_read_only_where_they_tell_the_order(
    engine: DuckEngine, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = a_walk(tmp_path, *"abcb")
    at_once = [
        {"user": "u", "t": SPRING_US, "name": name, "id": id_, "properties": {}}
        for name, id_ in (("a", "3"), ("b", "2"), ("c", "1"))
    ]
    alike = [{"user": "v", "t": SPRING_US, "name": "b", "id": id_, "properties": {}} for id_ in "45"]
    tied = snapshot_of(tmp_path / "tied", [at_once[:2], [*alike, at_once[2]]])
    ties = "-- In which order did people do what they did at one instant?"
    assert ties not in asked_of_the_engine(monkeypatch, engine, plain, {})
    assert ties not in asked_of_the_engine(monkeypatch, engine, tied, {"exclude_events": ["a", "c"]})
    assert ties in asked_of_the_engine(monkeypatch, engine, tied, {})
    answer = ask(engine, tied, NOW_US)
    assert [path["names"] for path in answer["paths"]] == [["b"], ["c", "b", "a"]]


@needs_compiler
@pytest.mark.parametrize("lack", ["names", "memory", "memory for ties"])
def test_where_there_is_no_room_the_statement_answers(
    engine: DuckEngine, shop: ReportLake, monkeypatch: pytest.MonkeyPatch, lack: str
) -> None:
    taken = {"memory": 0, "memory for ties": len(shop.events) * 100}.get(lack)
    if taken is None:
        monkeypatch.setattr(flow_walks, "NAMES_MAX", 3)
    else:
        monkeypatch.setattr(engine, "_arrays", ArrayMemory(taken))
    asked = asked_of_the_engine(monkeypatch, engine, shop.snapshot, {})
    assert any(text.startswith("-- Which ways do they go") for text in asked)
    compare(
        ask(engine, shop.snapshot, shop.clock.now_us()), list(shop.events), Asked(0, 2**60, gap_us=GAP_S * 1_000_000)
    )


def test_the_sql_of_the_receipt_gives_the_numbers_again(engine: DuckEngine, shop: ReportLake) -> None:
    stored = replace(shop.snapshot, tail=shop.snapshot.tail.slice(0, 0), identities=None)
    answer = ask(engine, stored, shop.clock.now_us(), include="receipt")
    data_dir = stored.directory.parent.parent / stored.directory.parent.name
    setup = answer["receipt"]["setup"].replace(f"'{data_dir.name}/", f"'{data_dir}/")
    with duckdb.connect(":memory:") as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(setup)
        rows = connection.execute(answer["receipt"]["sql"]).fetchall()
    assert answer["receipt"]["stands_alone"]
    ways = [Way(*row) for row in rows]
    assert graph_of(ways, "forward", 5).items() <= answer.items()


NOW_US = SPRING_US + 30 * DAY_US


def a_walk(tmp_path: Any, *names: str, prefix: str = "p") -> Snapshot:
    """One person, an event a minute; a name that begins with a slash is a page."""
    events = [
        {
            **{"user": "u", "t": SPRING_US + place * 60_000_000, "id": f"e{place:03}", "properties": {}},
            **({"name": "page_view", "url": f"https://x.org{name}?q=1"} if name[0] == "/" else {"name": name}),
        }
        for place, name in enumerate(names)
    ]
    return snapshot_of(tmp_path / prefix, [events])


WALKS: dict[str, tuple[str, dict[str, Any], list[str] | None]] = {
    "everything": ("a b c", {}, ["a", "b", "c"]),
    "repeats are one": ("a a b b a", {}, ["a", "b", "a"]),
    "or not": ("a a b", {"collapse": False}, ["a", "a", "b"]),
    "what is cleaned away joins repeats": ("a x a b", {"exclude_events": ["x"]}, ["a", "b"]),
    "from the first start": ("x a b a c", {"start": "a"}, ["a", "b", "a", "c"]),
    "back from the last end": ("b a x b c", {"end": "b"}, ["b", "a", "x", "b"]),
    "between": ("b a x b c b", {"start": "a", "end": "b"}, ["a", "x", "b"]),
    "between the same": ("a x a c", {"start": "a", "end": "a"}, ["a", "x", "a"]),
    "never there": ("a x", {"start": "a", "end": "b"}, None),
    "a start that is cleaned away": ("x a b", {"start": "x", "include_events": ["b"]}, ["x", "b"]),
    "pages": ("/a /a/ buy /b", {"nodes": "page"}, ["/a", "/b"]),
    "pages and the start": ("/a buy /b", {"nodes": "page", "start": "buy"}, ["buy", "/b"]),
}


@pytest.mark.parametrize(("names", "fields", "expected"), WALKS.values(), ids=WALKS)
@pytest.mark.parametrize("unit", ["session", "user"])
def test_which_events_are_steps(
    engine: DuckEngine, tmp_path: Any, unit: str, names: str, fields: dict[str, Any], expected: list[str] | None
) -> None:
    answer = ask(engine, a_walk(tmp_path, *names.split()), NOW_US, unit=unit, **fields)
    assert [path["names"] for path in answer["paths"]] == ([] if expected is None else [expected])
    assert answer["entities"] == (expected is not None)


def test_a_real_event_may_be_called_like_the_others(engine: DuckEngine, tmp_path: Any) -> None:
    answer = ask(engine, a_walk(tmp_path, "(other)", "(exit)"), NOW_US)
    assert [(node["name"], node["kind"]) for node in answer["nodes"]] == [
        ("(other)", "value"),
        ("(exit)", "value"),
        ("(exit)", "exit"),
    ]


def test_longer_than_is_shown(engine: DuckEngine, tmp_path: Any) -> None:
    answer = ask(engine, a_walk(tmp_path, *"abcd"), NOW_US, depth=3)
    assert [(node["name"], node["goes_on"]) for node in answer["nodes"]] == [("a", 0), ("b", 0), ("c", 1)]
    assert answer["paths"] == [{"names": ["a", "b", "c"], "entities": 1, "percent": 100.0, "is_whole": False}]


def test_an_answer_has_a_bound(engine: DuckEngine, tmp_path: Any) -> None:
    events = [
        {"user": f"u{person}", "t": SPRING_US + step, "name": f"n{person * 7 % 83}-{step}", "properties": {}}
        for person in range(200)
        for step in range(12)
    ]
    answer = ask(engine, snapshot_of(tmp_path / "p", [events]), NOW_US, depth=10, top=TOP_MAX)
    by_depth = Counter(node["depth"] for node in answer["nodes"])
    assert by_depth == dict.fromkeys(range(1, 11), TOP_MAX + 1)
    assert (len(answer["paths"]), answer["entities"]) == (PATHS_SHOWN, 200)


def test_an_empty_project_has_no_nodes(engine: DuckEngine, tmp_path: Any) -> None:
    answer = ask(engine, snapshot_of(tmp_path / "p", []), NOW_US)
    assert (answer["entities"], answer["nodes"], answer["links"], answer["paths"]) == (0, [], [], [])


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "unit": ({"unit": "device"}, "/unit"),
    "nodes": ({"nodes": "title"}, "/nodes"),
    "depth": ({"depth": 11}, "/depth"),
    "top": ({"top": 0}, "/top"),
    "start": ({"start": {"event": "a", "page": "/b"}}, "/start"),
    "collapse": ({"collapse": "no"}, "/collapse"),
    "names": ({"include_events": ["a", 5]}, "/include_events/1"),
    "unknown": ({"between": "a"}, "/between"),
    "a drop-off of nothing": ({"after_drop": {"stage": 1}}, "/after_drop/funnel"),
    "a wrong funnel": ({"after_drop": {"funnel": {"stages": []}, "stage": 1}}, "/after_drop/funnel/stages"),
    "one stage": ({"after_drop": {"funnel": {"stages": STAGES[:1]}, "stage": 1}}, "/after_drop/funnel/stages"),
    "the last stage": ({"after_drop": {"funnel": FUNNEL, "stage": 3}}, "/after_drop/stage"),
    "a funnel of sessions": (
        {"after_drop": {"funnel": {**FUNNEL, "unit": "session"}, "stage": 1}},
        "/after_drop/funnel/unit",
    ),
    "no order": (
        {"after_drop": {"funnel": {**FUNNEL, "order": "unordered"}, "stage": 1}},
        "/after_drop/funnel/order",
    ),
    "a drop-off and a start": ({"after_drop": {"funnel": FUNNEL, "stage": 1}, "start": "a"}, "/start"),
    "a drop-off's receipt": (
        {"after_drop": {"funnel": FUNNEL, "stage": 1}, "include": ["receipt"]},
        "/include",
    ),
}


@pytest.mark.parametrize(("fields", "pointer"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_field_is_named(fields: dict[str, Any], pointer: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        parse_flows(fields, Setting())
    assert [error.pointer for error in refused.value.errors] == [pointer]


def test_questions_that_differ_have_different_keys() -> None:
    asked: list[dict[str, Any]] = [
        *({}, {"unit": "user"}, {"nodes": "page"}, {"start": "a"}, {"end": "a"}, {"depth": 3}, {"top": 3}),
        *({"collapse": False}, {"include_events": []}, {"include_events": ["a"]}, {"exclude_events": ["a"]}),
        *({"after_drop": {"funnel": FUNNEL, "stage": stage}} for stage in (1, 2)),
    ]
    assert len({report_key(parse_flows(fields, Setting())) for fields in asked}) == len(asked)
