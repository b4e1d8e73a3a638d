"""Large questions over real files in a process of their own: it grows by no more than the engine may take and the
arrays of a chunk or two, and each answer is right or a clear refusal.
"""

import multiprocessing
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from iafa.clock import SystemClock
from iafa.errors import QueryBusy
from iafa.lake.schema import EVENT_SCHEMA
from iafa.lake.snapshot import Snapshot
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine, QueryLimits
from iafa.query.funnel import funnel
from iafa.query.paths import reading
from iafa.query.time_range import resolve_time_range
from tests.unit.query.rows import NOON_US, SECOND_US, snapshot_of

PEOPLE, STAGES, NOISE = 60_000, 20, 10
LIMITS = QueryLimits(timeout_s=300, memory_mb=256, concurrency=4, instances=1, wait_s=1)
CHUNK_ROWS = 200_000
CHUNKS_MB = 120  # two chunks of that size as Arrow and as arrays, with what is derived from them
ANSWER_S_MAX = 400
Answer = tuple[str, list[int]]

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")


def write(folder: Path) -> Snapshot:
    """Person p does p % 21 of 20 steps in their order, and other things; p % 7 of them is excluded before step 2."""
    person = np.repeat(np.arange(PEOPLE), STAGES + NOISE)
    place = np.tile(np.arange(STAGES + NOISE), PEOPLE)
    is_noise = place >= STAGES
    is_done = is_noise | (place < person % (STAGES + 1))
    person, place, is_noise = person[is_done], place[is_done], is_noise[is_done]
    is_excluded = is_noise & (place - STAGES == person % 7 - 1)
    names = np.where(is_noise, "noise", np.char.add("step", place.astype("U2")))
    names = np.where(is_excluded, np.char.add("x", (place - STAGES).astype("U2")), names)
    times = np.where(is_noise, np.where(is_excluded, 5, place * 11), place * 10) * SECOND_US + NOON_US
    order = np.argsort(names, kind="stable")
    columns: Mapping[str, Any] = {
        "id": np.arange(len(person)).astype(str),
        "project_id": np.full(len(person), "p0projectaaaa"),
        "event_type": names[order],
        "user_id": np.char.add("u", person[order].astype(str)),
        "user_hash": person[order] * 1_000_003,
        "properties": np.where(person[order] % 3 == 0, '{"plan":"free"}', '{"plan":"pro"}'),
        "created_at": pa.array(times[order]).cast(pa.timestamp("us", tz="UTC")),
        "received_at": pa.array(times[order]).cast(pa.timestamp("us", tz="UTC")),
        "is_bot": np.zeros(len(person), dtype=bool),
        "sample_rate": np.ones(len(person)),
    }
    fields = [columns.get(field.name, pa.nulls(len(person), field.type)) for field in EVENT_SCHEMA]
    folder.mkdir()
    pq.write_table(pa.table(fields, schema=EVENT_SCHEMA), folder / "events.parquet", row_group_size=50_000)
    empty = snapshot_of(folder, [], [])
    return replace(empty, files=(folder / "events.parquet",), rows=len(person))


def many_stages() -> tuple[dict[str, Any], list[int]]:
    stages = [{"name": f"{one}", "event": f"step{one}"} for one in range(STAGES)]
    done = np.arange(PEOPLE) % (STAGES + 1)
    counts = [int((done >= stage).sum()) for stage in range(1, STAGES + 1)]
    return {"name": "many stages", "stages": stages, "tie": "strict"}, counts


def many_conditions() -> tuple[dict[str, Any], list[int]]:
    """5 exclusions and 10 filters."""
    filters = [{"property": "plan", "op": "eq", "value": "pro"}]
    filters += [{"property": "plan", "op": "neq", "value": f"other {one}"} for one in range(9)]
    definition = {
        "name": "many conditions",
        "stages": [{"name": "A", "event": "step0"}, {"name": "B", "event": "step1"}],
        "exclusions": [{"event": f"x{one}"} for one in range(5)],
        "filters": filters,
    }
    people = np.arange(PEOPLE)
    did = people % (STAGES + 1)
    may = (people % 3 != 0) & (did >= 1)
    return definition, [int(may.sum()), int((may & (did >= 2) & ((people % 7 == 0) | (people % 7 == 6))).sum())]


