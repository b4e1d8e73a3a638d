"""Suggestions through the front door: what comes next, which templates fit, which funnels the events suggest."""

from typing import Any

import pytest

from iafa.api import funnel_models, suggestion_models
from iafa.clock import to_datetime
from tests.unit.api.house import NOON_US, Room, Tenant

MINUTE_US = 60_000_000
SHOP = [{"name": "View", "event": "view"}, {"name": "Cart", "event": "cart"}]


def put(room: Room, tenant: Tenant, *people: str, **over: Any) -> None:
    """One letter an event, a minute apart: v(iew) c(art) p(urchase) s(hare) h(ome page)."""
    names = {"v": "view", "c": "cart", "p": "purchase", "s": "share", "h": "page_view"}
    rows = room.events.setdefault(tenant.project.id, [])
    for letters in people:
        user = f"user-{len(rows)}"
        for place, letter in enumerate(letters):
            at = to_datetime(NOON_US + place * MINUTE_US)
            row = {"id": f"{user}-{place}", "event_type": names[letter], "user_id": user, "created_at": at}
            rows.append(row | ({"url": "https://x.org/home?a=1"} if letter == "h" else {}) | over)
    for row in rows:
        row["user_hash"] = hash(row["user_id"])


async def ask(room: Room, tenant: Tenant, **over: Any) -> Any:
    body = {"project_id": tenant.project.id, "name": "f", "stages": SHOP} | over
    async with room.client(tenant.bearer) as client:
        answer = await client.post("/api/v1/analytics/funnel/next-steps", json=body)
    return answer.json() if answer.status_code == 200 else (answer.status_code, answer.json()["errors"][0]["pointer"])


async def test_what_people_do_next(room: Room, ada: Tenant) -> None:
    put(room, ada, "vcp", "vcsp", "vcpp", "vchc", "vc", "vp", "pvc")
    put(room, ada, "vcs", is_bot=True)
    said = await ask(room, ada)
    suggestion_models.NextStepsAnswer.model_validate(said)
    assert said["reached"] == 6
    assert [(one["event"], one["page"], one["users"], one["share"], one["median_s"]) for one in said["next_steps"]] == [
        ("purchase", None, 3, 50.0, 60.0),
        ("page_view", "/home", 1, 16.67, 60.0),
        ("share", None, 1, 16.67, 60.0),
    ]
    assert [one["stage"] for one in said["next_steps"][:2]] == [
        {"name": "purchase", "event": "purchase"},
        {"name": "/home", "page": "/home"},
    ]


async def test_the_saved_and_the_unsaved_funnel_get_one_answer(room: Room, ada: Tenant) -> None:
    put(room, ada, "vcp", "vcs")
    definition = {"project_id": ada.project.id, "name": "f", "stages": SHOP}
    async with room.client(ada.bearer) as client:
        funnel = (await client.post("/api/v1/funnels", json=definition)).json()["id"]
        path = f"/api/v1/analytics/funnel/{funnel}/next-steps"
        saved = (await client.get(path, params={"limit": 1})).json()
        late = (await client.get(path, params={"window_seconds": 90})).json()
    unsaved = await ask(room, ada, limit=1)
    assert saved.pop("funnel_id") == funnel
    assert unsaved.pop("funnel_id") is None
    assert saved | {"elapsed_ms": 0} == unsaved | {"elapsed_ms": 0}
    assert len(saved["next_steps"]) == 1
    assert (late["reached"], late["next_steps"]) == (2, [])


async def test_nobody_at_the_end_is_an_empty_answer(room: Room, ada: Tenant) -> None:
    put(room, ada, "v")
    said = await ask(room, ada)
    assert (said["reached"], said["next_steps"]) == (0, [])


@pytest.mark.parametrize(
    ("over", "pointer"),
    [
        ({"limit": 0}, "/limit"),
        ({"limit": 51}, "/limit"),
        ({"limit": True}, "/limit"),
        ({"limit": "5"}, "/limit"),
        ({"stages": []}, "/stages"),
        ({"stages": [{"name": "x"}]}, "/stages/0"),
        ({"include": ["times"]}, "/include"),
        ({"start_date": "soon"}, "/start_date"),
        ({"start_date": 5}, "/start_date"),
        ({"start_date": "2026-01-02", "end_date": "2026-01-01"}, "/start_date"),
        ({"as_of": "2999-01-01T00:00:00Z"}, "/as_of"),
        ({"project_id": 5}, "/project_id"),
    ],
    ids=str,
)
async def test_wrong_questions_are_refused_with_the_field(
    room: Room, ada: Tenant, over: dict[str, Any], pointer: str
) -> None:
    assert await ask(room, ada, **over) == (422, pointer)


async def test_wrong_parameters_are_refused(room: Room, ada: Tenant) -> None:
    definition = {"project_id": ada.project.id, "name": "f", "stages": SHOP}
    async with room.client(ada.bearer) as client:
        funnel = (await client.post("/api/v1/funnels", json=definition)).json()["id"]
        for query in ("limit=0", "limit=51", "limit=x", "start_date=x", "window_seconds=-1"):
            answer = await client.get(f"/api/v1/analytics/funnel/{funnel}/next-steps?{query}")
            assert answer.status_code == 422, query
        for query in ("start_date=x", "start_date=2026-01-02&end_date=2026-01-01"):
            answer = await client.get(f"/api/v1/analytics/funnel-suggestions?project_id={ada.project.id}&{query}")
            assert answer.status_code == 422, query


async def test_suggestions_for_a_project_with_events(room: Room, ada: Tenant) -> None:
    put(room, ada, *["vcp"] * 6, *["vc"] * 5, *["v"] * 9, *["svc"] * 4)
    put(room, ada, *["sp"] * 50, is_bot=True)
    async with room.client(ada.bearer) as client:
        said = (await client.get(f"/api/v1/analytics/funnel-suggestions?project_id={ada.project.id}")).json()
        shown = suggestion_models.SuggestionsAnswer.model_validate(said)
        assert shown.model_dump(exclude_unset=True) == said
        first, *_ = said["funnels"]
        assert [(one["stage_name"], one["users"]) for one in first["stages"]] == [
            ("view", 24),
            ("cart", 15),
            ("purchase", 6),
        ]
        answer = (await client.post("/api/v1/analytics/funnel", json=first["definition"])).json()
        assert answer["stages"] == first["stages"], "the numbers are those of the funnel itself"
        assert (await client.post("/api/v1/funnels", json=first["definition"])).status_code == 201
    fits = [(one["id"], one["matches"]["found"], one["matches"]["needed"]) for one in said["templates"]]
    assert ("purchase", 1, 4) in fits
    assert {one["matches"]["fits"] for one in said["templates"]} <= {"some", "none"}


async def test_suggestions_for_a_project_without_events(room: Room, ada: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        said = (await client.get(f"/api/v1/analytics/funnel-suggestions?project_id={ada.project.id}")).json()
    assert said["funnels"] == []
    assert {one["matches"]["fits"] for one in said["templates"]} == {"none"}
    template = said["templates"][0]
    assert set(template) == {*funnel_models.FunnelTemplate.model_fields, "matches"}
