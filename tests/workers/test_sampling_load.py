"""A load with sampling at every level over two real workers: nothing vanishes, and the rates tell what was there."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import cycle
from math import sqrt
from typing import Any, NamedTuple

import pytest

from iafa.settings import Settings
from iafa.wiring import open_house
from tests.support.lake import rows
from tests.support.waiting import eventually
from tests.workers.test_two_workers import Site, site

__all__ = ["site"]
SENT, USERS, BATCH = 20_000, 2_000, 1_000
SIGMAS = 5  # one run in a million is beyond
BROKEN_EVERY = 200


class Kind(NamedTuple):
    """What one kind of events is sampled by: the most specific rule, after what its client says."""

    event_type: str
    source: str
    rate: float
    by: str
    client_rate: float = 1.0


KINDS = (
    Kind("visit", "web", 0.5, "user"),
    Kind("visit", "ios", 0.2, "random"),
    Kind("search", "web", 0.1, "user"),
    Kind("search", "ios", 0.4, "random"),
    Kind("buy", "web", 1.0, "user"),
    Kind("visit", "kiosk", 0.5, "user", client_rate=0.25),
    Kind("debug", "web", 0.0, "user"),
)
RULES = [
    {"rate": 0.5},
    {"rate": 0.2, "by": "random", "source": "ios"},
    {"rate": 0.1, "event_type": "search"},
    {"rate": 0.4, "by": "random", "event_type": "search", "source": "ios"},
    {"rate": 1, "event_type": "buy"},
    {"rate": 0, "event_type": "debug"},
]
ANSWERS = ("accepted", "duplicates", "sampled_out", "rejected", "retry")


def events() -> Iterator[dict[str, Any]]:
    """Of each kind alike many, each user's spread over batches; one in BROKEN_EVERY has a time that is none."""
    for number in range(SENT):
        kind = KINDS[number % len(KINDS)]
        made: dict[str, Any] = {"event": kind.event_type, "source": kind.source, "id": f"e{number}"}
        made |= {"user_id": f"u{number // len(KINDS) % USERS}"}
        if kind.client_rate < 1:
            made["sample_rate"] = kind.client_rate
        if number % BROKEN_EVERY == 0:
            made["timestamp"] = "soon"
        yield made


def is_near(found: float, trials: int, rate: float) -> bool:
    return abs(found - trials * rate) <= SIGMAS * sqrt(trials * rate * (1 - rate))


def people_in(counts: Counter[Any]) -> dict[Any, set[str]]:
    found = defaultdict[Any, set[str]](set)
    for event_type, source, user in counts:
        found[event_type, source].add(user)
    return found


def stored(site: Site, project_id: str) -> list[Any]:
    house = open_house(Settings.model_validate({"data_dir": site.data_dir}))
    try:
        return rows(house.snapshots.take(project_id), "event_type, source, user_id, sample_rate")
    finally:
        house.engine.close()


def counters(site: Site) -> dict[str, float]:
    found, dropped = site.metrics(), "iafa_events_dropped_total"
    names = {"accepted": "iafa_events_accepted_total", "sampled_out": f"{dropped}/sampled_out"}
    return {one: found.get(name, 0.0) for one, name in {**names, "rejected": f"{dropped}/invalid_timestamp"}.items()}


@pytest.fixture(scope="module")
def loaded(site: Site) -> tuple[dict[str, Any], Counter[str]]:
    """The project after the load, and what its answers add up to."""
    project, before = site.project(sampling=RULES), counters(site)
    said: Counter[str] = Counter()
    with site.workers() as clients:
        load, in_turn = list(events()), cycle(clients.values())
        for start in range(0, SENT, BATCH):
            batch, headers = load[start : start + BATCH], {"x-api-key": project["secret_key"]}
            answer = next(in_turn).post("/api/v1/track/batch", json=batch, headers=headers)
            assert answer.status_code == 200, answer.text
            said.update({name: answer.json()[name] for name in ANSWERS})

    def agree() -> bool:
        return all(count - before[name] == said[name] for name, count in counters(site).items())

    eventually(agree, f"the counters say {counters(site)}, the answers {said}")
    return project, said


