"""What an answer has beside its counts, through the front door over real files: open entries, times, groups, trend."""

import itertools
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from iafa.clock import FakeClock, from_datetime, to_datetime, to_iso
from iafa.errors import ValidationFailed
from iafa.lake.manifest import LakeFile
from iafa.query.definition_reading import parse_definition
from iafa.query.drivers import DriversQuestion, drivers
from iafa.query.engine_duckdb import DuckEngine, QueryLimits
from iafa.query.funnel import funnel
from iafa.query.paths.solving import Solved
from iafa.query.question import Extras, parse_include, question_of
from iafa.query.tally import Tally
from iafa.query.time_range import TimeRange, resolve_time_range
from tests.unit.query.rows import NOON_US, SECOND_US, a_definition, an_event, snapshot_of

NOON = "2025-11-21T12:00:00Z"
DAY_S = 86_400
_numbers = itertools.count()


@pytest.fixture
def engine(tmp_path: Path) -> Any:
    """As of three days after noon."""
    clock = FakeClock(NOON_US + 3 * DAY_S * SECOND_US)
    made = DuckEngine(QueryLimits(), temp_directory=tmp_path / "spill", clock=clock)
    yield made
    made.close()


def asked(
    engine: DuckEngine,
    tmp_path: Path,
    events: list[dict[str, Any]],
    definition: dict[str, Any],
    time_range: TimeRange | None = None,
    **extras: Any,
) -> dict[str, Any]:
    """Half of the events in a file, the others in the tail. Times are seconds after noon."""
    moved = [event | {"t": NOON_US + int(event["t"] * SECOND_US)} for event in events]
    half = len(moved) // 2
    snapshot = snapshot_of(tmp_path / "p", [moved[:half]] if half else [], moved[half:], prefix=f"m{next(_numbers)}")
    given = Extras(frozenset(extras.pop("include", ())), **extras)
    return funnel(engine, snapshot, parse_definition(definition), time_range or resolve_time_range(), extras=given)


def users(answer: dict[str, Any], member: str = "users") -> list[int]:
    return [stage[member] for stage in answer["stages"]]


# --- open entries


OPEN_W = 3 * DAY_S - 10  # entries from ten seconds after noon on are open
OPEN_EVENTS = [
    an_event("A", 5, user="closed"),
    an_event("A", 10, user="just open"),
    an_event("A", 11, user="converted"),
    an_event("B", 12, user="converted"),
    an_event("A", 5, user="second entry"),
    an_event("A", 20, user="second entry"),
]


@pytest.mark.parametrize("include", [(), ("times",)], ids=["by-sql", "by-paths"])
def test_open_entries_bound_the_counts_from_above(engine: DuckEngine, tmp_path: Path, include: tuple[str, ...]) -> None:
    definition = a_definition("A", "B", window_seconds=OPEN_W)
    answer = asked(engine, tmp_path, OPEN_EVENTS, definition, include=include)
    assert (users(answer), users(answer, "users_max"), answer["open"]) == ([4, 1], [4, 3], 2)
    mature = asked(engine, tmp_path, OPEN_EVENTS, definition | {"mature_only": True}, include=include)
    assert (users(mature), users(mature, "users_max"), mature["open"]) == ([2, 0], [2, 0], 0)
    no_limit = asked(engine, tmp_path, OPEN_EVENTS, definition | {"window_seconds": None}, include=include)
    assert (users(no_limit), users(no_limit, "users_max"), no_limit["open"]) == ([4, 1], [4, 4], 3)
    ended = resolve_time_range(None, "2025-11-22T00:00:00Z")
    all_steps = asked(engine, tmp_path, OPEN_EVENTS, definition | {"range": "all_steps"}, ended, include=include)
    assert (all_steps["open"], users(all_steps, "users_max")) == (0, [4, 1])


