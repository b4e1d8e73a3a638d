"""`iafa sql`: the same rows as a funnel, for reading only."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import Command


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_answer_as_table_csv_and_json(iafa: Command, shop: str) -> None:
    query = "select user_id, count(*) as n, null as nothing, ['a'] as list from events group by all order by user_id"
    assert iafa("sql", "Shop", query).out.splitlines() == [
        "user_id  n  nothing  list",
        "-------  -  -------  -----",
        'u1       2           ["a"]',
        'u2       2           ["a"]',
    ]
    assert iafa("sql", shop, query, "--format", "csv").out.splitlines() == [
        "user_id,n,nothing,list",
        'u1,2,,"[""a""]"',
        'u2,2,,"[""a""]"',
    ]
    assert iafa("sql", shop, query, "--format", "json").json[0] == {
        "user_id": "u1",
        "n": 2,
        "nothing": None,
        "list": ["a"],
    }
    assert iafa("sql", shop, "select 1 where false", "--format", "json").json == []


TRAITS: list[dict[str, Any]] = [
    {"type": "identify", "userId": "ann", "timestamp": "2025-11-03T10:00:00Z", "traits": {"plan": "pro", "city": None}},
    {"type": "identify", "userId": "ann", "timestamp": "2025-11-01T10:00:00Z", "traits": {"plan": "free", "age": 30}},
    {"type": "identify", "userId": "ann", "timestamp": "2025-11-02T10:00:00Z", "traits": {"city": "Wien", "tags": [1]}},
    {"type": "identify", "userId": "bob", "timestamp": "2025-11-02T10:00:00Z", "context": {"locale": "de"},
     "traits": {"plan": "free"}},
    {"type": "track", "event": "Buy", "userId": "bob", "timestamp": "2025-11-04T10:00:00Z", "properties": {"p": 1}},
    {"type": "group", "userId": "ann", "groupId": "acme", "timestamp": "2025-11-02T10:00:00Z", "traits": {"seats": 3}},
    {"type": "group", "userId": "ann", "groupId": "zeta", "timestamp": "2025-11-01T10:00:00Z", "traits": {"seats": 1}},
    {"type": "group", "userId": "bob", "groupId": "acme", "timestamp": "2025-11-03T10:00:00Z",
     "traits": {"seats": None, "name": "Acme"}},
]  # fmt: skip


def test_the_documented_queries_of_traits_and_groups_answer_as_the_text_says(
    iafa: Command, project_id: str, tmp_path: Path
) -> None:
    file = tmp_path / "messages.ndjson"
    file.write_text("".join(json.dumps(one | {"messageId": f"m{n}"}) + "\n" for n, one in enumerate(TRAITS)))
    loaded = iafa("import", str(file), "--project", project_id, "--preset", "segment")
    assert loaded.code == 0, loaded.err
    page = (Path(__file__).parents[3] / "docs" / "segment.md").read_text()
    queries = re.findall(r"```sql\n(.+?)```", page, re.DOTALL)
    answers = [iafa("sql", project_id, query, "--format", "csv") for query in queries]
    assert [answer.err for answer in answers] == [""] * 3
    assert [list(csv.reader(answer.out.splitlines()[1:])) for answer in answers] == [
        # The latest by its own time counts, whenever it came; null takes a trait away; a context is no trait.
        [["ann", "age", "30"], ["ann", "plan", '"pro"'], ["ann", "tags", "[1]"], ["bob", "plan", '"free"']],
        [["acme", "name", '"Acme"'], ["zeta", "seats", "1"]],
        [["ann", "acme"], ["bob", "acme"]],
    ]


def test_statements_come_from_the_input(iafa: Command, shop: str) -> None:
    said = iafa(
        "sql", shop, "--format", "csv", stdin="create temp table t as from events;\nselect count(*) as n from t;"
    )
    assert (said.out, said.err, said.code) == ("n\n4\n", "", 0)


def test_a_long_answer_is_cut_in_a_table_only(iafa: Command, shop: str) -> None:
    lines = iafa("sql", shop, "from range(1500)").out.splitlines()
    assert len(lines) == 1003
    assert "first 1000 rows" in lines[-1]
    assert len(iafa("sql", shop, "from range(1500)", "--format", "csv").out.splitlines()) == 1501


@pytest.mark.parametrize(
    "query",
    [
        "copy (select 1) to '{file}'",
        "copy (select 1) to '{lease}/x.parquet'",
        "explain analyze copy (select 1) to '{file}'",
        "explain /* */ analyze copy (select 1) to '{file}'",
        "-- a\ncopy (select 1) to '{file}'",
        "select 1; copy (select 1) to '{file}'",
        "prepare x as copy (select 1) to '{file}'",
        "attach '{lease}/x.db'",
        "export database '{lease}'",
        "create table t as select 1",
        "create persistent secret s (type s3)",
        "set enable_external_access = true",
        "pragma database_list",
        "install httpfs",
        "load httpfs",
        "call pragma_version()",
        "copy (pivot (select 1 as a) on a using count(*)) to '{file}'",
    ],
)
def test_nothing_that_writes_is_run(iafa: Command, shop: str, tmp_path: Path, query: str) -> None:
    events = tmp_path / "data" / "events"
    before = files_below(events)
    file = next(path for path in before if path.endswith(".parquet"))
    said = iafa("sql", shop, query.format(file=file, lease=tmp_path / "data" / "tmp"))
    assert said.code == 1
    assert said.out == ""
    assert "iafa: " in said.err
    assert files_below(events) == before


@pytest.mark.parametrize(
    "query",
    [
        "select * from read_text('/etc/passwd')",
        "select * from read_parquet('{data}/events/*/*/*/*.parquet')",
        "select * from read_text('{data}/metadata/users.json')",
        "create temp table t as select * from read_csv('{data}/config/secret_key')",
    ],
)
def test_no_other_file_can_be_read(iafa: Command, shop: str, tmp_path: Path, query: str) -> None:
    said = iafa("sql", shop, query.format(data=tmp_path / "data"))
    assert (said.code, said.out) == (1, "")
    assert "Permission Error" in said.err


def test_an_error_names_what_is_wrong(iafa: Command, shop: str) -> None:
    assert "no_such_column" in iafa("sql", shop, "select no_such_column from events").err
    assert "syntax error" in iafa("sql", shop, "selec 1").err
    assert iafa("sql", "Nobody", "select 1").code == 2


def test_nothing_is_left_behind(iafa: Command, shop: str, tmp_path: Path) -> None:
    assert iafa("sql", shop, "from events").code == 0
    assert iafa("sql", shop, "from nothing").code == 1
    assert not list((tmp_path / "data" / "tmp").glob("lease-*"))


def test_the_sql_of_a_receipt_runs_as_it_is(iafa: Command, shop: str, tmp_path: Path) -> None:
    (tmp_path / "stages.json").write_text(
        json.dumps(
            {"name": "f", "stages": [{"name": n, "event": n} for n in ("visit", "cart")], "window_seconds": 1800}
        )
    )
    answer = iafa("funnel", "--project", "Shop", "--file", str(tmp_path / "stages.json"), "--receipt", "--json").json
    said = iafa("sql", shop, answer["receipt"]["sql"], "--format", "csv")
    assert said.err == ""
    assert said.out.splitlines()[-1].split(",")[:2] == [str(stage["users"]) for stage in answer["stages"]]
