"""Funnels through the front door: saved, changed, asked; and what a wrong definition is told."""

from typing import Any

import pytest

from iafa.checks.templates import Template, templates
from iafa.query.definition_reading import parse_definition
from tests.unit.api.house import Room, Tenant

STAGES = [{"name": "Cart", "event": "add_to_cart"}, {"name": "Pay", "event": "purchase"}]


def definition(tenant: Tenant, **over: Any) -> dict[str, Any]:
    return {"project_id": tenant.project.id, "name": "Checkout", "stages": STAGES, **over}


def shop(tenant: Tenant, room: Room) -> None:
    room.events[tenant.project.id] = [
        {"event_type": "add_to_cart", "user_id": "a"},
        {"event_type": "purchase", "user_id": "a"},
        {"event_type": "add_to_cart", "user_id": "b"},
        {"event_type": "add_to_cart", "user_id": "c"},
    ]


async def test_a_funnel_is_saved_asked_changed_and_deleted(room: Room, ada: Tenant) -> None:
    shop(ada, room)
    async with room.client(ada.bearer) as client:
        made = await client.post("/api/v1/funnels", json=definition(ada))
        assert made.status_code == 201, made.text
        funnel = made.json()
        url = f"/api/v1/funnels/{funnel['id']}"
        assert (await client.get(url)).json() == funnel
        assert (await client.get(f"/api/v1/funnels?project_id={ada.project.id}")).json() == {"funnels": [funnel]}

        saved = await client.get(f"/api/v1/analytics/funnel/{funnel['id']}")
        assert saved.status_code == 200, saved.text
        assert saved.json()["funnel_id"] == funnel["id"]
        assert saved.json()["stages"] == [
            {
                "stage_name": "Cart",
                "order": 1,
                "users": 3,
                "conversion_rate": 100.0,
                "drop_off_rate": 0.0,
                "users_max": 3,
            },
            {
                "stage_name": "Pay",
                "order": 2,
                "users": 1,
                "conversion_rate": 33.33,
                "drop_off_rate": 66.67,
                "users_max": 3,
            },
        ]
        adhoc = await client.post("/api/v1/analytics/funnel", json=definition(ada))
        changing = ("funnel_id", "elapsed_ms")
        assert {k: v for k, v in adhoc.json().items() if k not in changing} == {
            k: v for k, v in saved.json().items() if k not in changing
        }

        changed = await client.put(url, json=definition(ada, name="Buy", window_seconds=None))
        assert (changed.status_code, changed.json()["version"], changed.json()["window_seconds"]) == (200, 2, None)
        stale = await client.put(url, json=definition(ada), headers={"If-Match": made.headers["etag"]})
        assert stale.status_code == 412
        moved = await client.put(url, json=definition(ada, project_id="a" * 20))
        assert (moved.status_code, moved.json()["errors"][0]["pointer"]) == (422, "/project_id")
        assert (await client.delete(url)).status_code == 204
        assert (await client.get(url)).status_code == 404


async def test_the_range_is_asked_in_the_projects_zone(room: Room, ada: Tenant) -> None:
    shop(ada, room)
    async with room.client(ada.bearer) as client:
        for start, end, people in (("2025-11-21", "2025-11-21", 3), ("2025-11-22", "2025-11-30", 0)):
            body = definition(ada, start_date=start, end_date=end)
            answer = (await client.post("/api/v1/analytics/funnel", json=body)).json()
            assert answer["stages"][0]["users"] == people
            assert answer["date_range"] == {"start": start, "end": end}