@pytest.mark.parametrize("order", ["ordered", "unordered", "strict"])
def test_a_session_that_has_ended_is_not_open(engine: DuckEngine, tmp_path: Path, order: str) -> None:
    now = 3 * DAY_S
    events = [
        an_event("A", 5, user="long over"),
        an_event("A", now - 4_000, user="just over"),
        an_event("A", now - 4_000, user="goes on by another event"),
        an_event("other", now - 3_600, user="goes on by another event"),
        an_event("A", now - 4_000, user="came back"),
        an_event("other", now - 100, user="came back"),
    ]
    definition = a_definition("A", "B", unit="session", window_seconds=None, order=order)
    if order == "unordered":
        definition["first_required"] = True
    answer = asked(engine, tmp_path, events, definition)
    assert (users(answer), users(answer, "users_max"), answer["open"]) == ([4, 0], [4, 1], 1)
    with_trend = asked(engine, tmp_path, events, definition, include=("trend",))
    assert [bucket["open"] for bucket in with_trend["trend"]["buckets"]] == [0, 0, 0, 1]
    filtered = definition | {"filters": [{"property": "p", "op": "not_exists"}]}
    given = [event | {"properties": {"p": "1"}} if event["name"] == "other" else event for event in events]
    assert asked(engine, tmp_path, given, filtered)["open"] == 1
    held = asked(engine, tmp_path, events, definition | {"hold": ["event_type"]})
    assert held["open"] == 4, "whose other events are of another entity may go on by them"


@pytest.mark.parametrize("include", [(), ("times",)], ids=["by-sql", "by-paths"])
def test_mature_only_narrows_entries_and_not_later_steps(
    engine: DuckEngine, tmp_path: Path, include: tuple[str, ...]
) -> None:
    """With all_steps the end of the range still is the one that was asked for."""
    events = [an_event("A", 5), an_event("B", 50)]
    definition = a_definition("A", "B", window_seconds=OPEN_W, mature_only=True, range="all_steps")
    until = resolve_time_range(None, to_iso(NOON_US + 60 * SECOND_US))
    assert users(asked(engine, tmp_path, events, definition, until, include=include)) == [1, 1]


def test_events_after_as_of_do_not_exist(engine: DuckEngine, tmp_path: Path) -> None:
    events = [
        an_event("A", 0, user="u"), an_event("B", 60, user="u"),
        an_event("A", 0, user="v"), an_event("B", 61, user="v"), an_event("A", 61, user="w"),
    ]  # fmt: skip
    definition = a_definition("A", "B", as_of=to_iso(NOON_US + 60 * SECOND_US))
    answer = asked(engine, tmp_path, events, definition)
    assert (users(answer), users(answer, "users_max"), answer["open"]) == ([2, 1], [2, 2], 1)
    assert answer["as_of"] == "2025-11-21T12:01:00.000000Z"
    with pytest.raises(ValidationFailed) as refused:
        asked(engine, tmp_path, events, a_definition("A", as_of=to_iso(engine.clock.now_us() + 1)))
    assert [error.pointer for error in refused.value.errors] == ["/as_of"]


def test_who_is_dropped_by_an_exclusion_is_reported(engine: DuckEngine, tmp_path: Path) -> None:
    events = [an_event("A", 0, user="u"), an_event("X", 1, user="u"), an_event("A", 0, user="v")]
    definition = a_definition("A", "B", exclusions=[{"event": "X"}], exclusion_mode="drop")
    answer = asked(engine, tmp_path, events, definition)
    assert (users(answer), answer["dropped_by_exclusion"], answer["people_total"]) == ([1, 0], 1, 2)


def test_without_an_order_each_stage_is_also_counted_by_name(engine: DuckEngine, tmp_path: Path) -> None:
    events = [an_event("B", 0, user="u"), an_event("A", 1, user="u"), an_event("B", 5, user="v")]
    answer = asked(engine, tmp_path, events, a_definition("A", "B", order="unordered"))
    assert [stage["stage_name"] for stage in answer["stages"]] == ["any 1 of 2", "any 2 of 2"]
    assert users(answer) == [2, 1]
    assert [(one["stage_name"], one["users"]) for one in answer["stages_filled"]] == [("stage 1", 1), ("stage 2", 2)]


