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
    empty = {"date": "2025-11-20", "events": 0, "events_scaled": None, "people": 0, "source": "raw", "is_exact": True}
    found = [(one["event_type"], one["buckets"][0], one["buckets"][1]) for one in content["series"]]
    assert found == [
        ("visit", empty, {**empty, "date": "2025-11-21", "events": 3, "people": 2}),
        ("*", empty, {**empty, "date": "2025-11-21", "events": 4, "people": 2}),
        ("gone", empty, {**empty, "date": "2025-11-21"}),
    ]
    assert (content["interval"], content["timezone"]) == ("day", "UTC")
    assert content["range"] == {"start": "2025-11-20", "end": "2025-11-21"}
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
    found = [(one["buckets"][0]["events"], one["buckets"][0]["events_scaled"]) for one in series]
    assert found == [(3, 15), (1, None), (4, 16)]


async def test_without_dates_the_range_is_all_data_and_without_data_there_is_none(room: Room, ada: Tenant) -> None:
    url = f"/api/v1/analytics/trends?project_id={ada.project.id}"
    async with room.client(ada.key("secret")) as client:
        nothing = (await client.get(url)).json()
        assert (nothing["range"], nothing["series"]) == (
            {"start": None, "end": None},
            [{"event_type": "*", "buckets": []}],
        )


@pytest.mark.parametrize(
    ("question", "pointer"),
    [
        ({"interval": "hour"}, "/interval"),
        ({"timezone": "Europe/Vienna"}, "/timezone"),
        ({"start_date": "2025-11-21T10:00:00Z"}, "/start_date"),
        ({"start_date": "2025-W01-1"}, "/start_date"),
        ({"end_date": "2025-02-30"}, "/end_date"),
        ({"start_date": "2025-11-22", "end_date": "2025-11-21"}, "/start_date"),
        ({"start_date": "1970-01-01", "end_date": "2025-11-21"}, "/start_date"),
        ({"event": [""]}, "/event"),
        ({"event": [str(number) for number in range(21)]}, "/event"),
    ],
)
async def test_a_wrong_question_is_refused(room: Room, ada: Tenant, question: dict[str, str], pointer: str) -> None:
    async with room.client(ada.bearer) as client:
        answer = await client.get("/api/v1/analytics/trends", params={"project_id": ada.project.id, **question})
    assert answer.status_code == 422, answer.text
    assert {error["pointer"] for error in answer.json()["errors"]} == {pointer}
