"""The receipt of a number: the SQL with its values, the files with their rows, and what was not counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from iafa import __version__
from iafa.clock import US_PER_S, to_iso
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text, with_values
from iafa.query.definition import SEMANTICS, SEMANTICS_VERSION
from iafa.query.engine_duckdb import ENGINE_VERSION, Reading
from iafa.query.question import Question
from iafa.query.source import stored_events_sql, views_sql
from iafa.query.time_range import TIME_END_US, TimeRange

AT_THE_DOOR = "repeats that the server knew at once are not in it; /metrics counts them"
NOT_COMPARED = "repeated events are left out without comparing their contents"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Asked:
    """What a receipt says of a question: its range, what was read for it, and its instant."""

    time_range: TimeRange
    read_from_us: int
    read_to_us: int
    as_of_us: int
    is_as_of_given: bool


def asked_of(question: Question) -> Asked:
    span = question.span
    given = question.definition.as_of_us is not None
    return Asked(question.time_range, span.read_from_us, span.read_to_us, question.as_of_us, given)


def receipt_of(
    reading: Reading, snapshot: Snapshot, question: Asked, *, method: str, is_counted: bool, now_us: int
) -> dict[str, object]:
    """Of the question that was just asked. Its statements read the views `events` and `raw_events`."""
    sql = script_of(reading.statements) if method != "report" else _script_of_all(reading.statements)
    counts = _counts(reading, snapshot, question)
    files = relative_files(snapshot)
    edges = 0 if snapshot.identities is None else snapshot.identities.num_rows
    stands_alone = is_counted and not snapshot.tail.num_rows and not edges and bool(files) and not snapshot.erased
    asked = question.time_range
    return {
        "method": method,
        "sql": sql,
        "setup": _script(views_sql(snapshot, files, has_tail=bool(snapshot.tail.num_rows))),
        "stands_alone": stands_alone,
        "range": {
            "from": _instant(asked.from_us, snapshot),
            "to": _instant(asked.to_us, snapshot),
            "read_from": _instant(question.read_from_us, snapshot),
            "read_to": _instant(question.read_to_us, snapshot),
        },
        "files": _files(snapshot, files),
        "tail_rows": snapshot.tail.num_rows,
        "rows_read": snapshot.rows,
        **counts,
        **not_stored(snapshot, asked.from_us, asked.to_us, now_us),
        "as_of": to_iso(question.as_of_us),
        "identity_as_of": to_iso(question.as_of_us) if question.is_as_of_given else None,
        "identity_files": [f"{folder_of(snapshot)}/{path}" for path in snapshot.identity_files],
        "identity_edges": edges,
        "semantics": SEMANTICS,
        "semantics_version": SEMANTICS_VERSION,
        "engine": "duckdb",
        "engine_version": ENGINE_VERSION,
        "iafa_version": __version__,
    }


def script_of(statements: Sequence[tuple[str, Mapping[str, object]]]) -> str:
    """What makes tables, and the last statement: it gives the numbers."""
    kept = [
        with_values(text, values)
        for place, (text, values) in enumerate(statements)
        if place == len(statements) - 1 or "\ncreate " in text
    ]
    return _script(kept)


def _script_of_all(statements: Sequence[tuple[str, Mapping[str, object]]]) -> str:
    """A report's numbers may come from several statements."""
    return _script([with_values(text, values) for text, values in statements])


def folder_of(snapshot: Snapshot) -> str:
    """The project's folder from the data directory: the only one whose files a receipt names."""
    return f"{snapshot.directory.parent.name}/{snapshot.directory.name}"


def relative_files(snapshot: Snapshot) -> list[str]:
    return [f"{folder_of(snapshot)}/{file.relative_to(snapshot.directory).as_posix()}" for file in snapshot.files]


def _script(statements: Sequence[str]) -> str:
    return "".join(f"{statement.rstrip()};\n" for statement in statements)


def _instant(time_us: int, snapshot: Snapshot) -> str | None:
    """None for a side that is open."""
    return to_iso(time_us) if 0 <= time_us < TIME_END_US else None


def _files(snapshot: Snapshot, paths: Sequence[str]) -> list[dict[str, object]]:
    if snapshot.entries is None:
        return [{"path": path} for path in paths]
    return [
        {"path": path, "rows": file.rows, "bytes": file.bytes, "xxh64": file.xxh64}
        for path, file in zip(paths, snapshot.entries, strict=True)
    ]


def _counts(reading: Reading, snapshot: Snapshot, question: Asked) -> dict[str, object]:
    asked = question.time_range
    parameters = Parameters(
        read_from_us=question.read_from_us,
        read_to_us=question.read_to_us,
        from_us=asked.from_us,
        to_us=asked.to_us,
        as_of_us=question.as_of_us,
    )
    text = sql_text(
        "receipt_counts",
        events=stored_events_sql(replace(snapshot, is_named=True), {"created_at", "received_at", "is_bot"}, parameters),
        is_in_range="created_at >= make_timestamptz($from_us) and created_at < make_timestamptz($to_us)",
    )
    ((all_, in_range, bots, late, ahead),) = reading.rows(text, parameters.values)
    return {
        "events_in_span": all_,
        "events_in_range": in_range,
        "bots": bots,
        "late_events": late,
        "events_after_as_of": ahead,
    }


def not_stored(snapshot: Snapshot, from_us: int, to_us: int, now_us: int) -> dict[str, object]:
    """Refused and repeated events of the range. `is_exact` is false where there may have been more, and says why."""
    unknown = "the data has no record of it"
    known = snapshot.dropped
    members: dict[str, object] = {"conflicting_ids": {"count": None, "is_exact": False, "reason": NOT_COMPARED}}
    if known is None:
        nothing = {"count": None, "is_exact": False, "reason": unknown}
        return members | {"rejected": {**nothing, "by_code": {}}, "duplicates": nothing}
    from_us, to_us = max(from_us, 0), min(to_us, now_us + 1)
    refused = known.refused.between(from_us, max(from_us, to_us), now_us)
    rejected = {
        "count": sum(refused.by_code.values()),
        "is_exact": refused.incomplete is None,
        "reason": refused.incomplete,
        "by_code": refused.by_code,
    }
    return members | {"rejected": rejected, "duplicates": _duplicates(snapshot, from_us, to_us)}


def _duplicates(snapshot: Snapshot, from_us: int, to_us: int) -> dict[str, object]:
    """By UTC days of the events' own time: those that the range touches."""
    assert snapshot.dropped is not None
    if to_us <= from_us:
        first = last = ""
    else:
        first, last = (_utc_day(us) for us in (from_us, to_us - 1))
    found = sum(count for day, count in snapshot.dropped.repeats.items() if first <= day <= last)
    since_us = snapshot.dropped.repeats_since_us
    reason = AT_THE_DOOR if not since_us else f"counted since {to_iso(since_us)}; {AT_THE_DOOR}"
    return {"count": found, "is_exact": False, "reason": reason, "first_day": first or None, "last_day": last or None}


def _utc_day(time_us: int) -> str:
    return (_EPOCH + timedelta(seconds=time_us // US_PER_S)).date().isoformat()
