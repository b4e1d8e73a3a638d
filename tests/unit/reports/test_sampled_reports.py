"""Paths and retention over a sample say so: of people as a whole, or of events, where ways have holes."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from iafa.event import TIME_MAX_US
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.reports.flows import parse_flows
from iafa.query.reports.frame import Setting
from iafa.query.reports.report import Report, report_answer, report_key
from iafa.query.reports.retention import parse_retention
from tests.unit.query.rows import NOON_US, an_engine, snapshot_of

WHOLE, HALF, TENTH = 1.0, 0.5, 0.1
DAY_US = 86_400_000_000
NOW_US = NOON_US + 9 * DAY_US
Parse = Callable[[Mapping[str, Any], Setting], Report]
Events = list[tuple[str, float]]  # name, rate
RETENTION: dict[str, Any] = {"start": "a", "return": "b"}
BY_USER: dict[str, Any] = {"unit": "user"}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    engine = an_engine(tmp_path_factory.mktemp("engine"))
    yield engine
    engine.close()


def asked(
    engine: DuckEngine, root: Path, events: Events, parse: Parse, fields: Mapping[str, Any], singly_until_us: int = 0
) -> dict[str, Any]:
    """The first half in a file, the rest in the tail."""
    made = [
        {"user": "u", "name": name, "t": NOON_US + place, "id": f"e{place}", "properties": {}, "sample_rate": rate}
        for place, (name, rate) in enumerate(events)
    ]
    half = len(made) // 2
    report = parse(fields, Setting(now_us=NOW_US, sampled_singly_until_us=singly_until_us))
    return report_answer(engine, snapshot_of(root / "p", [made[:half]], made[half:]), report)


CASES: list[Any] = [
    pytest.param([("a", WHOLE), ("b", WHOLE)], parse_retention, RETENTION, (None, None), id="no sample"),
    pytest.param([("a", HALF), ("b", HALF)], parse_retention, RETENTION, ("by_user", HALF), id="one rate"),
    pytest.param([("a", WHOLE), ("b", HALF)], parse_retention, RETENTION, ("biased", HALF), id="the return"),
    pytest.param([("a", WHOLE), ("b", WHOLE), ("c", HALF)], parse_retention, RETENTION, (None, None), id="another"),
    pytest.param([("a", WHOLE), ("b", WHOLE)], parse_flows, {}, (None, None), id="ways of all"),
    pytest.param([("a", HALF), ("b", HALF)], parse_flows, {}, ("by_user", HALF), id="ways of one rate"),
    pytest.param([("a", HALF), ("b", TENTH)], parse_flows, BY_USER, ("biased", TENTH), id="a step"),
    pytest.param(
        [("a", HALF), ("b", TENTH)], parse_flows, {**BY_USER, "exclude_events": ["b"]}, ("by_user", HALF), id="no step"
    ),
    pytest.param(
        [("a", HALF), ("b", TENTH)],
        parse_flows,
        {**BY_USER, "include_events": ["a"], "end": "b"},
        ("biased", TENTH),
        id="the end",
    ),
    pytest.param(
        [("a", HALF), ("b", TENTH)], parse_flows, {"exclude_events": ["b"]}, ("biased", TENTH), id="of the session"
    ),
]


@pytest.mark.parametrize(("events", "parse", "fields", "expected"), CASES)
def test_mark(
    engine: DuckEngine, tmp_path: Path, events: Events, parse: Parse, fields: dict[str, Any], expected: Any
) -> None:
    answer = asked(engine, tmp_path, events, parse, fields)
    assert (answer["sampling"], answer["smallest_sample_rate"]) == expected
    shown = asked(engine, tmp_path / "shown", events, parse, {**fields, "include": "receipt"})
    assert shown["sampling"] == answer["sampling"]
    assert "sample_rate" not in shown["receipt"]["sql"]


@pytest.mark.parametrize(("parse", "fields"), [(parse_retention, RETENTION), (parse_flows, {})])
def test_one_rate_is_no_sample_of_people_while_rules_chose_events(
    engine: DuckEngine, tmp_path: Path, parse: Parse, fields: dict[str, Any]
) -> None:
    events = [("a", HALF), ("b", HALF)]
    day = "2025-11-21"
    within = {**fields, "start_date": day, "end_date": day}
    assert asked(engine, tmp_path / "1", events, parse, within, NOON_US)["sampling"] == "biased"
    assert asked(engine, tmp_path / "2", events, parse, within, NOON_US - DAY_US)["sampling"] == "by_user"
    assert asked(engine, tmp_path / "3", events, parse, fields, TIME_MAX_US)["sampling"] == "biased"
    assert len({report_key(parse(fields, Setting(sampled_singly_until_us=n))) for n in (0, 1)}) == 2
