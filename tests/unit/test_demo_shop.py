"""The demo shop: repeatable, well-formed, believable, and broken in week 9 where it should be."""

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from iafa.demo.dates import date_notes
from iafa.demo.funnels import FUNNELS
from iafa.demo.live import LiveVisitors
from iafa.demo.rhythm import HOME_ZONE
from iafa.demo.shop import generate, incident_of
from iafa.demo.visit import WireEvent

END = datetime(2026, 11, 20, 14, 30, 5, 250_000, tzinfo=UTC)
SEED = 7
BERLIN = ZoneInfo(HOME_ZONE)
WEEK = timedelta(days=7)
CHECKOUT = ("product_view", "add_to_cart", "checkout_start", "payment_info", "purchase")


class Row(NamedTuple):
    at: datetime
    person: str
    session: str
    event: WireEvent

    @property
    def browser(self) -> object:
        return self.event["properties"]["browser"]


def small(*, seed: int = SEED, end: datetime = END, days: int = 90, batch_events: int = 5_000) -> list[WireEvent]:
    return flat(generate(seed=seed, end=end, days=days, people=3_000, batch_events=batch_events))


def flat(batches: Iterable[list[WireEvent]]) -> list[WireEvent]:
    return [event for batch in batches for event in batch]


def rows_of(events: Sequence[WireEvent]) -> list[Row]:
    """The events with their person: the user of the anonymous id, known or to become known, else that id."""
    users = {event["anonymous_id"]: event["user_id"] for event in events if "user_id" in event}
    return [
        Row(
            datetime.fromisoformat(event["timestamp"]),
            users.get(event["anonymous_id"], event["anonymous_id"]),
            event["session_id"],
            event,
        )
        for event in events
    ]


def by_person(rows: Iterable[Row]) -> dict[str, list[Row]]:
    people: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        people[row.person].append(row)
    return people


def local_day(row: Row) -> date:
    return row.at.astimezone(BERLIN).date()


@pytest.fixture(scope="module")
def history() -> list[Row]:
    return rows_of(flat(generate(seed=SEED, end=END)))


@pytest.fixture(scope="module")
def few() -> list[WireEvent]:
    return small()


class TestRepeatable:
    def test_same_arguments_give_the_same_events(self, few: list[WireEvent]) -> None:
        assert few == small()

    @pytest.mark.parametrize("over", [{"seed": 8}, {"end": END + timedelta(seconds=1)}], ids=["seed", "end"])
    def test_another_seed_or_end_shares_no_event_id(self, few: list[WireEvent], over: dict[str, Any]) -> None:
        ids = {event["id"] for event in few}
        assert ids.isdisjoint(event["id"] for event in small(**over))

    def test_batches_are_full_but_for_the_last_and_their_size_changes_nothing(self, few: list[WireEvent]) -> None:
        batches = list(generate(seed=SEED, end=END, people=3_000, batch_events=777))
        assert {len(batch) for batch in batches[:-1]} == {777}
        assert 0 < len(batches[-1]) <= 777
        assert flat(batches) == few

    def test_the_zone_of_end_does_not_matter(self, few: list[WireEvent]) -> None:
        assert small(end=END.astimezone(BERLIN)) == few


class TestSpan:
    def test_events_are_in_time_order_with_unique_ids_before_the_end(self, history: list[Row]) -> None:
        assert all(before.at <= after.at for before, after in pairwise(history))
        assert len({row.event["id"] for row in history}) == len(history)
        assert END - timedelta(days=90) <= history[0].at
        assert END - timedelta(minutes=10) < history[-1].at < END

    def test_every_one_of_the_90_local_days_has_visitors(self, history: list[Row]) -> None:
        days = Counter(map(local_day, history))
        assert len(days) == 90
        assert max(days) == END.astimezone(BERLIN).date()
        assert min(count for day, count in days.items() if day < max(days)) > 1_000

    def test_an_end_at_midnight_belongs_to_the_day_before(self) -> None:
        midnight = datetime(2026, 11, 20, tzinfo=BERLIN)
        days = {local_day(row) for row in rows_of(small(end=midnight, days=2))}
        assert days == {date(2026, 11, 18), date(2026, 11, 19)}

    @pytest.mark.parametrize(
        ("end", "days"),
        [(END.replace(tzinfo=None), 90), (END, 0), (END, -1)],
        ids=["end without zone", "no day", "negative days"],
    )
    def test_a_span_without_meaning_is_refused(self, end: datetime, days: int) -> None:
        with pytest.raises(ValueError, match=r"time zone|at least 1"):
            next(generate(seed=SEED, end=end, days=days))


