"""What the demo has to show besides its events: made over HTTP, answered without a fault, made once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from iafa.cli.demo_events import History
from iafa.cli.demo_furnishing import Furnishing
from iafa.cli.demo_history import EMAIL, Demo, keep_furnished, prepare
from iafa.cli.options import house_at
from iafa.demo.rhythm import HOME_ZONE
from iafa.wiring import open_house
from tests.support.server import ServerProcess
from tests.support.waiting import eventually

DAYS = 90
KINDS = ("views", "boards", "notes", "alerts")


@dataclass
class Shop:
    """The demo as its first visitor finds it."""

    demo: Demo
    url: str
    client: httpx.Client
    finished: list[str]

    @property
    def path(self) -> str:
        return f"/projects/{self.demo.project.id}"

    def ask(self, path: str) -> Any:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def all(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask(f"{self.path}/{kind}")[kind]
        return found

    def furnish(self) -> None:
        Furnishing(self.demo, done=lambda: self.finished.append("done")).run(self.url)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    root = tmp_path_factory.mktemp("furnished") / "data"
    house = house_at(root)
    demo = prepare(house, History(DAYS, 1_000, datetime.now(UTC).replace(second=0, microsecond=0)))
    house.engine.close()
    with ServerProcess(root) as server, httpx.Client(base_url=f"{server.url}/api/v1", timeout=60) as client:
        body = {"email": EMAIL, "password": demo.login.password}
        token = client.post("/auth/login", json=body).json()["access_token"]
        client.headers["authorization"] = f"Bearer {token}"
        client.cookies.clear()
        shop = Shop(demo, server.url, client, [])
        shop.furnish()
        assert shop.finished == ["done"]
        yield shop


@pytest.mark.slow
class TestFurnished:
    def test_every_event_of_the_history_fits_the_schema_of_orders(self, shop: Shop) -> None:
        assert shop.demo.loaded is not None
        assert (shop.demo.loaded.rejected, shop.demo.loaded.duplicates) == (0, 0)
        assert shop.demo.loaded.accepted > 5_000

    def test_every_card_and_view_has_an_answer(self, shop: Shop) -> None:
        boards, views = shop.all("boards"), shop.all("views")
        assert [len(board["cards"]) for board in boards] == [12, 4]
        assert len(views) == 3
        asked = 0
        reports = [view for view in views if view["kind"] != "events"]  # raw events are not shared
        for kind, one in [("board", board) for board in boards] + [("view", view) for view in reports]:
            body = {"kind": kind, "target_id": one["id"]}
            made = shop.client.post(f"{shop.path}/shares", json=body)
            assert made.status_code == 201, made.text
            link = f"/shared/{made.json()['token']}"
            for card in shop.ask(link)["cards"]:
                if card["kind"] != "note":
                    shop.ask(f"{link}/answer?card={card['id']}")
                    asked += 1
        assert asked == 11 + 3 + 2

    def test_rules_are_soon_looked_at_and_the_unusual_night_is_found(self, shop: Shop) -> None:
        eventually(
            lambda: all(alert["status"] in ("ok", "firing") for alert in shop.all("alerts")), "a rule has no status"
        )
        rules = {alert["rule"]["kind"]: alert for alert in shop.all("alerts")}
        assert set(rules) == {"anomaly", "threshold", "silence", "conversion"}
        assert rules["anomaly"]["status"] == "firing"
        assert '"search" rose to' in rules["anomaly"]["text"]
        assert rules["threshold"]["status"] == "ok"

    def test_no_rule_sends_anything(self, shop: Shop) -> None:
        alerts = shop.all("alerts")
        assert [alert["webhook_url"] for alert in alerts] == [None] * 4
        assert not any(alert["deliveries"] or alert["is_waiting"] for alert in alerts)

    def test_notes_stand_on_days_of_the_history(self, shop: Shop) -> None:
        end = shop.demo.login.history.end.astimezone(ZoneInfo(HOME_ZONE)).date()
        notes = shop.all("notes")
        assert len(notes) == 5
        for note in notes:
            first = datetime.fromisoformat(note["start"]).date()
            last = datetime.fromisoformat(note["end"] or note["start"]).date()
            assert end - timedelta(days=DAYS - 1) <= first <= last <= end

    def test_refused_events_are_kept_by_reason_and_none_was_taken(self, shop: Shop) -> None:
        eventually(lambda: len(shop.ask(f"{shop.path}/quarantine")["rows"]) == 13, "not each refused event is kept")
        reasons = [row["reason"] for row in shop.ask(f"{shop.path}/quarantine")["rows"]]
        assert {reason: reasons.count(reason) for reason in set(reasons)} == {
            "schema_mismatch": 6,
            "timestamp_out_of_window": 4,
            "validation_error": 3,
        }
        assert shop.demo.loaded is not None
        assert shop.ask(f"{shop.path}/status")["events_total"] == shop.demo.loaded.accepted

    def test_a_start_after_one_that_was_killed_makes_what_is_missing_and_nothing_twice(self, shop: Shop) -> None:
        board = shop.all("boards")[0]
        assert shop.client.delete(f"{shop.path}/boards/{board['id']}").status_code == 204
        shop.furnish()
        assert [len(shop.all(kind)) for kind in KINDS] == [3, 2, 5, 4]
        assert len({one["name"] for one in shop.all("boards")}) == 2


def test_a_demo_without_a_server_is_not_called_furnished(shop_demo: Demo) -> None:
    finished = list[str]()
    Furnishing(shop_demo, done=lambda: finished.append("done")).run("http://127.0.0.1:9")
    assert finished == []


def test_furnished_is_kept_and_what_is_removed_stays_away(tmp_path: Path) -> None:
    small = History(days=3, people=60, end=datetime(2026, 11, 20, 14, 30, tzinfo=UTC))
    house = house_at(tmp_path / "data")
    first = prepare(house, small)
    assert not first.login.is_furnished
    keep_furnished(house.layout.root, first.login)
    again = prepare(open_house(house.settings), small)
    house.engine.close()
    assert again.login.is_furnished
    assert again.login.password == first.login.password


@pytest.fixture
def shop_demo(tmp_path: Path) -> Demo:
    house = house_at(tmp_path / "data")
    demo = prepare(house, History(days=1, people=10, end=datetime(2026, 11, 20, 14, 30, tzinfo=UTC)))
    house.engine.close()
    return demo
