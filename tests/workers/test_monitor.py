"""The diagnosis and the state of the server over two real workers: each answers for both."""

import json
from typing import Any

import httpx

from iafa.api.system_models import SystemAnswer
from iafa.settings import Settings
from iafa.wiring import open_house
from tests.support.server import Account
from tests.support.waiting import eventually
from tests.workers.test_two_workers import Site, site

__all__ = ["site"]
PAGE = "https://shop.example.com"


def beacon(client: httpx.Client, key: str) -> int:
    body = json.dumps({"e": [{"n": "page_view", "a": "visitor"}]})
    return client.post(f"/e/{key}", content=body, headers={"origin": PAGE}).status_code


def system(site: Site) -> dict[str, Any]:
    answer = site.owner.client.get("/system")
    assert answer.status_code == 200, answer.text
    SystemAnswer.model_validate(answer.json(), strict=True)
    found: dict[str, Any] = answer.json()
    return found


def test_either_worker_diagnoses_what_both_got(site: Site) -> None:
    project, blocked = site.project(), site.project(allowed_origins=["https://other.example.com"])
    with site.workers() as clients:
        for client in clients.values():
            assert beacon(client, project["api_key"]) == 204
            # A worker knows the settings of a new project at once, since it does not know the key.
            assert beacon(client, blocked["api_key"]) == 403

        def of(client: httpx.Client, project: dict[str, Any]) -> dict[str, Any]:
            headers = {"x-api-key": project["secret_key"]}
            found: dict[str, Any] = client.get(f"/api/v1/projects/{project['id']}/diagnosis", headers=headers).json()
            return found

        for client in clients.values():
            eventually(
                lambda client=client: of(client, project)["last_15_minutes"]["accepted"] == 2,  # type: ignore[misc]
                "the other worker's count is missing",
            )
            eventually(
                lambda client=client: of(client, blocked)["findings"][0]["count"] == 2,  # type: ignore[misc]
                "the other worker's refusal is missing",
            )
            finding = of(client, blocked)["findings"][0]
            assert (finding["code"], finding["samples"][0]["count"]) == ("blocked_origin", 2)


def test_the_state_of_the_server_is_that_of_all_its_processes(site: Site) -> None:
    project = site.project()
    with site.workers() as clients:
        for client in clients.values():
            assert beacon(client, project["api_key"]) == 204
    eventually(lambda: system(site)["ingest"]["last_24_hours"]["accepted"] >= 2, "the counts of a worker are missing")
    found = system(site)
    assert {"worker-0", "worker-1", "background", "supervisor"} == {one["name"] for one in found["processes"]}
    assert all(one["is_up"] and one["resident_bytes"] and one["started_at"] for one in found["processes"])
    assert all((one["loop_lag_seconds"] is not None) == ("worker" in one["name"]) for one in found["processes"])
    assert found["queries"]["slots"] == 8
    assert found["disk"]["free_bytes"] <= found["disk"]["total_bytes"]
    assert found["backup"] is None

    def flushed() -> bool:
        tasks = {one["name"]: one for one in system(site)["tasks"]}
        return "flush" in tasks and tasks["flush"]["worked"].get("events", 0) > 0

    eventually(flushed, "no flush is told")
    flush = next(one for one in system(site)["tasks"] if one["name"] == "flush")
    assert (flush["is_ok"], flush["failures"], flush["error"]) == (True, 0, None)


def test_projects_of_other_organizations_are_one_number_and_backups_are_told(site: Site) -> None:
    stranger = Account(site.server.url, email="stranger@example.com")
    theirs = stranger.client.get("/system").text
    assert site.owner.project_id not in theirs
    stranger.client.close()
    house = open_house(Settings.model_validate({"data_dir": site.data_dir}))
    house.backup(site.data_dir.with_name("backup")).run()
    told = system(site)["backup"]
    assert told["is_complete"]
    assert told["files"] > 0
