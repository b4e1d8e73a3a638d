"""The receipt: its SQL and its notebook give the number of the answer, in plain DuckDB and without IAFA."""

import json
import random
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from iafa.lake.identity import Edge, table_of
from iafa.lake.identity_spans import Identities
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import literal, with_values
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.funnel import answer
from iafa.query.question import Extras, Question
from iafa.query.receipts.notebook import notebook
from iafa.query.time_range import TimeRange
from tests.property.test_paths_oracle import PEOPLE, snapshot_on_days
from tests.support.notebooks import run_notebooks
from tests.support.paths_cases import MODES, Case, random_case, random_edges
from tests.unit.query.rows import NOON_US, SECOND_US, a_definition, an_engine, an_event, snapshot_of


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    """Patient: a solver that is asked for the first time is compiled first."""
    engine = an_engine(tmp_path_factory.mktemp("engine"), timeout_s=300.0)
    yield engine
    engine.close()


ALL = TimeRange(0, NOON_US * 2, None, None, "UTC")
HOSTILE = "a'''b\"\"\"\n\\ ' -- ; drop {x} $p1 $files \u2028 é ` ``` <script>"


def asked(definition: dict[str, Any], time_range: TimeRange = ALL) -> Question:
    extras = Extras(frozenset({"receipt"}))
    return Question(parse_definition(definition), time_range, NOON_US + 10**12, extras)


def answered(engine: DuckEngine, snapshot: Snapshot, question: Question) -> Any:
    return answer(engine, snapshot, question)


