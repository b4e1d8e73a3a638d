"""RudderStack's and PostHog's published SDKs, unchanged, against a running server: each event once, field by field."""

import json
from typing import Any

import pytest

from tests.sdk.conftest import Shop
from tests.sdk.stored import assert_posthog_stored, assert_stored
from tests.sdk.test_published_sdks import HOSTILE, LEAVING, all_calls, assert_callers_own, at

RUDDER_CALLS: list[dict[str, Any]] = [
    {"call": "page", "category": "Docs", "name": "Home", "properties": {"own": 1}},
    {"call": "track", "event": "Order Completed", "properties": HOSTILE},
    {"call": "identify", "userId": "anna", "traits": {"plan": "pro", "größe": "日本"}},
    {"call": "group", "groupId": "acme", "traits": {"name": "Acme"}},
    {"call": "alias", "userId": "anna-2", "previousId": "anna"},
    *({"call": "track", "event": "Viewed", "properties": {"n": n}} for n in range(20)),
]
POSTHOG_CALLS: list[dict[str, Any]] = [
    {"call": "capture", "event": "Before", "properties": HOSTILE},
    {"call": "identify", "distinctId": "anna", "set": {"plan": "pro", "größe": "日本"}, "setOnce": {"first": 1}},
    {"call": "group", "groupType": "company", "groupKey": "acme", "properties": {"seats": 3}},
    {"call": "alias", "alias": "anna-old", "distinctId": "anna"},
    *({"call": "capture", "event": "Viewed", "properties": {"n": n}} for n in range(20)),
]
POSTHOG_LEAVING: list[dict[str, Any]] = [{"call": "capture", "event": "Leaving", "properties": {"n": 1}}]
# It sends nothing for what calls itself a robot, and our Chromium does.
IS_NO_ROBOT = {"opt_out_useragent_filter": True}
LEAN = {
    **{"advanced_disable_flags": True, "disable_session_recording": True, "disable_surveys": True},
    **{"disable_external_dependency_loading": True, "autocapture": False},
}


def test_page_with_rudderstack(shop: Shop, chromium: str) -> None:
    """Its settings, too, come from here: `configUrl` and the data plane are the same address."""
    options = {"configUrl": shop.recorder.url}
    said = shop.send(
        "browser",
        RUDDER_CALLS,
        key=shop.write_key,
        library="rudder",
        chromium=chromium,
        options=options,
        leaving=LEAVING,
    )
    assert said["errors"] == []
    messages = shop.recorder.sent()
    assert len(messages) == len(RUDDER_CALLS) + len(LEAVING)
    rows = shop.rows(len(messages))
    assert_stored(rows, messages, source="web")
    assert {one.status for one in shop.recorder.passed} <= {200, 204}
    by_name = {row["event_type"]: row for row in rows}
    assert by_name["identify"]["properties"].items() >= {"plan": "pro", "größe": "日本"}.items()
    assert (by_name["identify"]["user_id"], by_name["identify"]["anonymous_id"]) == ("anna", said["anonymousId"])
    assert by_name["alias"]["properties"]["previous_id"] == "anna"
    assert by_name["group"]["properties"]["group_id"] == "acme"
    assert by_name["page_view"]["utm_campaign"] == "spring"
    # Its own texts for "no referrer" are none.
    assert {row["referrer"] for row in rows} == {None}
    seen = sorted(row["properties"]["n"] for row in rows if row["event_type"] == "Viewed")
    assert seen == list(range(20))
    # What is sent at once is asked for at once; afterwards the browser knows the answers.
    last = max(at for at, one in enumerate(shop.recorder.passed) if b'"Viewed"' in one.body)
    assert shop.recorder.passed[last + 1 :]
    assert "OPTIONS" not in {one.method for one in shop.recorder.passed[last + 1 :]}


