"""The people of a project over a real server: the list, one person, their events, and the export."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.support.load import wait_until
from tests.support.server import Account, ServerProcess

DAY = "2026-05-0"


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    environment = {"EVENT_FLUSH_INTERVAL": "0.5"}  # refused events are seen when they have been flushed
    with ServerProcess(tmp_path_factory.mktemp("people") / "data", environment=environment) as server:
        account = Account(server.url)
        account.client.put(f"/projects/{account.project_id}", json={"retention_days": None})
        send(account, [*ANN, *BOB, *SLASHED, *VISITORS, {"event": "visit", "usr": "ann@example.org"}])
        yield account
        account.client.close()


def send(owner: Account, events: list[dict[str, Any]]) -> None:
    headers = {"x-api-key": owner.secret_key}
    answer = httpx.post(f"{owner.client.base_url}track/batch", json=events, headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text


def event(id_: str, name: str, at: str, **fields: Any) -> dict[str, Any]:
    return {"id": id_, "event": name, "timestamp": f"{at}Z", **fields}


ANN = [
    event("a1", "page_view", f"{DAY}1T10:00:00", anonymous_id="dev-ann", url="https://shop.test/"),
    event("a2", "page_view", f"{DAY}1T10:59:59", anonymous_id="dev-ann", url="https://shop.test/cart"),
    event(
        *("a3", "identify", f"{DAY}1T11:59:59"),
        user_id="ann",
        anonymous_id="dev-ann",
        properties={"email": "ann@example.org", "plan": "free"},
    ),
    event("a4", "identify", f"{DAY}2T08:00:00", user_id="ann", properties={"plan": "pro", "age": 42}),
    event("a5", "buy", f"{DAY}2T09:00:00.000001", user_id="ann"),
    event("a6", "alias", f"{DAY}2T09:00:01", user_id="ann", properties={"previous_id": "ann-old"}),
    event("a7", "visit", f"{DAY}0T00:00:01".replace("00T", "03T"), user_id="ann-old"),
]
BOB = [event(f"b{n}", "visit", f"{DAY}4T00:00:0{n}", user_id="bob") for n in range(3)]
SLASHED = [
    event(f"s-{user}", "visit", f"{DAY}4T00:00:00", user_id=user)
    for user in ("shop", "shop/events", "shop/export", "shop/events/export", "a b?/c")
]
VISITORS = [event(f"v{n}", "visit", f"{DAY}5T00:00:00", anonymous_id=f"visitor-{n}") for n in range(5)]


def get(owner: Account, path: str = "", **parameters: Any) -> dict[str, Any]:
    answer = owner.client.get(f"/projects/{owner.project_id}/people{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def listed(owner: Account, **parameters: Any) -> list[str]:
    """Page by page, until there is no next one."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = get(owner, **parameters, **cursor)
        found += [row["user_id"] or row["anonymous_id"] for row in page["people"]]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


def test_the_list_has_each_person_once_and_who_was_seen_last_first(owner: Account) -> None:
    whole = listed(owner)
    assert sorted(whole[:5]) == [f"visitor-{n}" for n in range(5)]
    assert (whole[5], sorted(whole[6:-1]), whole[-1]) == ("bob", sorted(one["user_id"] for one in SLASHED), "ann")
    for limit in (1, 2, 3):
        assert listed(owner, limit=limit) == whole
    ann = get(owner)["people"][-1]
    assert (ann["events"], ann["last_event"]) == (7, "visit")
    assert ann["ids"] == {"users": ["ann", "ann-old"], "anonymous": ["dev-ann"]}
    assert (ann["first_seen"][:10], ann["last_seen"][:10]) == (f"{DAY}1", f"{DAY}3")


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ANN", ["ann"]),
        ("-old", ["ann"]),
        ("dev-", ["ann"]),
        ("@example.org", ["ann"]),
        ("pro", ["ann"]),
        ("plan", []),  # the name of a trait is no value
        ("bob", ["bob"]),
        ("visitor-3", ["visitor-3"]),
        ("%", []),
        ("nobody", []),
    ],
)
def test_search_looks_in_ids_and_in_what_was_said_of_people(owner: Account, search: str, found: list[str]) -> None:
    assert listed(owner, search=search) == found