async def test_the_window_can_be_overridden(room: Room, ada: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        funnel = (await client.post("/api/v1/funnels", json=definition(ada))).json()
        answer = await client.get(f"/api/v1/analytics/funnel/{funnel['id']}?window_seconds=60")
        assert answer.json()["window_seconds"] == 60
        for wrong, code, message in (
            ("-1", "number_out_of_range", "must be at least 0"),
            ("x", "wrong_type", "must be a whole number"),
            ("1e3", "wrong_type", "must be a whole number"),
            ("9" * 5000, "number_out_of_range", "must be a smaller number"),
            ("99999999999", "number_out_of_range", "must be at most 10000000000"),
        ):
            refused = await client.get(f"/api/v1/analytics/funnel/{funnel['id']}?window_seconds={wrong}")
            assert (refused.status_code, refused.json()["code"]) == (422, "invalid_query")
            assert refused.json()["errors"] == [{"pointer": "/window_seconds", "code": code, "message": message}]


async def test_a_name_that_a_body_says_twice_is_refused_with_its_place(room: Room, ada: Tenant) -> None:
    stage = '{"name": "A", "event": "a", "filters": [{"property": "plan", "op": "eq", "value": "a", "value": "b"}]}'
    around = f'{{"project_id": "{ada.project.id}", "name": "f", "stages": [%s]%s}}'
    for body, pointer in (
        (around % (stage, ""), "/stages/0/filters/0/value"),
        (around % ('{"name": "A", "event": "a"}', ', "na\\u006de": "g"'), "/name"),
        (around % ('{"name": "A", "event": "a", "a/b": {"~": 1, "~": 1}}', ""), "/stages/0/a~1b/~0"),
        (around % (stage, ', "stages": []'), "/stages"),
    ):
        for url in ("/api/v1/funnels", "/api/v1/analytics/funnel"):
            async with room.client(ada.bearer) as client:
                sent = await client.post(url, content=body, headers={"content-type": "application/json"})
            assert sent.status_code == 422, sent.text
            assert [(each["pointer"], each["code"]) for each in sent.json()["errors"]] == [(pointer, "repeated_field")]


async def test_a_saved_funnel_is_asked_for_more(room: Room, ada: Tenant) -> None:
    room.events[ada.project.id] = [
        {"event_type": "add_to_cart", "user_id": "a", "properties": '{"plan":"pro"}'},
        {"event_type": "purchase", "user_id": "a"},
        {"event_type": "add_to_cart", "user_id": "b"},
    ]
    async with room.client(ada.bearer) as client:
        funnel = (await client.post("/api/v1/funnels", json=definition(ada))).json()
        url = f"/api/v1/analytics/funnel/{funnel['id']}?start_date=2025-11-15&end_date=2025-11-21"
        asked = "&include=times,trend&include=breakdown&include=compare&trend=week&breakdown=plan&attribution=entry"
        answer = (await client.get(url + asked)).json()
        assert answer["times"]["total"]["count"] == 1
        assert [bucket["bucket"] for bucket in answer["trend"]["buckets"]] == ["2025-11-10", "2025-11-17"]
        assert [(group["group"], group["value"]) for group in answer["breakdown"]["groups"]] == [
            ("value", "pro"), ("none", None)
        ]  # fmt: skip
        assert answer["compare"]["date_range"] == {"start": "2025-11-08", "end": "2025-11-14"}
        assert [bucket["bucket"] for bucket in answer["compare"]["trend"]["buckets"]] == ["2025-11-03", "2025-11-10"]
        before = answer["compare"]["breakdown"]["groups"]
        assert [(group["value"], group["stages"][0]["users"]) for group in before] == [("pro", 0), (None, 0)]
        assert all(group["significance"]["is_too_small"] for group in before)
        assert {"times", "trend", "breakdown", "compare"}.isdisjoint((await client.get(url)).json())
        given = "&include=compare&compare_start=2025-11-21&compare_end=2025-11-21"
        compared = (await client.get(url + given)).json()["compare"]
        assert (compared["people_total"], compared["significance"]["difference"]) == (2, 0.0)


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ("include=time", "/include"),
        ("strat_date=2025-11-01", "/strat_date"),
        ("start_date=2025-11-01&a=1&b=2", "/a"),
        ("include=breakdown", "/include"),
        ("include=compare", "/include"),
        ("compare_start=2025-11-01", "/compare_start"),
        ("include=compare&compare_end=never", "/compare_end"),
        ("trend=year", "/trend"),
        ("attribution=each", "/attribution"),
        ("breakdown=plan&attribution=step:9", "/breakdown/attribution"),
        ("include=trend&trend=hour&start_date=2025-01-01&end_date=2025-12-31", "/trend"),
    ],
)
async def test_what_cannot_be_asked_for_is_told_where(room: Room, ada: Tenant, asked: str, pointer: str) -> None:
    shop(ada, room)
    async with room.client(ada.bearer) as client:
        funnel = (await client.post("/api/v1/funnels", json=definition(ada))).json()
        answer = await client.get(f"/api/v1/analytics/funnel/{funnel['id']}?{asked}")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_an_unsaved_funnel_is_asked_for_more(room: Room, ada: Tenant) -> None:
    shop(ada, room)
    async with room.client(ada.bearer) as client:
        body = definition(ada, include=["times", "breakdown"], breakdown={"property": "plan"}, order="unordered")
        answer = (await client.post("/api/v1/analytics/funnel", json=body)).json()
        assert {"times", "breakdown", "stages_filled"} <= set(answer)
        for wrong in (5, "times", [5], ["time"]):
            refused = await client.post("/api/v1/analytics/funnel", json=definition(ada, include=wrong))
            assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/include")


WRONG: dict[str, dict[str, Any]] = {
    "/stages": {"stages": []},
    "/stages/0": {"stages": [{"name": "A"}]},
    "/stages/0/name": {"stages": [{"event": "a", "name": 5}]},
    "/extra": {"extra": 1},
    "/stages/1/typo": {"stages": [STAGES[0], {**STAGES[1], "typo": 1}]},
    "/window_seconds": {"window_seconds": -1},
    "/name": {"name": ""},
    "/filters/0/op": {"filters": [{"property": "a", "op": "nope", "value": 1}]},
}


