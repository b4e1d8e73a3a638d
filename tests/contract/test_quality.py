"""Data quality over time: the days of a real server's answer add up to what was sent."""

from typing import Any

import pytest

from iafa.api.quality_models import QualityAnswer
from iafa.clock import SystemClock, to_datetime
from tests.contract.test_quarantine import Site, nameless, site

__all__ = ["site"]


def bought(number: int, **over: Any) -> dict[str, Any]:
    return {"event": "buy", "user_id": "u", "id": f"e{number}", **over}


async def quality(site: Site, *, status: int = 200, **params: str) -> dict[str, Any]:
    answer = await site.client.get(f"/api/v1/projects/{site.project['id']}/quality", params=params)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_what_came_in_is_stored_refused_repeated_and_replayed(site: Site) -> None:
    bot = {"user_agent": "Googlebot/2.1"}
    # The event's own time does not matter: a day is that of the receipt.
    old = {"timestamp": (SystemClock().now_us() - 3 * 86_400_000_000) / 1_000_000}
    await site.batch(bought(1), bought(2, **bot), bought(3, **old), bought(1), nameless(4), nameless(5))
    tail = await quality(site)
    assert (tail["totals"]["stored"], tail["totals"]["bots"]) == (3, 1), "before anything is flushed"
    await site.flush()
    rows = await site.rows()
    assert (await site.replay(ids=[rows[0]["id"]], changes={"rename": {"/usr": "/user_id"}}))["accepted"] == 1
    found = await quality(site)
    QualityAnswer.model_validate(found, strict=True)
    assert found["totals"] == {
        "stored": 4,
        "bots": 1,
        "duplicates": 1,
        "sampled_out": 0,
        "rate_limited": 0,
        "quota_exceeded": 0,
        "invalid": 2,
        "replayed": 1,
        "reasons": {"duplicate": 1, "missing_identity": 2},
        "invalid_share": 0.2,
    }
    assert len(found["days"]) == 30
    for name in ("stored", "bots", "duplicates", "invalid", "replayed"):
        assert sum(day[name] for day in found["days"]) == found["totals"][name]
    today = to_datetime(SystemClock().now_us()).date().isoformat()
    assert found["end"] == found["days"][-1]["date"]
    assert found["end"] <= today
    assert all(day["is_refused_known"] for day in found["days"])
    earlier = await quality(site, start_date="2020-01-01", end_date="2020-01-02")
    assert [(day["stored"], day["is_refused_known"]) for day in earlier["days"]] == [(0, False)] * 2
    wrong: list[dict[str, Any]] = [
        {"start_date": "2026-02-01", "end_date": "2026-01-01"},
        {"start_date": "2020-01-01", "end_date": "2026-01-01"},
        {"start_date": "yesterday"},
        {"start": "2026-01-01"},
        {"start_date": "9999-12-31"},
    ]
    for params in wrong:
        assert (await quality(site, status=422, **params))["code"] == "invalid_query", params
    ends: list[dict[str, Any]] = [
        {"end_date": "0001-01-01"},
        {"start_date": "9999-12-31", "end_date": "9999-12-31"},
    ]
    for params in ends:
        assert (await quality(site, **params))["totals"]["stored"] == 0


@pytest.mark.parametrize("given", ["2026-01-01", "1970-01-01"])
async def test_a_start_alone_ends_today_or_after_a_year(site: Site, given: str) -> None:
    found = await quality(site, start_date=given)
    assert found["start"] == given
    assert 1 <= len(found["days"]) <= 366