def test_optional_stages_are_reported_apart_and_move_nothing(engine: DuckEngine, tmp_path: Path) -> None:
    events = [
        an_event("A", 0, user="u"), an_event("O", 10, user="u"), an_event("B", 40, user="u"),
        an_event("A", 0, user="v"), an_event("B", 50, user="v"),
        an_event("A", 0, user="w"), an_event("O", 10, user="w"),
        an_event("A", 0, user="x"),
    ]  # fmt: skip
    definition = a_definition("A", "O", "B")
    definition["stages"][1]["optional"] = True
    answer = asked(engine, tmp_path, events, definition, include=["times"])
    assert users(answer) == [4, 2]
    assert answer["optional_stages"] == [
        {"stage_name": "stage 2", "after_order": 1, "users": 2, "conversion_rate": 50.0}
    ]
    required = asked(engine, tmp_path, events, a_definition("A", "B"), include=["times"])
    assert answer["times"] == required["times"]


# --- times


def test_times_are_observed_values_and_bins_sum_to_the_converted(engine: DuckEngine, tmp_path: Path) -> None:
    took = [0, 1, 5, 10, 59, 60, 90, 100, 100, 100]
    events = [an_event("A", 1000, user=f"u{n}") for n in range(11)]
    events += [an_event("B", 1000 + seconds, user=f"u{n}") for n, seconds in enumerate(took)]
    times = asked(engine, tmp_path, events, a_definition("A", "B"), include=["times"])["times"]
    assert times["total"] == {"count": 10, "average_s": 52.5, "median_s": 59.0, "p90_s": 100.0}
    assert times["steps"] == [{"from_order": 1, "to_order": 2, **times["total"]}]
    assert [(one["from_s"], one["to_s"], one["count"]) for one in times["histogram"]] == [
        (0, 1, 1), (1, 10, 2), (10, 60, 2), (60, 100, 5)
    ]  # fmt: skip


def test_times_of_re_entries_and_of_a_grace(engine: DuckEngine, tmp_path: Path) -> None:
    vector_6 = [an_event("A", 0), an_event("A", 90), an_event("B", 150)]
    answer = asked(engine, tmp_path, vector_6, a_definition("A", "B"), include=["times"])
    assert answer["times"]["total"]["median_s"] == 60.0
    vector_7 = [an_event("A", 0), an_event("A", 5), an_event("B", 6)]
    answer = asked(engine, tmp_path, vector_7, a_definition("A", "B"), include=["times"])
    assert answer["times"]["total"]["median_s"] == 6.0
    vector_15 = [an_event("B", 0), an_event("A", 1)]
    answer = asked(engine, tmp_path, vector_15, a_definition("A", "B", tie="grace:1"), include=["times"])
    assert answer["times"]["total"]["median_s"] == 0.0
    assert sum(one["count"] for one in answer["times"]["histogram"]) == 1


def test_times_of_nobody(engine: DuckEngine, tmp_path: Path) -> None:
    times = asked(engine, tmp_path, [], a_definition("A", "B", window_seconds=0), include=["times"])["times"]
    empty = {"count": 0, "average_s": None, "median_s": None, "p90_s": None}
    assert times == {
        "steps": [{"from_order": 1, "to_order": 2, **empty}],
        "total": empty,
        "histogram": [{"from_s": 0, "to_s": 0, "count": 0}],
    }


# --- breakdown

