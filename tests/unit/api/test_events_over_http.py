"""The event log and its export through the front door: pages, files, and what a wrong question is told."""

import asyncio
import csv
import io
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pyarrow.parquet as pq
import pytest

from iafa.api.event_files import event_file
from iafa.api.event_models import EventLog, LoggedEvent
from iafa.clock import to_datetime
from iafa.errors import QueryBusy, QueryTimeout
from iafa.lake.schema import EVENT_SCHEMA
from iafa.query.cancellation import Cancellation
from iafa.query.events.question import parse_events_question
from iafa.questions import EXPORTS_MAX
from tests.unit.api.house import NOON_US, Room, Tenant

URL, EXPORT = "/api/v1/events", "/api/v1/export"
NASTY = ('=HYPERLINK("http://x")', "+1", "-2", "@sum", "\tx", "\rx", 'quo"te, comma', "line\nbreak", "plain", "é😀")


def shop(room: Room, tenant: Tenant, count: int = 9) -> None:
    """Three events an instant."""
    room.events[tenant.project.id] = [
        {
            "event_type": ("view", "cart", "buy")[number % 3],
            "user_id": f"user-{number % 4}",
            "created_at": to_datetime(NOON_US + number // 3),
            "properties": json.dumps({"plan": ("pro", "free")[number % 2], "n": number}),
            "is_bot": number == 4,
        }
        for number in range(count)
    ]


def ids(page: dict[str, Any]) -> list[int]:
    return [int(one["id"].removeprefix("event-")) for one in page["events"]]


@pytest.mark.parametrize("order", ["desc", "asc"])
async def test_the_log_is_read_page_by_page_and_back(room: Room, ada: Tenant, order: str) -> None:
    shop(room, ada)
    everything = list(range(8, -1, -1)) if order == "desc" else list(range(9))
    asked: dict[str, Any] = {"project_id": ada.project.id, "order": order, "limit": 4}
    async with room.client(ada.key("secret")) as client:
        pages: list[dict[str, Any]] = []
        cursor = None
        for _ in range(3):
            params = asked if cursor is None else {**asked, "cursor": cursor}
            answer = await client.get(URL, params=params)
            assert answer.status_code == 200, answer.text
            pages.append(EventLog.model_validate(answer.json()).model_dump())
            cursor = pages[-1]["next_cursor"]
        back = (await client.get(URL, params={**asked, "cursor": pages[2]["prev_cursor"], "limit": 2})).json()
        first = (await client.get(URL, params={**asked, "cursor": pages[1]["prev_cursor"]})).json()
    assert [ids(page) for page in pages] == [everything[:4], everything[4:8], everything[8:]]
    assert (pages[0]["prev_cursor"], pages[2]["next_cursor"]) == (None, None)
    assert ids(back) == everything[6:8]
    assert back["next_cursor"] is not None
    assert (ids(first), first["prev_cursor"]) == (everything[:4], None)


async def test_a_cursor_goes_on_behind_its_event_when_others_have_come(room: Room, ada: Tenant) -> None:
    """Of newer events a walk to older ones shows nothing; late ones among the older ones it does."""
    shop(room, ada)
    async with room.client(ada.bearer) as client:
        first = (await client.get(URL, params={"project_id": ada.project.id, "limit": 5})).json()
        room.events[ada.project.id] += [
            {"id": "event-100", "event_type": "view", "created_at": to_datetime(NOON_US + 50)},
            {"id": "event-101", "event_type": "view", "created_at": to_datetime(NOON_US - 50)},
            {"id": "event-099", "event_type": "view", "created_at": to_datetime(NOON_US + 1)},
        ]
        second = (await client.get(URL, params={"project_id": ada.project.id, "cursor": first["next_cursor"]})).json()
        newer = (await client.get(URL, params={"project_id": ada.project.id, "cursor": second["prev_cursor"]})).json()
    # Texts: event-099 < event-3 at the instant of events 3 to 5.
    assert (ids(first), ids(second)) == ([8, 7, 6, 5, 4], [3, 99, 2, 1, 0, 101])
    assert ids(newer) == [100, *ids(first)]
    assert first["data_version"] != second["data_version"]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"event_type": "buy"}, [8, 5, 2]),
        ({"event_type": ["buy", "cart"]}, [8, 7, 5, 4, 2, 1]),
        ({"user_id": "user-1"}, [5, 1]),
        ({"exclude_bots": "true"}, [8, 7, 6, 5, 3, 2, 1, 0]),
        ({"filters": '[{"property":"plan","op":"eq","value":"free"}]'}, [7, 5, 3, 1]),
        (
            {"filters": '[{"any_of":[{"property":"n","op":"gte","value":8},{"property":"n","op":"lt","value":1}]}]'},
            [8, 0],
        ),
        ({"filters": '[{"property":"column:user_id","op":"ends_with","value":"3"}]', "event_type": "cart"}, [7]),
        ({"start": "2025-11-22"}, []),
        ({"start": "2025-11-21T12:00:00.000001Z", "end": "2025-11-21T12:00:00.000002Z"}, [5, 4, 3]),
    ],
)
async def test_what_is_asked_for_is_shown(room: Room, ada: Tenant, params: dict[str, Any], expected: list[int]) -> None:
    shop(room, ada)
    asked = {"project_id": ada.project.id, **params}
    async with room.client(ada.bearer) as client:
        page = (await client.get(URL, params=asked)).json()
        exported = (await client.get(EXPORT, params={**asked, "format": "ndjson", "fields": "id"})).text
    assert ids(page) == expected
    assert sorted(json.loads(line)["id"] for line in exported.splitlines()) == sorted(f"event-{n}" for n in expected)


