"""What a report is, and the asking of one: its members, the other period's beside them, the receipt."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

import msgspec

from iafa.clock import to_iso
from iafa.lake.snapshot import Snapshot
from iafa.query.cancellation import Cancellation
from iafa.query.definition import SEMANTICS, SEMANTICS_VERSION
from iafa.query.engine_duckdb import DuckEngine, Reading
from iafa.query.receipts.receipt import Asked, receipt_of
from iafa.query.reports.frame import Frame
from iafa.query.reports.session_rule import sessions_span
from iafa.query.source import views_sql

Table = tuple[Sequence[str], Sequence[Sequence[object]]]  # names of columns, rows


class Report(Protocol):
    """A frozen dataclass with a `frame`. `span` is which instants it reads, but for what the frame has `beside` it:
    other files are never opened.

    Before a frame that wants sessions is asked, its `sessions_span` is found; `span` must hold that too.
    """

    name: ClassVar[str]

    @property
    def frame(self) -> Frame: ...

    def with_frame(self, frame: Frame) -> "Report": ...

    def span(self) -> tuple[int, int]: ...

    def key(self) -> object:
        """The report's own options, ready for JSON; the frame has a key of its own."""

    def members(self, reading: Reading, snapshot: Snapshot) -> dict[str, Any]:
        """The answer's own members. Blocks."""

    def table(self, answer: Mapping[str, Any]) -> Table:
        """The numbers of one period as a flat table."""


AnyReport = TypeVar("AnyReport", bound=Report)


def file_table(report: Report, answer: Mapping[str, Any]) -> Table:
    """The answer as one flat table, for files. The other period stands below; a first column tells the two apart."""
    columns, rows = report.table(answer)
    if "compare" not in answer:
        return columns, rows
    _columns, compared = report.table(answer["compare"])
    return ["range", *columns], [*(["asked", *row] for row in rows), *(["compare", *row] for row in compared)]


@runtime_checkable
class Growing(Protocol):
    """A report whose answer grows with its range."""

    def check_length(self, snapshot: Snapshot) -> None:
        """ValidationFailed where the answer would be longer than one may be. No event is read."""


def check_length(report: Report, snapshot: Snapshot) -> None:
    """Of the range, and of the one to compare with."""
    other = report.frame.of_other_period()
    for one in (report, *([] if other is None else [report.with_frame(other)])):
        if isinstance(one, Growing):
            one.check_length(snapshot)


def report_key(report: Report) -> bytes:
    return msgspec.json.encode([report.name, report.frame.key(), report.key()])


def report_answer(
    engine: DuckEngine, snapshot: Snapshot, report: Report, *, cancellation: Cancellation | None = None
) -> dict[str, Any]:
    """The answer, ready for JSON. Blocks: call it in a thread."""
    began_s = engine.clock.monotonic_s()
    cancellation = cancellation or Cancellation()
    frame = report.frame
    other = frame.of_other_period()
    members, rows_read = _asked(engine, snapshot, report, cancellation)
    if other is not None:
        compared, other_rows = _asked(engine, snapshot, report.with_frame(other), cancellation)
        shown = other.time_range.shown(snapshot.first_us, snapshot.last_us)
        members["compare"] = {"date_range": shown, **compared}
        rows_read += other_rows
    return {
        "report": report.name,
        "project_id": snapshot.project_id,
        "date_range": frame.time_range.shown(snapshot.first_us, snapshot.last_us),
        **members,
        "timezone": frame.time_range.timezone,
        "semantics": SEMANTICS,
        "semantics_version": SEMANTICS_VERSION,
        "data_version": snapshot.data_version,
        "as_of": to_iso(frame.as_of_us),
        "rows_read": rows_read,
        "elapsed_ms": round((engine.clock.monotonic_s() - began_s) * 1000, 1),
    }


def _asked(
    engine: DuckEngine, snapshot: Snapshot, report: Report, cancellation: Cancellation
) -> tuple[dict[str, Any], int]:
    """The members, and the rows of the files that were opened and of the tail."""
    frame = report.frame
    if frame.wants_sessions:
        frame = replace(frame, sessions_span=sessions_span(engine, snapshot, frame, cancellation))
        report = report.with_frame(frame)
    from_us, to_us = report.span()
    read = snapshot.between(from_us, to_us, frame.beside)
    wants_receipt = "receipt" in frame.include
    if wants_receipt:
        read = replace(read, is_named=True)
    with engine.reading(read, cancellation) as reading:
        if wants_receipt:
            reading.make(views_sql(read, [str(file.absolute()) for file in read.files]))
        members = report.members(reading, read)
        if wants_receipt:
            asked = Asked(frame.time_range, from_us, to_us, frame.as_of_us, frame.is_as_of_given)
            now_us = engine.clock.now_us()
            members["receipt"] = receipt_of(reading, read, asked, method="report", is_counted=True, now_us=now_us)
    return members, read.rows