class TestBelievable:
    def test_size_and_kinds_of_events(self, history: list[Row]) -> None:
        kinds = Counter(row.event["event_type"] for row in history)
        assert 240_000 <= len(history) <= 320_000
        assert 36_000 <= len({row.person for row in history}) <= 44_000
        assert 12 <= len(kinds) <= 18
        assert kinds["page_view"] == max(kinds.values())
        assert min(kinds.values()) >= 20

    def test_most_people_come_once_and_a_few_come_hundreds_of_times(self, history: list[Row]) -> None:
        people = by_person(history)
        visits = sorted((len({row.session for row in rows}) for rows in people.values()), reverse=True)
        assert 0.6 <= visits.count(1) / len(visits) <= 0.8
        assert visits[0] >= 150
        assert visits[4] >= 60
        assert sum(visits[: len(visits) // 100]) >= 0.12 * sum(visits)

    def test_sunday_is_busier_than_saturday_and_the_evening_than_the_night(self, history: list[Row]) -> None:
        local = [row.at.astimezone(BERLIN) for row in history]
        weekdays = Counter(at.weekday() for at in local)
        hours = Counter(at.hour for at in local)
        assert weekdays[6] > 1.25 * weekdays[5]
        assert hours[20] > 8 * hours[3]
        assert hours[20] > 1.2 * hours[11] > 1.2 * hours[7]

    def test_traffic_grows_slightly(self, history: list[Row]) -> None:
        days = [count for _, count in sorted(Counter(map(local_day, history)).items())]
        assert 1.03 <= sum(days[61:89]) / sum(days[:28]) <= 1.45

    def test_newsletters_leave_every_other_tuesday_at_seven(self, history: list[Row]) -> None:
        first: dict[str, datetime] = {}
        for row in history:
            name = row.event["properties"].get("utm_campaign", "")
            if str(name).startswith("newsletter-"):
                first.setdefault(str(name), row.at.astimezone(BERLIN))
        assert len(first) in {6, 7}
        assert {(at.weekday(), at.hour) for at in first.values()} <= {(1, 7), (1, 8)}
        assert {after.date() - before.date() for before, after in pairwise(first.values())} == {2 * WEEK}

    def test_a_campaign_is_in_the_landing_url_and_in_every_event_of_the_visit(self, history: list[Row]) -> None:
        landings: dict[str, Row] = {}
        for row in history:
            landings.setdefault(row.session, row)
        tagged = {session for session, row in landings.items() if "utm_campaign" in row.event["properties"]}
        assert len({landings[session].event["properties"]["utm_campaign"] for session in tagged}) >= 9
        for session, row in landings.items():
            assert ("utm_campaign=" in row.event["url"]) == (session in tagged)
        assert all(("utm_campaign" in row.event["properties"]) == (row.session in tagged) for row in history)

    def test_user_ids_begin_with_signing_in_or_up(self, history: list[Row]) -> None:
        known: set[str] = set()
        for row in history:
            screen = row.event["anonymous_id"]
            if "user_id" in row.event and screen not in known:
                assert row.event["event_type"] == "identify"
                known.add(screen)
            assert ("user_id" in row.event) == (screen in known)
        assert len(known) > 1_000

    def test_a_session_keeps_its_screen_and_never_pauses_for_half_an_hour(self, history: list[Row]) -> None:
        sessions: dict[str, Row] = {}
        for row in history:
            before = sessions.get(row.session, row)
            assert row.event["anonymous_id"] == before.event["anonymous_id"]
            assert row.at - before.at < timedelta(minutes=30)
            sessions[row.session] = row

    def test_orders_are_unique_and_an_order_is_refunded_once_at_most(self, history: list[Row]) -> None:
        bought: set[object] = set()
        refunded: set[object] = set()
        for row in history:
            properties = row.event["properties"]
            if row.event["event_type"] == "purchase":
                assert properties["order_id"] not in bought
                assert float(str(properties["value"])) > 0
                bought.add(properties["order_id"])
            elif row.event["event_type"] == "refund":
                assert properties["order_id"] in bought - refunded
                refunded.add(properties["order_id"])
        assert len(refunded) > 20


class TestWellFormed:
    def test_every_event_keeps_the_limits(self, few: list[WireEvent]) -> None:
        for event in few + until_times(LiveVisitors(seed=SEED, since=END), seconds=600):
            _check_limits(event)

    def test_names_are_placeholders_and_nothing_looks_like_an_address(self, few: list[WireEvent]) -> None:
        text = json.dumps(few)
        assert "@" not in text
        assert not re.search(r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b", re.sub(r"/\d+(\.\d+){3}", "", text))
        assert set(re.findall(r"https?://([^/\"]+)", text)) <= {
            "shop.example",
            "blog.example",
            "www.google.com",
            "duckduckgo.com",
            "www.instagram.com",
        }


class TestFunnel:
    def test_checkout_narrows_as_in_a_shop(self, history: list[Row]) -> None:
        counts = funnel(history, CHECKOUT, since=history[0].at, until=END)
        rates = [count / counts[0] for count in counts]
        assert 0.20 <= rates[1] <= 0.34
        assert 0.11 <= rates[2] <= 0.21
        assert 0.09 <= rates[3] <= 0.17
        assert 0.07 <= rates[4] <= 0.14

    def test_some_convert_in_minutes_and_some_after_days(self, history: list[Row]) -> None:
        first_view: dict[str, datetime] = {}
        waits = []
        for row in history:
            if row.event["event_type"] == "product_view":
                first_view.setdefault(row.person, row.at)
            elif row.event["event_type"] == "purchase" and row.person in first_view:
                waits.append(row.at - first_view.pop(row.person))
        assert sum(wait < timedelta(minutes=30) for wait in waits) > 0.3 * len(waits)
        assert sum(wait > timedelta(days=1) for wait in waits) > 0.1 * len(waits)

    def test_week_nine_loses_payments_on_mobile_safari_only_and_recovers(self, history: list[Row]) -> None:
        safari = [row for row in history if row.browser == "Mobile Safari"]
        others = [row for row in history if row.browser != "Mobile Safari"]
        broken, *healthy = (paid(safari, week) for week in (0, -2, -1, 1, 2))
        assert broken < 0.40
        assert min(healthy) > 0.65
        assert min(paid(others, week) for week in (-1, 0, 1)) > 0.75
        assert paid(history, 0) < min(paid(history, week) for week in (-2, -1, 1, 2)) - 0.08

    def test_the_stages_before_payment_are_not_touched_by_week_nine(self, history: list[Row]) -> None:
        safari = [row for row in history if row.browser == "Mobile Safari"]
        reached = [week_counts(safari, week) for week in (-1, 0, 1)]
        rates = [counts[3] / counts[0] for counts in reached]
        assert abs(rates[1] - (rates[0] + rates[2]) / 2) < 0.035

    def test_the_card_form_fails_in_that_week_on_mobile_safari_and_nowhere_else(self, history: list[Row]) -> None:
        since, until = _incident()
        assert [at.astimezone(BERLIN).hour for at in (since, until)] == [0, 0]
        assert local_day(history[0]) + timedelta(days=56) == since.astimezone(BERLIN).date()
        errors = [row for row in history if row.event["properties"].get("reason") == "card_form_error"]
        assert len(errors) > 50
        assert {row.browser for row in errors} == {"Mobile Safari"}
        assert since <= errors[0].at < errors[-1].at < until + timedelta(hours=1)

    def test_a_history_of_nine_weeks_has_the_bug_and_a_shorter_one_has_not(self) -> None:
        assert incident_of(end=END, days=63) is not None
        assert incident_of(end=END, days=62) is None

    @pytest.mark.parametrize("definition", FUNNELS, ids=lambda definition: str(definition["name"]))
    def test_a_demo_funnel_is_well_formed_and_people_reach_its_end(
        self, history: list[Row], definition: dict[str, Any]
    ) -> None:
        assert set(definition) == {"name", "description", "stages", "window_seconds"}
        stages = definition["stages"]
        assert [stage["order"] for stage in stages] == list(range(1, len(stages) + 1))
        assert all(set(stage) <= {"name", "event", "order", "filters"} for stage in stages)
        window = timedelta(seconds=definition["window_seconds"])
        counts = funnel(history, stages, since=history[0].at, until=END, window=window)
        assert counts[0] > 500
        assert counts[-1] > 50
        assert all(after < before for before, after in pairwise(counts))


class TestStory:
    def test_a_crawler_searches_for_one_night_that_is_over_and_does_nothing_else(self, history: list[Row]) -> None:
        crawler = [row for row in history if row.browser == "Price crawler"]
        assert {local_day(row) for row in crawler} == {END.astimezone(BERLIN).date() - timedelta(days=1)}
        assert Counter(row.event["event_type"] for row in crawler) == {"page_view": 270, "search": 270}
        assert len({row.person for row in crawler}) == 1
        assert len({row.session for row in crawler}) == 6
        assert all("crawler" in row.event["user_agent"].lower() for row in crawler)
        searches = Counter(local_day(row) for row in history if row.event["event_type"] == "search")
        (first, most), (_, second) = searches.most_common(2)
        assert first == local_day(crawler[0])
        assert most > 1.8 * second

    def test_a_short_history_has_no_crawler(self) -> None:
        assert not [row for row in rows_of(small(days=62)) if row.browser == "Price crawler"]

    @pytest.mark.parametrize(("days", "notes"), [(1, 0), (21, 1), (63, 3), (64, 4), (90, 5), (120, 5)])
    def test_notes_stand_on_days_that_the_history_has(self, days: int, notes: int) -> None:
        last = END.astimezone(BERLIN).date()
        found = date_notes(end=END, days=days)
        assert len(found) == notes
        starts = [date.fromisoformat(str(note["start"])) for note in found]
        ends = [date.fromisoformat(str(note["end"] or note["start"])) for note in found]
        assert starts == sorted(starts)
        assert all(last - timedelta(days=days - 1) <= day <= last for day in starts + ends)

    def test_notes_name_the_days_of_what_happened(self, history: list[Row]) -> None:
        notes = {str(note["text"]).split(":")[0]: note for note in date_notes(end=END)}
        since, until = _incident()
        assert notes["Release"]["start"] == since.astimezone(BERLIN).date().isoformat()
        assert notes["Fix"]["start"] == until.astimezone(BERLIN).date().isoformat()
        ads = [local_day(row) for row in history if row.event["properties"].get("utm_campaign") == "garden-weeks"]
        assert (notes["Campaign"]["start"], notes["Campaign"]["end"]) == (str(min(ads)), str(max(ads)))
        post = [local_day(row) for row in history if row.event["properties"].get("utm_medium") == "social"]
        assert notes["Our balcony post went round on Instagram"]["start"] == str(min(post))
        issues = {str(row.event["properties"].get("utm_campaign", "")): local_day(row) for row in reversed(history)}
        newest = max(name for name in issues if name.startswith("newsletter-"))
        assert notes[f"Newsletter, issue {int(newest[-2:])}"]["start"] == str(issues[newest])


class TestLive:
    def test_events_are_recent_new_and_in_order(self) -> None:
        live = LiveVisitors(seed=SEED, since=END)
        seen: list[WireEvent] = []
        for second in range(1, 901):
            now = END + timedelta(seconds=second)
            events = live.until(now)
            times = [datetime.fromisoformat(event["timestamp"]) for event in events]
            assert times == sorted(times)
            assert all(now - timedelta(seconds=1) <= at < now for at in times)
            seen += events
        assert 200 <= len(seen) <= 1_500
        assert len({event["id"] for event in seen}) == len(seen)
        assert len({event["anonymous_id"] for event in seen}) >= 60
        assert {"page_view", "product_view", "add_to_cart"} <= {event["event_type"] for event in seen}

    def test_live_visitors_share_no_id_with_the_history(self, few: list[WireEvent]) -> None:
        live = until_times(LiveVisitors(seed=SEED, since=END), seconds=300)
        for field in ("id", "anonymous_id", "session_id"):
            assert {event[field] for event in live}.isdisjoint(event[field] for event in few)
        assert {event.get("user_id", "") for event in live}.isdisjoint(
            event["user_id"] for event in few if "user_id" in event
        )

    def test_the_calls_do_not_change_what_happens(self) -> None:
        every_second = until_times(LiveVisitors(seed=SEED, since=END), seconds=100)
        assert every_second == LiveVisitors(seed=SEED, since=END).until(END + timedelta(seconds=100))

    def test_a_new_start_gives_new_ids(self) -> None:
        first = until_times(LiveVisitors(seed=SEED, since=END), seconds=60)
        again = LiveVisitors(seed=SEED, since=END + timedelta(seconds=60)).until(END + timedelta(seconds=120))
        assert {event["id"] for event in first}.isdisjoint(event["id"] for event in again)

    def test_a_silence_is_not_followed_by_a_burst(self) -> None:
        live = LiveVisitors(seed=SEED, since=END)
        assert live.until(END + timedelta(seconds=60))
        woken = END + timedelta(hours=9)
        assert live.until(woken) == []
        after = live.until(woken + timedelta(seconds=60))
        assert 0 < len(after) < 200
        assert min(event["timestamp"] for event in after) >= woken.replace(tzinfo=None).isoformat()

    def test_a_clock_that_goes_back_gives_nothing(self) -> None:
        live = LiveVisitors(seed=SEED, since=END)
        assert live.until(END + timedelta(seconds=60))
        assert live.until(END + timedelta(seconds=30)) == []

    @pytest.mark.parametrize("visits_per_minute", [0.0, -1.0, math.inf, math.nan])
    def test_a_rate_without_meaning_is_refused(self, visits_per_minute: float) -> None:
        with pytest.raises(ValueError, match="visits_per_minute"):
            LiveVisitors(seed=SEED, since=END, visits_per_minute=visits_per_minute)


def until_times(live: LiveVisitors, *, seconds: int) -> list[WireEvent]:
    return flat(live.until(END + timedelta(seconds=second)) for second in range(1, seconds + 1))


def paid(rows: list[Row], week: int) -> float:
    """Of those who entered in that week (0 = week 9) and gave payment details: the share that bought."""
    counts = week_counts(rows, week)
    return counts[4] / counts[3]


def week_counts(rows: list[Row], week: int) -> list[int]:
    since, until = _incident()
    return funnel(rows, CHECKOUT, since=since + week * WEEK, until=until + week * WEEK)


def funnel(
    rows: list[Row],
    stages: Sequence[str | dict[str, Any]],
    *,
    since: datetime,
    until: datetime,
    window: timedelta = WEEK,
) -> list[int]:
    """People per stage, the slow and obvious way: every entry in the range, then the earliest next stage."""
    steps = [stage if isinstance(stage, dict) else {"event": stage} for stage in stages]
    counts = [0] * len(steps)
    for events in by_person(row for row in rows if since <= row.at < until + window).values():
        marks = [[matches(row.event, step) for step in steps] for row in events]
        entries = [place for place, row in enumerate(events) if marks[place][0] and row.at < until]
        depth = max((_depth(events, marks, place, window) for place in entries), default=0)
        for stage in range(depth):
            counts[stage] += 1
    return counts


def _depth(events: list[Row], marks: list[list[bool]], entry: int, window: timedelta) -> int:
    depth = 1
    for place in range(entry + 1, len(events)):
        if depth == len(marks[place]) or events[place].at - events[entry].at > window:
            break
        depth += marks[place][depth]
    return depth


def matches(event: WireEvent, stage: dict[str, Any]) -> bool:
    if event["event_type"] != stage["event"]:
        return False
    for condition in stage.get("filters", ()):
        value = event["properties"].get(condition["property"])
        holds = {
            "eq": value == condition.get("value"),
            "exists": value is not None,
            "starts_with": str(value).startswith(str(condition.get("value"))),
        }
        if not holds[condition["op"]]:
            return False
    return True


def _incident() -> tuple[datetime, datetime]:
    span = incident_of(end=END)
    assert span is not None
    return span


def _check_limits(event: WireEvent) -> None:
    assert re.fullmatch(r"[0-9a-f]{24}", event["id"])
    assert re.fullmatch(r"[0-9a-f]{32}", event["anonymous_id"])
    assert re.fullmatch(r"user_\d{6}", event.get("user_id", "user_000001"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", event["timestamp"])
    assert re.fullmatch(r"[a-z_]{1,200}", event["event_type"])
    assert event["source"] in {"web", "ios", "android"}
    assert event["url"].startswith("https://shop.example/")
    assert len(event["properties"]) <= 255
    assert set(event) <= {*WireEvent.__required_keys__, *WireEvent.__optional_keys__}
    for value in event["properties"].values():
        assert isinstance(value, str | bool | int | float | list)
        if isinstance(value, int | float):
            assert math.isfinite(value)
            assert abs(value) <= 2**53
        for text in value if isinstance(value, list) else [value]:
            assert len(str(text)) <= 200
    assert len(json.dumps(event)) < 4_096