async def test_days_are_those_of_the_project(room: Room, ada: Tenant) -> None:
    """Noon of UTC is the next day already on the Line Islands."""
    shop(room, ada)
    async with room.client(ada.bearer) as client:
        changed = await client.put(f"/api/v1/projects/{ada.project.id}", json={"timezone": "Pacific/Kiritimati"})
        assert changed.status_code == 200, changed.text
        found = [
            len(ids((await client.get(URL, params={"project_id": ada.project.id, "start": day, "end": day})).json()))
            for day in ("2025-11-21", "2025-11-22")
        ]
    assert found == [0, 9]


async def test_fields_are_chosen_in_their_order(room: Room, ada: Tenant) -> None:
    shop(room, ada, 1)
    async with room.client(ada.bearer) as client:
        usual = (await client.get(URL, params={"project_id": ada.project.id})).json()["events"][0]
        fields = ["properties.plan,properties.gone", "person", "created_at,properties,properties.n"]
        chosen = (await client.get(URL, params={"project_id": ada.project.id, "fields": fields})).json()["events"][0]
    assert usual == LoggedEvent.model_validate(usual).model_dump()
    assert set(LoggedEvent.model_fields) == set(usual)
    assert list(chosen.items()) == [
        ("properties.plan", "pro"),
        ("properties.gone", None),
        ("person", usual["person"]),
        ("created_at", "2025-11-21T12:00:00.000000Z"),
        ("properties", {"plan": "pro", "n": 0}),
        ("properties.n", 0),
    ]


