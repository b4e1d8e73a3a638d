"""Sampling: the kept share lies within binomial bounds at every level, people are in or out as a whole, and the
counts of an answer add up, on the fast way and through the steps."""

import json
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from iafa.clock import US_PER_S
from iafa.event import Event
from iafa.ingest.sampling import RATE_MIN, Sampler
from iafa.meta.collect_rules import SampleBy, SamplingRule
from tests.support.events import NOON_US, PROJECT, make_event
from tests.support.lake import TestLake, rows
from tests.unit.ingest.test_collector import HERE, SECRET, body, collector_of, event

COUNT = 20_000
SALT = b"a salt of one project"
LEVELS: dict[str, dict[str, Any]] = {
    "all": {},
    "a source": {"source": "web"},
    "an event type": {"event_type": "page_view"},
    "an event type of a source": {"event_type": "page_view", "source": "web"},
}


def made(number: int, **over: Any) -> Event:
    """An event of its own person, a second after the one before."""
    own = {"id": f"e{number}", "user_id": None, "anonymous_id": f"visitor-{number}", "source": "web"}
    return make_event(**own | {"created_at": NOON_US + number * US_PER_S} | over)


def kept(rules: Iterable[SamplingRule], events: Iterable[Event], salt: bytes = SALT) -> list[Event]:
    sampler = Sampler(tuple(rules), salt)
    return [one for one in events if sampler.keeps(one)]


def assert_binomial(count: int, rate: float, of: int = COUNT) -> None:
    """Within five standard deviations; the salts are fixed, so that a case that passes always passes."""
    assert abs(count - of * rate) <= 5 * math.sqrt(of * rate * (1 - rate))


@pytest.mark.parametrize("level", LEVELS.values(), ids=LEVELS)
@pytest.mark.parametrize("by", ["user", "random"])
@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5, 0.9])
def test_share_that_is_kept_is_the_rate(level: dict[str, Any], by: SampleBy, rate: float) -> None:
    found = kept([SamplingRule(rate=rate, by=by, **level)], map(made, range(COUNT)))
    assert_binomial(len(found), rate)
    assert {one.sample_rate for one in found} == {rate}