def in_plain_duckdb(receipt: dict[str, Any], data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    monkeypatch.chdir(data_dir)
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(receipt["setup"])
        row = connection.execute(receipt["sql"]).fetchone()
    assert row is not None
    return list(row)


def stage_users(found: Any) -> list[int]:
    return [stage["users"] for stage in found["stages"]]


EVENTS = [
    an_event(name, NOON_US + place * SECOND_US, user=user, plan=plan)
    for user, plan, names in (("u", "pro", "ABCX"), ("v", "it's", "AABC"), ("w", "pro", "BCA"), ("x", None, "ABAB"))
    for place, name in enumerate(names)
]


@pytest.mark.parametrize(
    "definition",
    [
        a_definition("A", "B", "C"),
        a_definition("A", "A", "B"),
        a_definition("A"),
        a_definition("A", "B", window_seconds=None),
        a_definition("A", "B", filters=[{"property": "plan", "op": "in", "value": ["it's", "pro", 1.5, True]}]),
        a_definition("A", "B", filters=[{"property": "n", "op": "gt", "value": -1.25e300}]),
        a_definition("A", "B", exclude_bots=True),
    ],
    ids=["plain", "repeated", "one stage", "no window", "texts", "numbers", "bots"],
)
def test_sql_and_setup_give_the_number_in_plain_duckdb(
    engine: DuckEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, definition: dict[str, Any]
) -> None:
    snapshot = snapshot_of(tmp_path / "data" / "events" / "project_x", [EVENTS[:9], EVENTS[9:]])
    found = answered(engine, snapshot, asked(definition))
    receipt = found["receipt"]
    assert receipt["stands_alone"]
    assert receipt["method"] == "sql"
    row = in_plain_duckdb(receipt, tmp_path / "data", monkeypatch)
    assert row[: len(found["stages"])] == stage_users(found)
    assert [file["path"] for file in receipt["files"]] == [f"events/project_x/{file.name}" for file in snapshot.files]


def test_hostile_texts_break_out_of_nothing(
    engine: DuckEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same text is an event, a value, a property and the names of the funnel and its stages."""
    data = tmp_path / "da'ta"
    events = [an_event(HOSTILE, NOON_US, **{HOSTILE: HOSTILE}), an_event("B", NOON_US + 1)]
    snapshot = snapshot_of(data / "events" / "project_x", [events])
    stages = [
        {"name": HOSTILE, "event": HOSTILE, "filters": [{"property": HOSTILE, "op": "eq", "value": HOSTILE}]},
        {"name": "B", "event": "B"},
    ]
    questions = [
        asked({"name": HOSTILE, "stages": stages}),
        asked({"name": HOSTILE, "stages": stages, "order": "strict", "hold": [HOSTILE]}),
    ]
    answers = [answered(engine, snapshot, question) for question in questions]
    assert [stage_users(found) for found in answers] == [[1, 1], [1, 0]]
    assert in_plain_duckdb(answers[0]["receipt"], data, monkeypatch)[:2] == [1, 1]
    books = [notebook(engine, snapshot, one, found) for one, found in zip(questions, answers, strict=True)]
    for ran, found in zip(run_notebooks(data, books, tmp_path / "books"), answers, strict=True):
        assert ran["result"]["users"] == stage_users(found)
        assert ran["definition"]["name"] == HOSTILE
        assert ran["definition"]["stages"][0]["event"] == HOSTILE


def test_a_literal_is_not_looked_at_again() -> None:
    assert with_values("select $a, $b", {"a": "$b", "b": "it's"}) == "select '$b', 'it''s'"
    assert literal([[1, -2], []]) == "[[1, (-2)], []]"
    with duckdb.connect() as connection:
        for value in (1e300, 0.1, -2.5, "\\n'\n", True, -(1 << 60)):
            assert connection.execute(f"select {literal(value)}").fetchall() == [(value,)]


@pytest.mark.parametrize("mode", MODES)
def test_notebooks_find_the_numbers_of_every_kind_of_funnel(engine: DuckEngine, tmp_path: Path, mode: str) -> None:
    """Random definitions over files of several days, a tail, bots, and identity edges in every other case."""
    draw = random.Random(f"notebook {mode}")
    data, books, answers = tmp_path / "data", [], []
    for number in range(2):
        case, snapshot = _case(draw, mode, data / "events" / f"project_{number}", with_edges=number % 2 == 1)
        question = asked(case.definition, case.time_range)
        found = answered(engine, snapshot, question)
        assert not found["receipt"]["stands_alone"] or not snapshot.tail.num_rows
        books.append(notebook(engine, snapshot, question, found))
        answers.append(found)
    ran = run_notebooks(data, books, tmp_path / "books")
    assert len(ran) == len(answers)
    assert sum(map(sum, map(stage_users, answers))) > 20
    for each, found in zip(ran, answers, strict=True):
        assert each["is_same_data"], each["said"]
        assert each["result"]["users"] == stage_users(found)
        assert each["result"]["users_max"] == [stage["users_max"] for stage in found["stages"]]
        assert each["result"]["open"] == found["open"]
        assert each["result"]["people_total"] == found["people_total"]
        if "optional_stages" in found:
            assert each["result"]["optional_stages"] == [stage["users"] for stage in found["optional_stages"]]
        assert "The same numbers." in each["said"]


def _case(draw: random.Random, mode: str, directory: Path, *, with_edges: bool) -> tuple[Case, Snapshot]:
    case = random_case(draw, mode, PEOPLE, events_max=5)
    if not with_edges:
        return case, snapshot_on_days(draw, case.events, directory)
    anonymous = [
        event | ({"user": None, "anonymous": f"device-{draw.randrange(PEOPLE)}"} if draw.random() < 0.4 else {})
        for event in case.events
    ]
    edges = [
        Edge(one["id"], one["user"], one["other"], one["t"], one["kind"], one["is_revoked"])
        for one in random_edges(draw, case.events, PEOPLE)
    ]
    known = Identities.of(table_of(edges)).table
    return case, replace(snapshot_on_days(draw, anonymous, directory), identities=known)


def test_a_notebook_says_when_the_data_have_changed(engine: DuckEngine, tmp_path: Path) -> None:
    data = tmp_path / "data"
    snapshot = snapshot_of(data / "events" / "project_x", [EVENTS[:9], EVENTS[9:]])
    question = asked(a_definition("A", "B"))
    book = notebook(engine, snapshot, question, answered(engine, snapshot, question))
    shutil.copy(snapshot.files[0], snapshot.files[1])
    (ran,) = run_notebooks(data, [book], tmp_path / "books")
    assert not ran["is_same_data"]
    assert "not the same data" in ran["said"]
    assert "The same numbers" not in ran["said"]


def test_a_notebook_whose_number_is_wrong_fails(engine: DuckEngine, tmp_path: Path) -> None:
    data = tmp_path / "data"
    snapshot = snapshot_of(data / "events" / "project_x", [EVENTS])
    question = asked(a_definition("A", "B"))
    found = answered(engine, snapshot, question)
    found["stages"][1]["users"] += 1
    with pytest.raises(AssertionError, match="the numbers differ"):
        run_notebooks(data, [notebook(engine, snapshot, question, found)], tmp_path / "books")


def test_a_notebook_carries_no_column_that_it_does_not_need(engine: DuckEngine, tmp_path: Path) -> None:
    snapshot = snapshot_of(
        tmp_path / "data" / "events" / "project_x",
        [],
        [an_event("A", NOON_US) | {"user_agent": "secret agent", "ip_address": "secret address"}],
    )
    question = asked(a_definition("A"))
    cells = json.loads(notebook(engine, snapshot, question, answered(engine, snapshot, question)))["cells"]
    text = "".join(next(cell for cell in cells if cell["id"] == "constants")["source"])
    columns = re.search(r"COLUMNS = (\[.*?\])", text, re.DOTALL)
    assert columns is not None
    assert "user_agent" not in columns[1]
    assert "properties" not in columns[1]
    assert "event_type" in columns[1]


def test_the_counts_of_a_receipt(engine: DuckEngine, tmp_path: Path) -> None:
    events = [
        an_event("A", NOON_US) | {"is_bot": True},
        an_event("A", NOON_US + SECOND_US) | {"received_at": NOON_US + 10**13},
        an_event("B", NOON_US + 5 * SECOND_US),
        an_event("A", NOON_US + 10**13),
    ]
    directory = tmp_path / "data" / "events" / "project_x"
    snapshot = snapshot_of(directory, [events[:2]], events[2:])
    time_range = TimeRange(NOON_US, NOON_US + 2 * SECOND_US, "x", "y", "UTC")
    receipt = answered(engine, snapshot, asked(a_definition("A", "B"), time_range))["receipt"]
    names = ("events_in_span", "events_in_range", "bots", "late_events", "events_after_as_of", "tail_rows")
    assert [receipt[name] for name in names] == [3, 2, 1, 1, 0, 2]
    assert not receipt["stands_alone"]
    assert pq.read_metadata(snapshot.files[0]).num_rows == 2
    assert receipt["rejected"]["count"] is None
    assert receipt["rejected"]["reason"]