@pytest.mark.parametrize(("pointer", "over"), WRONG.items(), ids=WRONG)
async def test_a_wrong_definition_is_told_where(room: Room, ada: Tenant, pointer: str, over: dict[str, Any]) -> None:
    async with room.client(ada.bearer) as client:
        funnel = (await client.post("/api/v1/funnels", json=definition(ada))).json()
        for method, path in (
            ("POST", "/api/v1/funnels"),
            ("PUT", f"/api/v1/funnels/{funnel['id']}"),
            ("POST", "/api/v1/analytics/funnel"),
        ):
            answer = await client.request(method, path, json=definition(ada, **over))
            assert answer.status_code == 422, (path, answer.text)
            assert pointer in [error["pointer"] for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    "over", [{"start_date": "tomorrow"}, {"end_date": 5}, {"start_date": "2026-02-30"}, {"start_date": ["2026-01-01"]}]
)
async def test_a_wrong_range_is_told_where(room: Room, ada: Tenant, over: dict[str, Any]) -> None:
    async with room.client(ada.bearer) as client:
        answer = await client.post("/api/v1/analytics/funnel", json=definition(ada, **over))
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == f"/{next(iter(over))}"


async def test_a_range_has_no_place_in_a_saved_funnel(room: Room, ada: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        answer = await client.post("/api/v1/funnels", json=definition(ada, start_date="2026-01-01"))
    assert answer.status_code == 422


async def test_a_body_without_a_project_is_told_so(room: Room, ada: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        for path in ("/api/v1/funnels", "/api/v1/analytics/funnel"):
            wrong: tuple[Any, ...] = (None, 5, ["x"], {})
            for project in wrong:
                answer = await client.post(path, json=definition(ada, project_id=project))
                assert answer.status_code == 422
                assert answer.json()["errors"][0]["pointer"] == "/project_id"


async def test_event_names_are_found_by_a_part_of_them(room: Room, ada: Tenant) -> None:
    shop(ada, room)
    url = f"/api/v1/analytics/event-names?project_id={ada.project.id}"
    async with room.client(ada.bearer) as client:
        every = (await client.get(url)).json()["event_names"]
        assert [(one["name"], one["count"]) for one in every] == [("add_to_cart", 3), ("purchase", 1)]
        assert [one["name"] for one in (await client.get(f"{url}&q=CART")).json()["event_names"]] == ["add_to_cart"]
        assert (await client.get(f"{url}&q=%25")).json()["event_names"] == []
        assert len((await client.get(f"{url}&limit=1")).json()["event_names"]) == 1
        assert (await client.get(f"{url}&limit=0")).status_code == 422


@pytest.mark.parametrize("template", templates(), ids=[template.id for template in templates()])
def test_every_template_is_shown_as_a_definition(template: Template) -> None:
    shown = template.shown()
    parse_definition({key: shown[key] for key in ("name", "description", "stages", "window_seconds")})


async def test_templates_are_listed_and_distinct(room: Room) -> None:
    async with room.client() as client:
        found = (await client.get("/api/v1/funnel-templates")).json()["templates"]
    assert len({template["id"] for template in found}) == len(templates())


@pytest.mark.parametrize(
    ("over", "status"),
    [
        ({"include": ["compare"], "start_date": "0001-01-01", "end_date": "0001-01-01"}, 422),
        ({"include": ["compare"], "start_date": "1000-01-01", "end_date": "2026-01-01"}, 422),
        ({"include": ["compare"], "start_date": "0001-01-01T00:00:00+14:00", "end_date": "2026-01-01"}, 422),
        ({"include": ["trend"], "start_date": "9999-12-30", "end_date": "9999-12-31T12:00:00Z"}, 200),
        ({"include": ["trend"], "start_date": "0001-01-01T00:00:00+14:00", "end_date": "1971-01-01"}, 200),
        ({"as_of": "0001-01-01T00:00:00+14:00", "include": ["times", "receipt"]}, 200),
        ({"as_of": "9999-12-31T23:59:59-14:00"}, 422),
        ({"exclusion_mode": "drop"}, 200),
        ({"exclusion_mode": "drop", "exclusions": [], "include": ["times", "trend"]}, 200),
    ],
)
async def test_the_ends_of_time_and_empty_lists_are_answered(
    room: Room, ada: Tenant, over: dict[str, Any], status: int
) -> None:
    shop(ada, room)
    async with room.client(ada.bearer) as client:
        answer = await client.post("/api/v1/analytics/funnel", json=definition(ada, **over))
    assert answer.status_code == status, answer.text
    assert status == 200 or answer.json()["errors"][0]["pointer"] in ("/start_date", "/as_of")
