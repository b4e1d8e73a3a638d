"""Alert rules through the front door: made, changed, tested, listed; whose they are, and what is refused."""

import asyncio
import hashlib
import hmac
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from iafa.meta.alerts import Message
from tests.support.hook import a_hook
from tests.support.server import Account, ServerProcess
from tests.unit.api.house import Room, Tenant

RULE = {"kind": "silence", "event": "purchase"}
CHOICE: dict[str, Any] = {"name": "Sales", "rule": RULE, "webhook_url": "https://hooks.example.org/iafa"}
STAGES = [{"name": "Cart", "event": "add_to_cart"}, {"name": "Pay", "event": "purchase"}]


def url(tenant: Tenant, rest: str = "") -> str:
    return f"/api/v1/projects/{tenant.project.id}/alerts{rest}"


async def test_a_rule_lives_and_is_forgotten(room: Room, ada: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        made = await client.post(url(ada), json=CHOICE)
        assert made.status_code == 201, made.text
        rule = made.json()
        secret = rule.pop("secret")
        assert len(secret) > 40
        assert (rule["status"], rule["interval_seconds"], rule["is_paused"]) == ("unknown", 300, False)
        assert rule["rule"] == {**RULE, "funnel_id": None, "window_seconds": 86_400}
        assert (await client.get(url(ada))).json() == {"alerts": [rule]}
        assert (await client.get(url(ada, f"/{rule['id']}"))).json() == rule
        changed = await client.put(url(ada, f"/{rule['id']}"), json={**CHOICE, "is_paused": True})
        assert (changed.json()["is_paused"], changed.json()["version"]) == (True, 2)
        assert secret not in changed.text
        assert (await client.delete(url(ada, f"/{rule['id']}"))).status_code == 204
        assert (await client.get(url(ada, f"/{rule['id']}"))).status_code == 404
        assert (await client.delete(url(ada, f"/{rule['id']}"))).status_code == 404


async def test_a_rule_may_have_no_webhook(room: Room, ada: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        made = await client.post(url(ada), json={"name": "Sales", "rule": RULE})
        assert (made.status_code, made.json()["webhook_url"]) == (201, None), made.text
        assert made.json()["secret"] is None, "it would sign nothing, and nobody would keep it"
        at = url(ada, f"/{made.json()['id']}")
        refused = await client.post(f"{at}/test")
        assert (refused.status_code, refused.json()["detail"]) == (409, "the rule has no webhook")
        added = await client.put(at, json=CHOICE)
        assert added.json()["webhook_url"] == CHOICE["webhook_url"]
        kept = (await room.services.alerts.get(ada.project.id, made.json()["id"])).secret
        assert added.json()["secret"] == kept
        again = await client.put(at, json={**CHOICE, "is_paused": True})
        assert (again.status_code, again.json()["secret"]) == (200, None)
        assert (await room.services.alerts.get(ada.project.id, made.json()["id"])).secret == kept
        removed = await client.put(at, json={**CHOICE, "webhook_url": None})
        assert removed.json()["webhook_url"] is None


async def test_why_a_message_waits_is_told(room: Room, ada: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        made = (await client.post(url(ada), json=CHOICE)).json()
        assert (made["is_waiting"], made["waiting"]) == (False, None)
        stored = await room.services.alerts.get(ada.project.id, made["id"])
        message = Message(
            id="m1", type="alert.firing", text="x", made_us=0, attempts=2, due_us=60_000_000, detail="no address"
        )
        await asyncio.to_thread(room.services.alerts.update_now, msgspec.structs.replace(stored, message=message))
        (found,) = (await client.get(url(ada))).json()["alerts"]
    assert found["is_waiting"]
    assert found["waiting"] == {"attempts": 2, "detail": "no address", "next_at": "1970-01-01T00:01:00.000000Z"}


async def test_viewers_see_only_the_host_of_a_webhook(room: Room, ada: Tenant, password_hash: str) -> None:
    address = "https://hooks.example.org:8443/iafa?token=x"
    for role, shown in (("viewer", "https://hooks.example.org:8443/..."), ("editor", address)):
        user = await room.services.accounts.users.add(
            email=f"{role}@example.org",
            full_name=role,
            organization_id=ada.project.organization_id,
            password_hash=password_hash,
            role=role,  # type: ignore[arg-type]
        )
        session = (await room.services.accounts.sign_in(user)).session
        async with room.client(ada.bearer) as client:
            made = await client.post(url(ada), json={**CHOICE, "webhook_url": address})
            bearer = {"Authorization": f"Bearer {room.services.tokens.issue(user.id, session.id)}"}
            one = await client.get(url(ada, f"/{made.json()['id']}"), headers=bearer)
            every = await client.get(url(ada), headers=bearer)
        assert one.json()["webhook_url"] == shown
        assert {alert["webhook_url"] for alert in every.json()["alerts"]} == {shown}


async def test_a_test_message_is_sent_at_once_but_not_to_this_machine(room: Room, ada: Tenant) -> None:
    may_be_private = partial(object.__setattr__, room.services.webhook, "may_be_private")
    with a_hook() as hook:
        async with room.client(ada.bearer) as client:
            may_be_private(True)
            made = (await client.post(url(ada), json={**CHOICE, "webhook_url": hook.url()})).json()
            may_be_private(False)
            refused = (await client.post(url(ada, f"/{made['id']}/test"))).json()
            assert not refused["is_delivered"]
            assert "IAFA_WEBHOOK_PRIVATE" in refused["detail"]
            assert hook.received == []
            may_be_private(True)
            sent = (await client.post(url(ada, f"/{made['id']}/test"))).json()
        assert sent == {"is_delivered": True, "detail": "the host answered 204", "status": 204}
        ((_path, headers, body),) = hook.received
    signed = headers["x-iafa-timestamp"].encode() + b"." + body
    expected = hmac.new(made["secret"].encode(), signed, hashlib.sha256).hexdigest()
    assert headers["x-iafa-signature"] == f"v1={expected}"
    assert b'"alert.test"' in body


async def test_a_private_address_is_refused_when_it_is_saved_and_an_old_one_can_still_be_paused(
    room: Room, ada: Tenant
) -> None:
    private = {**CHOICE, "webhook_url": "http://169.254.169.254/latest"}
    async with room.client(ada.bearer) as client:
        refused = await client.post(url(ada), json=private)
        assert refused.status_code == 422
        (wrong,) = refused.json()["errors"]
        assert (wrong["pointer"], wrong["code"]) == ("/webhook_url", "address_refused")
        assert wrong["message"].startswith("is not of the public Internet")
        object.__setattr__(room.services.webhook, "may_be_private", True)
        old = (await client.post(url(ada), json=private)).json()
        object.__setattr__(room.services.webhook, "may_be_private", False)
        assert (await client.put(url(ada, f"/{old['id']}"), json={**private, "is_paused": True})).status_code == 200
        moved = await client.put(url(ada, f"/{old['id']}"), json={**private, "webhook_url": "http://10.0.0.8/"})
        assert moved.status_code == 422


async def test_rules_of_a_foreign_project_do_not_exist(room: Room, ada: Tenant, eve: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        made = (await client.post(url(ada), json=CHOICE)).json()
    async with room.client(eve.bearer) as client:
        for tenant in (ada, eve):
            at = url(tenant, f"/{made['id']}")
            assert (await client.get(at)).status_code == 404
            assert (await client.put(at, json=CHOICE)).status_code == 404
            assert (await client.delete(at)).status_code == 404
            assert (await client.post(f"{at}/test")).status_code == 404
        assert (await client.get(url(ada))).status_code == 404
    async with room.client(ada.key("secret")) as client:
        assert (await client.get(url(ada))).status_code == 401


async def test_the_funnel_of_a_rule_is_of_the_project_and_rules_go_with_it(
    room: Room, ada: Tenant, eve: Tenant
) -> None:
    async with room.client(eve.bearer) as client:
        body = {"project_id": eve.project.id, "name": "Checkout", "stages": STAGES}
        funnel = (await client.post("/api/v1/funnels", json=body)).json()["id"]
        rule = {"kind": "conversion", "funnel_id": funnel, "below": 12.5}
        made = await client.post(url(eve), json={**CHOICE, "rule": rule})
        assert made.status_code == 201, made.text
        assert made.json()["rule"]["below"] == 12.5
    async with room.client(ada.bearer) as client:
        refused = await client.post(url(ada), json={**CHOICE, "rule": rule})
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["pointer"] == "/rule/funnel_id"
        await client.post(url(ada), json=CHOICE)
        assert (await client.delete(f"/api/v1/projects/{ada.project.id}")).status_code == 204
    assert [one.project_id for one in room.services.alerts.read()] == [eve.project.id]


@pytest.mark.parametrize(
    "over",
    [
        {"rule": {"kind": "weather"}},
        {"rule": {"kind": "silence"}},
        {"rule": {"kind": "silence", "event": "a", "funnel_id": "b"}},
        {"rule": {"kind": "threshold", "event": "a", "comparison": "above", "value": -1}},
        {"rule": {"kind": "threshold", "event": "a", "comparison": "near", "value": 1}},
        {"rule": {"kind": "conversion", "funnel_id": "f", "below": 101}},
        {"rule": {"kind": "anomaly", "sensitivity": "extreme"}},
        {"rule": {**RULE, "window_seconds": 299}},
        {"webhook_url": "ftp://a.example"},
        {"webhook_url": "https://user:word@a.example/"},
        {"webhook_url": "http://a.example:22/"},
        {"interval_seconds": 59},
        {"name": ""},
        {"secret": "mine"},
    ],
)
async def test_a_wrong_rule_is_refused(room: Room, ada: Tenant, over: dict[str, Any]) -> None:
    async with room.client(ada.bearer) as client:
        answer = await client.post(url(ada), json={**CHOICE, **over})
    assert answer.status_code == 422, answer.text
    assert room.services.alerts.read() == []


def test_the_log_of_a_server_does_not_tell_the_address_of_a_webhook(tmp_path: Path) -> None:
    """Whoever knows it may write to the channel behind it."""
    environment = {"IAFA_WEBHOOK_PRIVATE": "true"}
    with a_hook() as hook, ServerProcess(tmp_path / "data", environment=environment) as server:
        account = Account(server.url)
        rules = f"/projects/{account.project_id}/alerts"
        choice = {**CHOICE, "webhook_url": hook.url(path="/services/T0/B0/key-of-the-channel")}
        rule = account.client.post(rules, json=choice).json()
        assert account.client.post(f"{rules}/{rule['id']}/test").json()["is_delivered"]
        account.client.close()
    assert len(hook.received) == 1
    assert "key-of-the-channel" not in server.log_path.read_text()