@pytest.mark.parametrize("options", [{}, LEAN], ids=["as it comes", "lean"])
def test_page_with_posthog(shop: Shop, chromium: str, options: dict[str, Any]) -> None:
    told = {"api_host": shop.recorder.url, **IS_NO_ROBOT, **options}
    said = shop.send(
        "browser", POSTHOG_CALLS, key=shop.write_key, library="posthog", chromium=chromium, options=told,
        leaving=POSTHOG_LEAVING,
    )  # fmt: skip
    assert said["errors"] == []
    messages = shop.recorder.sent_to_posthog()
    rows = shop.rows(len(messages))
    assert_posthog_stored(rows, messages, source="web")
    counts = {name: sum(row["event_type"] == name for row in rows) for name in {row["event_type"] for row in rows}}
    assert counts.pop("$pageleave") >= 1
    assert counts == {
        **{"Before": 1, "identify": 1, "group": 1, "alias": 1, "Viewed": 20, "Leaving": 1},
        "page_view": 2,
    }
    by_name = {row["event_type"]: row for row in rows}
    assert (by_name["Before"]["user_id"], by_name["Before"]["anonymous_id"]) == (None, said["anonymousId"])
    assert (by_name["identify"]["user_id"], by_name["identify"]["anonymous_id"]) == ("anna", said["anonymousId"])
    assert by_name["identify"]["properties"]["$set"] == {"plan": "pro", "größe": "日本"}
    assert {name: by_name["Before"]["properties"][name] for name in HOSTILE} == HOSTILE
    assert by_name["group"]["properties"]["group_id"] == "company:acme"
    assert {row["user_id"] for row in rows if row["event_type"] in ("Viewed", "Leaving")} == {"anna"}
    assert shop.recorder.count("OPTIONS") == 0
    others = {one.path.split("/")[1] for one in shop.recorder.passed}
    assert others == ({"e"} if options else {"e", "array", "flags"})
    answered = [one for one in shop.recorder.passed if not one.path.endswith("/config.js")]
    assert {one.status for one in answered} == {200}


@pytest.mark.parametrize("options", [{}, {"gzip": True}], ids=["plain", "gzip"])
def test_program_with_posthog(shop: Shop, options: dict[str, Any]) -> None:
    pytest.importorskip("posthog")
    anna = {"distinct_id": "anna"}
    calls: list[dict[str, Any]] = [
        {"call": "capture", "event": "Order Completed", "properties": HOSTILE, "timestamp": at(30), **anna},
        {"call": "capture", "event": "Seen", "distinct_id": "v-1", "properties": {"$process_person_profile": False}},
        {"call": "set", "properties": {"plan": "pro"}, **anna},
        {"call": "set_once", "properties": {"first": "größe"}, **anna},
        {"call": "group_identify", "group_type": "company", "group_key": "acme", "properties": {"seats": 3}},
        {"call": "alias", "previous_id": "v-1", "distinct_id": "anna"},
        *({"call": "capture", "event": "Viewed", "properties": {"n": n}, **anna} for n in range(50)),
    ]
    shop.recorder.faults.extend(["lose the answer", 503, "send twice"])
    assert shop.send("posthog", calls, options=options) == {"errors": []}
    messages = shop.recorder.sent_to_posthog()
    assert len(messages) == len(calls)
    rows = shop.rows(len(calls))
    assert_posthog_stored(rows, messages, source="server")
    kept = next(row for row in rows if row["event_type"] == "Order Completed")["properties"]
    assert {name: kept[name] for name in HOSTILE} == HOSTILE
    assert sorted(row["properties"]["n"] for row in rows if row["event_type"] == "Viewed") == list(range(50))
    assert {row["anonymous_id"] for row in rows if row["event_type"] == "Seen"} == {"v-1"}
    assert {row["ip_address"] for row in rows} == {None}, "a server's address is no visitor's"
    assert "iafa_s_" not in json.dumps(rows, default=str)


@pytest.mark.slow
def test_program_in_go(go_shop: Shop) -> None:
    """Its default context stands beside the messages; it sends a batch again after any status but 2xx."""
    go_shop.recorder.faults.extend(["lose the answer", 503, "send twice"])
    # Its Context has no member for what is unknown, and whole numbers for the screen.
    calls = [
        call | {"context": {name: value for name, value in call.get("context", {}).items() if name != "screen"}}
        for call in all_calls()
    ]
    assert go_shop.send("go", calls) == {"errors": []}
    messages = go_shop.recorder.sent()
    assert len(messages) == len(calls)
    rows = go_shop.rows(len(calls))
    assert_stored(rows, messages, source="server")
    assert_callers_own(rows, calls)
    assert len(go_shop.recorder.posts(status=None)) >= 3
