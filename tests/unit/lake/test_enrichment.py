"""Enrichment: tables of user agents and campaigns; bounds; nothing that fails costs an event; tail and files agree."""

from pathlib import Path

import pytest

from iafa.event import Campaign, Event, Location
from iafa.failpoints import Failpoints
from iafa.jobs.flush import Flusher
from iafa.lake import enrichment as enrichment_module
from iafa.lake.agents import DEVICES, Agent, Read, agent_reader, device_of
from iafa.lake.enrichment import KEPT_CHARS_MAX, Enrichment, campaign_of
from iafa.lake.parts import Arrival, to_table
from iafa.lake.snapshot import Snapshots
from iafa.metrics import Counters
from tests.support.events import NOON_US, PROJECT, make_event
from tests.support.lake import WINDOW_US, TestLake, rows

MOZILLA, BLINK = "Mozilla/5.0", "AppleWebKit/537.36 (KHTML, like Gecko)"
WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
IPHONE = f"{MOZILLA} (iPhone; CPU iPhone OS 18_7 like Mac OS X) {WEBKIT} Version/26.1 Mobile/15E148 Safari/604.1"
CHROME = f"{MOZILLA} (Windows NT 10.0; Win64; x64) {BLINK} Chrome/156.0.0.0 Safari/537.36"
GOOGLE = f"{MOZILLA} (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
AGENTS: list[tuple[str, str | None, str | None, str | None]] = [
    (IPHONE, "Mobile Safari", "iOS", "mobile"),
    (CHROME, "Chrome", "Windows", "desktop"),
    (f"{CHROME} Edg/156.0.0.0", "Edge", "Windows", "desktop"),
    (f"{CHROME} OPR/120.0.0.0", "Opera", "Windows", "desktop"),
    (
        f"{MOZILLA} (Windows NT 10.0; Win64; x64; rv:158.0) Gecko/20100101 Firefox/158.0",
        "Firefox",
        "Windows",
        "desktop",
    ),
    (
        f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/26.1 Safari/605.1.15",
        *("Safari", "Mac OS X", "desktop"),
    ),
    (f"{MOZILLA} (X11; Linux x86_64) {BLINK} Chrome/156.0.0.0 Safari/537.36", "Chrome", "Linux", "desktop"),
    (
        f"{MOZILLA} (X11; CrOS x86_64 14541.0.0) {BLINK} Chrome/156.0.0.0 Safari/537.36",
        "Chrome",
        "Chrome OS",
        "desktop",
    ),
    (
        f"{MOZILLA} (iPad; CPU OS 18_7 like Mac OS X) {WEBKIT} Version/26.1 Mobile/15E148 Safari/604.1",
        *("Mobile Safari", "iOS", "tablet"),
    ),
    (
        f"{MOZILLA} (Linux; Android 10; K) {BLINK} Chrome/156.0.0.0 Mobile Safari/537.36",
        *("Chrome Mobile", "Android", "mobile"),
    ),
    (f"{MOZILLA} (Linux; Android 10; K) {BLINK} Chrome/156.0.0.0 Safari/537.36", "Chrome", "Android", "tablet"),
    (
        f"{MOZILLA} (Linux; Android 10; K) {BLINK} SamsungBrowser/29.0 Chrome/144.0.0.0 Mobile Safari/537.36",
        *("Samsung Internet", "Android", "mobile"),
    ),
    (f"{MOZILLA} (SMART-TV; Linux; Tizen 6.0) {BLINK} Version/5.0 TV Safari/537.36", "Safari", "Tizen", "tv"),
    (GOOGLE, "Googlebot", None, "bot"),
    ("curl/8.0", "curl", None, None),
    ("analytics-python/2.4.0", None, None, None),
    ("", None, None, None),
]


@pytest.mark.parametrize(("text", "browser", "os", "device"), AGENTS, ids=range(len(AGENTS)))
def test_user_agents_are_told_apart(text: str, browser: str | None, os: str | None, device: str | None) -> None:
    pytest.importorskip("ua_parser", reason="the package ua-parser is not installed here")
    assert agent_reader()(text) == Agent(browser, os, device)


