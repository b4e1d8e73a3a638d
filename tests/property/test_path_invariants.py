"""What holds for every history and every kind of funnel (semantics, section 9), through the product alone.

P1 counts never rise; P2 lists and explanations are as long as the bars and agree; P3 rows, files and names do not
matter (repeated rows: test_paths_in_the_lake); P4 larger windows; P5 the first stages; P6 groups add up; P7 wider
ranges; P8 stricter questions; P9 shifts in time and events that match nothing; P10 the bounds of open entries; P11
totals; P12 every way of counting agrees; P13 the period compared with is what it is alone.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, cast

import pytest

from iafa.clock import FakeClock, to_iso
from iafa.lake.snapshot import Snapshot
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.explain import explain
from iafa.query.funnel import funnel
from iafa.query.people import PeopleQuestion, people
from iafa.query.question import Extras
from tests.property.test_paths_oracle import snapshot_on_days
from tests.support.chance import chance
from tests.support.paths_answers import paths_of_engine
from tests.support.paths_cases import FIRST_US, HOUR_US, MODES, Case, random_case, unit_of
from tests.unit.query.rows import an_engine

ROUNDS = 3  # for each mode
PEOPLE = 60
COUNTED_ONCE = [mode for mode in MODES if "totals" not in mode]
Options = Mapping[str, Any]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    engine = an_engine(tmp_path_factory.mktemp("engine"))
    yield engine
    engine.close()


@pytest.fixture
def rounds(tmp_path: Path) -> Callable[[str], Iterator[tuple[random.Random, Case, Snapshot]]]:
    def made(mode: str) -> Iterator[tuple[random.Random, Case, Snapshot]]:
        draw = chance(f"invariants of {mode}")
        for number in range(ROUNDS):
            case = random_case(draw, mode, PEOPLE)
            yield draw, case, snapshot_on_days(draw, case.events, tmp_path / f"{mode}-{number}")

    return made


def asked(case: Case, **over: Any) -> Case:
    return replace(case, definition=case.definition | over)


def counts(engine: DuckEngine, snapshot: Snapshot, case: Case) -> list[int]:
    answer: Any = funnel(engine, snapshot, parse_definition(case.definition), case.time_range)
    return [stage["users"] for stage in answer["stages"]]


def assert_none_is_less(engine: DuckEngine, snapshot: Snapshot, *cases: Case) -> None:
    """Stage by stage, no case counts fewer than the one before."""
    for (case, less), (_, more) in pairwise((case, counts(engine, snapshot, case)) for case in cases):
        assert all(a <= b for a, b in zip(less, more, strict=True)), (case.definition, less, more)


@pytest.mark.parametrize("mode", MODES)
def test_p1_counts_never_rise(engine: DuckEngine, rounds: Any, mode: str) -> None:
    for _draw, case, snapshot in rounds(mode):
        found = counts(engine, snapshot, case)
        assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("mode", MODES)
def test_p2_whoever_entered_is_in_one_list(engine: DuckEngine, rounds: Any, mode: str) -> None:
    """Converted at the last stage, dropped before one, or dropped by an exclusion; and explained as such."""
    for _draw, case, snapshot in islice(rounds(mode), 1):
        definition = parse_definition(case.definition)
        answer: Any = funnel(engine, snapshot, definition, case.time_range)
        bars = [stage["users"] for stage in answer["stages"]]

        def listed(stage: int, kind: Any, asked: Any = (definition, case, snapshot)) -> dict[tuple[str, object], Any]:
            definition, case, snapshot = asked
            found = people(engine, snapshot, PeopleQuestion(definition, case.time_range, stage, kind), limit=10_000)
            rows = {(str(row["entity"]), row.get("path_number")): row for row in found.rows}
            assert len(rows) == len(found.rows) == found.total
            return rows

        reached = [listed(stage, "converted") for stage in range(1, len(bars) + 1)]
        parts = [reached[-1], *(listed(stage, "dropped") for stage in range(2, len(bars) + 1))]
        assert [len(rows) for rows in reached] == bars
        assert sum(map(len, parts)) == bars[0]
        assert set().union(*parts) == set(reached[0])
        gone = {}
        if definition.exclusions and definition.exclusion_mode == "drop":
            gone = listed(1, "dropped_by_exclusion")
            assert len(gone) == answer["dropped_by_exclusion"]
        entered = {entity for entity, _number in (*reached[0], *gone)}
        assert len(entered) == answer["people_total"]
        assert not {entity for entity, _number in gone} & {entity for entity, _number in reached[0]}
        for (entity, number), row in [*list(reached[0].items())[:3], *list(gone.items())[:2]]:
            told: Any = explain(engine, snapshot, definition, case.time_range, entity)
            steps = [told["steps"], *(one["steps"] for one in told.get("paths", ())[1:])]
            assert steps[int(str(number or 1)) - 1] == row["steps"]


@pytest.mark.parametrize("mode", MODES)
def test_p3_files_order_and_names_do_not_matter(engine: DuckEngine, rounds: Any, mode: str) -> None:
    for draw, case, snapshot in rounds(mode):
        renamed = [event | {"user": f"{event['user']}-zz"} for event in case.events]
        other = snapshot_on_days(draw, renamed, snapshot.directory.with_name(f"{snapshot.directory.name}-renamed"))
        assert paths_of_engine(engine, snapshot, case) == paths_of_engine(engine, other, replace(case, events=renamed))


@pytest.mark.parametrize("mode", [mode for mode in COUNTED_ONCE if "drop" not in mode])
def test_p4_a_larger_window_never_lowers_a_count(engine: DuckEngine, rounds: Any, mode: str) -> None:
    for _draw, case, snapshot in rounds(mode):
        if case.definition.get("exclusion_mode") != "drop":
            unit_s = unit_of(mode) // 1_000_000
            windows = (0, 2 * unit_s, 5 * unit_s, None)
            assert_none_is_less(engine, snapshot, *(asked(case, window_seconds=window) for window in windows))


@pytest.mark.parametrize("mode", [mode for mode in COUNTED_ONCE if mode not in ("unordered", "optional")])
def test_p5_the_first_stages_are_a_funnel_of_their_own(engine: DuckEngine, rounds: Any, mode: str) -> None:
    for _draw, case, snapshot in rounds(mode):
        if case.definition.get("order") == "unordered" or case.definition.get("exclusion_mode") == "drop":
            continue
        stages = case.definition["stages"][:-1]
        kept = [one for one in case.definition.get("exclusions", ()) if one["to_stage"] <= len(stages)]
        shorter = asked(case, stages=stages, exclusions=kept)
        assert counts(engine, snapshot, case)[: len(stages)] == counts(engine, snapshot, shorter)


@pytest.mark.parametrize("mode", MODES)
def test_p6_groups_add_up(engine: DuckEngine, rounds: Any, mode: str) -> None:
    for draw, case, snapshot in rounds(mode):
        breakdown = {
            "property": draw.choice("pv"),
            "attribution": draw.choice(("entry", "first_known", "last_known", "step:1")),
            "limit": draw.randint(1, 3),
        }
        definition = parse_definition(case.definition | {"breakdown": breakdown})
        extras = Extras(frozenset({"breakdown"}))
        answer: Any = funnel(engine, snapshot, definition, case.time_range, extras=extras)
        groups = [[stage["users"] for stage in group["stages"]] for group in answer["breakdown"]["groups"]]
        total = [stage["users"] for stage in answer["stages"]]
        assert [sum(column) for column in zip([0] * len(total), *groups, strict=True)] == total


@pytest.mark.parametrize("mode", COUNTED_ONCE)
def test_p7_a_wider_range_never_lowers_a_count(engine: DuckEngine, rounds: Any, mode: str) -> None:
    for _draw, case, snapshot in rounds(mode):
        if case.definition.get("entry") != "first":
            unit_us = unit_of(mode)
            assert_none_is_less(engine, snapshot, case, replace(case, lo=case.lo - unit_us, hi=case.hi + unit_us))


CHAINS: Mapping[str, tuple[Options, ...]] = {
    "strict, ordered, unordered": ({"order": "strict"}, {"order": "ordered"}, {"order": "unordered"}),
    "tie strict, any, grace": ({"tie": "strict"}, {"tie": "any"}, {"tie": "grace:3600"}),
    "all steps, entry": ({"range": "all_steps"}, {"range": "entry"}),
    "first required or not": ({"order": "unordered", "first_required": True}, {"order": "unordered"}),
    "with an exclusion or not": ({"exclusions": [{"event": "X", "from_stage": 1, "to_stage": 2}]}, {}),
}


@pytest.mark.parametrize("chain", CHAINS.values(), ids=list(CHAINS))
def test_p8_a_stricter_question_never_counts_more(engine: DuckEngine, rounds: Any, chain: tuple[Options, ...]) -> None:
    for _draw, case, snapshot in (*rounds("ordered"), *rounds("grace")):
        plain = asked(case, entry="best", tie="any", exclusions=[])
        assert_none_is_less(engine, snapshot, *(asked(plain, **options) for options in chain))


def test_p8_a_hold_key_never_raises_the_users_reached(engine: DuckEngine, rounds: Any) -> None:
    for _draw, case, snapshot in rounds("ordered"):
        owner = {event["id"]: event["user"] for event in case.events}
        best = asked(case, entry="best")
        free = paths_of_engine(engine, snapshot, best)
        held = paths_of_engine(engine, snapshot, asked(best, hold=["p"]))
        for k in range(1, len(case.definition["stages"]) + 1):
            there = {owner[path[0][1]] for path in free if len(path) >= k}
            assert {owner[path[0][1]] for path in held if len(path) >= k} <= there


@pytest.mark.parametrize("mode", MODES)
def test_p9_only_differences_of_time_matter(engine: DuckEngine, rounds: Any, mode: str) -> None:
    for draw, case, snapshot in rounds(mode):
        by_us = draw.choice((-1, 1, 86_400_000_000, 12_345_678_901))
        events = [event | {"t": event["t"] + by_us} for event in case.events]
        if case.definition.get("order") != "strict" and case.definition.get("unit") != "session":
            noise = [event | {"name": "never matched", "id": f"n{event['id']}"} for event in events]
            any_of = [
                stage | {"event": "A"} if stage.get("event") == "*" else stage for stage in case.definition["stages"]
            ]
            case, events = asked(case, stages=any_of), events + noise
        moved = replace(case, events=events, lo=case.lo + by_us, hi=case.hi + by_us)
        other = snapshot_on_days(draw, events, snapshot.directory.with_name(f"{snapshot.directory.name}-moved"))
        assert paths_of_engine(engine, snapshot, case) == paths_of_engine(engine, other, moved)


@pytest.mark.parametrize("mode", [mode for mode in COUNTED_ONCE if "drop" not in mode])
def test_p10_the_final_count_lies_between_the_bounds(engine: DuckEngine, rounds: Any, mode: str) -> None:
    """Asked when the range has ended, with what had happened by then, and asked again when all has happened."""
    for draw, case, snapshot in rounds(mode):
        if case.definition.get("exclusion_mode") == "drop":
            continue
        ended = replace(case, hi=min(case.hi, FIRST_US + draw.randint(1, 12) * 6 * HOUR_US))
        at_us = ended.hi + draw.choice((0, 1, HOUR_US))
        clock = cast(FakeClock, engine.clock)
        clock.set_wall(case.now)
        early = asked(ended, as_of=to_iso(at_us))
        answer: Any = funnel(engine, snapshot, parse_definition(early.definition), ended.time_range)
        final = counts(engine, snapshot, ended)
        for stage, count in zip(answer["stages"], final, strict=True):
            assert stage["users"] <= count <= stage["users_max"]


@pytest.mark.parametrize("mode", ["ordered", "session", "hold"])
def test_p12_every_way_of_counting_agrees(engine: DuckEngine, rounds: Any, mode: str) -> None:
    """The fast statements and the paths; where there is no fast way the answer falls back and says the same."""
    for _draw, case, snapshot in rounds(mode):
        plain = asked(case, entry="best")
        definition = parse_definition(plain.definition)
        by_paths: Any = funnel(engine, snapshot, definition, case.time_range, extras=Extras(frozenset({"times"})))
        assert counts(engine, snapshot, plain) == [stage["users"] for stage in by_paths["stages"]]


@pytest.mark.parametrize("mode", ["totals", "unordered totals"])
def test_p11_totals_count_at_least_the_people_and_no_event_twice(engine: DuckEngine, rounds: Any, mode: str) -> None:
    for _draw, case, snapshot in rounds(mode):
        assert_none_is_less(engine, snapshot, asked(case, count="unique"), case)
        used = Counter(
            event_id for path in paths_of_engine(engine, snapshot, case).elements() for _number, event_id in path
        )
        assert max(used.values(), default=1) == 1


@pytest.mark.parametrize("mode", MODES)
def test_p13_the_period_compared_with_is_what_it_is_alone(engine: DuckEngine, rounds: Any, mode: str) -> None:
    """Over time and by group, whichever values have a group there: those of the period asked for."""
    for draw, case, snapshot in rounds(mode):
        shift = draw.randint(-3, 3) * unit_of(mode)
        other = replace(case, lo=case.lo + shift, hi=case.hi + shift)
        attribution = draw.choice(("entry", "first_known", "last_known", "step:1"))
        breakdown = {"property": draw.choice("pv"), "attribution": attribution, "limit": draw.randint(1, 2)}
        definition = parse_definition(case.definition | {"breakdown": breakdown})
        extras = Extras(frozenset({"compare", "trend", "breakdown"}), compare_with=other.time_range)
        answer: Any = funnel(engine, snapshot, definition, case.time_range, extras=extras)
        whole = parse_definition(case.definition | {"breakdown": breakdown | {"limit": 50}})
        alone: Any = funnel(engine, snapshot, whole, other.time_range, extras=Extras(frozenset({"trend", "breakdown"})))
        compared = answer["compare"]
        assert compared["trend"] == alone["trend"]
        assert compared["stages"] == alone["stages"]
        users = {(one["group"], one["value"]): users_of(one) for one in alone["breakdown"]["groups"]}
        assert all(group != "other" for group, _value in users)
        shown = [one["value"] for one in answer["breakdown"]["groups"] if one["group"] == "value"]
        nobody = [0] * len(alone["stages"])
        expected = {("value", value): users.get(("value", value), nobody) for value in shown}
        rest = [counted for (group, value), counted in users.items() if group == "value" and value not in shown]
        expected["other", None] = [sum(column) for column in zip(nobody, *rest, strict=True)]
        expected["none", None] = users.get(("none", None), nobody)
        told = {(one["group"], one["value"]): users_of(one) for one in compared["breakdown"]["groups"]}
        named = {(one["group"], one["value"]) for one in answer["breakdown"]["groups"]}
        assert told == {name: counted for name, counted in expected.items() if name in named or counted[0]}
        assert [name for name in told if name[0] == "value"] == [("value", value) for value in shown]


def users_of(group: Mapping[str, Any]) -> list[int]:
    return [stage["users"] for stage in group["stages"]]