PLAN_EVENTS = [
    an_event("A", 0, user="u", plan="pro"), an_event("B", 1, user="u", plan="free"),
    an_event("A", 0, user="v"), an_event("B", 2, user="v", plan="free"),
    an_event("A", 0, user="w", plan="pro"), an_event("A", 5, user="w", plan="free"),
    an_event("A", 0, user="x", plan="(none)"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("attribution", "groups"),
    [
        ("entry", {("value", "pro"): [2, 1], ("value", "(none)"): [1, 0], ("none", None): [1, 1]}),
        ("first_known", {("value", "pro"): [2, 1], ("value", "(none)"): [1, 0], ("value", "free"): [1, 1]}),
        ("last_known", {("value", "free"): [3, 2], ("value", "(none)"): [1, 0]}),
        ("step:2", {("value", "free"): [2, 2], ("none", None): [2, 0]}),
        ("each", {("value", "pro"): [2, 1], ("value", "(none)"): [1, 0], ("value", "free"): [1, 0],
                  ("none", None): [1, 1]}),
    ],
)  # fmt: skip
def test_whose_value_counts(
    engine: DuckEngine, tmp_path: Path, attribution: str, groups: dict[tuple[str, str | None], list[int]]
) -> None:
    definition = a_definition("A", "B", breakdown={"property": "plan", "attribution": attribution})
    found = asked(engine, tmp_path, PLAN_EVENTS, definition, include=["breakdown"])["breakdown"]
    assert {(one["group"], one["value"]): users(one) for one in found["groups"]} == groups
    assert (found["attribution"], found["adds_up"]) == (attribution, attribution != "each")


def test_an_unordered_path_lists_its_events_by_time_and_then_by_stage(engine: DuckEngine, tmp_path: Path) -> None:
    """Of two events at one instant that of the smaller stage is the entry, whatever their ids."""
    events = [
        an_event("B", 0, p="of b") | {"id": "1"}, an_event("A", 0, p="of a") | {"id": "2"},
        an_event("C", 0, p="of c") | {"id": "0"},
    ]  # fmt: skip
    for attribution, value in (("entry", "of a"), ("step:2", "of b"), ("step:3", "of c")):
        breakdown = {"property": "p", "attribution": attribution}
        definition = a_definition("A", "B", "C", order="unordered", breakdown=breakdown)
        (group,) = asked(engine, tmp_path, events, definition, include=["breakdown"])["breakdown"]["groups"]
        assert (group["value"], users(group)) == (value, [1, 1, 1])


def test_largest_groups_are_kept_and_ties_go_by_value(engine: DuckEngine, tmp_path: Path) -> None:
    sizes = {"d": 1, "c": 2, "b": 2, "a": 1, "e": 3}
    events = [an_event("A", 0, user=f"{name}{n}", p=name) for name, size in sizes.items() for n in range(size)]
    events += [an_event("A", 0, user="nobody"), an_event("B", 1, user="e0"), an_event("B", 1, user="a0")]
    definition = a_definition("A", "B", breakdown={"property": "p", "limit": 2})
    found = asked(engine, tmp_path, events, definition, include=["breakdown"])["breakdown"]["groups"]
    assert [(one["group"], one["value"], users(one)) for one in found] == [
        ("value", "e", [3, 1]), ("value", "b", [2, 0]), ("other", None, [4, 1]), ("none", None, [1, 0])
    ]  # fmt: skip
    assert found[0]["significance"]["is_too_small"]


NAMES = st.sampled_from("ABX")
HISTORIES = st.lists(
    st.tuples(st.sampled_from("uvw"), NAMES, st.integers(0, 6), st.sampled_from([None, "p", "q", "r"])), max_size=12
)
MODES: list[dict[str, Any]] = [
    {}, {"order": "unordered"}, {"order": "strict"}, {"tie": "strict"}, {"count": "totals"}, {"entry": "last"},
    {"exclusions": [{"event": "X"}]}, {"range": "all_steps"}, {"tie": "grace:1"}, {"unit": "session"},
]  # fmt: skip


def to_events(history: list[tuple[str, str, int, str | None]]) -> list[dict[str, Any]]:
    return [an_event(name, t, user=user, **({} if p is None else {"p": p})) for user, name, t, p in history]


@settings(max_examples=60, derandomize=True)
@given(
    history=HISTORIES,
    mode=st.sampled_from(MODES),
    attribution=st.sampled_from(["entry", "first_known", "last_known", "step:2"]),
    limit=st.integers(1, 3),
)
def test_p6_groups_add_up_at_every_stage(
    engine: DuckEngine,
    tmp_path: Path,
    history: list[tuple[str, str, int, str | None]],
    mode: dict[str, Any],
    attribution: str,
    limit: int,
) -> None:
    breakdown = {"property": "p", "attribution": attribution, "limit": limit}
    definition = a_definition("A", "B", "A", window_seconds=3, breakdown=breakdown, **mode)
    asked_for = resolve_time_range(NOON, to_iso(NOON_US + 5 * SECOND_US))
    answer = asked(engine, tmp_path, to_events(history), definition, asked_for, include=["breakdown"])
    groups = answer["breakdown"]["groups"]
    assert [sum(column) for column in zip([0, 0, 0], *map(users, groups), strict=True)] == users(answer)
    if "count" not in mode:
        most = [sum(column) for column in zip(*(users(group, "users_max") for group in groups), strict=True)]
        assert most == (users(answer, "users_max") if groups else [])
    assert all(users(group)[0] for group in groups)
    assert [group["group"] for group in groups].count("value") <= limit


@settings(max_examples=40, derandomize=True)
@given(
    history=HISTORIES,
    mode=st.sampled_from([mode for mode in MODES if "count" not in mode and mode.get("order") != "unordered"]),
)
def test_each_group_is_the_funnel_whose_entry_has_the_value(
    engine: DuckEngine, tmp_path: Path, history: list[tuple[str, str, int, str | None]], mode: dict[str, Any]
) -> None:
    """A filter on the first stage says the same where no exclusion and no other event of the stage is concerned."""
    breakdown = {"property": "p", "attribution": "each"}
    definition = a_definition("A", "B", window_seconds=3, breakdown=breakdown, **mode)
    answer = asked(engine, tmp_path, to_events(history), definition, include=["breakdown"])
    groups = {group["value"]: users(group) for group in answer["breakdown"]["groups"]}
    for value in (None, "p", "q", "r"):
        filtered = a_definition("A", "B", window_seconds=3, **mode)
        operator = {"op": "not_exists"} if value is None else {"op": "eq", "value": value}
        filtered["stages"][0]["filters"] = [{"property": "p", **operator}]
        alone = users(asked(engine, tmp_path, to_events(history), filtered))
        assert groups.get(value, [0, 0]) == alone


@settings(max_examples=60, derandomize=True)
@given(history=HISTORIES, mode=st.sampled_from(MODES[:6] + MODES[7:]), at=st.integers(0, 8), cut=st.booleans())
def test_p10_the_final_count_lies_between_the_bounds(
    engine: DuckEngine,
    tmp_path: Path,
    history: list[tuple[str, str, int, str | None]],
    mode: dict[str, Any],
    at: int,
    cut: bool,
) -> None:
    over = {**mode, **({"exclusions": [{"event": "X"}]} if cut and mode.get("tie") != "grace:1" else {})}
    definition = a_definition("A", "B", "A", window_seconds=3, **over)
    asked_for = resolve_time_range(NOON, to_iso(NOON_US + at * SECOND_US)) if at else resolve_time_range(NOON, NOON)
    as_of = to_iso(NOON_US + at * SECOND_US)
    events = to_events(history)
    early = asked(engine, tmp_path, events, definition | {"as_of": as_of}, asked_for)
    final = asked(engine, tmp_path, events, definition, asked_for)
    if over.get("count") == "totals":
        return
    bounds = zip(users(early), users(final), users(early, "users_max"), strict=True)
    assert all(low <= count <= high for low, count, high in bounds)


# --- trend


def test_trend_is_one_funnel_for_each_bucket(engine: DuckEngine, tmp_path: Path) -> None:
    events = [
        an_event("A", 0, user="u"), an_event("A", DAY_S, user="u"), an_event("B", DAY_S + 50, user="u"),
        an_event("A", 2 * DAY_S, user="v"),
    ]  # fmt: skip
    definition = a_definition("A", "B", window_seconds=DAY_S, trend="day")
    asked_for = resolve_time_range("2025-11-20", "2025-11-23")
    trend = asked(engine, tmp_path, events, definition, asked_for, include=["trend"])["trend"]
    assert [(one["bucket"], one["users"], one["open"]) for one in trend["buckets"]] == [
        ("2025-11-20", [0, 0], 0), ("2025-11-21", [1, 0], 0), ("2025-11-22", [1, 1], 0), ("2025-11-23", [1, 0], 1)
    ]  # fmt: skip
    assert trend["buckets"][3]["users_max"] == [1, 1]


@settings(max_examples=50, derandomize=True)
@given(history=HISTORIES, mode=st.sampled_from(MODES), mature=st.booleans())
def test_every_bucket_equals_the_funnel_asked_for_its_range(
    engine: DuckEngine,
    tmp_path: Path,
    history: list[tuple[str, str, int, str | None]],
    mode: dict[str, Any],
    mature: bool,
) -> None:
    """Seconds of the history become half hours, so that several fall into one hour."""
    events = [event | {"t": event["t"] * 1_800} for event in to_events(history)]
    over = mode | ({"tie": "grace:3600"} if mode.get("tie") == "grace:1" else {})
    definition = a_definition("A", "B", "A", window_seconds=5_400, trend="hour", mature_only=mature, **over)
    asked_for = resolve_time_range("2025-11-21T12:30:00Z", "2025-11-21T14:30:00Z")
    trend = asked(engine, tmp_path, events, definition, asked_for, include=["trend"])["trend"]
    assert [one["bucket"] for one in trend["buckets"]] == [f"2025-11-21T{hour}:00+00:00" for hour in (12, 13, 14)]
    assert (trend["buckets"][0]["from"], trend["buckets"][-1]["to"]) == (
        "2025-11-21T12:30:00.000000Z", "2025-11-21T14:30:00.000000Z"
    )  # fmt: skip
    for bucket in trend["buckets"]:
        alone = asked(engine, tmp_path, events, definition, resolve_time_range(bucket["from"], bucket["to"]))
        assert bucket["users"] == users(alone)
        assert (bucket["users_max"], bucket["open"]) == (users(alone, "users_max"), alone["open"])


# --- comparison


def test_comparison_is_with_the_days_before(engine: DuckEngine, tmp_path: Path) -> None:
    events = [an_event("A", -DAY_S * day, user=f"u{day}") for day in range(4)]
    events += [an_event("B", 1 - DAY_S * 2, user="u2")]
    asked_for = resolve_time_range("2025-11-20", "2025-11-21", timezone="Europe/Vienna")
    definition = a_definition("A", "B", window_seconds=3 * DAY_S)
    answer = asked(engine, tmp_path, events, definition, asked_for, include=["compare"])
    compared = answer["compare"]
    assert (users(answer), answer["open"]) == ([2, 0], 1)
    assert (users(compared), compared["open"]) == ([2, 1], 0)
    assert compared["date_range"] == {"start": "2025-11-18", "end": "2025-11-19"}
    assert compared["significance"]["difference"] == -50.0
    assert compared["significance"]["is_too_small"]


@pytest.mark.parametrize("count", ["unique", "totals"])
def test_each_group_is_compared_with_itself_then(engine: DuckEngine, tmp_path: Path, count: str) -> None:
    """The groups are those of now: who came then with another value is `other`, and has nothing to stand beside."""
    events = []
    for day, plan, entered, converted in (
        (0, "pro", 40, 15),
        (0, "free", 41, 20),
        (-1, "pro", 40, 5),
        (-1, "old", 9, 9),
    ):
        people = [f"{day}-{plan}-{number}" for number in range(entered)]
        events += [an_event("A", DAY_S * day, user=one, p=plan) for one in people]
        events += [an_event("B", DAY_S * day + 1, user=one) for one in people[:converted]]
    definition = a_definition("A", "B", window_seconds=60, count=count, breakdown={"property": "p", "limit": 2})
    asked_for = resolve_time_range("2025-11-21", "2025-11-21")
    answer = asked(engine, tmp_path, events, definition, asked_for, include=["compare", "breakdown"])
    compared = answer["compare"]["breakdown"]
    told = [(one["group"], one["value"], users(one), one.get("significance")) for one in compared["groups"]]
    assert [row[:3] for row in told] == [
        ("value", "free", [0, 0]), ("value", "pro", [40, 5]), ("other", None, [9, 9])
    ]  # fmt: skip
    free, pro, other = (row[3] for row in told)
    assert other is None
    if count == "totals":
        assert free is pro is None
        return
    assert (free["is_too_small"], pro["difference"], pro["is_significant"]) == (True, 25.0, True)
    # Two groups are two chances: chi-squared of 15, 25, 5, 35 is 20 / 3, p = 0.0098.
    assert pro["p_value"] == pytest.approx(2 * math.erfc(math.sqrt(20 / 3 / 2)), abs=2e-6)


def of_two_days(early: int, late: int, size: int = 400) -> list[dict[str, Any]]:
    """So many of two days' people convert after a second. The second day's are open: as of now it is its noon."""
    events = []
    for day, converted in ((2, early), (3, late)):
        at = day * DAY_S
        events += [an_event("A", at - n - 5, user=f"{day}-{n}", p=f"day {day}") for n in range(1, size + 1)]
        events += [an_event("B", at - n - 4, user=f"{day}-{n}") for n in range(1, converted + 1)]
    return events


@pytest.mark.parametrize(
    ("late", "window_s", "is_open", "is_significant"),
    [
        (0, DAY_S - 1, True, False),  # the 200 that the other day had may still come
        (0, 1, False, True),
        (320, DAY_S - 1, True, True),  # already more, whatever else happens
        (120, DAY_S - 1, True, False),
    ],
)
def test_no_difference_is_claimed_that_open_entries_may_undo(
    engine: DuckEngine, tmp_path: Path, late: int, window_s: int, is_open: bool, is_significant: bool
) -> None:
    events = of_two_days(200, late)
    breakdown = {"property": "p"}
    definition = a_definition("A", "B", window_seconds=window_s, breakdown=breakdown)
    asked_for = resolve_time_range("2025-11-24", "2025-11-24")
    compared = asked(engine, tmp_path, events, definition, asked_for, include=["compare"])["compare"]
    told = compared["significance"]
    assert (told["is_open"], told["is_significant"], told["is_too_small"]) == (is_open, is_significant, False)
    assert told["difference"] == (late - 200) / 4
    groups = asked(engine, tmp_path, events, definition, include=["breakdown"])["breakdown"]["groups"]
    by_day = {group["value"]: group for group in groups}
    assert users(by_day["day 3"], "users_max") == [400, 400 if is_open else late]
    assert users(by_day["day 2"], "users_max") == [400, 200]
    for group in groups:
        own = group["significance"]
        assert (own["is_open"], own["is_significant"]) == (is_open, is_significant)


def test_comparison_with_a_given_range_and_with_none(engine: DuckEngine, tmp_path: Path) -> None:
    given_range = resolve_time_range("2025-11-21", "2025-11-21")
    events = [an_event("A", 0)]
    answer = asked(engine, tmp_path, events, a_definition("A"), include=["compare"], compare_with=given_range)
    assert answer["compare"]["people_total"] == 1
    with pytest.raises(ValidationFailed) as refused:
        asked(engine, tmp_path, events, a_definition("A"), include=["compare"])
    assert [error.pointer for error in refused.value.errors] == ["/include"]


def test_a_timestamp_range_is_compared_with_the_same_length_before(engine: DuckEngine, tmp_path: Path) -> None:
    asked_for = resolve_time_range(NOON, to_iso(NOON_US + 3600 * SECOND_US))
    answer = asked(engine, tmp_path, [an_event("A", -1)], a_definition("A"), asked_for, include=["compare"])
    assert (users(answer), users(answer["compare"])) == ([0], [1])
    assert answer["compare"]["date_range"]["start"] == to_iso(from_datetime(to_datetime(NOON_US)) - 3600 * SECOND_US)


# --- what may be asked for


def test_names_of_members_may_be_joined_by_commas() -> None:
    assert parse_include(["times, trend", "compare", ""]) == {"times", "trend", "compare"}
    for wrong in (["time"], ["times,x"], [None], [1]):
        with pytest.raises(ValidationFailed):
            parse_include(wrong)


def test_breakdown_needs_a_property(engine: DuckEngine, tmp_path: Path) -> None:
    with pytest.raises(ValidationFailed) as refused:
        asked(engine, tmp_path, [], a_definition("A"), include=["breakdown"])
    assert [error.pointer for error in refused.value.errors] == ["/include"]


# --- many people, and options of the project


@pytest.mark.parametrize("attribution", ["entry", "each", "last_known"])
def test_answers_do_not_depend_on_how_people_are_cut_into_chunks(
    engine: DuckEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attribution: str
) -> None:
    events = [
        an_event("AB"[n % 2], n % 97, user=f"u{n * 7919 % 2_500}", p=str(n * 31 % 400)) for n in range(9_000)
    ]  # fmt: skip
    breakdown = {"property": "p", "attribution": attribution, "limit": 100}
    definition = a_definition("A", "B", breakdown=breakdown, trend="day")
    wanted = ["times", "trend", "breakdown"]
    whole = asked(engine, tmp_path, events, definition, include=wanted)
    chunks: list[int] = []
    counted = Tally.add

    def add(tally: Tally, solved: Solved, *more: Any) -> None:
        chunks.append(len(solved.chunk.entities))
        counted(tally, solved, *more)

    monkeypatch.setattr(Tally, "add", add)
    monkeypatch.setattr("iafa.query.paths.reading.CHUNK_ROWS", 1_000)
    monkeypatch.setattr("iafa.query.breakdown.SLICE_ROWS", 500)
    monkeypatch.setattr("iafa.query.breakdown.COUNTS_MAX", 50)
    cut = asked(engine, tmp_path, events, definition, include=wanted)
    assert len(chunks) > 2
    for member in ("stages", "times", "trend", "breakdown"):
        assert cut[member] == whole[member]


def test_the_projects_session_gap_is_used(engine: DuckEngine, tmp_path: Path) -> None:
    events = [an_event("A", 0), an_event("B", 100)]
    definition = a_definition("A", "B", unit="session")
    assert users(asked(engine, tmp_path, events, definition)) == [1, 1]
    assert users(asked(engine, tmp_path, events, definition, session_gap_s=99)) == [1, 0]
    assert users(asked(engine, tmp_path, events, definition, session_gap_s=100)) == [1, 1]


# --- what was read, and what is not there


@pytest.mark.parametrize("exclusions", [{}, {"exclusions": []}, {"exclusions": None}], ids=["absent", "empty", "null"])
def test_dropping_without_an_exclusion_drops_nobody(
    engine: DuckEngine, tmp_path: Path, exclusions: dict[str, Any]
) -> None:
    events = [an_event("A", 1, user="a"), an_event("B", 2, user="a"), an_event("A", 1, user="b")]
    definition = a_definition("A", "B", exclusion_mode="drop", **exclusions)
    answer = asked(engine, tmp_path, events, definition, include=["times"])
    assert users(answer) == [2, 1]
    assert "dropped_by_exclusion" not in answer


def test_rows_read_are_those_of_the_files_that_were_opened(engine: DuckEngine, tmp_path: Path) -> None:
    days = [[an_event("A", NOON_US - day * DAY_S * SECOND_US, user=str(n)) for n in range(3 + day)] for day in range(3)]
    made = snapshot_of(tmp_path, days, [an_event("A", NOON_US, user="tail")])
    entries = tuple(
        LakeFile(
            path=path.name,
            date="",
            rows=len(events),
            bytes=path.stat().st_size,
            first_created_us=events[0]["t"],
            last_created_us=events[0]["t"],
            first_received_us=events[0]["t"],
            last_received_us=events[0]["t"],
            xxh64=xxhash.xxh64(path.read_bytes()).hexdigest(),
        )
        for path, events in zip(made.files, days, strict=True)
    )
    snapshot = replace(made, entries=entries)
    definition = parse_definition(a_definition("A", "B", window_seconds=60))

    def read(include: set[str], start: str | None = None, end: str | None = None) -> dict[str, Any]:
        extras = Extras(frozenset(include))
        return funnel(engine, snapshot, definition, resolve_time_range(start, end), extras=extras)

    assert read(set())["rows_read"] == 3 + 4 + 5 + 1
    yesterday = read({"receipt"}, "2025-11-20", "2025-11-20")
    assert yesterday["rows_read"] == yesterday["receipt"]["rows_read"] == 4 + 1
    both = read({"receipt", "compare"}, "2025-11-20", "2025-11-20")
    assert (both["rows_read"], both["receipt"]["rows_read"]) == (4 + 5 + 1, 4 + 1)
    of_day = question_of(definition, resolve_time_range("2025-11-20", "2025-11-20"), engine.clock.now_us())
    found = drivers(engine, snapshot, DriversQuestion(of_day, lookback_s=0))
    assert found["rows_read"] == 4 + 1
