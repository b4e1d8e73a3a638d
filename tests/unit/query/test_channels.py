"""Channels: the table, in the words of its page; asked for by filters and breakdowns under its full name alone."""

from pathlib import Path
from typing import Any

import pytest

from iafa.errors import ValidationFailed
from iafa.query.channels import CHANNEL_SQL, CHANNELS
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.funnel import answer
from iafa.query.question import Extras, question_of
from iafa.query.time_range import resolve_time_range
from tests.unit.query.rows import NOON_US, an_event, snapshot_of

HERE = "https://www.shop.example/page"
CASES: list[tuple[dict[str, str], str | None]] = [
    ({"utm_medium": "email"}, "email"),
    ({"utm_source": "Newsletter", "utm_medium": "cpc"}, "email"),
    ({"utm_medium": "CPC", "utm_source": "google"}, "paid"),
    ({"utm_medium": "paid-social", "utm_source": "facebook"}, "paid"),
    ({"utm_medium": "prepaidcard"}, "referral"),
    ({"url": f"{HERE}?a=1&gclid=x", "referrer": "https://www.google.com/"}, "paid"),
    ({"utm_medium": "social"}, "social"),
    ({"utm_source": "x"}, "social"),
    ({"utm_medium": "organic"}, "search"),
    ({"utm_source": "partner"}, "referral"),
    ({"utm_campaign": "spring"}, "referral"),
    ({"url": HERE, "referrer": "https://shop.example/"}, "internal"),
    ({"url": HERE, "referrer": "https://SHOP.example:8443/?a"}, "internal"),
    ({"url": HERE, "referrer": "https://mail.google.com/mail/u/0"}, "email"),
    ({"url": HERE, "referrer": "https://l.facebook.com/"}, "social"),
    ({"url": HERE, "referrer": "https://t.co/abc"}, "social"),
    ({"url": HERE, "referrer": "https://netflix.com/"}, "referral"),
    ({"url": HERE, "referrer": "https://www.google.co.uk/"}, "search"),
    ({"url": HERE, "referrer": "https://duckduckgo.com/"}, "search"),
    ({"url": HERE, "referrer": "https://notgoogle.com/"}, "referral"),
    ({"url": HERE, "referrer": "https://google.evil.example/"}, "referral"),
    ({"url": HERE, "referrer": "android-app://com.slack/"}, "referral"),
    ({"url": HERE, "referrer": ""}, "direct"),
    ({"url": HERE, "referrer": "nonsense"}, "direct"),
    ({"url": HERE}, "direct"),
    ({}, None),
]


EXTRAS = Extras(include=frozenset({"breakdown"}))


def event_of(user: str, columns: dict[str, str], **properties: Any) -> dict[str, Any]:
    return an_event("view", NOON_US, user=user, **properties) | columns


def test_channels_follow_the_table(engine: DuckEngine, tmp_path: Path) -> None:
    events = [event_of(f"{number:03}", columns) for number, (columns, _channel) in enumerate(CASES)]
    snapshot = snapshot_of(tmp_path, [], events)
    with engine.reading(snapshot) as reading:
        rows = reading.rows(f"select {CHANNEL_SQL} from tail order by user_id", {})
    assert [row[0] for row in rows] == [channel for _columns, channel in CASES]
    assert {channel for _columns, channel in CASES} == {*CHANNELS, None}


def asked(engine: DuckEngine, snapshot: Any, **over: Any) -> dict[str, Any]:
    definition = parse_definition({"name": "f", "stages": [{"name": "View", "event": "view"}]} | over)
    return answer(
        engine,
        snapshot,
        question_of(definition, resolve_time_range(), NOON_US + 1, EXTRAS if "breakdown" in over else Extras()),
    )


def test_filters_and_breakdowns_ask_for_it_by_its_full_name(engine: DuckEngine, tmp_path: Path) -> None:
    events = [
        event_of("ann", {"url": HERE}, channel="own"),
        event_of("bob", {"url": HERE, "referrer": "https://bing.com/"}),
        event_of("eve", {}),
    ]
    snapshot = snapshot_of(tmp_path, [events])
    said = asked(engine, snapshot, breakdown={"property": "column:channel"})
    assert sorted((one["value"] or "", one["stages"][0]["users"]) for one in said["breakdown"]["groups"]) == [
        ("", 1),
        ("direct", 1),
        ("search", 1),
    ]
    for name, op, users in (("column:channel", "exists", 2), ("channel", "exists", 1)):
        found = asked(engine, snapshot, filters=[{"property": name, "op": op}])
        assert found["stages"][0]["users"] == users


def test_an_unknown_column_is_refused_with_the_known_ones() -> None:
    wrong = [{"property": "column:channels", "op": "exists"}]
    with pytest.raises(ValidationFailed) as caught:
        parse_definition({"name": "f", "stages": [{"name": "V", "event": "v"}], "filters": wrong})
    assert caught.value.errors[0].message.endswith(", channel, page, referrer_host")
