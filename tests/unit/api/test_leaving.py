"""A question whose client leaves is interrupted in the engine, and one that is answered first is not."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from fastapi import Request

from iafa.api.leaving import while_waiting
from iafa.errors import IafaError
from iafa.query.cancellation import Cancellation
from tests.unit.query.rows import an_engine, an_event, snapshot_of
from tests.unit.query.test_engine_duckdb import ENDLESS


def request_of(leaves: asyncio.Event) -> Request:
    async def receive() -> dict[str, Any]:
        await leaves.wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http", "headers": []}, receive)


async def test_a_question_ends_when_its_client_leaves(tmp_path: Path) -> None:
    engine = an_engine(tmp_path, timeout_s=60, concurrency=1)
    snapshot = snapshot_of(tmp_path / "project", [[an_event("A")]])
    leaves = asyncio.Event()
    ended: list[IafaError] = []
    has_ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def endless(cancellation: Cancellation) -> None:
        with engine.reading(snapshot, cancellation) as reading:
            try:
                reading.rows(ENDLESS, {})
            except IafaError as error:
                ended.append(error)
        loop.call_soon_threadsafe(has_ended.set)

    loop.call_later(0.3, leaves.set)
    with pytest.raises(IafaError) as refused:
        await while_waiting(request_of(leaves), lambda cancellation: asyncio.to_thread(endless, cancellation))
    assert refused.value.code == "bad_request"
    async with asyncio.timeout(20):
        await has_ended.wait()
    assert [error.code for error in ended] == ["bad_request"]
    # The only place of the engine is free again.
    with engine.reading(snapshot) as reading:
        assert reading.rows("select 1", {}) == [(1,)]
    engine.close()


async def test_a_question_that_is_cancelled_before_it_begins_reads_nothing(tmp_path: Path) -> None:
    engine = an_engine(tmp_path)
    cancellation = Cancellation()
    cancellation.cancel()
    snapshot = snapshot_of(tmp_path / "project", [[an_event("A")]])
    with engine.reading(snapshot, cancellation) as reading, pytest.raises(IafaError) as refused:
        reading.rows("select 1", {})
    assert refused.value.code == "bad_request"
    engine.close()


async def test_an_answer_and_an_error_pass_through() -> None:
    async def seven(_: Cancellation) -> int:
        return 7

    async def wrong(_: Cancellation) -> int:
        raise IafaError("no", code="not_found")

    assert await while_waiting(request_of(asyncio.Event()), seven) == 7
    with pytest.raises(IafaError) as refused:
        await while_waiting(request_of(asyncio.Event()), wrong)
    assert refused.value.code == "not_found"
