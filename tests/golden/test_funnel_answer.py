"""The answer's form and figures: the user's example as golden JSON, and the real data sets where they are present."""

import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from iafa.event import identity_hash
from iafa.lake.schema import EVENT_SCHEMA
from iafa.lake.snapshot import Snapshot
from iafa.query.definition_reading import parse_definition
from iafa.query.event_names import event_names
from iafa.query.funnel import funnel
from iafa.query.time_range import resolve_time_range
from tests.unit.query.rows import an_engine

GOLDEN = Path(__file__).with_name("checkout_funnel.json")
REPOSITORY = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("IAFA_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real data sets in {DATA} (IAFA_TEST_DATA)")

PAGES = ("home_page", "search_page", "payment_page", "payment_confirmation_page")
PEOPLE = (90_400, 45_200, 6_030, 452)
DAY_US = 86_400_000_000
FIRST_US = 1_420_070_400_000_000  # 2015-01-01


def test_answer_of_the_example_is_the_golden_one(tmp_path: Path) -> None:
    names = np.repeat(PAGES, PEOPLE)
    people = np.concatenate([np.arange(count) for count in PEOPLE])
    times = FIRST_US + people % 120 * DAY_US + np.repeat(range(4), PEOPLE) * 60_000_000
    snapshot = Snapshot.of_table(columns_to_table(names, people, times), tmp_path)
    engine = an_engine(tmp_path)
    stages = [
        {"name": name, "event": event}
        for name, event in zip(("home_page", "search_page", "payment_page", "confirmation"), PAGES, strict=True)
    ]
    answer = funnel(
        engine,
        snapshot,
        parse_definition({"name": "Checkout", "stages": stages}),
        resolve_time_range("2015-01-01", "2015-04-30"),
        funnel_id="f1",
    )
    engine.close()
    assert json.loads(json.dumps(answer)) == json.loads(GOLDEN.read_text())


@needs_data
def test_four_pages_of_the_shop_data(tmp_path: Path) -> None:
    snapshot = real_snapshot(DATA / "ecommerce_funnel_90400.parquet", "timestamp_assigned", tmp_path)
    assert counts(tmp_path, snapshot, PAGES) == list(PEOPLE)


@needs_data
def test_loan_applications_with_many_ties(tmp_path: Path) -> None:
    snapshot = real_snapshot(DATA / "bpi2012_loan_applications.parquet", "timestamp", tmp_path)
    assert snapshot.rows == 262_200
    engine = an_engine(tmp_path)
    assert sum(int(str(one["count"])) for one in event_names(engine, snapshot)) == 262_200
    engine.close()
    submitted = counts(tmp_path, snapshot, ("A_SUBMITTED", "A_PARTLYSUBMITTED", "A_ACCEPTED"))
    assert submitted[:2] == [13_087, 13_087]
    assert counts(tmp_path, snapshot, ("*",)) == [13_087]
    repeated = counts(tmp_path, snapshot, ("W_Completeren aanvraag",) * 3)
    assert repeated == by_counting(snapshot, "W_Completeren aanvraag", 3)


def by_counting(snapshot: Snapshot, name: str, stages: int) -> list[int]:
    """A repeated stage without a window: whoever has k such events reaches stage k."""
    frame = snapshot.tail.filter(pa.compute.equal(snapshot.tail["event_type"], name))
    per_person = frame.group_by("user_id").aggregate([("id", "count")])["id_count"].to_numpy()
    return [int((per_person >= k).sum()) for k in range(1, stages + 1)]


def counts(tmp_path: Path, snapshot: Snapshot, events: tuple[str, ...]) -> list[int]:
    engine = an_engine(tmp_path, memory_mb=512)
    definition = {
        "name": "f",
        "window_seconds": None,
        "stages": [{"name": event, "event": event} for event in events],
    }
    answer = funnel(engine, snapshot, parse_definition(definition), resolve_time_range())
    engine.close()
    stages = answer["stages"]
    assert isinstance(stages, list)
    return [stage["users"] for stage in stages]


def real_snapshot(file: Path, time_column: str, tmp_path: Path) -> Snapshot:
    source = pq.read_table(file)
    times = source[time_column].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_numpy()
    table = columns_to_table(source["event"].to_numpy(), source["user_id"].to_numpy(), times)
    return Snapshot.of_table(table, tmp_path)


def columns_to_table(names: np.ndarray, people: np.ndarray, times: np.ndarray) -> pa.Table:
    ids, place = np.unique(people.astype(str), return_inverse=True)
    hashes = np.array([identity_hash(one) for one in ids])
    count = len(names)
    given = {
        "id": pa.array([f"e{number}" for number in range(count)]),
        "project_id": pa.array(["p0projectaaaa"] * count),
        "event_type": pa.array(names.astype(str)),
        "user_id": pa.array(ids[place]),
        "user_hash": pa.array(hashes[place]),
        "properties": pa.array(["{}"] * count),
        "created_at": pa.array(times).cast(pa.timestamp("us", tz="UTC")),
        "received_at": pa.array(times).cast(pa.timestamp("us", tz="UTC")),
        "is_bot": pa.array([False] * count),
        "sample_rate": pa.array([1.0] * count),
    }
    return pa.table([given.get(field.name, pa.nulls(count, field.type)) for field in EVENT_SCHEMA], schema=EVENT_SCHEMA)
