"""Saved views, boards and notes on dates through the front door: kept as they were sent, and refused where wrong."""

from datetime import datetime
from typing import Any

import httpx
import pytest

from iafa.api.view_range import Days, compared_days_of, days_of
from iafa.clock import US_PER_S, from_datetime, to_datetime
from tests.unit.api.house import NOON_US, Room, Tenant

STAGES = [{"name": "Cart", "event": "add_to_cart"}, {"name": "Pay", "event": "purchase"}]
TRENDS: dict[str, Any] = {"kind": "trends", "question": {"series": [{"event": "purchase", "measure": "people"}]}}
PLACE = {"x": 0, "y": 0, "w": 6, "h": 4}
QUESTIONS: dict[str, dict[str, Any]] = {
    "trends": TRENDS["question"],
    "retention": {"start": "signup", "return": {"event": "purchase"}, "interval": "week", "breakdown": "plan"},
    "paths": {"start": "signup", "depth": 3},
    "sessions": {"interval": "week", "breakdown": "channel"},
    "overview": {"lists": ["channel"], "include": ["compare"]},
    "events": {
        "event_type": ["purchase"],
        "filters": [{"property": "plan", "op": "eq", "value": "pro"}],
        "order": "asc",
    },
    "note": {"text": "What to look at\non Monday"},
}


def url(tenant: Tenant, rest: str) -> str:
    return f"/api/v1/projects/{tenant.project.id}{rest}"


def card(**over: Any) -> dict[str, Any]:
    return {
        "id": "c1",
        "view_id": None,
        "title": None,
        "range": None,
        "view": {"chart": "line"},
        **PLACE,
        **TRENDS,
        **over,
    }


def board(*cards: dict[str, Any], **over: Any) -> dict[str, Any]:
    return {"name": "Monday", "range": None, "cards": list(cards), **over}