@pytest.mark.parametrize("route", [URL, EXPORT])
@pytest.mark.parametrize(
    ("params", "pointer", "code"),
    [
        ({"filters": "[{"}, "/filters", "invalid_json"),
        ({"filters": '{"property":"a"}'}, "/filters", "wrong_type"),
        ({"filters": '[{"property":"a","op":"regex","value":"("}]'}, "/filters/0/value", "bad_regex"),
        ({"filters": '[{"property":"a","op":"is","value":1}]'}, "/filters/0/op", "unknown_operator"),
        ({"fields": "id,nothing"}, "/fields", "unknown_column"),
        ({"fields": "properties."}, "/fields", "unknown_column"),
        ({"fields": "user_hash"}, "/fields", "unknown_column"),
        ({"start": "yesterday"}, "/start", "invalid_timestamp"),
        ({"start": "2025-11-22", "end": "2025-11-21"}, "/start", "start_after_end"),
        ({"event_type": ""}, "/event_type", "too_short"),
        ({"user_id": "x" * 201}, "/user_id", "too_long"),
        ({"start_date": "2025-11-21"}, "/start_date", "unknown_field"),
    ],
)
async def test_a_wrong_question_is_refused_at_its_place(
    room: Room, ada: Tenant, route: str, params: dict[str, Any], pointer: str, code: str
) -> None:
    async with room.client(ada.bearer) as client:
        answer = await client.get(route, params={"project_id": ada.project.id, **params})
    assert answer.status_code == 422, answer.text
    assert (pointer, code) in [(one["pointer"], one["code"]) for one in answer.json()["errors"]]


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 1001}, {"order": "newest"}, {"cursor": "x"}])
async def test_a_wrong_page_is_refused(room: Room, ada: Tenant, params: dict[str, Any]) -> None:
    async with room.client(ada.bearer) as client:
        assert (await client.get(URL, params={"project_id": ada.project.id, **params})).status_code == 422


async def test_a_cursor_belongs_to_its_question_and_project(room: Room, ada: Tenant, eve: Tenant) -> None:
    shop(room, ada)
    shop(room, eve)
    async with room.client(ada.bearer) as client:
        first = (await client.get(URL, params={"project_id": ada.project.id, "limit": 2})).json()
        cursor = {"project_id": ada.project.id, "cursor": first["next_cursor"]}
        others = ({"order": "asc"}, {"event_type": "buy"}, {"user_id": "user-1"}, {"start": "2025-11-01"})
        for other in (*others, {"exclude_bots": True}, {"filters": '[{"property":"n","op":"exists"}]'}):
            answer = await client.get(URL, params={**cursor, **other})
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid_query"), other
        fewer = (await client.get(URL, params={**cursor, "limit": 1, "fields": "id"})).json()
        assert ids(fewer) == [6]
    async with room.client(eve.bearer) as client:
        assert (await client.get(URL, params={**cursor, "project_id": eve.project.id})).status_code == 422


@pytest.mark.parametrize("route", [URL, EXPORT])
async def test_strangers_and_write_keys_read_nothing(room: Room, ada: Tenant, eve: Tenant, route: str) -> None:
    shop(room, ada)
    for headers, status in (({}, 401), (ada.key("write"), 403), (eve.bearer, 404), (eve.key("secret"), 404)):
        async with room.client(headers) as client:
            assert (await client.get(route, params={"project_id": ada.project.id})).status_code == status


async def test_a_csv_holds_no_formulas(room: Room, ada: Tenant) -> None:
    room.events[ada.project.id] = [
        {"event_type": text, "user_id": text, "properties": json.dumps({"v": text, "n": None})} for text in NASTY
    ]
    fields = "event_type,user_id,is_bot,properties.v,properties.n"
    async with room.client(ada.bearer) as client:
        answer = await client.get(EXPORT, params={"project_id": ada.project.id, "fields": fields})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="events.csv"'
    header, *rows = list(csv.reader(io.StringIO(answer.text, newline="")))
    assert header == fields.split(",")
    safe = [f"'{text}" if text[0] in "=+-@\t\r" else text for text in NASTY]
    assert sorted(rows) == sorted([text, text, "false", text, ""] for text in safe)