def test_every_event_has_an_answer_a_counter_and_a_place(site: Site, loaded: Any) -> None:
    project, said = loaded
    assert said.total() == SENT
    assert (said["rejected"], said["duplicates"], said["retry"]) == (SENT // BROKEN_EVERY, 0, 0)
    assert len(stored(site, project["id"])) == said["accepted"]

    def in_the_quarantine() -> dict[str, int]:
        counts = site.owner.client.get(f"/projects/{project['id']}/quarantine/counts").json()["counts"]
        return {one["reason"]: one["count"] for one in counts}

    expected = {"sampled_out": said["sampled_out"], "invalid_timestamp": said["rejected"]}
    eventually(lambda: in_the_quarantine() == expected, f"the counts are {expected}")


def test_each_level_keeps_its_share_and_rows_carry_the_rates(site: Site, loaded: Any) -> None:
    project, _said = loaded
    sound, asked = Counter[Any](), defaultdict[Any, set[str]](set)
    for one in events():
        if "timestamp" not in one:
            sound[one["event"], one["source"]] += 1
            asked[one["event"], one["source"]].add(one["user_id"])
    kept, rates = Counter[Any](), defaultdict[Any, set[float]](set)
    people = defaultdict[Any, set[str]](set)
    for event_type, source, user, rate in stored(site, project["id"]):
        kept[event_type, source] += 1
        rates[event_type, source].add(rate)
        people[event_type, source].add(user)
    for kind in KINDS:
        name = kind[:2]
        assert rates[name] == ({kind.rate * kind.client_rate} if kind.rate else set()), name
        if kind.by == "random":
            assert is_near(kept[name], sound[name], kind.rate), name
        else:
            assert is_near(len(people[name]), len(asked[name]), kind.rate), name


def test_people_are_in_or_out_as_a_whole_at_either_worker(site: Site, loaded: Any) -> None:
    project, _said = loaded
    sent, kept = Counter[Any](), Counter[Any]()
    for one in events():
        if "timestamp" not in one:
            sent[one["event"], one["source"], one["user_id"]] += 1
    for event_type, source, user, _rate in stored(site, project["id"]):
        kept[event_type, source, user] += 1
    by_user = {kind[:2] for kind in KINDS if kind.by == "user"}
    assert {kept[key] in (0, count) for key, count in sent.items() if key[:2] in by_user} == {True}
    chosen, asked = people_in(kept), people_in(sent)
    smaller, larger = ("search", "web"), ("visit", "web")
    assert chosen[smaller] & asked[larger] <= chosen[larger], "a smaller sample lies in the larger one"
    other = ("visit", "kiosk")
    assert chosen[larger] & asked[other] == chosen[other] & asked[larger], "one rule, one choice"


def test_scaled_totals_are_near_what_was_sent(site: Site, loaded: Any) -> None:
    project, _said = loaded
    asked = {"project_id": project["id"], "event": ["visit", "search", "buy"]}
    series = site.owner.client.get("/analytics/trends", params=asked).json()["series"]
    scaled = {one["event_type"]: sum(day["events_scaled"] or day["events"] for day in one["buckets"]) for one in series}
    sound = Counter((one["event"], one["source"]) for one in events() if "timestamp" not in one)
    for name in asked["event"]:
        kinds = [kind for kind in KINDS if kind.event_type == name]
        true = sum(sound[kind[:2]] / kind.client_rate for kind in kinds)
        # A person's events stand or fall together: each adds the square of their number to the variance.
        variance = sum(
            sound[kind[:2]]
            * (1 if kind.by == "random" else sound[kind[:2]] / USERS + 1)
            * (1 / kind.rate - 1)
            / kind.client_rate**2
            for kind in kinds
        )
        assert abs(scaled[name] - true) <= SIGMAS * sqrt(variance) + len(kinds), (name, scaled, true)


def test_a_funnel_over_single_events_says_that_it_is_biased(site: Site, loaded: Any) -> None:
    project, _said = loaded

    def mark(*names: str) -> tuple[str | None, float | None]:
        stages = [{"name": name, "event": name} for name in names]
        question = {"project_id": project["id"], "name": "f", "stages": stages}
        answer = site.owner.client.post("/analytics/funnel", json=question).json()
        return answer["sampling"], answer["smallest_sample_rate"]

    assert mark("search", "buy") == ("biased", 0.1)
    assert mark("buy", "refund") == (None, None)
    only_people = {"sampling": [{"rate": 0.5}]}
    project = site.project(**only_people)
    batch = [{"event": name, "user_id": f"u{n}", "id": f"{name}{n}"} for n in range(40) for name in ("visit", "buy")]
    headers = {"x-api-key": project["secret_key"]}
    assert site.owner.client.post("/track/batch", json=batch, headers=headers).json()["sampled_out"] % 2 == 0
    assert mark("visit", "buy") == ("by_user", 0.5)
    changed = site.owner.client.put(f"/projects/{project['id']}", json={"sampling": [{"rate": 0.5, "by": "random"}]})
    assert changed.status_code == 200
    assert mark("visit", "buy") == ("biased", 0.5)
    changed = site.owner.client.put(f"/projects/{project['id']}", json=only_people)
    assert mark("visit", "buy") == ("biased", 0.5), "of that time nobody knows any more what was chosen"