@pytest.mark.parametrize(
    ("text", "device"),
    [
        *((text, device) for text, _browser, _os, device in AGENTS),
        (f"{MOZILLA} (PlayStation; PlayStation 5/6.50) {WEBKIT}", "console"),
        (f"{MOZILLA} (Linux; Android 13; CUBOT X70) {BLINK} Chrome/126.0 Mobile Safari/537.36", "mobile"),
        (f"{MOZILLA} (Linux; Android 9; AFTMM) {BLINK} Silk/1.0", "tv"),
        (f"{MOZILLA} (Web0S; Linux/SmartTV) {BLINK} Chrome/87.0 Safari/537.36", "tv"),
        (f"{MOZILLA} (Windows NT 10.0; Win64; x64; Xbox) {BLINK}", "console"),
        (f"{MOZILLA} (Windows NT 6.1; Tablet PC 2.0) {BLINK}", "desktop"),
    ],
)
def test_kind_of_device_follows_the_table(text: str, device: str | None) -> None:
    assert device_of(text) == device
    assert device is None or device in DEVICES


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a/b?utm_source=mail&utm_medium=email", Campaign(source="mail", medium="email")),
        ("https://a/?x=1&utm_campaign=Black%20Friday+%C3%A4#top", Campaign(campaign="Black Friday ä")),
        ("/relative?utm_term=a&utm_content=b", Campaign(term="a", content="b")),
        ("https://a/?utm_source=first&utm_source=second", Campaign(source="first")),
        ("https://a/?utm_source=&utm_medium=cpc", Campaign(medium="cpc")),
        ("https://a/?utm_source=%00x", None),
        (f"https://a/?utm_source={'x' * 201}", None),
        ("https://a/?utm_id=7&utm_unknown=8", None),
        ("https://a/?my_utm_source=x", None),
        ("https://a/utm_source=x", None),
        ("https://a/#?utm_source=x", None),
        ("http://[broken?utm_source=x", None),
        ("", None),
    ],
)
def test_campaigns_are_read_from_addresses(url: str, expected: Campaign | None) -> None:
    assert campaign_of(url) == expected


class Reader:
    """Says of a user agent that it is its own browser, and remembers what it was asked."""

    def __init__(self, *, fails_at: str = "") -> None:
        self.asked: list[str] = []
        self.fails_at = fails_at

    def __call__(self) -> Read:
        return self.read

    def read(self, text: str) -> Agent:
        self.asked.append(text)
        if text == self.fails_at:
            raise ValueError(text)
        return Agent(f"browser {text}", "os", "mobile")


def enriched(events: list[Event], enrichment: Enrichment, *names: str) -> list[tuple[object, ...]]:
    table = to_table((Arrival(PROJECT, NOON_US, event) for event in events), enrichment)
    table.validate(full=True)
    return list(zip(*(table.column(name).to_pylist() for name in names), strict=True))


def of_agents(*agents: str | None) -> list[Event]:
    return [make_event(id=f"e{number}", user_agent=agent) for number, agent in enumerate(agents)]


def test_each_user_agent_is_read_once_whatever_the_number_of_events() -> None:
    reader = Reader()
    enrichment = Enrichment(make_reader=reader)
    for _ in range(2):
        found = enriched(of_agents("a", None, "b", "a"), enrichment, "browser", "os", "device")
        assert found == [
            ("browser a", "os", "mobile"),
            (None, None, None),
            ("browser b", "os", "mobile"),
            ("browser a", "os", "mobile"),
        ]
    assert reader.asked == ["a", "b"]


def test_nothing_is_loaded_for_events_without_a_user_agent() -> None:
    def never() -> Read:
        raise AssertionError("loaded")

    counters = Counters()
    assert enriched(of_agents(None), Enrichment(counters, make_reader=never), "browser") == [(None,)]
    assert counters.read() == {}


def test_a_user_agent_that_cannot_be_read_costs_no_other_one_its_columns() -> None:
    counters = Counters()
    enrichment = Enrichment(counters, make_reader=Reader(fails_at="bad"))
    assert enriched(of_agents("a", "bad"), enrichment, "browser") == [("browser a",), (None,)]
    assert counters.read() == {"enrichment_failures": {"user_agent": 1}}