async def test_parquet_has_the_schema_of_the_lake(room: Room, ada: Tenant) -> None:
    shop(room, ada)
    params = {"project_id": ada.project.id, "format": "parquet"}
    async with room.client(ada.bearer) as client:
        whole = pq.read_table(io.BytesIO((await client.get(EXPORT, params=params)).content))
        fields = "properties.n,created_at,person,is_bot"
        part = pq.read_table(io.BytesIO((await client.get(EXPORT, params={**params, "fields": fields})).content))
        empty = pq.read_table(io.BytesIO((await client.get(EXPORT, params={**params, "event_type": "gone"})).content))
    assert whole.schema.equals(EVENT_SCHEMA, check_metadata=True)
    assert whole.sort_by("id").equals(room.take(ada.project.id).tail.sort_by("id"))
    assert part.schema.names == fields.split(",")
    assert sorted(part.column("properties.n").to_pylist()) == [str(number) for number in range(9)]
    assert (empty.num_rows, empty.schema) == (0, EVENT_SCHEMA)


async def test_an_export_of_nothing_is_an_empty_file(room: Room, ada: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        params = {"project_id": ada.project.id, "fields": "id,created_at"}
        found = [(await client.get(EXPORT, params={**params, "format": kind})).text for kind in ("csv", "ndjson")]
    assert found == ["id,created_at\r\n", ""]


async def test_who_does_not_read_an_export_loses_the_place(
    room: Room, ada: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they read later is cut, so that nobody takes the piece for the whole."""
    shop(room, ada)
    monkeypatch.setattr("iafa.questions.EXPORT_STALL_S", 0.2)
    snapshot = await room.services.snapshot(ada.project.id)
    question = parse_events_question()
    exports = [
        await room.services.events_export(snapshot, question, event_file("csv", []), Cancellation())
        for _ in range(EXPORTS_MAX)
    ]
    async with room.client(ada.bearer) as client, asyncio.timeout(20):
        params = {"project_id": ada.project.id, "fields": "id"}
        while (await client.get(EXPORT, params=params)).status_code != 200:
            await asyncio.to_thread(time.sleep, 0.02)
        while list((room.data_dir / "tmp").glob("lease-*")):
            await asyncio.to_thread(time.sleep, 0.02)
    for export in exports:
        assert await anext(export)
        with pytest.raises(QueryTimeout, match="nobody read"):
            await anext(export)
    # Each place was given back once: there are as many as before, and no more.
    again = [
        await room.services.events_export(snapshot, question, event_file("csv", []), Cancellation())
        for _ in range(EXPORTS_MAX)
    ]
    with pytest.raises(QueryBusy):
        await room.services.events_export(snapshot, question, event_file("csv", []), Cancellation())
    assert len(again) == EXPORTS_MAX


async def test_only_so_many_exports_are_written_at_once(room: Room, ada: Tenant) -> None:
    """Each ends when its reader has all of it, or leaves, and leaves no folder behind."""
    shop(room, ada)

    async def begun() -> AsyncIterator[bytes]:
        snapshot = await room.services.snapshot(ada.project.id)
        question, file = parse_events_question(), event_file("csv", [])
        return await room.services.events_export(snapshot, question, file, Cancellation())

    params = {"project_id": ada.project.id, "fields": "id"}
    async with room.client(ada.bearer) as client:
        for _ in range(EXPORTS_MAX + 1):
            assert (await client.get(EXPORT, params=params)).status_code == 200
        exports = [await begun() for _ in range(EXPORTS_MAX)]
        busy = await client.get(EXPORT, params=params)
        assert (busy.status_code, busy.json()["code"]) == (503, "query_busy")
        assert int(busy.headers["retry-after"]) > 0
        read = [piece async for piece in exports.pop()]
        assert len(b"".join(read).splitlines()) == 10
        assert (await client.get(EXPORT, params=params)).status_code == 200
        leaving = exports.pop()
        assert await anext(leaving)
        del leaving
        async with asyncio.timeout(20):
            while list((room.data_dir / "tmp").glob("lease-*")):
                await asyncio.to_thread(time.sleep, 0.01)
        assert (await client.get(EXPORT, params=params)).status_code == 200
