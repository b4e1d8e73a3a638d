"""Trends through the front door: the shape of the answer, and what a wrong question is told."""

import pytest

from tests.unit.api.house import Room, Tenant


async def test_a_series_a_type_and_a_bucket_a_day(room: Room, ada: Tenant) -> None:
    room.events[ada.project.id] = [
        {"event_type": "visit", "user_id": "a"},
        {"event_type": "visit", "user_id": "a"},
        {"event_type": "visit", "user_id": "b"},
        {"event_type": "buy", "user_id": "b"},
    ]
    async with room.client(ada.bearer) as client:
        question = {"project_id": ada.project.id, "start_date": "2025-11-20", "end_date": "2025-11-21"}
        answer = await client.get("/api/v1/analytics/trends", params={**question, "event": ["visit", "*", "gone"]})
    assert answer.status_code == 200, answer.text
    content = answer.json()
    empty = {"date": "2025-11-20", "value": 0, "events": 0, "events_scaled": None, "people": 0, "skipped": None}
    empty |= {"source": "raw", "is_exact": True, "is_incomplete": False}
    today = {**empty, "date": "2025-11-21", "is_incomplete": True}
    found = [(one["event_type"], one["buckets"][0], one["buckets"][1]) for one in content["series"]]
    assert found == [
        ("visit", empty, {**today, "value": 3, "events": 3, "people": 2}),
        ("*", empty, {**today, "value": 4, "events": 4, "people": 2}),
        ("gone", empty, today),
    ]
    assert (content["interval"], content["timezone"]) == ("day", "UTC")
    assert content["date_range"] == {"start": "2025-11-20", "end": "2025-11-21"}
    assert content["data_version"]


async def test_counts_of_a_sample_are_shown_as_they_are_and_scaled(room: Room, ada: Tenant) -> None:
    room.events[ada.project.id] = [
        {"event_type": "visit", "user_id": "a", "sample_rate": 0.1},
        {"event_type": "visit", "user_id": "b", "sample_rate": 0.25},
        {"event_type": "visit", "user_id": "b"},
        {"event_type": "buy", "user_id": "b"},
    ]
    async with room.client(ada.bearer) as client:
        question = {"project_id": ada.project.id, "start_date": "2025-11-21", "end_date": "2025-11-21"}
        params = {**question, "event": ["visit", "buy", "*"]}
        series = (await client.get("/api/v1/analytics/trends", params=params)).json()["series"]
        body = {**question, "series": params["event"]}
        alone = (await client.post("/api/v1/analytics/trends", json=body)).json()["series"]
    for answered in (series, alone):
        found = [(one["buckets"][0]["events"], one["total"]["events_scaled"]) for one in answered]
        assert found == [(3, 15), (1, None), (4, 16)]
    assert [one["total"]["people"] for one in alone] == [None, None, None]


async def test_without_dates_the_range_is_all_data_and_without_data_there_is_none(room: Room, ada: Tenant) -> None:
    url = f"/api/v1/analytics/trends?project_id={ada.project.id}"
    async with room.client(ada.key("secret")) as client:
        nothing = (await client.get(url)).json()
        assert nothing["date_range"] == {"start": None, "end": None}
        assert [(one["event_type"], one["buckets"]) for one in nothing["series"]] == [("*", [])]


@pytest.mark.parametrize(
    ("question", "pointer"),
    [
        ({"interval": "year"}, "/interval"),
        ({"timezone": "Europe/Nowhere"}, "/timezone"),
        ({"measure": "mean"}, "/measure"),
        ({"measure": "sum"}, "/property"),
        ({"measure": "sum", "property": "column:secret"}, "/property"),
        ({"breakdown": "column:secret"}, "/breakdown"),
        ({"breakdown": "property:"}, "/breakdown"),
        ({"formula": "A / C"}, "/formula"),
        ({"limit": 3}, "/limit"),
        ({"breakdown": "plan", "limit": 101}, "/limit"),
        ({"filters": "["}, "/filters"),
        ({"filters": "0"}, "/filters"),
        ({"filters": "false"}, "/filters"),
        ({"filters": "{}"}, "/filters"),
        ({"format": "xlsx"}, "/format"),
        ({"start_date": "2025-W01-1"}, "/start_date"),
        ({"end_date": "2025-02-30"}, "/end_date"),
        ({"start_date": "2025-11-22", "end_date": "2025-11-21"}, "/start_date"),
        ({"start_date": "1970-01-01", "end_date": "2025-11-21"}, "/interval"),
        ({"event": [""]}, "/event"),
        ({"event": [str(number) for number in range(21)]}, "/event"),
    ],
)
async def test_a_wrong_question_is_refused(room: Room, ada: Tenant, question: dict[str, str], pointer: str) -> None:
    async with room.client(ada.bearer) as client:
        answer = await client.get("/api/v1/analytics/trends", params={"project_id": ada.project.id, **question})
    assert answer.status_code == 422, answer.text
    assert {error["pointer"] for error in answer.json()["errors"]} == {pointer}


