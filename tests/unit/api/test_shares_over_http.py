"""Share links through the front door: what a token shows, and all that it does not show and does not open."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from iafa.api import erasures, live, person, quarantine, upload
from iafa.api.app import create_app, openapi_document
from iafa.api.share_gate import PASS_S, REQUESTS_PER_MINUTE, WAITING_MAX, ShareGate
from iafa.api.shared_cards import names_people
from iafa.clock import US_PER_S, FakeClock, to_datetime, to_iso
from iafa.errors import QueryBusy
from iafa.ingest.limits import RateLimiter
from tests.unit.api.house import NOON_US, Room, Tenant
from tests.unit.api.test_boards_over_http import BY_HOUR, TRENDS, board, card, days_back, make_funnel, pointers, url

OPEN = "/api/v1/shared/"
DAY_US = 86_400 * US_PER_S
PASSWORD = "seven grey herons"
SECRET_WORDS = ("ada@secret.example", "user-7", "project00001", "hidden-value")
PRIVATE = [{"property": "plan", "op": "neq", "value": "hidden-value"}]


async def make(client: httpx.AsyncClient, tenant: Tenant, kind: str, target_id: str, **over: Any) -> dict[str, Any]:
    made = await client.post(url(tenant, "/shares"), json={"kind": kind, "target_id": target_id, **over})
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


async def save_view(client: httpx.AsyncClient, tenant: Tenant, **over: Any) -> str:
    made = await client.post(url(tenant, "/views"), json={"name": "Buyers", **TRENDS, **over})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def some_days(room: Room, tenant: Tenant) -> None:
    """A purchase of another person each day, today the last; all in Vienna."""
    room.events[tenant.project.id] = [
        {
            "event_type": "purchase",
            "user_id": f"user-{number}",
            "properties": json.dumps({"plan": "pro" if number % 2 else "free", "who": f"w{number}"}),
            "created_at": to_datetime(NOON_US - number * DAY_US),
        }
        for number in range(40)
    ]


async def test_a_link_to_a_view_shows_its_numbers_and_not_its_question(room: Room, ada: Tenant) -> None:
    some_days(room, ada)
    question = {**TRENDS["question"], "filters": PRIVATE, "include": ["receipt"], "breakdown": "plan"}
    async with room.client(ada.bearer) as client:
        view_id = await save_view(client, ada, question=question, range={"preset": "7d"}, view={"chart": "bar"})
        made = await make(client, ada, "view", view_id, label="For Eve")
        token = made.pop("token")
        assert (await client.get(url(ada, "/shares"))).json() == {"shares": [made]}
        assert (made["target_name"], made["token_end"], made["opened"]) == ("Buyers", token[-4:], 0)
    async with room.client() as stranger:
        shown = await stranger.get(OPEN + token)
        assert shown.status_code == 200, shown.text
        assert (shown.json()["title"], shown.json()["project_name"]) == ("Buyers", "ada's shop")
        (only,) = shown.json()["cards"]
        assert (only["kind"], only["view"], only["range"]["preset"]) == ("trends", {"chart": "bar"}, "7d")
        answer = await stranger.get(f"{OPEN}{token}/answer")
        assert answer.status_code == 200, answer.text
        for one in (shown, answer):
            assert one.headers["referrer-policy"] == "no-referrer"
            assert one.headers["x-robots-tag"] == "noindex, nofollow"
            assert one.headers["cache-control"] == "no-store, private"
            for word in (*SECRET_WORDS, ada.project.id, view_id, "receipt"):
                assert word not in one.text
    said = answer.json()["answer"]
    assert said["series"][0]["total"]["value"] == 7
    assert {one["group_value"] for one in said["series"][0]["groups"]} == {"pro", "free"}
    async with room.client(ada.bearer) as client:
        (listed,) = (await client.get(url(ada, "/shares"))).json()["shares"]
    assert (listed["opened"], listed["last_opened_at"]) == (1, to_iso(NOON_US))


async def test_a_link_follows_its_thing_and_ends_with_it(room: Room, ada: Tenant) -> None:
    some_days(room, ada)
    async with room.client(ada.bearer) as client, room.client() as stranger:
        funnel_id, view_id = await make_funnel(client, ada), await save_view(client, ada)
        cards = [card(), card(id="c2", x=6, kind="events", question={})]
        board_id = (await client.post(url(ada, "/boards"), json=board(*cards))).json()["id"]
        for kind, target_id, path in (
            ("view", view_id, url(ada, f"/views/{view_id}")),
            ("board", board_id, url(ada, f"/boards/{board_id}")),
            ("funnel", funnel_id, f"/api/v1/funnels/{funnel_id}"),
        ):
            token = (await make(client, ada, kind, target_id))["token"]
            body = (await client.get(path)).json()
            answered = {"id", "author", "version", "created_at", "updated_at"}
            answered |= set() if kind == "funnel" else {"project_id"}
            kept = {name: value for name, value in body.items() if name not in answered}
            changed = await client.put(path, json={**kept, "name": "Renamed"})
            assert changed.status_code == 200, changed.text
            shown = (await stranger.get(OPEN + token)).json()
            assert (shown["title"], len(shown["cards"])) == ("Renamed", 1)
            answer = await stranger.get(f"{OPEN}{token}/answer")
            assert answer.status_code == 200, answer.text
            assert target_id not in answer.text + json.dumps(shown)
            assert (await client.delete(path)).status_code == 204
            assert (await stranger.get(OPEN + token)).status_code == 404
        assert (await client.get(url(ada, "/shares"))).json() == {"shares": []}


# what the link is made with, whether it is ended, seconds later
ENDS: list[tuple[str, dict[str, Any], bool, int]] = [
    ("ended", {}, True, 0),
    ("expired", {"expires_at": to_iso(NOON_US + 60 * US_PER_S)}, False, 60),
]


async def test_wrong_ended_and_expired_tokens_get_one_answer(room: Room, ada: Tenant, eve: Tenant) -> None:
    async with room.client(ada.bearer) as client, room.client() as stranger:
        view_id = await save_view(client, ada)
        good = (await make(client, ada, "view", view_id))["token"]
        other_end = "A" if good[-1] != "A" else "B"
        tokens = [good[:-1] + other_end, "x" * 63, "short", good[:20], good + "a", good.upper(), "%00"]
        for _name, over, is_ended, later_s in ENDS:
            made = await make(client, ada, "view", view_id, **over)
            tokens.append(made["token"])
            if is_ended:
                assert (await client.delete(url(ada, f"/shares/{made['id']}"))).status_code == 204
            room.clock.advance(later_s)
        assert (await stranger.get(OPEN + good)).status_code == 200
        bodies = set()
        for token in tokens:
            for answer in (
                await stranger.get(OPEN + token),
                await stranger.get(f"{OPEN}{token}/answer"),
                await stranger.post(f"{OPEN}{token}/unlock", json={"password": PASSWORD}),
            ):
                assert answer.status_code == 404, (token, answer.text)
                said = answer.json()
                said.pop("instance")
                bodies.add(json.dumps(said))
        assert len(bodies) == 1
        is_over = {one["is_expired"] for one in (await client.get(url(ada, "/shares"))).json()["shares"]}
        assert is_over == {False, True}
    async with room.client(eve.bearer) as other:
        assert (await other.get(url(ada, "/shares"))).status_code == 404
        made_elsewhere = await other.post(url(eve, "/shares"), json={"kind": "view", "target_id": view_id})
        assert pointers(made_elsewhere) == ["/target_id"]


async def test_a_password_is_asked_for_once_and_guesses_are_slowed(room: Room, ada: Tenant) -> None:
    some_days(room, ada)
    async with room.client(ada.bearer) as client, room.client() as stranger:
        view_id = await save_view(client, ada)
        made = await make(client, ada, "view", view_id, password=PASSWORD)
        other = await make(client, ada, "view", view_id, password=PASSWORD)
        at = OPEN + made["token"]
        assert made["has_password"]
        assert PASSWORD not in (room.data_dir / "metadata" / "shares.json").read_text()
        assert made["token"] not in (room.data_dir / "metadata" / "shares.json").read_text()
        for path in (at, f"{at}/answer"):
            refused = await stranger.get(path)
            assert (refused.status_code, refused.json()["code"]) == (401, "password_required")
            assert "Buyers" not in refused.text
        in_address = await stranger.get(at, params={"password": PASSWORD})
        assert (in_address.status_code, in_address.json()["code"]) == (422, "invalid_query")
        unlocked = await stranger.post(f"{at}/unlock", json={"password": PASSWORD})
        assert unlocked.json()["expires_in"] == PASS_S
        given = {"X-Share-Pass": unlocked.json()["share_pass"]}
        for path in (at, f"{at}/answer"):
            assert (await stranger.get(path, headers=given)).status_code == 200
        until, _, mac = given["X-Share-Pass"].partition(".")
        for forged in (f"{int(until) + 1}.{mac}", f"{until}.{'0' * 64}", until, ".", "x", "9" * 90, f"{until}.\xe9"):
            refused = await stranger.get(at, headers=[(b"X-Share-Pass", forged.encode("latin-1"))])
            assert refused.status_code == 401, forged
        assert (await stranger.get(OPEN + other["token"], headers=given)).status_code == 401
        for _ in range(5):
            wrong = await stranger.post(f"{at}/unlock", json={"password": "not it at all"})
            assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_credentials")
        slowed = await stranger.post(f"{at}/unlock", json={"password": PASSWORD})
        assert slowed.status_code == 429
        assert int(slowed.headers["retry-after"]) >= 1
        room.clock.advance(PASS_S)
        assert (await stranger.get(at, headers=given)).status_code == 401


# days that may be chosen, the address' start and end -> the value of the week or month, or the pointer that is wrong
CHOICES: list[tuple[int | None, str | None, str | None, int | str]] = [
    (None, None, None, 7),
    (None, "2025-11-20", "2025-11-21", "/start_date"),
    (30, None, None, 7),
    (30, "2025-11-20", "2025-11-21", 2),
    (30, "2025-10-23", "2025-11-21", 30),
    (30, "2025-10-22", "2025-11-21", "/start_date"),
    (30, "2025-11-20", "2025-11-22", "/end_date"),
    (30, "2025-11-21", "2025-11-20", "/start_date"),
    (30, "2025-11-20", None, "/end_date"),
    (30, None, "2025-11-20", "/start_date"),
    (30, "0001-01-01", "9999-12-31", "/start_date"),
    (30, "2025-11-31", "2025-11-20", "/start_date"),
    (30, "now", "2025-11-20", "/start_date"),
]


async def test_days_are_chosen_only_where_the_link_lets(room: Room, ada: Tenant) -> None:
    some_days(room, ada)
    async with room.client(ada.bearer) as client, room.client() as stranger:
        view_id = await save_view(client, ada, range={"preset": "7d"})
        tokens = {days: (await make(client, ada, "view", view_id, choosable_days=days))["token"] for days in (None, 30)}
        for days, start, end, expected in CHOICES:
            given = {name: day for name, day in (("start_date", start), ("end_date", end)) if day is not None}
            answer = await stranger.get(f"{OPEN}{tokens[days]}/answer", params=given)
            if isinstance(expected, str):
                assert answer.json()["code"] == "invalid_query"
                assert expected in pointers(answer), (days, start, end)
            else:
                assert answer.json()["answer"]["series"][0]["total"]["value"] == expected, answer.text


async def test_a_shared_funnel_has_the_comparison_and_times_it_was_shared_with_and_no_others(
    room: Room, ada: Tenant
) -> None:
    some_days(room, ada)
    week = {"preset": "7d"}
    both = {"include": ["compare", "times"], "compare_start": "2025-10-20", "compare_end": "2025-10-22"}
    async with room.client(ada.bearer) as client, room.client() as stranger:
        funnel_id = await make_funnel(client, ada)
        bare, full = [
            (await make(client, ada, "funnel", funnel_id, range=week, choosable_days=30, **over))["token"]
            for over in ({}, {"question": both})
        ]
        asked = {"include": "compare,times", "compare_start": "2025-10-20", "compare_end": "2025-10-22"}
        for path in (f"{OPEN}{bare}/answer", f"{OPEN}{bare}/answer?{httpx.QueryParams(asked)}"):
            answer = await stranger.get(path)
            assert not {"compare", "times"} & set(answer.json().get("answer", {})), "guests ask what was shared"
        shown = (await stranger.get(f"{OPEN}{full}/answer")).json()["answer"]
        assert shown["compare"]["date_range"] == {"start": "2025-10-20", "end": "2025-10-22"}
        assert {"funnel_id", "project_id", "receipt"}.isdisjoint({*shown, *shown["compare"]})
        assert len(shown["times"]["steps"]) == len(shown["stages"]) - 1
        days = {"start_date": "2025-11-18", "end_date": "2025-11-20"}
        chosen = (await stranger.get(f"{OPEN}{full}/answer", params=days)).json()["answer"]
        assert chosen["compare"]["date_range"] == {"start": "2025-11-15", "end": "2025-11-17"}


async def test_a_board_answers_its_cards_and_nothing_else(room: Room, ada: Tenant) -> None:
    some_days(room, ada)
    async with room.client(ada.bearer) as client, room.client() as stranger:
        funnel_id, view_id = (
            await make_funnel(client, ada),
            await save_view(client, ada, range={"preset": "today"}, view={"chart": "bar", "color": "a"}),
        )
        cards = [
            card(id="own"),
            card(id="saved", x=6, kind=None, question=None, view_id=view_id, view={"color": "b"}),
            card(id="funnel", y=4, kind="funnel", question={"funnel_id": funnel_id}),
            card(id="events", y=8, kind="events", question={"user_id": "user-7"}),
            card(id="note", x=6, y=8, kind="note", question={"text": "Look!"}),
        ]
        body = board(*cards, range={"preset": "30d"})
        board_id = (await client.post(url(ada, "/boards"), json=body)).json()["id"]
        at = OPEN + (await make(client, ada, "board", board_id))["token"]
        shown = (await stranger.get(at)).json()
        texts = {one["id"]: one["text"] for one in shown["cards"]}
        assert texts == {"own": None, "saved": None, "funnel": None, "note": "Look!"}
        assert shown["cards"][1]["view"] == {"chart": "bar", "color": "b"}
        values = {}
        for name in ("own", "saved"):
            answer = await stranger.get(f"{at}/answer", params={"card": name})
            values[name] = answer.json()["answer"]["series"][0]["total"]["value"]
        assert values == {"own": 30, "saved": 1}
        funnel = (await stranger.get(f"{at}/answer", params={"card": "funnel"})).json()
        assert (funnel["answer"]["name"], funnel_id in json.dumps(funnel)) == ("Checkout", False)
        for name in ("events", "note", "none", ""):
            assert (await stranger.get(f"{at}/answer", params={"card": name})).status_code == 404
        assert (await stranger.get(f"{at}/answer")).status_code == 404
        asked = await stranger.get(f"{at}/answer", params={"card": "own", "breakdown": "who", "filters": "[]"})
        assert pointers(asked) == ["/breakdown", "/filters"]


@pytest.mark.parametrize(
    "name",
    [
        *("id", "user_id", "column:anonymous_id", "property:email", "Session_Id", "userId", "$distinct_id"),
        *(
            "traits.E-Mail",
            "user.id",
            "customer_email",
            "billingEmail",
            "client_ip",
            "work-phone",
            "property:accountUserID",
        ),
    ],
)
async def test_groups_of_people_are_not_shared(room: Room, ada: Tenant, name: str) -> None:
    some_days(room, ada)
    question = {**TRENDS["question"], "breakdown": {"property": name}}
    body: dict[str, Any] = {"name": "People", "kind": "trends", "question": question}
    async with room.client(ada.bearer) as client, room.client() as stranger:
        grouped = await client.post(url(ada, "/views"), json=body)
        refused = await client.post(url(ada, "/shares"), json={"kind": "view", "target_id": grouped.json()["id"]})
        assert refused.json()["errors"][0]["code"] == "not_shareable"
        view_id = await save_view(client, ada)
        token = (await make(client, ada, "view", view_id))["token"]
        assert (await client.put(url(ada, f"/views/{view_id}"), json={**body, "name": "Buyers"})).status_code == 200
        answer = await stranger.get(f"{OPEN}{token}/answer")
    assert answer.status_code == 404
    assert "user-" not in answer.text


# the name of a property -> whether its groups may be people one by one
NAMES_OF_PEOPLE = {
    **dict.fromkeys(
        (
            *("useremail", "userEmail2", "emailaddress", "EMAILADDRESS", "customeremailaddr", "email_id", "e-mail 1"),
            *("phonenumber", "userphone", "homePhone2", "telephone", "mobilenumber", "customer_tel"),
            *("password", "userpassword", "newPasswd", "loginusername", "shopuserid", "clientIPv4", "ip6", "fullname"),
        ),
        True,
    ),
    **dict.fromkeys(
        (
            *(
                "device",
                "hostname",
                "hotel",
                "country",
                "plan",
                "emailed",
                "email_opened",
                "email_domain",
                "tip",
                "zip",
            ),
            *("iphone", "isIPhone", "iPhone", "smartphone", "headphone_brand", "microphone", "phone_model", "hotmail"),
            *("has_email", "isPhone", "has_password", "salesperson", "session_number", "v2", "2", "", "idea", "paid"),
        ),
        False,
    ),
}


def test_names_tell_of_people_also_without_borders_between_words() -> None:
    assert {name: names_people(name) for name in NAMES_OF_PEOPLE} == NAMES_OF_PEOPLE
    assert {name: names_people(f"property:{name}") for name in NAMES_OF_PEOPLE} == NAMES_OF_PEOPLE


async def test_a_range_that_is_too_long_for_its_interval_is_not_shared(room: Room, ada: Tenant) -> None:
    days_back(room, ada, 45, 0)
    async with room.client(ada.bearer) as client, room.client() as stranger:
        view_id, funnel_id = await save_view(client, ada, question=BY_HOUR), await make_funnel(client, ada)
        by_hour = {"include": ["trend"], "trend": "hour"}
        for over, pointer in (
            ({"kind": "view", "target_id": view_id}, "/target_id"),
            ({"kind": "view", "target_id": view_id, "range": {"preset": "12m"}}, "/range"),
            ({"kind": "funnel", "target_id": funnel_id, "question": by_hour}, "/target_id"),
        ):
            refused = await client.post(url(ada, "/shares"), json=over)
            assert (pointers(refused), refused.json()["errors"][0]["code"]) == ([pointer], "range_too_long")
        token = (await make(client, ada, "view", view_id, range={"preset": "7d"}, choosable_days=90))["token"]
        for start, status in (("2025-11-01", 200), ("2025-09-01", 422)):
            chosen = {"start_date": start, "end_date": "2025-11-21"}
            answer = await stranger.get(f"{OPEN}{token}/answer", params=chosen)
            assert answer.status_code == status, answer.text
        assert answer.json()["errors"][0]["code"] == "range_too_long"


async def test_looking_at_the_head_of_a_link_opens_nothing(room: Room, ada: Tenant) -> None:
    async with room.client(ada.bearer) as client, room.client() as stranger:
        token = (await make(client, ada, "view", await save_view(client, ada)))["token"]
        head = await stranger.head(OPEN + token)
        assert (head.status_code, head.content) == (200, b"")
        (listed,) = (await client.get(url(ada, "/shares"))).json()["shares"]
        assert (listed["opened"], listed["last_opened_at"]) == (0, None)
        assert (await stranger.get(OPEN + token)).status_code == 200
        (listed,) = (await client.get(url(ada, "/shares"))).json()["shares"]
        assert listed["opened"] == 1


async def test_refusals_of_links_are_stored_nowhere_either(room: Room, ada: Tenant) -> None:
    async with room.client(ada.bearer) as client, room.client() as stranger:
        token = (await make(client, ada, "view", await save_view(client, ada), password=PASSWORD))["token"]
        refusals = [
            await stranger.get(OPEN + "x" * 63),
            await stranger.get(OPEN + token),
            await stranger.get(f"{OPEN}{token}?what=ever"),
            await stranger.post(f"{OPEN}{token}/unlock", json={"password": "not it at all"}),
        ]
    assert [one.status_code for one in refusals] == [404, 401, 422, 401]
    assert {one.headers["cache-control"] for one in refusals} == {"no-store, private"}


async def test_a_token_opens_no_other_route(room: Room, ada: Tenant) -> None:
    """As a key, a session and a cookie, at every route that asks who is there."""
    async with room.client(ada.bearer) as client:
        funnel_id = await make_funnel(client, ada)
        token = (await make(client, ada, "funnel", funnel_id))["token"]
    carried: list[dict[str, Any]] = [
        {"headers": {"Authorization": f"Bearer {token}", "X-Share-Pass": token}},
        {"headers": {"X-API-Key": token}},
        {"cookies": {"iafa_access": token, "iafa_refresh": token}},
    ]
    ids = {"project_id": ada.project.id, "funnel_id": funnel_id}
    tried = 0
    extra = (upload.router, quarantine.router, erasures.router, person.router, live.router)
    app = create_app(room.services, extra=extra)
    async with room.client(app=app) as stranger:
        for path, operations in openapi_document(extra)["paths"].items():
            for method, operation in operations.items():
                if operation["x-access"] in ("public", "operator"):
                    continue
                parts = [ids.get(part[1:-1], "a" * 20) if part.startswith("{") else part for part in path.split("/")]
                for how in carried:
                    given: dict[str, Any] = dict(how)
                    stranger.cookies.update(given.pop("cookies", {}))
                    if method in ("post", "put"):
                        given["json"] = {"project_id": ada.project.id}
                    if any(
                        one["name"] == "project_id" for one in operation.get("parameters", []) if one["in"] == "query"
                    ):
                        given["params"] = {"project_id": ada.project.id}
                    answer = await stranger.request(method.upper(), "/".join(parts), **given)
                    stranger.cookies.clear()
                    assert answer.status_code == 401, (method, path, how, answer.text)
                    tried += 1
        for rest in ("/people", "/events", "/users", "/export", "/receipt", "/shares", "/..", "/../../funnels"):
            assert (await stranger.get(f"{OPEN}{token}{rest}")).status_code in (401, 404)
    assert tried > 200


async def test_a_session_or_a_key_shows_no_more_than_the_link(room: Room, ada: Tenant, eve: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        token = (await make(client, ada, "view", await save_view(client, ada), password=PASSWORD))["token"]
        assert (await client.get(OPEN + token)).json()["code"] == "password_required"
    for who in (ada.key("secret"), eve.bearer):
        async with room.client(who) as client:
            assert (await client.get(OPEN + token)).json()["code"] == "password_required"


async def test_an_address_asks_so_often_and_not_more(room: Room, ada: Tenant) -> None:
    async with room.client() as stranger:
        statuses = [(await stranger.get(OPEN + "x" * 63)).status_code for _ in range(REQUESTS_PER_MINUTE + 1)]
        assert set(statuses[:-1]) == {404}
        assert statuses[-1] == 429
        room.clock.advance(1)
        assert (await stranger.get(OPEN + "x" * 63)).status_code == 404


@pytest.mark.parametrize(
    ("over", "pointer"),
    [
        ({"kind": "person"}, "/kind"),
        ({"target_id": "a" * 20}, "/target_id"),
        ({"target_id": "../users"}, "/target_id"),
        ({"choosable_days": 0}, "/choosable_days"),
        ({"choosable_days": 3_661}, "/choosable_days"),
        ({"expires_at": "2025-11-21T11:00:00Z"}, "/expires_at"),
        ({"expires_at": "2027-01-01"}, "/expires_at"),
        ({"password": "short"}, "/password"),
        ({"password": "password123"}, "/password"),
        ({"range": {"preset": "7d", "start_date": "2025-11-01"}}, "/range"),
        ({"range": {"start_date": "2025-11-31"}}, "/range/start_date"),
        ({"question": {"include": ["times"]}}, "/question"),
        ({"kind": "funnel", "question": {"include": ["people"]}}, "/question/include"),
        ({"kind": "funnel", "question": {"include": ["breakdown"]}}, "/question/include"),
        ({"kind": "funnel", "question": {"stages": []}}, "/question/stages"),
        ({"token": "mine"}, "/token"),
    ],
)
async def test_a_wrong_link_is_refused(room: Room, ada: Tenant, over: dict[str, Any], pointer: str) -> None:
    async with room.client(ada.bearer) as client:
        body = {"kind": "view", "target_id": await save_view(client, ada), **over}
        if body["kind"] == "funnel":
            body["target_id"] = await make_funnel(client, ada)
        refused = await client.post(url(ada, "/shares"), json=body)
        assert pointers(refused) == [pointer]
        assert (await client.get(url(ada, "/shares"))).json() == {"shares": []}


async def test_a_funnel_that_groups_by_people_is_not_shared_either(room: Room, ada: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        body: dict[str, Any] = {"kind": "funnel", "target_id": await make_funnel(client, ada)}
        for groups, status in (("user_id", 422), ("country", 201)):
            question = {"include": ["breakdown"], "breakdown": groups}
            made = await client.post(url(ada, "/shares"), json={**body, "question": question})
            assert made.status_code == status, made.text


async def test_what_becomes_raw_events_or_wrong_shows_no_numbers(room: Room, ada: Tenant) -> None:
    some_days(room, ada)
    after_drop = {"funnel_id": "", "stage": 1}
    async with room.client(ada.bearer) as client, room.client() as stranger:
        view_id, after_drop["funnel_id"] = await save_view(client, ada), await make_funnel(client, ada)
        token = (await make(client, ada, "view", view_id))["token"]
        for kind, question in (("events", {"user_id": "user-7"}), ("paths", {"after_drop": after_drop})):
            body = {"name": "Buyers", "kind": kind, "question": question}
            assert (await client.put(url(ada, f"/views/{view_id}"), json=body)).status_code == 200
            if kind == "paths":
                assert (await stranger.get(f"{OPEN}{token}/answer")).status_code == 200
                assert (await client.delete(f"/api/v1/funnels/{after_drop['funnel_id']}")).status_code == 204
            shown, answer = await stranger.get(OPEN + token), await stranger.get(f"{OPEN}{token}/answer")
            assert (shown.status_code, answer.status_code) == (200, 404)
            assert "user-7" not in shown.text + answer.text
        made = await client.post(url(ada, "/shares"), json={"kind": "view", "target_id": view_id})
        assert made.status_code == 201, made.text


async def test_a_compared_period_is_left_out_where_there_is_none(room: Room, ada: Tenant) -> None:
    some_days(room, ada)
    question = {**TRENDS["question"], "include": "compare"}
    async with room.client(ada.bearer) as client, room.client() as stranger:
        view_id = await save_view(client, ada, question=question)
        for chosen, is_compared in (({"preset": "all"}, False), ({"preset": "7d"}, True)):
            token = (await make(client, ada, "view", view_id, range=chosen))["token"]
            answer = await stranger.get(f"{OPEN}{token}/answer")
            assert answer.status_code == 200, answer.text
            assert ("compare" in answer.json()["answer"]) == is_compared
        token = (await make(client, ada, "view", view_id, range={"preset": "month"}))["token"]
        month = (await stranger.get(f"{OPEN}{token}/answer")).json()["answer"]
        assert month["date_range"] == {"start": "2025-11-01", "end": "2025-11-21"}
        assert month["compare"]["date_range"] == {"start": "2025-10-01", "end": "2025-10-21"}


async def test_the_operator_may_turn_links_off(room: Room, ada: Tenant) -> None:
    async with room.client(ada.bearer) as client, room.client() as stranger:
        view_id = await save_view(client, ada)
        token = (await make(client, ada, "view", view_id))["token"]
        object.__setattr__(room.services.settings, "shares", False)
        refused = await client.post(url(ada, "/shares"), json={"kind": "view", "target_id": view_id})
        assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
        assert (await stranger.get(OPEN + token)).status_code == 404
        assert (await stranger.get(f"{OPEN}{token}/answer")).status_code == 404


async def test_the_page_of_a_link_tells_nobody_its_address(room: Room) -> None:
    async with room.client({"accept": "text/html"}) as stranger:
        for path, policy in (("/s/abc", "no-referrer"), ("/p/abc", "strict-origin-when-cross-origin")):
            page = await stranger.get(path)
            assert page.headers["referrer-policy"] == policy
            assert ("x-robots-tag" in page.headers) == (policy == "no-referrer")


async def test_strangers_wait_for_each_other_and_not_without_end() -> None:
    gate = ShareGate(RateLimiter(FakeClock()), b"key", FakeClock(), at_once=1)
    inside = asyncio.Event()
    seen = []

    async def ask(number: int) -> None:
        async with gate.turn():
            seen.append(number)
            await inside.wait()

    asked = [asyncio.create_task(ask(number)) for number in range(WAITING_MAX)]
    await asyncio.sleep(0)
    assert seen == [0]
    with pytest.raises(QueryBusy):
        await ask(WAITING_MAX)
    inside.set()
    await asyncio.gather(*asked)
    assert seen == list(range(WAITING_MAX))
    await ask(WAITING_MAX)
