"""The people behind the numbers through the front door: pages, files, and who may not see them."""

import csv
import io
import json
from typing import Any

import pytest

from iafa.api.people_models import ExplainAnswer
from iafa.clock import to_datetime
from tests.unit.api.house import NOON_US, Room, Tenant

STAGES = [{"name": "Cart", "event": "add_to_cart"}, {"name": "Pay", "event": "purchase"}]
NASTY = ('=HYPERLINK("http://x")', "+1", "-2", "@sum", "\tx", "\rx", 'quo"te, comma', "line\nbreak", "plain")


def question(tenant: Tenant, **over: Any) -> dict[str, Any]:
    return {"project_id": tenant.project.id, "name": "Checkout", "stages": STAGES, **over}


def shop(room: Room, tenant: Tenant) -> None:
    room.events[tenant.project.id] = [
        {"event_type": name, "user_id": f"user-{number}", "created_at": to_datetime(NOON_US + number * 10 + place)}
        for number in range(9)
        for place, name in enumerate(("add_to_cart", "purchase")[: 1 + number % 2])
    ]


async def test_a_list_is_read_page_by_page(room: Room, ada: Tenant) -> None:
    shop(room, ada)
    async with room.client(ada.key("secret")) as client:
        bar = (await client.post("/api/v1/analytics/funnel", json=question(ada))).json()["stages"][1]["users"]
        seen: list[str] = []
        cursor = None
        for _ in range(10):
            body = question(ada, stage=2, kind="converted", limit=3, cursor=cursor)
            answer = await client.post("/api/v1/analytics/funnel/users", json=body)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            assert page["total"] == bar == 4
            assert page["has_changed"] is False
            seen += [row["user_id"] for row in page["people"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert seen == ["user-7", "user-5", "user-3", "user-1"]
        row = page["people"][0]
        assert row["path"] == [
            {"stage": 1, "stage_name": "Cart", "event_id": "event-1", "time": "2025-11-21T12:00:00.000010Z"},
            {"stage": 2, "stage_name": "Pay", "event_id": "event-2", "time": "2025-11-21T12:00:00.000011Z"},
        ]


async def test_those_who_have_time_are_told_from_those_who_left(room: Room, ada: Tenant) -> None:
    day_us = 86_400 * 1_000_000
    room.events[ada.project.id] = [
        {"event_type": name, "user_id": f"{name}-{days}-{number}", "created_at": to_datetime(NOON_US - days * day_us)}
        for name, days, number in (
            *(("add_to_cart", 9, number) for number in range(3)),
            *(("add_to_cart", 1, number) for number in range(2)),
        )
    ]
    url = "/api/v1/analytics/funnel/users"
    async with room.client(ada.bearer) as client:
        stages = (await client.post("/api/v1/analytics/funnel", json=question(ada))).json()["stages"]
        assert stages[1]["users_max"] - stages[1]["users"] == 2
        for is_open, days in ((True, {"1"}), (False, {"9"}), (None, {"1", "9"})):
            body = question(ada, stage=2, kind="dropped", limit=1, open=is_open)
            answer = (await client.post(url, json=body)).json()
            cursor, seen = answer["next_cursor"], [answer["people"][0]["user_id"]]
            rest = (await client.post(url, json={**body, "limit": 100, "cursor": cursor})).json()
            seen += [row["user_id"] for row in rest["people"]]
            assert {one.split("-")[1] for one in seen} == days
            assert len(seen) == answer["total"] == (2 if is_open else 3 if is_open is False else 5)
            lines = (
                await client.post("/api/v1/analytics/funnel/export", json=_without(body, "limit"))
            ).text.splitlines()
            assert len(lines) == 1 + len(seen)
        other = await client.post(url, json=question(ada, stage=2, kind="dropped", open=None, cursor=cursor))
        assert other.status_code == 200, "of the same list"
        other = await client.post(url, json=question(ada, stage=2, kind="dropped", open=True, cursor=cursor))
        assert other.status_code == 422, "a cursor of another list"
        wrong = await client.post(url, json=question(ada, open="yes"))
        assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/open")


def _without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {field: value for field, value in body.items() if field != name}


async def test_a_cursor_goes_on_behind_its_row_when_events_have_come(room: Room, ada: Tenant) -> None:
    """Whoever enters now is before the first page and not seen; nobody who has not moved comes twice or is missed."""
    shop(room, ada)
    url = "/api/v1/analytics/funnel/users"
    async with room.client(ada.bearer) as client:
        first = (await client.post(url, json=question(ada, limit=4))).json()
        room.events[ada.project.id] += [
            {"event_type": "add_to_cart", "user_id": "late", "created_at": to_datetime(NOON_US + 1_000)},
            {"event_type": "add_to_cart", "user_id": "early", "created_at": to_datetime(NOON_US - 1_000)},
        ]
        second = (await client.post(url, json=question(ada, limit=100, cursor=first["next_cursor"]))).json()
    assert (first["has_changed"], second["has_changed"]) == (False, True)
    assert first["data_version"] != second["data_version"]
    assert (first["total"], second["total"]) == (9, 11)
    seen = [row["user_id"] for row in [*first["people"], *second["people"]]]
    assert seen == [f"user-{number}" for number in range(8, -1, -1)] + ["early"]


async def test_the_project_says_when_a_session_ends(room: Room, ada: Tenant) -> None:
    room.events[ada.project.id] = [
        {"event_type": name, "user_id": "u", "created_at": to_datetime(NOON_US + at * 1_000_000)}
        for name, at in (("add_to_cart", 0), ("purchase", 61))
    ]
    in_sessions = question(ada, unit="session", stage=2, kind="dropped")
    async with room.client(ada.bearer) as client:
        for gap_s, dropped in ((60, 1), (61, 0)):
            changed = await client.put(f"/api/v1/projects/{ada.project.id}", json={"session_gap_seconds": gap_s})
            assert changed.status_code == 200, changed.text
            assert (await client.post("/api/v1/analytics/funnel/users", json=in_sessions)).json()["total"] == dropped
            body = question(ada, unit="session", user_id="u")
            told = (await client.post("/api/v1/analytics/funnel/explain", json=body)).json()
            assert told["status"] == ("dropped" if dropped else "converted")
            lines = await client.post("/api/v1/analytics/funnel/export", json=in_sessions)
            assert len(lines.text.splitlines()) == 1 + dropped


async def test_optional_stages_have_columns_of_their_own(room: Room, ada: Tenant) -> None:
    shop(room, ada)
    stages = [STAGES[0], {"name": "Coupon", "event": "purchase", "optional": True}, STAGES[1]]
    async with room.client(ada.bearer) as client:
        body = question(ada, stages=stages)
        answer = await client.post("/api/v1/analytics/funnel/export", json=body)
        header, *rows = list(csv.reader(io.StringIO(answer.text, newline="")))
        page = (await client.post("/api/v1/analytics/funnel/users", json=body)).json()
    assert header[7::2] == ["stage_1_time", "optional_1_time", "stage_2_time"]
    assert rows[0][7:9] == [page["people"][0]["path"][0]["time"], page["people"][0]["path"][0]["event_id"]]
    ids = [[step["event_id"] for step in row["path"]] for row in page["people"]]
    assert [[cell for cell in row[8::2] if cell] for row in rows] == ids


async def test_a_saved_funnels_people(room: Room, ada: Tenant) -> None:
    shop(room, ada)
    async with room.client(ada.bearer) as client:
        funnel = (await client.post("/api/v1/funnels", json=question(ada))).json()
        url = f"/api/v1/analytics/funnel/{funnel['id']}/users?stage=2&kind=dropped"
        page = (await client.get(url)).json()
        assert [row["user_id"] for row in page["people"]] == ["user-8", "user-6", "user-4", "user-2", "user-0"]
        assert (await client.get(f"{url}&start_date=2025-11-22")).json()["total"] == 0


async def test_a_cursor_belongs_to_its_list(room: Room, ada: Tenant, eve: Tenant) -> None:
    shop(room, ada)
    shop(room, eve)
    url = "/api/v1/analytics/funnel/users"
    async with room.client(ada.bearer) as client:
        first = (await client.post(url, json=question(ada, limit=2))).json()
        for over in ({"stage": 2}, {"window_seconds": 5}, {"start_date": "2025-01-01"}, {"cursor": "x"}):
            body = question(ada, limit=2, **({"cursor": first["next_cursor"]} | over))
            refused = await client.post(url, json=body)
            assert (refused.status_code, refused.json()["code"]) == (422, "invalid_query")
            assert refused.json()["errors"][0]["pointer"] == "/cursor"
    async with room.client(eve.bearer) as client:
        stolen = await client.post(url, json=question(eve, limit=2, cursor=first["next_cursor"]))
        assert stolen.status_code == 422


async def test_a_file_is_csv_that_no_spreadsheet_runs(room: Room, ada: Tenant) -> None:
    room.events[ada.project.id] = [{"event_type": "add_to_cart", "user_id": name} for name in NASTY]
    async with room.client(ada.bearer) as client:
        answer = await client.post("/api/v1/analytics/funnel/export", json=question(ada))
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == 'attachment; filename="people-stage-1-converted.csv"'
        header, *rows = list(csv.reader(io.StringIO(answer.text, newline="")))
        assert header[:3] == ["entity", "user_id", "anonymous_id"]
        assert header[-4:] == ["stage_1_time", "stage_1_event_id", "stage_2_time", "stage_2_event_id"]
        expected = [("'" if name[0] in "=+-@\t\r" else "") + name for name in reversed(NASTY)]
        assert [row[1] for row in rows] == expected
        assert answer.text.count("\r\n") >= len(NASTY) + 1
        lines = await client.post("/api/v1/analytics/funnel/export", json=question(ada, format="ndjson"))
        assert [json.loads(line)["user_id"] for line in lines.text.split("\n")[:-1]] == list(reversed(NASTY))


async def test_a_saved_funnels_file(room: Room, ada: Tenant) -> None:
    shop(room, ada)
    async with room.client(ada.key("secret")) as client:
        async with room.client(ada.bearer) as member:
            funnel = (await member.post("/api/v1/funnels", json=question(ada))).json()
        answer = await client.get(f"/api/v1/analytics/funnel/{funnel['id']}/export?stage=2&kind=dropped&format=ndjson")
        assert answer.headers["content-type"] == "application/x-ndjson"
        assert [json.loads(line)["steps"] for line in answer.text.splitlines()] == [1] * 5


async def test_other_tenants_see_nothing(room: Room, ada: Tenant, eve: Tenant) -> None:
    shop(room, ada)
    async with room.client(ada.bearer) as client:
        funnel = (await client.post("/api/v1/funnels", json=question(ada))).json()["id"]
    for headers in (eve.bearer, eve.key("secret")):
        async with room.client(headers) as client:
            for path in ("users", "export", "users/user-1"):
                assert (await client.get(f"/api/v1/analytics/funnel/{funnel}/{path}")).status_code == 404
            for path in ("users", "export", "explain"):
                answer = await client.post(f"/api/v1/analytics/funnel/{path}", json=question(ada, user_id="user-1"))
                assert answer.status_code == 404
    async with room.client(ada.key("write")) as client:
        assert (await client.get(f"/api/v1/analytics/funnel/{funnel}/users")).status_code == 403


@pytest.mark.parametrize(
    ("over", "pointer"),
    [
        ({"stage": 3}, "/stage"),
        ({"stage": 0}, "/stage"),
        ({"stage": True}, "/stage"),
        ({"stage": 1, "kind": "dropped"}, "/stage"),
        ({"kind": "lost"}, "/kind"),
        ({"kind": "dropped_by_exclusion"}, "/kind"),
        ({"limit": 1_001}, "/limit"),
        ({"cursor": 5}, "/cursor"),
        ({"typo": 5}, "/typo"),
    ],
)
async def test_a_wrong_question_is_told_where(room: Room, ada: Tenant, over: dict[str, Any], pointer: str) -> None:
    async with room.client(ada.bearer) as client:
        answer = await client.post("/api/v1/analytics/funnel/users", json=question(ada, **over))
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_a_person_is_explained(room: Room, ada: Tenant) -> None:
    shop(room, ada)
    room.events[ada.project.id].append(
        {"event_type": "purchase", "user_id": "a/b ü", "anonymous_id": "v", "created_at": to_datetime(NOON_US)}
    )
    async with room.client(ada.bearer) as client:
        funnel = (await client.post("/api/v1/funnels", json=question(ada))).json()["id"]
        url = f"/api/v1/analytics/funnel/{funnel}/users"
        row = (await client.get(f"{url}?stage=2&kind=dropped&limit=1")).json()["people"][0]
        by_entity = await client.get(f"{url}/{row['entity']}")
        answer = by_entity.json()
        assert answer == (await client.get(f"{url}/{row['user_id']}")).json()
        body = question(ada, user_id=row["user_id"])
        assert answer == (await client.post("/api/v1/analytics/funnel/explain", json=body)).json()
        assert set(answer) == set(ExplainAnswer.model_fields) - {"session_start", "hold", "paths", "paths_total"}
        ExplainAnswer.model_validate(answer)
        assert (answer["status"], answer["stopped_at"]) == ("dropped", {"stage": 2, "stage_name": "Pay"})
        assert answer["reasons"][0]["causes"][0]["code"] == "never_happened"
        for who in ("a%2Fb%20%C3%BC", "v"):
            odd = (await client.get(f"{url}/{who}")).json()
            assert (odd["user_id"], odd["status"]) == ("a/b ü", "not_entered")
        assert (await client.get(f"{url}/nobody")).json()["code"] == "not_found"
        missing = await client.post("/api/v1/analytics/funnel/explain", json=question(ada))
        assert (missing.status_code, missing.json()["errors"][0]["pointer"]) == (422, "/user_id")
