"""What rules find, in a real lake: by the window to the microsecond, by funnels, by the day before."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from iafa.clock import FakeClock
from iafa.errors import IafaError
from iafa.jobs.alert_watch import RuleLooks
from iafa.meta.alerts import Alerts, StoredAlert
from iafa.meta.funnels import Funnels, StoredFunnel
from iafa.meta.json_file import JsonFile
from iafa.meta.projects import Project, Projects
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.reports.alert_looks import Look, Looking
from iafa.query.reports.frame import Setting
from tests.support.events import PROJECT, make_event
from tests.support.lake import TestLake
from tests.unit.query.rows import an_engine

NOW_US = 1_763_726_400_000_000  # noon of 2025-11-21, a Friday
HOUR_US = 3_600_000_000
STAGES = [{"name": "Cart", "event": "cart"}, {"name": "Pay", "event": "pay"}, {"name": "Thanks", "event": "thanks"}]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> TestLake:
    """30 carts and 6 payments in the last hour, the payments of two people; twenty visits a day before, none yesterday
    but one."""
    lake = TestLake(tmp_path_factory.mktemp("lake") / "data", clock=FakeClock(NOW_US))
    events = [
        make_event(id=f"cart-{n}", event_type="cart", user_id=f"u{n}", created_at=NOW_US - HOUR_US + n)
        for n in range(30)
    ]
    events += [
        make_event(id=f"pay-{n}", event_type="pay", user_id=f"u{n % 2}", created_at=NOW_US - 60_000_000 + n)
        for n in range(6)
    ]
    for day in range(1, 40):
        events += [
            make_event(id=f"visit-{day}-{n}", event_type="visit", created_at=NOW_US - day * 24 * HOUR_US + n)
            for n in range(1 if day == 1 else 20 + day % 3)
        ]
    lake.write(events[:20])
    lake.flusher.run()
    lake.write(events[20:])
    return lake


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    engine = an_engine(tmp_path_factory.mktemp("engine"))
    yield engine
    engine.close()


def look(engine: DuckEngine, lake: TestLake, later_us: int = 0, **rule: Any) -> Look:
    definition = None
    if rule.pop("funnel", False):
        definition = parse_definition({"project_id": PROJECT, "name": "Checkout", "stages": STAGES[:2]})
    if rule.pop("long_funnel", False):
        definition = parse_definition({"project_id": PROJECT, "name": "Checkout", "stages": STAGES})
    return Looking(engine, lake.take(), Setting("UTC", 3_600, NOW_US + later_us)).look(rule, definition)


@pytest.mark.parametrize(
    ("over", "is_firing"),
    [
        ({"value": 5, "comparison": "above"}, True),
        ({"value": 6, "comparison": "above"}, False),
        ({"value": 6, "comparison": "below"}, False),
        ({"value": 7, "comparison": "below"}, True),
        ({"value": 2, "comparison": "above", "measure": "people"}, False),
        ({"value": 1, "comparison": "above", "measure": "people"}, True),
        ({"value": 35, "comparison": "above", "event": "*"}, True),
        ({"value": 36, "comparison": "above", "event": "*"}, False),
    ],
)
def test_a_threshold_counts_the_window(
    engine: DuckEngine, lake: TestLake, over: dict[str, Any], is_firing: bool
) -> None:
    rule: dict[str, Any] = {"kind": "threshold", "event": "pay", "measure": "events", "window_seconds": 3_600} | over
    assert look(engine, lake, **rule).is_firing is is_firing


def test_silence_begins_when_the_last_event_has_left_the_window(engine: DuckEngine, lake: TestLake) -> None:
    rule = {"kind": "silence", "event": "pay", "window_seconds": 3_600}
    last_us = -60_000_000 + 5
    assert not look(engine, lake, HOUR_US + last_us, **rule).is_firing
    silent = look(engine, lake, HOUR_US + last_us + 1, **rule)
    assert (silent.is_firing, silent.text) == (True, 'No events of "pay" in the last hour')


def test_a_silent_stage_of_a_funnel_is_named(engine: DuckEngine, lake: TestLake) -> None:
    rule: dict[str, Any] = {"kind": "silence", "event": None, "window_seconds": 86_400}
    assert not look(engine, lake, **rule, funnel=True).is_firing
    silent = look(engine, lake, **rule, long_funnel=True)
    assert (silent.text, silent.told) == ('No events of "Thanks" in the last day', 'silent "Thanks"')
    later = look(engine, lake, 30 * HOUR_US, **rule, long_funnel=True)
    assert later.told == 'silent "Cart", "Pay", "Thanks"'


def test_a_conversion_is_judged_when_enough_have_entered(engine: DuckEngine, lake: TestLake) -> None:
    rule: dict[str, Any] = {"kind": "conversion", "window_seconds": 7_200, "people_min": 30, "funnel": True}
    low = look(engine, lake, **rule, below=10.0)
    assert (low.is_firing, low.text) == (
        True,
        '"Checkout" converts 6.67% of 30 in the last 2 hours; the rule is: below 10.0%',
    )
    assert not look(engine, lake, **rule, below=6.0).is_firing
    few = look(engine, lake, **{**rule, "people_min": 31}, below=10.0)
    assert (few.is_firing, few.text) == (False, '30 entered "Checkout" in the last 2 hours: too few to judge')


def test_an_anomaly_is_that_of_the_day_before(engine: DuckEngine, lake: TestLake) -> None:
    rule: dict[str, Any] = {"kind": "anomaly", "event": "visit", "measure": "events", "sensitivity": "medium"}
    down = look(engine, lake, **rule, direction="any")
    assert (down.is_firing, down.told) == (True, "anomaly 2025-11-20")
    assert down.text.startswith('"visit" fell to 1 on 20 November 2025; ')
    assert not look(engine, lake, **rule, direction="up").is_firing
    assert not look(engine, lake, -24 * HOUR_US, **rule, direction="any").is_firing
    nothing = look(engine, lake, 48 * HOUR_US, **rule, direction="down")
    assert nothing.text.startswith("No data arrived on 22 November 2025")


async def test_the_rules_of_real_projects_and_funnels_are_looked_at(
    engine: DuckEngine, lake: TestLake, tmp_path: Path
) -> None:
    clock = FakeClock(NOW_US)
    projects = Projects(JsonFile(tmp_path, "projects", Project, clock=clock), clock)
    funnels = Funnels(JsonFile(tmp_path, "funnels", StoredFunnel, clock=clock), clock)
    alerts = Alerts(JsonFile(tmp_path, "alerts", StoredAlert, clock=clock), clock)
    project, _write, _secret = await projects.add("organization", name="Shop", settings={})
    definition = {"project_id": project.id, "name": "Checkout", "stages": STAGES}
    funnel = await funnels.add(project.id, name="Checkout", definition=definition)
    looks = RuleLooks(projects, funnels, lake.snapshots, engine, clock)
    fields: dict[str, Any] = {"name": "x", "webhook_url": "https://a.example", "interval_seconds": 60}
    rule = {"kind": "silence", "event": None, "funnel_id": funnel.id, "window_seconds": 3_600}
    made = await alerts.add(project.id, **fields, rule=rule, is_paused=False)
    found = await asyncio.to_thread(looks.look, made)
    assert found is not None
    assert found.told == 'silent "Cart", "Pay", "Thanks"'
    await funnels.remove(funnel.id)
    with pytest.raises(IafaError, match="gone"):
        await asyncio.to_thread(looks.look, made)
    await projects.remove(project.id)
    assert await asyncio.to_thread(looks.look, made) is None