def test_without_the_package_events_are_stored_and_it_is_said_once() -> None:
    def absent() -> Read:
        raise ModuleNotFoundError("No module named 'ua_parser'")

    counters = Counters()
    enrichment = Enrichment(counters, make_reader=absent)
    for _ in range(2):
        assert enriched(of_agents(GOOGLE), enrichment, "browser", "is_bot") == [(None, True)]
    assert counters.read() == {"enrichment_failures": {"user_agent": 1}}


def test_invented_user_agents_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrichment_module, "NEW_AGENTS_MAX", 2)
    reader, counters = Reader(), Counters()
    found = enriched(of_agents("a", "b", "c", "a"), Enrichment(counters, make_reader=reader), "browser")
    assert found == [("browser a",), ("browser b",), (None,), ("browser a",)]
    assert counters.read() == {"enrichment_failures": {"too_many_user_agents": 1}}


def test_long_user_agents_are_not_kept() -> None:
    long, reader = "x" * (KEPT_CHARS_MAX + 1), Reader()
    enrichment = Enrichment(make_reader=reader)
    for _ in range(2):
        enriched(of_agents(long), enrichment, "browser")
    assert reader.asked == [long, long]


def test_what_a_client_says_of_a_campaign_is_not_mixed_with_its_address() -> None:
    url = "https://a/?utm_source=mail&utm_term=t"
    events = [
        make_event(id="1", url=url, campaign=Campaign(source="own")),
        make_event(id="2", url=url),
        make_event(id="3", url="https://a/"),
        make_event(id="4"),
    ]
    found = enriched(events, Enrichment(), "utm_source", "utm_term")
    assert found == [("own", None), ("mail", "t"), (None, None), (None, None)]


def test_locations_reach_their_columns_and_the_clients_time_zone_counts_first() -> None:
    vienna = Location(country="AT", region="Vienna", city="Wien", timezone="Europe/Vienna")
    events = [
        make_event(id="1", location=vienna),
        make_event(id="2", location=vienna, timezone="Asia/Tokyo"),
        make_event(id="3", timezone="Asia/Tokyo"),
    ]
    found = enriched(events, Enrichment(), "country", "region", "city", "timezone")
    assert found == [
        ("AT", "Vienna", "Wien", "Europe/Vienna"),
        ("AT", "Vienna", "Wien", "Asia/Tokyo"),
        (None, None, None, "Asia/Tokyo"),
    ]


COLUMNS = "browser, os, device, utm_source, country, timezone"
FULL = make_event(
    user_agent="a", url="https://a/?utm_source=mail", location=Location(country="AT", timezone="Europe/Vienna")
)
ENRICHED = ("browser a", "os", "mobile", "mail", "AT", "Europe/Vienna")
LOST = {
    "user_agent": (None, None, None, "mail", "AT", "Europe/Vienna"),
    "campaign": ("browser a", "os", "mobile", None, "AT", "Europe/Vienna"),
    "location": ("browser a", "os", "mobile", "mail", None, None),
}


def flushed(root: Path, enrichment: Enrichment) -> TestLake:
    lake = TestLake(root)
    lake.write([FULL])
    flusher = Flusher(lake.layout, lake.appender, lake.quarantine, counters=lake.counters, enrichment=enrichment)
    assert flusher.run().events == 1
    return lake


def test_unflushed_events_are_enriched_as_those_in_files(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    enrichment = Enrichment(make_reader=Reader())
    snapshots = Snapshots(lake.layout, lake.manifests, dedup_window_us=WINDOW_US, enrichment=enrichment)
    lake.write([FULL])
    before = snapshots.take(PROJECT)
    assert (before.files, rows(before, COLUMNS)) == ((), [ENRICHED])
    lake = flushed(tmp_path, enrichment)
    assert rows(snapshots.take(PROJECT), COLUMNS) == [ENRICHED]


@pytest.mark.parametrize("what", sorted(LOST))
def test_an_enrichment_that_fails_costs_no_event_and_is_counted(tmp_path: Path, what: str) -> None:
    counters, failpoints = Counters(), Failpoints(f"enrich.{what}:1:eio")
    lake = flushed(tmp_path, Enrichment(counters, failpoints.hit, make_reader=Reader()))
    assert failpoints.fired == [f"enrich.{what}"]
    assert rows(lake.take(), COLUMNS) == [LOST[what]]
    assert counters.read() == {"enrichment_failures": {what: 1}}
    assert lake.counters.read()["flush_events"] == {"": 1}
