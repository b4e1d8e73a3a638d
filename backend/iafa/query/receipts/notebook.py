"""A notebook that finds a funnel's number again from the files, without the server and without IAFA.

It needs Python, duckdb and pyarrow. No text of a definition becomes code or SQL but as a literal.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pprint import pformat
from typing import Any

import msgspec

from iafa.errors import IafaError, QueryBusy
from iafa.lake.identity import IDENTITY_SCHEMA
from iafa.lake.inline_rows import parquet_text, rows_of_events
from iafa.lake.schema import COLUMNS, EVENT_SCHEMA
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import sql_text
from iafa.query.cancellation import Cancellation
from iafa.query.definition import to_dict
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.question import Question
from iafa.query.receipts.plan import numbers_of
from iafa.query.receipts.receipt import folder_of, relative_files
from iafa.query.source import views_sql

INLINE_CHARS_MAX = 16 * 1024 * 1024
FLUSHED_SOON_S = 60
BATCH_ROWS = 100_000
_ALWAYS = frozenset({"id", "user_id", "user_hash", "created_at", "received_at", "is_bot"})
_LINE_CHARS = 100


def notebook(
    engine: DuckEngine,
    snapshot: Snapshot,
    question: Question,
    answer: Mapping[str, Any],
    cancellation: Cancellation | None = None,
) -> bytes:
    """In the format nbformat 4.5. `answer` is that of the question over the snapshot, with its receipt. Blocks.

    What is in no file, it carries itself: QueryBusy when that is too much, which the next flush mends.
    """
    if snapshot.erased:
        raise QueryBusy("a person is being erased; ask again when that is done", retry_after_s=FLUSHED_SOON_S)
    receipt = answer["receipt"]
    used = _columns_of(receipt["sql"])
    tail, edges = _carried(engine, snapshot, question, used, cancellation)
    is_counted = receipt["method"] == "sql"
    constants = _constants(snapshot, question, answer, used)
    cells = [
        _markdown("intro", _part("intro.md")),
        _code("constants", "\n\n".join(f"{name} = {_literal(value)}" for name, value in constants.items())),
        _markdown("carried-text", _part("carried.md")),
        _code("carried", f"TAIL = {_wrapped(tail)}\n\nEDGES = {_wrapped(edges)}"),
        _code("files", _part("files.txt")),
        _markdown("sql-text", _part("counted.md" if is_counted else "histories.md")),
        _code("sql", f"SQL = {_lines(receipt['sql'])}\n\nprint(SQL)"),
    ]
    if is_counted:
        cells.append(_code("count", _part("counted.txt")))
    else:
        plan = f"PLAN = {_literal(numbers_of(question))}"
        cells += [_code("solver", _part("solver.py")), _code("plan", plan), _code("count", _part("histories.txt"))]
    cells += [_markdown("check-text", _part("check.md")), _code("check", _part("check.txt"))]
    return msgspec.json.encode(
        {
            "cells": cells,
            "metadata": {
                "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
                "language_info": {"name": "python"},
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )


def filename(project_id: str) -> str:
    """Nothing of the funnel's own texts: they may hold any character."""
    return f"funnel-receipt-{project_id}.ipynb"


def _columns_of(sql: str) -> list[str]:
    words = set(re.findall(r"[a-z_]+", sql))
    return [name for name in COLUMNS if name in _ALWAYS or name in words]


def _carried(
    engine: DuckEngine, snapshot: Snapshot, question: Question, used: Sequence[str], cancellation: Cancellation | None
) -> tuple[str, str]:
    """(the events that are in no file, the identity edges that matter), each as text."""
    span = question.span
    read = replace(snapshot.between(span.read_from_us, span.read_to_us), is_named=True)
    values = {"read_from_us": span.read_from_us, "read_to_us": span.read_to_us}
    edges: str | None = ""
    with engine.reading(read, cancellation) as reading:
        reading.make(views_sql(read, [str(file.absolute()) for file in read.files]))
        batches = reading.batches(sql_text("carried_tail", columns=", ".join(used)), values, BATCH_ROWS)
        tail = parquet_text(batches, rows_of_events(used, EVENT_SCHEMA), chars_max=INLINE_CHARS_MAX)
        if tail is not None and read.identities is not None:
            batches = reading.batches(sql_text("carried_edges"), values, BATCH_ROWS)
            edges = parquet_text(batches, IDENTITY_SCHEMA, chars_max=INLINE_CHARS_MAX)
    if tail is None:
        raise QueryBusy(
            f"{read.tail.num_rows} events are in no file yet, too many for a notebook; ask again when they are",
            retry_after_s=FLUSHED_SOON_S,
        )
    if edges is None:
        raise IafaError(
            "the range has too many identity edges for a notebook; use `iafa sql`, or ask for a shorter range",
            code="invalid_query",
        )
    return tail, edges


def _constants(
    snapshot: Snapshot, question: Question, answer: Mapping[str, Any], used: Sequence[str]
) -> dict[str, object]:
    span, receipt = question.span, answer["receipt"]
    read = snapshot.between(span.read_from_us, span.read_to_us)
    expected: dict[str, object] = {
        "users": [stage["users"] for stage in answer["stages"]],
        "users_max": [stage["users_max"] for stage in answer["stages"]],
        "people_total": answer["people_total"],
        "open": answer["open"],
    }
    for name in ("stages_filled", "optional_stages"):
        if name in answer:
            expected[name] = [stage["users"] for stage in answer[name]]
    if "dropped_by_exclusion" in answer:
        expected["dropped_by_exclusion"] = answer["dropped_by_exclusion"]
    return {
        "DEFINITION": to_dict(question.definition),
        "EXPECTED": expected,
        "RECEIPT": {
            name: receipt[name]
            for name in ("range", "identity_as_of", "semantics", "semantics_version", "engine_version", "iafa_version")
        }
        | {"data_version": answer["data_version"], "as_of": answer["as_of"], "date_range": answer["date_range"]},
        "PROJECT": folder_of(snapshot),
        "FILES": relative_files(read),
        "COLUMNS": list(used),
        "READ_FROM_US": span.read_from_us,
        "READ_TO_US": span.read_to_us,
        "EVENTS_IN_SPAN": receipt["events_in_span"],
        "LAST_RECEIVED_US": max((file.last_received_us for file in snapshot.entries or ()), default=0),
    }


def _part(name: str) -> str:
    """A cell that is the same in every notebook."""
    folder = files("iafa.query.receipts")
    return (folder if name == "solver.py" else folder.joinpath("cells")).joinpath(name).read_text(encoding="utf-8")


def _literal(value: object) -> str:
    return pformat(value, width=_LINE_CHARS, sort_dicts=False)


def _lines(text: str) -> str:
    """A text of many lines as code that stays readable."""
    lines = "".join(f"    {line!r},\n" for line in text.split("\n"))
    return f'"\\n".join([\n{lines}])'


def _wrapped(text: str) -> str:
    pieces = [text[start : start + _LINE_CHARS] for start in range(0, len(text), _LINE_CHARS)]
    return '""' if not pieces else "(\n" + "".join(f"    {piece!r}\n" for piece in pieces) + ")"


def _code(name: str, source: str) -> dict[str, object]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": {},
        "outputs": [],
        "source": source.rstrip("\n").splitlines(keepends=True),
    }


def _markdown(name: str, source: str) -> dict[str, object]:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": source.splitlines(keepends=True)}