def pointers(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [one["pointer"] for one in answer.json()["errors"]]


async def make_funnel(client: httpx.AsyncClient, tenant: Tenant) -> str:
    body = {"project_id": tenant.project.id, "name": "Checkout", "stages": STAGES}
    made = await client.post("/api/v1/funnels", json=body)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


@pytest.mark.parametrize("kind", QUESTIONS)
async def test_a_view_of_every_kind_is_kept_as_it_was_sent(room: Room, ada: Tenant, kind: str) -> None:
    body = {"name": "Buyers", "kind": kind, "title": None, "question": QUESTIONS[kind], "range": None, "view": {"a": 1}}
    async with room.client(ada.bearer) as client:
        made = await client.post(url(ada, "/views"), json=body)
        assert made.status_code == 201, made.text
        view = made.json()
        assert body.items() <= view.items()
        assert (view["author"], view["version"], made.headers["etag"]) == ("ada", 1, '"1"')
        assert (await client.get(url(ada, "/views"))).json() == {"views": [view]}
        assert (await client.get(url(ada, f"/views/{view['id']}"))).json() == view


async def test_a_board_lives_changes_by_its_version_and_is_forgotten(room: Room, ada: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        funnel_id = await make_funnel(client, ada)
        saved = (await client.post(url(ada, "/views"), json={"name": "Buyers", **TRENDS})).json()
        asked = {"funnel_id": funnel_id, "include": ["trend", "breakdown"], "breakdown": "country", "trend": "week"}
        cards = [
            card(),
            card(id="c2", x=6, kind="funnel", question=asked),
            card(id="c3", y=4, w=12, view_id=saved["id"], kind=None, question=None),
        ]
        body = board(*cards, range={"preset": "30d", "start_date": None, "end_date": None})
        made = await client.post(url(ada, "/boards"), json=body)
        assert made.status_code == 201, made.text
        first = made.json()
        assert {**body}.items() <= first.items()
        at = url(ada, f"/boards/{first['id']}")
        assert (await client.get(at)).json() == first
        changed = await client.put(at, json={**body, "name": "Tuesday"}, headers={"If-Match": '"1"'})
        assert (changed.json()["name"], changed.headers["etag"]) == ("Tuesday", '"2"')
        late = await client.put(at, json=body, headers={"If-Match": '"1"'})
        assert (late.status_code, late.json()["code"]) == (412, "version_conflict")
        assert (await client.delete(url(ada, f"/views/{saved['id']}"))).status_code == 204
        assert (await client.get(at)).json()["cards"][2]["view_id"] == saved["id"]
        assert (await client.delete(at)).status_code == 204
        for answer in (await client.get(at), await client.put(at, json=body), await client.delete(at)):
            assert answer.status_code == 404


LONG = "x" * 16_000
# what is sent instead -> the pointers of what is wrong
WRONG_VIEWS: list[tuple[dict[str, Any], list[str]]] = [
    ({"kind": "people"}, ["/kind"]),
    ({"name": " "}, ["/name"]),
    ({"question": {}}, ["/question/series"]),
    ({"question": None}, ["/question"]),
    ({"question": {"series": [{"event": "a", "measure": "joy"}]}}, ["/question/series/0/measure"]),
    ({"question": {"series": [{"event": "a"}], "project_id": "a" * 20}}, ["/question/project_id"]),
    ({"question": {"series": [{"event": "a"}], "format": "csv"}}, ["/question/format"]),
    ({"question": {"series": [{"event": "a"}], "start_date": "2025-13-01"}}, ["/question/start_date"]),
    ({"question": {"series": [{"event": LONG}]}}, ["/question"]),
    ({"view": {"a": LONG}}, ["/view"]),
    ({"range": {"preset": "8d"}}, ["/range/preset"]),
    ({"range": {}}, ["/range"]),
    ({"range": {"start_date": "2025-11-02", "end_date": "2025-11-01"}}, ["/range/start_date"]),
    ({"kind": "retention", "question": {"interval": "week"}}, ["/question/start"]),
    ({"kind": "sessions", "question": {"breakdown": "user_id"}}, ["/question/breakdown"]),
    ({"kind": "overview", "question": {"lists": ["people"]}}, ["/question/lists/0"]),
    (
        {"kind": "paths", "question": {"after_drop": {"funnel_id": "a" * 20, "stage": 1}}},
        ["/question/after_drop/funnel_id"],
    ),
    ({"kind": "funnel", "question": {}}, ["/question/funnel_id"]),
    ({"kind": "funnel", "question": {"funnel_id": "../../users"}}, ["/question/funnel_id"]),
    ({"kind": "funnel", "question": {"funnel_id": ["a"], "stages": []}}, ["/question/stages", "/question/funnel_id"]),
    ({"kind": "events", "question": {"event": "a", "order": "up"}}, ["/question/event", "/question/order"]),
    ({"kind": "events", "question": {"filters": "plan"}}, ["/question/filters"]),
    ({"kind": "events", "question": {"event_type": [7]}}, ["/question/event_type"]),
    ({"kind": "events", "question": {"exclude_bots": 1}}, ["/question/exclude_bots"]),
    ({"kind": "events", "question": {"fields": ["secrets"]}}, ["/question/fields"]),
    ({"kind": "note", "question": {"text": ""}}, ["/question/text"]),
    ({"kind": "note", "question": {"text": "\x1b[31m"}}, ["/question/text"]),
    ({"kind": "note", "question": {"text": "a", "html": "b"}}, ["/question/html"]),
    ({"author": "me"}, ["/author"]),
]


async def test_a_question_that_its_report_would_refuse_is_not_saved(room: Room, ada: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        for over, expected in WRONG_VIEWS:
            refused = await client.post(url(ada, "/views"), json={"name": "Buyers", **TRENDS, **over})
            assert pointers(refused) == expected, over
        assert (await client.get(url(ada, "/views"))).json() == {"views": []}


BY_HOUR: dict[str, Any] = {"series": [{"event": "purchase"}], "interval": "hour"}
THREE_YEARS = {"start_date": "2022-11-21", "end_date": "2025-11-21"}
# kind, question, range -> the pointer of what is too long; data reach 45 days back
LONG_QUESTIONS: list[tuple[str, dict[str, Any], dict[str, Any] | None, str | None]] = [
    ("trends", BY_HOUR, {"preset": "30d"}, None),
    ("trends", BY_HOUR, {"preset": "12m"}, "/question/interval"),
    ("trends", BY_HOUR, {"preset": "all"}, "/question/interval"),
    ("trends", BY_HOUR, {"start_date": "2025-11-01"}, None),
    ("trends", BY_HOUR, {"start_date": "2025-10-01", "end_date": "2025-11-21"}, "/question/interval"),
    ("trends", {**BY_HOUR, "start_date": "2025-01-01"}, None, "/question/interval"),
    ("trends", BY_HOUR, None, None),
    ("trends", {**BY_HOUR, "breakdown": {"property": "plan", "limit": 90}}, {"preset": "30d"}, "/question/series"),
    (
        "trends",
        {**BY_HOUR, "include": ["compare"], "compare_start": "2024-01-01", "compare_end": "2024-12-31"},
        {"preset": "7d"},
        "/question/interval",
    ),
    ("retention", {"start": "signup"}, {"preset": "12m"}, None),
    ("retention", {"start": "signup"}, THREE_YEARS, "/question/start_date"),
    ("retention", {"start": "signup", "periods": 60, "breakdown": "plan"}, {"preset": "90d"}, "/question/periods"),
    ("sessions", {"interval": "hour"}, {"preset": "90d"}, "/question/interval"),
    ("overview", {"interval": "hour"}, {"preset": "90d"}, "/question/interval"),
    ("overview", {"interval": "day"}, {"preset": "all"}, None),
    ("paths", {"start": "signup"}, {"preset": "all"}, None),
    ("funnel", {"include": ["trend"], "trend": "hour"}, {"preset": "90d"}, "/question/trend"),
    ("funnel", {"include": ["trend"], "trend": "hour"}, {"preset": "all"}, "/question/trend"),
    ("funnel", {"trend": "hour"}, {"preset": "all"}, None),
]


def days_back(room: Room, tenant: Tenant, *days: int) -> None:
    """A purchase on each of these days."""
    room.events[tenant.project.id] = [
        {"event_type": "purchase", "created_at": to_datetime(NOON_US - day * 86_400 * US_PER_S)} for day in days
    ]


async def test_a_range_that_is_too_long_for_its_interval_is_not_saved(room: Room, ada: Tenant) -> None:
    days_back(room, ada, 45, 0)
    async with room.client(ada.bearer) as client:
        funnel_id = await make_funnel(client, ada)
        for number, (kind, question, chosen, pointer) in enumerate(LONG_QUESTIONS):
            question = {**question, "funnel_id": funnel_id} if kind == "funnel" else question
            body = {"name": f"View {number}", "kind": kind, "question": question, "range": chosen}
            saved = await client.post(url(ada, "/views"), json=body)
            if pointer is None:
                assert saved.status_code == 201, (body, saved.text)
            else:
                assert pointers(saved) == [pointer], body
                assert saved.json()["errors"][0]["code"] == "range_too_long"
        days_back(room, ada, 7, 0)
        body = {"name": "Short", "kind": "trends", "question": BY_HOUR, "range": {"preset": "all"}}
        assert (await client.post(url(ada, "/views"), json=body)).status_code == 201


async def test_a_board_whose_range_is_too_long_for_a_card_is_not_saved(room: Room, ada: Tenant) -> None:
    days_back(room, ada, 45, 0)
    async with room.client(ada.bearer) as client:
        view = {"name": "By hour", "kind": "trends", "question": BY_HOUR}
        view_id = (await client.post(url(ada, "/views"), json=view)).json()["id"]
        referring = card(kind=None, question=None, view_id=view_id)
        own = card(id="c2", x=6, question=BY_HOUR)
        dated = card(id="c3", y=4, question=BY_HOUR, range={"preset": "7d"})
        year, week = {"preset": "12m"}, {"preset": "7d"}
        for chosen in (year, None):
            refused = await client.post(url(ada, "/boards"), json=board(referring, own, dated, range=chosen))
            assert pointers(refused) == ["/cards/0/view_id/interval", "/cards/1/question/interval"]
        made = await client.post(url(ada, "/boards"), json=board(referring, own, dated, range=week))
        assert made.status_code == 201, made.text
        at = url(ada, f"/boards/{made.json()['id']}")
        assert pointers(await client.put(at, json=board(referring, own, dated, range=year))) == [
            "/cards/0/view_id/interval",
            "/cards/1/question/interval",
        ]
        assert pointers(await client.put(at, json=board({**dated, "range": year}, range=week))) == [
            "/cards/0/question/interval"
        ]
        assert (await client.put(at, json=board(dated, range=year))).status_code == 200


# cards -> the pointers of what is wrong
WRONG_BOARDS: list[tuple[list[dict[str, Any]], list[str]]] = [
    ([card(), card(id="c2", x=5, y=3)], ["/cards/1"]),
    ([card(), card(id="c2", x=6), card(id="c3", w=12, h=1)], ["/cards/2"]),
    ([card(x=7)], ["/cards/0/w"]),
    ([card(x=12)], ["/cards/0/x"]),
    ([card(x=-1)], ["/cards/0/x"]),
    ([card(w=0)], ["/cards/0/w"]),
    ([card(h=25)], ["/cards/0/h"]),
    ([card(y=1_000)], ["/cards/0/y"]),
    ([card(x=True)], ["/cards/0/x"]),
    ([card(), card(x=6)], ["/cards/1/id"]),
    ([card(id="<b>")], ["/cards/0/id"]),
    ([card(kind=None)], ["/cards/0"]),
    ([card(view_id="a" * 20)], ["/cards/0"]),
    ([card(kind=None, question=None, view_id="a" * 20)], ["/cards/0/view_id"]),
    ([card(kind="note")], ["/cards/0/question/series", "/cards/0/question/text"]),
    ([card(), card(id="c2", x=6, question={"series": [{"event": ""}]})], ["/cards/1/question/series/0/event"]),
    ([card(view={"a": "x" * 4_000})], ["/cards/0/view"]),
    ([card(id=f"c{n}", y=n, h=1) for n in range(41)], ["/cards"]),
    ([card(id=f"c{n}", y=n, h=1, view={"a": "x" * 3_900}) for n in range(40)], ["/cards"]),
]


async def test_a_board_with_wrong_cards_is_refused(room: Room, ada: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        for cards, expected in WRONG_BOARDS:
            assert pointers(await client.post(url(ada, "/boards"), json=board(*cards))) == expected, cards[-1]
        assert (await client.get(url(ada, "/boards"))).json() == {"boards": []}
        full = [card(id=None, x=n % 12, y=n // 12, w=1, h=1) for n in range(40)]
        made = await client.post(url(ada, "/boards"), json=board(*full))
        assert made.status_code == 201, made.text
        assert len({one["id"] for one in made.json()["cards"]}) == 40
        again = await client.post(url(ada, "/boards"), json=board(name="monday"))
        assert (again.status_code, again.json()["code"]) == (409, "conflict")


async def test_others_read_nothing_and_a_secret_key_only_reads(room: Room, ada: Tenant, eve: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        saved = (await client.post(url(ada, "/views"), json={"name": "Buyers", **TRENDS})).json()
        made = (await client.post(url(ada, "/boards"), json=board(card()))).json()
        paths = [f"/views/{saved['id']}", f"/boards/{made['id']}"]
    async with room.client(eve.bearer) as client:
        for path in paths:
            for tenant in (ada, eve):
                assert (await client.get(url(tenant, path))).status_code == 404
                assert (await client.delete(url(tenant, path))).status_code == 404
        referring = board(card(kind=None, question=None, view_id=saved["id"]))
        assert pointers(await client.post(url(eve, "/boards"), json=referring)) == ["/cards/0/view_id"]
    async with room.client(ada.key("secret")) as client:
        for path in (*paths, "/views", "/boards", "/notes"):
            assert (await client.get(url(ada, path))).status_code == 200
        assert (await client.post(url(ada, "/boards"), json=board())).status_code == 401
        assert (await client.get(url(ada, "/shares"))).status_code == 401
    async with room.client(ada.key("write")) as client:
        assert (await client.get(url(ada, "/boards"))).status_code == 403


# start, end -> the pointers of what is wrong; none: it is kept
NOTES: list[tuple[str, str | None, list[str]]] = [
    ("2025-11-20", None, []),
    ("2025-11-20", "2025-11-22", []),
    ("2025-11-21T09:00:00+01:00", None, []),
    ("9999-12-31", None, []),
    ("2025-11-20", "2025-11-19", ["/start"]),
    ("2025-11-31", None, ["/start"]),
    ("2025-W47-4", None, ["/start"]),
    ("2025-11-20T09:00:00", None, ["/start"]),
    ("yesterday", None, ["/start"]),
    ("", None, ["/start"]),
    ("2025-11-20", "2025-11-21T09:00:00Z", ["/end"]),
    ("2025-11-20T09:00:00Z", "2025-11-21", ["/end"]),
]


async def test_a_note_is_on_a_day_on_days_or_on_an_instant(room: Room, ada: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        kept = 0
        for start, end, expected in NOTES:
            answer = await client.post(url(ada, "/notes"), json={"start": start, "end": end, "text": "New prices"})
            if expected:
                assert pointers(answer) == expected, (start, end)
            else:
                assert (answer.status_code, answer.json()["author"]) == (201, "ada"), answer.text
                kept += 1
        assert len((await client.get(url(ada, "/notes"))).json()["notes"]) == kept
        for text in ("", " \n", "x" * 501, "\x07", 5):
            assert pointers(await client.post(url(ada, "/notes"), json={"start": "2025-11-20", "text": text})) == [
                "/text"
            ]


# the zone, what is asked -> the texts of the notes that touch it, by time
LISTS: list[tuple[str, dict[str, str], list[str]]] = [
    ("UTC", {}, ["week", "day", "late"]),
    ("UTC", {"start_date": "2025-11-20", "end_date": "2025-11-20"}, ["week", "day", "late"]),
    ("UTC", {"start_date": "2025-11-21"}, ["week"]),
    ("UTC", {"end_date": "2025-11-16"}, []),
    ("UTC", {"start_date": "2025-11-24"}, []),
    ("Asia/Tokyo", {"start_date": "2025-11-21"}, ["week", "late"]),
    ("Asia/Tokyo", {"start_date": "2025-11-20", "end_date": "2025-11-20"}, ["week", "day"]),
    ("UTC", {"start_date": "2025-11-20T23:00:00Z"}, ["week", "day", "late"]),
    ("UTC", {"start_date": "2025-11-20T23:30:01Z", "end_date": "2025-11-20T23:59:00Z"}, ["week", "day"]),
]


async def test_notes_are_listed_by_the_range_that_they_touch(room: Room, ada: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        for start, end, text in (
            ("2025-11-20T23:30:00Z", None, "late"),
            ("2025-11-20", None, "day"),
            ("2025-11-17", "2025-11-23", "week"),
        ):
            await client.post(url(ada, "/notes"), json={"start": start, "end": end, "text": text})
        for zone, asked, expected in LISTS:
            await client.put(url(ada, ""), json={"name": "shop", "timezone": zone})
            found = await client.get(url(ada, "/notes"), params=asked)
            assert [one["text"] for one in found.json()["notes"]] == expected, (zone, asked)
        assert (await client.get(url(ada, "/notes"), params={"start": "2025-11-20"})).status_code == 422
        note = found.json()["notes"][0]
        body = {"start": "2025-11-20", "end": None, "text": "changed"}
        changed = await client.put(url(ada, f"/notes/{note['id']}"), json=body, headers={"If-Match": '"1"'})
        assert body.items() <= changed.json().items()
        late = await client.put(url(ada, f"/notes/{note['id']}"), json=body, headers={"If-Match": '"1"'})
        assert late.status_code == 412
        assert (await client.delete(url(ada, f"/notes/{note['id']}"))).status_code == 204
        assert (await client.delete(url(ada, f"/notes/{note['id']}"))).status_code == 404


async def test_a_deleted_project_takes_all_of_it_along(room: Room, ada: Tenant, eve: Tenant) -> None:
    for tenant in (ada, eve):
        async with room.client(tenant.bearer) as client:
            saved = (await client.post(url(tenant, "/views"), json={"name": "Buyers", **TRENDS})).json()
            await client.post(url(tenant, "/boards"), json=board(card()))
            await client.post(url(tenant, "/notes"), json={"start": "2025-11-20", "text": "a"})
            made = await client.post(url(tenant, "/shares"), json={"kind": "view", "target_id": saved["id"]})
            token = made.json()["token"]
            if tenant is ada:
                assert (await client.delete(url(ada, ""))).status_code == 204
                assert (await client.get(f"/api/v1/shared/{token}")).status_code == 404
    saved_things = room.services.saved
    for records in (saved_things.views, saved_things.boards, saved_things.notes, saved_things.shares):
        assert [one.project_id for one in await records.of_project(ada.project.id)] == []
        assert len(await records.of_project(eve.project.id)) == 1


async def test_what_is_gone_does_not_stop_a_board_from_being_changed(room: Room, ada: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        funnel_id = await make_funnel(client, ada)
        saved = (await client.post(url(ada, "/views"), json={"name": "Buyers", **TRENDS})).json()
        asked = {"kind": "funnel", "question": {"funnel_id": funnel_id}}
        cards = [card(**asked), card(id="c2", x=6, kind=None, question=None, view_id=saved["id"])]
        made = (await client.post(url(ada, "/boards"), json=board(*cards))).json()
        view = (await client.post(url(ada, "/views"), json={"name": "Checkout", **asked})).json()
        assert (await client.delete(f"/api/v1/funnels/{funnel_id}")).status_code == 204
        assert (await client.delete(url(ada, f"/views/{saved['id']}"))).status_code == 204
        moved = board({**cards[0], "y": 8, "title": "Old"}, {**cards[1], "h": 2, "view": {"chart": "bar"}})
        changed = await client.put(url(ada, f"/boards/{made['id']}"), json=moved)
        assert changed.status_code == 200, changed.text
        renamed = {"name": "Old checkout", **asked}
        assert (await client.put(url(ada, f"/views/{view['id']}"), json=renamed)).status_code == 200
        asked_anew = board(card(kind="funnel", question={"funnel_id": funnel_id, "include": ["times"]}))
        refused = await client.put(url(ada, f"/boards/{made['id']}"), json=asked_anew)
        assert pointers(refused) == ["/cards/0/question/funnel_id"]


# the preset, the zone, the instant -> its days
PRESETS: list[tuple[str, str, str, Days]] = [
    ("today", "UTC", "2025-11-21T12:00:00Z", Days("2025-11-21", "2025-11-21")),
    ("today", "Asia/Tokyo", "2025-11-21T15:00:00Z", Days("2025-11-22", "2025-11-22")),
    ("today", "America/New_York", "2025-11-21T04:59:59Z", Days("2025-11-20", "2025-11-20")),
    ("yesterday", "UTC", "2025-03-01T00:00:00Z", Days("2025-02-28", "2025-02-28")),
    ("7d", "Europe/Vienna", "2025-10-26T23:30:00Z", Days("2025-10-21", "2025-10-27")),
    ("30d", "UTC", "2025-11-21T12:00:00Z", Days("2025-10-23", "2025-11-21")),
    ("12m", "UTC", "2024-12-31T12:00:00Z", Days("2024-01-02", "2024-12-31")),
    ("all", "UTC", "2025-11-21T12:00:00Z", Days(None, None)),
    ("week", "UTC", "2025-11-21T12:00:00Z", Days("2025-11-17", "2025-11-21")),
    ("week", "Asia/Tokyo", "2025-11-16T15:00:00Z", Days("2025-11-17", "2025-11-17")),
    ("last_week", "America/New_York", "2025-11-17T04:59:59Z", Days("2025-11-03", "2025-11-09")),
    ("month", "Europe/Vienna", "2025-10-31T23:00:00Z", Days("2025-11-01", "2025-11-01")),
    ("last_month", "UTC", "2024-03-31T12:00:00Z", Days("2024-02-01", "2024-02-29")),
    ("last_month", "UTC", "2025-01-05T12:00:00Z", Days("2024-12-01", "2024-12-31")),
]
# the preset, today -> the days compared with
BEFORE: list[tuple[str, str, Days | None]] = [
    ("7d", "2025-11-21", None),
    ("week", "2025-11-19", Days("2025-11-10", "2025-11-12")),
    ("last_week", "2025-11-19", Days("2025-11-03", "2025-11-09")),
    ("month", "2025-11-19", Days("2025-10-01", "2025-10-19")),
    ("month", "2025-03-31", Days("2025-02-01", "2025-02-28")),
    ("last_month", "2025-03-31", Days("2025-01-01", "2025-01-31")),
]


@pytest.mark.parametrize(("preset", "zone", "now", "expected"), PRESETS)
def test_a_preset_moves_on_with_time(preset: str, zone: str, now: str, expected: Days) -> None:
    now_us = from_datetime(datetime.fromisoformat(now))
    assert days_of({"preset": preset}, zone, now_us) == expected


@pytest.mark.parametrize(("preset", "today", "expected"), BEFORE)
def test_a_week_or_month_is_compared_with_the_same_part_of_the_one_before(
    preset: str, today: str, expected: Days | None
) -> None:
    now_us = from_datetime(datetime.fromisoformat(f"{today}T12:00:00Z"))
    assert compared_days_of({"preset": preset}, "UTC", now_us) == expected