@pytest.mark.parametrize("by", ["user", "random", "window"])
@pytest.mark.parametrize(("rate", "count"), [(0.0, 0), (1.0, 500)])
def test_none_and_all(by: SampleBy, rate: float, count: int) -> None:
    assert len(kept([SamplingRule(rate=rate, by=by)], map(made, range(500)))) == count


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_window_keeps_whole_stretches_of_time(rate: float) -> None:
    rule = SamplingRule(rate=rate, by="window", window_seconds=600)
    windows = 400
    seconds = {one.created_at // US_PER_S for one in kept([rule], map(made, range(windows * 600)))}
    assert len(seconds) / (windows * 600) == pytest.approx(rate, abs=0.01)
    per_window = Counter(second // 600 for second in seconds)
    assert {abs(count - 600 * rate) <= 1 for count in per_window.values()} == {True}
    # A stretch is left once a window: it is one piece, or two that hang together across the border.
    ends = [second for second in seconds if second + 1 not in seconds]
    assert windows * 0.9 <= len(ends) <= windows * 2
    first_of_each = [
        min(second % 600 for second in seconds if second // 600 == number) for number in list(per_window)[:99]
    ]
    assert len(set(first_of_each)) > 30, "the stretch begins elsewhere in each window"


def test_people_are_in_or_out_as_a_whole_and_stay_so_when_they_sign_in() -> None:
    rules = [SamplingRule(rate=0.3)]
    whole = {one.anonymous_id for one in kept(rules, (made(n) for n in range(2000)))}
    for over in ({"event_type": "purchase"}, {"source": "ios"}, {"user_id": "signed-in"}, {"created_at": 1}):
        assert {one.anonymous_id for one in kept(rules, (made(n, **over) for n in range(2000)))} == whole
    known = {one.user_id for one in kept(rules, (made(n, anonymous_id=None, user_id=f"u{n}") for n in range(2000)))}
    again = {one.user_id for one in kept(rules, (made(n + 9, anonymous_id=None, user_id=f"u{n}") for n in range(2000)))}
    assert known == again
    assert_binomial(len(known), 0.3, of=2000)


def test_people_of_a_small_sample_are_in_every_larger_one_and_other_projects_choose_others() -> None:
    small, large = ({one.id for one in kept([SamplingRule(rate=rate)], map(made, range(5000)))} for rate in (0.1, 0.4))
    assert small < large
    elsewhere = {one.id for one in kept([SamplingRule(rate=0.1)], map(made, range(5000)), salt=b"another")}
    assert_binomial(len(small & elsewhere), 0.01, of=5000)


def test_a_repeat_is_decided_alike_and_single_events_of_a_person_are_not() -> None:
    rules = [SamplingRule(rate=0.5, by="random")]
    events = [made(n, anonymous_id="one person") for n in range(2000)]
    first, again = kept(rules, events), kept(rules, events)
    assert [one.id for one in first] == [one.id for one in again]
    assert_binomial(len(first), 0.5, of=2000)


@pytest.mark.parametrize(
    ("event_type", "source", "rate"),
    [("a", "web", 0.9), ("a", "ios", 0.8), ("b", "web", 0.7), ("b", "ios", 0.6), ("a", None, 0.8), ("b", None, 0.6)],
)
def test_most_specific_rule_decides_alone(event_type: str, source: str | None, rate: float) -> None:
    rules = [
        SamplingRule(rate=0.6),
        SamplingRule(rate=0.7, source="web"),
        SamplingRule(rate=0.8, event_type="a"),
        SamplingRule(rate=0.9, event_type="a", source="web"),
    ]
    found = kept(rules, (made(n, event_type=event_type, source=source) for n in range(COUNT)))
    assert {one.sample_rate for one in found} == {rate}
    assert_binomial(len(found), rate)


def test_an_event_carries_the_product_of_the_clients_and_the_servers_rate() -> None:
    (found,) = kept([SamplingRule(rate=0.999999)], [made(1, sample_rate=0.25)])
    assert found.sample_rate == 0.25 * 0.999999
    (tiny,) = kept([SamplingRule(rate=0.999999)], [made(1, sample_rate=5e-324)])
    assert tiny.sample_rate == RATE_MIN
    (other,) = kept([SamplingRule(rate=0.5, event_type="other")], [made(1, sample_rate=0.25)])
    assert other.sample_rate == 0.25


@pytest.mark.parametrize("over", [{}, {"plan": "an unknown member takes the way through the steps"}])
async def test_batch_says_what_was_sampled_out_and_the_counts_add_up(tmp_path: Path, over: dict[str, str]) -> None:
    lake = TestLake(tmp_path)
    collector = collector_of(lake)
    grant = replace(SECRET, sampling=(SamplingRule(rate=0.5), SamplingRule(rate=0, event_type="noise")))
    events = [event(f"e{n}", user_id=f"u{n}", **over) for n in range(200)]
    events += [event("n1", event="noise", **over), events[0], event("bad", user_id="")]
    answer = await collector.batch(grant, HERE, body(*events))
    counts = (answer.accepted, answer.duplicates, answer.sampled_out, answer.rejected, answer.retry)
    assert sum(counts) == len(events)
    assert_binomial(answer.accepted, 0.5, of=200)
    out = {one.event_id for one in answer.results if one.result == "sampled_out"}
    assert "n1" in out
    stored = rows(lake.take(), "id, sample_rate")
    assert {id_ for id_, _rate in stored}.isdisjoint(out)
    assert {rate for _id, rate in stored} == {0.5}
    assert len(stored) == answer.accepted == collector.gate.usage.of(PROJECT)
    counted = collector.counters.read()["events_dropped"]
    assert counted["sampled_out"] == answer.sampled_out == len([one for one in events if one["id"] in out])
    collector.journal.close()


@pytest.mark.parametrize("over", [{}, {"plan": "an unknown member takes the way through the steps"}])
async def test_single_event_that_is_sampled_out_is_no_error(tmp_path: Path, over: dict[str, str]) -> None:
    lake = TestLake(tmp_path)
    collector = collector_of(lake)
    none, half = (replace(SECRET, sampling=(SamplingRule(rate=rate),)) for rate in (0, 0.999999))
    answers = [await collector.one(grant, HERE, json.dumps(event("e1", **over)).encode()) for grant in (none, half)]
    assert [(answer.status, answer.id) for answer in answers] == [("sampled_out", "e1"), ("ok", "e1")]
    assert rows(lake.take(), "id, sample_rate") == [("e1", 0.999999)]
    assert collector.counters.read()["events_dropped"] == {"sampled_out": 1}
    collector.journal.close()