QUESTION = {
    "series": [{"event": "visit", "measure": "people"}, {"event": "*", "measure": "sum", "property": "price"}],
    "formulas": [{"name": "each", "expression": "B / A"}],
    "breakdown": {"property": "plan", "limit": 1},
    "start_date": "2025-11-20",
    "end_date": "2025-11-21",
}
BOUGHT = [
    {"event_type": "visit", "user_id": "a", "properties": '{"plan": "pro", "price": 3}'},
    {"event_type": "visit", "user_id": "b", "properties": '{"plan": "free", "price": "4.5"}'},
    {"event_type": "visit", "user_id": "c", "properties": '{"plan": "pro", "price": null}'},
    {"event_type": "buy", "user_id": "b", "properties": '{"price": "much"}'},
]


async def test_a_body_asks_for_series_groups_and_formulas_and_an_address_for_the_same(room: Room, ada: Tenant) -> None:
    room.events[ada.project.id] = BOUGHT
    async with room.client(ada.bearer) as client:
        asked = await client.post("/api/v1/analytics/trends", json={"project_id": ada.project.id, **QUESTION})
        assert asked.status_code == 200, asked.text
        content = asked.json()
        params = {"project_id": ada.project.id, "event": "*", "measure": "sum", "property": "price"}
        params |= {
            "breakdown": "plan",
            "limit": "1",
            "formula": "A / 2",
            "start_date": "2025-11-21",
            "end_date": "2025-11-21",
            "format": "csv",
        }
        table = await client.get("/api/v1/analytics/trends", params=params)
    people, price = content["series"]
    assert (people["total"]["value"], price["total"]["value"], price["total"]["skipped"]) == (3, 7.5, 2)
    assert [(one["group"], one["group_value"], one["total"]["value"]) for one in price["groups"]] == [
        ("value", "pro", 3),
        ("other", None, 4.5),
        ("none", None, 0),
    ]
    (each,) = content["formulas"]
    assert [one["total"]["value"] for one in each["groups"]] == [1.5, 4.5, None]
    assert [bucket["value"] for bucket in each["buckets"]] == [None, 2.5]
    lines = table.text.splitlines()
    assert table.headers["content-type"].startswith("text/csv")
    assert lines[0].startswith("series,measure,group,group_value,date,value")
    assert [line.split(",")[2:6] for line in lines if line.startswith("*,sum")][:2] == [
        ["", "", "2025-11-21", "7.5"],
        ["value", "free", "2025-11-21", "4.5"],
    ]


async def test_days_are_those_of_the_project_unless_another_zone_is_named(room: Room, ada: Tenant) -> None:
    """Noon of UTC is the next day at the date line."""
    room.events[ada.project.id] = BOUGHT
    params = {"project_id": ada.project.id, "event": "visit", "start_date": "2025-11-21", "end_date": "2025-11-22"}
    async with room.client(ada.bearer) as client:
        own = (await client.get("/api/v1/analytics/trends", params=params)).json()
        far = (await client.get("/api/v1/analytics/trends", params={**params, "timezone": "Pacific/Kiritimati"})).json()
    assert (own["timezone"], far["timezone"]) == (ada.project.timezone, "Pacific/Kiritimati")
    assert [(one["date"], one["events"]) for one in own["series"][0]["buckets"]] == [
        ("2025-11-21", 3),
        ("2025-11-22", 0),
    ]
    assert [(one["date"], one["events"]) for one in far["series"][0]["buckets"]] == [
        ("2025-11-21", 0),
        ("2025-11-22", 3),
    ]


async def test_a_sum_beyond_what_a_number_can_be_is_none_and_not_zero(room: Room, ada: Tenant) -> None:
    room.events[ada.project.id] = [
        {"event_type": "buy", "user_id": "a", "properties": '{"price": 1e308}'},
        {"event_type": "buy", "user_id": "b", "properties": '{"price": 1e308}'},
    ]
    params = {"project_id": ada.project.id, "event": "buy", "measure": "sum", "property": "price", "formula": "A / 2"}
    async with room.client(ada.bearer) as client:
        content = (await client.get("/api/v1/analytics/trends", params=params)).json()
    (price,), (half,) = content["series"], content["formulas"]
    assert [one["value"] for one in (price["total"], *price["buckets"])] == [None, None]
    assert half["total"]["value"] is None