@pytest.mark.parametrize("called", ["ann", "ann-old", "dev-ann"])
def test_a_person_by_any_id(owner: Account, called: str) -> None:
    ann = get(owner, f"/{called}")
    assert (ann["events"], ann["last_event"]) == (7, "visit")
    assert {one["name"]: one["value"] for one in ann["traits"]} == {
        "age": 42,
        "email": "ann@example.org",
        "plan": "pro",
    }
    edges = [(one["kind"], one["user_id"], one["other"]) for one in ann["identities"]]
    assert ("identify", "ann", "dev-ann") in edges
    assert ("alias", "ann", "ann-old") in edges
    assert {one["value"]: one["events"] for one in ann["values"]["event_type"]}["page_view"] == 2


def test_sessions_end_with_a_pause_of_more_than_an_hour(owner: Account) -> None:
    """One second less or just an hour goes on, a microsecond more does not."""
    sessions = get(owner, "/ann")["sessions"]
    assert [(one["events"], one["duration_seconds"]) for one in sessions] == [
        (1, 0.0),
        (2, pytest.approx(0.999999)),
        (1, 0.0),
        (3, 7199.0),
    ]
    assert (sessions[-1]["entry_url"], sessions[-1]["exit_url"]) == ("https://shop.test/", "https://shop.test/cart")


def test_events_newest_first_page_by_page_each_once(owner: Account) -> None:
    for limit in (1, 2, 3, 7, 100):
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = get(owner, "/dev-ann/events", limit=limit, **cursor)
            found += page["events"]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert [one["id"] for one in found] == ["a7", "a6", "a5", "a4", "a3", "a2", "a1"]
    assert found[3]["properties"] == {"plan": "pro", "age": 42}
    assert found[-1]["created_at"].startswith(f"{DAY}1T10:00:00")


def test_the_export_has_every_event_edge_and_refused_event(owner: Account) -> None:
    answer = owner.client.get(f"/projects/{owner.project_id}/people/ann/export")
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines[0]["type"] == "person"
    assert lines[0]["ids"] == ["ann", "ann-old", "dev-ann"]
    assert [one["id"] for one in lines if one["type"] == "event"] == ["a1", "a2", "a3", "a4", "a5", "a6", "a7"]
    assert len([one for one in lines if one["type"] == "identity"]) == 4
    assert lines[-1] == {"type": "end", "events": 7, "refused": 0}


@pytest.mark.parametrize("user", [one["user_id"] for one in SLASHED])
def test_an_id_may_end_like_a_route(owner: Account, user: str) -> None:
    """Its slashes are percent-encoded."""
    called = f"/{quote(user, safe='')}"
    assert get(owner, called)["ids"]["users"] == [user]
    assert [one["id"] for one in get(owner, f"{called}/events")["events"]] == [f"s-{user}"]
    exported = owner.client.get(f"/projects/{owner.project_id}/people{called}/export").text.splitlines()
    assert json.loads(exported[0])["ids"] == [user]


def test_of_somebody_unknown_there_is_nothing_at_any_route(owner: Account) -> None:
    """Whose id is only in a refused event has no events, but an export."""
    base = f"/projects/{owner.project_id}/people"
    for path in ("/nobody", "/nobody/events", "/nobody/export"):
        assert owner.client.get(base + path).json()["code"] == "not_found"
    for path in ("/ann@example.org", "/ann@example.org/events"):
        assert owner.client.get(base + path).status_code == 404
    lines = refused_export(owner, "ann@example.org")
    assert (lines[0]["ids"], lines[-1]) == (["ann@example.org"], {"type": "end", "events": 0, "refused": 1})


def refused_export(owner: Account, called: str) -> list[Any]:
    """When the refused event has been flushed."""
    url = f"/projects/{owner.project_id}/people/{called}/export"
    wait_until(lambda: owner.client.get(url).status_code == 200, "refused event")
    return [json.loads(line) for line in owner.client.get(url).text.splitlines()]


def test_who_is_not_allowed(owner: Account) -> None:
    base = f"/projects/{owner.project_id}/people"
    for path in ("/ann/events?cursor=x", "/ann/export?limit=3"):
        assert owner.client.get(base + path).status_code == 422
    assert owner.client.get(base, params={"limit": 0}).status_code == 422
    assert owner.client.get(base, params={"cursor": "bogus"}).status_code == 422
    for path in ("", "/ann", "/ann/events", "/ann/export"):
        url = f"{owner.client.base_url}projects/{owner.project_id}/people{path}"
        assert httpx.get(url, timeout=30).status_code == 401
        assert httpx.get(url, headers={"x-api-key": owner.write_key}, timeout=30).status_code == 403
        assert httpx.get(url, headers={"x-api-key": owner.secret_key}, timeout=30).status_code == 200
