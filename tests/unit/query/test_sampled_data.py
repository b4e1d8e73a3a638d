"""A funnel over a sample says so: of people as a whole, or of events, where paths have holes."""

from pathlib import Path
from typing import Any

import pytest

from iafa.clock import US_PER_DAY
from iafa.event import TIME_MAX_US
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.funnel import funnel
from iafa.query.question import Extras, question_of
from iafa.query.time_range import resolve_time_range
from tests.support.events import NOON_US, make_event
from tests.support.lake import TestLake
from tests.unit.query.rows import a_definition

WHOLE, HALF, TENTH = 1.0, 0.5, 0.1
Events = list[tuple[str, float]]  # (event type, rate)


def asked(engine: DuckEngine, root: Path, events: Events, place: str, extras: Extras, **over: Any) -> Any:
    lake = TestLake(root)
    made = [
        make_event(id=f"e{n}", event_type=name, created_at=NOON_US + n, user_id="u", source="ios", sample_rate=rate)
        for n, (name, rate) in enumerate(events)
    ]
    cut = {"files": len(made), "tail": 0, "both": len(made) // 2}[place]
    for events_of, is_flushed in ((made[:cut], True), (made[cut:], False)):
        if events_of:
            lake.write(events_of)
            if is_flushed:
                lake.flusher.run()
    definition = parse_definition(a_definition("A", "B") | over)
    return funnel(engine, lake.take(), definition, resolve_time_range(), extras=extras)


CASES: list[Any] = [
    pytest.param([("A", WHOLE), ("B", WHOLE)], {}, (None, None), id="no sample"),
    pytest.param([("A", HALF), ("B", HALF)], {}, ("by_user", HALF), id="one rate"),
    pytest.param([("A", WHOLE), ("B", HALF)], {}, ("biased", HALF), id="one stage sampled"),
    pytest.param([("A", TENTH), ("B", HALF), ("A", TENTH)], {}, ("biased", TENTH), id="two rates"),
    pytest.param([("A", WHOLE), ("B", WHOLE), ("C", TENTH)], {}, (None, None), id="another event sampled"),
    pytest.param(
        [("A", HALF), ("B", HALF)],
        {"filters": [{"property": "column:source", "op": "eq", "value": "web"}]},
        (None, None),
        id="what the filters leave out",
    ),
]


@pytest.mark.parametrize(("events", "over", "expected"), CASES)
@pytest.mark.parametrize("place", ["files", "tail", "both"])
def test_mark(engine: DuckEngine, tmp_path: Path, events: Events, over: Any, expected: Any, place: str) -> None:
    answer = asked(engine, tmp_path / "p", events, place, Extras(), **over)
    assert (answer["sampling"], answer["smallest_sample_rate"]) == expected


@pytest.mark.parametrize(
    ("until_us", "expected"),
    [(0, "by_user"), (TIME_MAX_US, "biased"), (NOON_US + US_PER_DAY, "biased")],
)
def test_one_rate_is_no_sample_of_people_while_rules_chose_events(
    engine: DuckEngine, tmp_path: Path, until_us: int, expected: str
) -> None:
    events = [("A", HALF), ("B", HALF)]
    answer = asked(engine, tmp_path / "p", events, "files", Extras(sampled_singly_until_us=until_us))
    assert (answer["sampling"], answer["smallest_sample_rate"]) == (expected, HALF)
    whole = [("A", WHOLE), ("B", WHOLE)]
    answer = asked(engine, tmp_path / "q", whole, "files", Extras(sampled_singly_until_us=until_us))
    assert answer["sampling"] is None


def test_a_range_behind_the_change_of_rules_is_judged_by_the_new_ones(engine: DuckEngine, tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    for at_us in (NOON_US, NOON_US - US_PER_DAY):
        made = [make_event(id=f"{at_us}-{name}", event_type=name, created_at=at_us, sample_rate=HALF) for name in "AB"]
        lake.write(made)
    lake.flusher.run()
    midnight_us = NOON_US - NOON_US % US_PER_DAY
    extras = Extras(frozenset({"compare"}), sampled_singly_until_us=midnight_us)
    day = resolve_time_range("2025-11-21", "2025-11-21")
    answer: Any = funnel(engine, lake.take(), parse_definition(a_definition("A", "B")), day, extras=extras)
    assert answer["sampling"] == "by_user"
    assert (answer["compare"]["sampling"], answer["compare"]["smallest_sample_rate"]) == ("biased", HALF)


def test_an_answer_before_a_change_of_rules_is_not_given_after_it() -> None:
    definition = parse_definition(a_definition("A", "B"))
    keys = {question_of(definition, resolve_time_range(), 0, Extras(sampled_singly_until_us=n)).key() for n in (0, 1)}
    assert len(keys) == 2