def all_that_a_definition_may_hold() -> tuple[dict[str, Any], list[int]]:
    """20 stages and 5 exclusions of 10 filters each, and 50 of all: on properties, that are there and that are not."""

    def filters(number: int, of: str) -> list[dict[str, Any]]:
        others = [{"property": f"p{one}", "op": "neq", "value": of} for one in range(number - 2)]
        return [a_plan("neq", f"no {of}"), a_plan("in", ["pro", of]), *others]

    stages = [{"name": f"{one}", "event": f"step{one}", "filters": filters(10, f"{one}")} for one in range(STAGES)]
    exclusions = [{"event": f"x{one}", "filters": [*filters(9, "x"), a_plan("eq", "free")]} for one in range(5)]
    definition = {"name": "all", "stages": stages, "exclusions": exclusions, "filters": filters(50, "all")}
    people = np.arange(PEOPLE)
    done = people % (STAGES + 1)
    return definition, [int(((done >= stage) & (people % 3 != 0)).sum()) for stage in range(1, STAGES + 1)]


def a_plan(op: str, value: object) -> dict[str, Any]:
    return {"property": "plan", "op": op, "value": value}


def ask(engine: DuckEngine, snapshot: Snapshot, definition: Mapping[str, Any]) -> Answer:
    try:
        found: Any = funnel(engine, snapshot, parse_definition(definition), resolve_time_range())
    except QueryBusy as busy:
        return f"busy {busy.code} {busy.retry_after_s}", []
    return "answered", [stage["users"] for stage in found["stages"]]


def run(folder: Path, snapshot: Snapshot, definitions: list[Mapping[str, Any]], answers: Connection) -> None:
    """Runs in a child: all at once; says the answers and by how much the process grew at most."""
    reading.CHUNK_ROWS = CHUNK_ROWS
    engine = DuckEngine(LIMITS, temp_directory=folder / "spill", clock=SystemClock())
    stages = [{"name": name, "event": name} for name in ("step0", "nothing")]
    ask(engine, snapshot, {"name": "warm", "stages": stages, "tie": "strict"})
    before = memory_mb("VmRSS")
    with ThreadPoolExecutor(len(definitions)) as pool:
        found = list(pool.map(partial(ask, engine, snapshot), definitions))
    answers.send((found, memory_mb("VmHWM") - before))
    engine.close()


def memory_mb(kind: str) -> int:
    found = re.search(kind + r":\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) // 1024


def in_child(folder: Path, snapshot: Snapshot, definitions: list[Mapping[str, Any]]) -> tuple[list[Answer], int]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=run, args=(folder, snapshot, definitions, theirs))
    child.start()
    theirs.close()
    assert ours.poll(ANSWER_S_MAX), "the child is silent"
    said: tuple[list[Answer], int] = ours.recv()
    child.join(ANSWER_S_MAX)
    assert child.exitcode == 0
    return said


@pytest.mark.parametrize("case", [many_stages, many_conditions, all_that_a_definition_may_hold])
def test_a_large_question_stays_within_the_limit(
    tmp_path: Path, say: Callable[[str], None], case: Callable[[], tuple[dict[str, Any], list[int]]]
) -> None:
    definition, counts = case()
    snapshot = write(tmp_path / "project")
    found, grown_mb = in_child(tmp_path, snapshot, [definition])
    assert found == [("answered", counts)]
    assert grown_mb < LIMITS.memory_mb + CHUNKS_MB
    say(f"{definition['name']}: {snapshot.rows} rows, grew by {grown_mb} MB")


def test_eight_questions_at_once_stay_within_the_limit(tmp_path: Path, say: Callable[[str], None]) -> None:
    cases = [many_stages(), many_conditions()] * 4
    snapshot = write(tmp_path / "project")
    found, grown_mb = in_child(tmp_path, snapshot, [definition for definition, _ in cases])
    answered = 0
    for (said, counts), (_, expected) in zip(found, cases, strict=True):
        if said == "answered":
            assert counts == expected
            answered += 1
        else:
            assert said == "busy query_busy 2"
    assert answered >= 1
    assert grown_mb < LIMITS.memory_mb + LIMITS.concurrency * CHUNKS_MB
    say(f"{answered} of {len(cases)} answered, the others were told to come back; grew by {grown_mb} MB")
