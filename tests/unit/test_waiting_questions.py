"""The line for the threads of questions has an end: who comes too late is told so at once."""

import asyncio
import threading
from pathlib import Path

import pytest

from iafa.errors import QueryBusy
from iafa.questions import THREADS_BESIDE, WAITING_MAX
from iafa.wiring import House, open_house
from tests.support.events import PROJECT
from tests.unit.api.house import make_settings

THREADS = 1 + THREADS_BESIDE


@pytest.fixture
def house(tmp_path: Path) -> House:
    return open_house(make_settings(tmp_path, query_concurrency=1))


async def test_a_question_beyond_the_line_is_refused_and_the_others_are_answered(house: House) -> None:
    opened = threading.Event()
    for _ in range(THREADS):
        house.query_pool.submit(opened.wait, 30)
    try:
        waiting = [asyncio.create_task(house.snapshot(PROJECT)) for _ in range(THREADS + WAITING_MAX)]
        await asyncio.sleep(0)
        with pytest.raises(QueryBusy) as busy:
            async with asyncio.timeout(5):
                await house.snapshot(PROJECT)
        assert busy.value.code == "query_busy"
        assert busy.value.retry_after_s
        # Who goes away makes room.
        waiting.pop().cancel()
        await asyncio.sleep(0)
        waiting.append(asyncio.create_task(house.snapshot(PROJECT)))
    finally:
        opened.set()
    async with asyncio.timeout(30):
        answers = await asyncio.gather(*waiting)
        assert {answer.rows for answer in answers} == {0}
        assert (await house.snapshot(PROJECT)).rows == 0


async def test_a_question_that_fails_leaves_the_line(house: House) -> None:
    house.layout.root.joinpath("journal").write_text("not a folder")
    for _ in range(THREADS + WAITING_MAX + 2):
        with pytest.raises(OSError, match="journal"):
            await house.snapshot(PROJECT)
