"""The answer of a funnel, section 7 of the semantics: its counts, and what was asked for beside them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from iafa.clock import to_iso
from iafa.errors import FieldError, ValidationFailed
from iafa.lake.snapshot import Snapshot
from iafa.query.breakdown import GroupCounts, add_breakdown
from iafa.query.cancellation import Cancellation
from iafa.query.conversion_times import ConversionTimes
from iafa.query.definition import SEMANTICS, SEMANTICS_VERSION, FunnelDefinition
from iafa.query.engine_duckdb import DuckEngine, Reading
from iafa.query.fallback_people import fallback_people
from iafa.query.funnel_counts import is_plain, stage_counts
from iafa.query.funnel_members import (
    breakdown_of,
    comparison_of,
    counted_groups,
    counts_of,
    optional_stages_of,
    stages_filled_of,
    values_of,
)
from iafa.query.paths.solving import Wanted, solve_paths
from iafa.query.paths.warming import WARMING
from iafa.query.question import Extras, Question, question_of
from iafa.query.receipts.receipt import asked_of, receipt_of
from iafa.query.sampled_data import sampling_of
from iafa.query.source import views_sql
from iafa.query.tally import Tally
from iafa.query.time_range import TimeRange, previous_range
from iafa.query.trend import Trend

COMPARED = frozenset({"trend", "breakdown"})  # what of the answer the other period has, too


def funnel(
    engine: DuckEngine,
    snapshot: Snapshot,
    definition: FunnelDefinition,
    time_range: TimeRange,
    *,
    funnel_id: str | None = None,
    extras: Extras | None = None,
) -> dict[str, object]:
    """The answer, ready for JSON. Blocks: call it in a thread."""
    question = question_of(definition, time_range, engine.clock.now_us(), extras)
    return answer(engine, snapshot, question, funnel_id=funnel_id)


def answer(
    engine: DuckEngine,
    snapshot: Snapshot,
    question: Question,
    *,
    funnel_id: str | None = None,
    cancellation: Cancellation | None = None,
) -> dict[str, object]:
    """`users` are people (or what `unit` and `hold` make of them), `people_total` those who entered."""
    began_s = engine.clock.monotonic_s()
    cancellation = cancellation or Cancellation()
    definition, time_range = question.definition, question.time_range
    other = _other_period(question)
    members = _asked(engine, snapshot, question, cancellation)
    if other is not None:
        compared = _asked(engine, snapshot, other, cancellation, beside=members)
        shown = other.time_range.shown(snapshot.first_us, snapshot.last_us)
        members["compare"] = comparison_of(definition, shown, members, compared)
    return {
        "funnel_id": funnel_id,
        "name": definition.name,
        "date_range": time_range.shown(snapshot.first_us, snapshot.last_us),
        **members,
        "window_seconds": definition.window_seconds,
        "timezone": time_range.timezone,
        "semantics": SEMANTICS,
        "semantics_version": SEMANTICS_VERSION,
        "data_version": snapshot.data_version,
        "as_of": to_iso(question.as_of_us),
        "rows_read": _rows_read(snapshot, question, other),
        "elapsed_ms": round((engine.clock.monotonic_s() - began_s) * 1000, 1),
    }


def _other_period(question: Question) -> Question | None:
    """The question of the period to compare with: its counts, by time and by group where those are asked for."""
    if not question.wants("compare"):
        return None
    time_range = question.extras.compare_with or previous_range(question.time_range)
    if time_range is None:
        message = "needs start_date and end_date, or compare_start and compare_end"
        raise ValidationFailed(
            "the question is not valid",
            errors=[FieldError("/include", "conflicting_fields", message)],
            code="invalid_query",
        )
    include = question.extras.include & COMPARED
    return replace(question, time_range=time_range, extras=replace(question.extras, include=include, compare_with=None))


def _read(snapshot: Snapshot, question: Question) -> Snapshot:
    return snapshot.between(question.span.read_from_us, question.span.read_to_us)


def _rows_read(snapshot: Snapshot, question: Question, other: Question | None) -> int:
    """Of the files that were opened and of the tail. What the other period reads too counts once."""
    read = _read(snapshot, question)
    if other is None or read.entries is None:
        return read.rows
    own = {file.path for file in read.entries}
    return read.rows + sum(file.rows for file in _read(snapshot, other).entries or () if file.path not in own)


def _asked(
    engine: DuckEngine,
    snapshot: Snapshot,
    question: Question,
    cancellation: Cancellation | None,
    *,
    beside: Mapping[str, Any] | None = None,
) -> dict[str, object]:
    """`beside` are the members that these are compared with: their groups are the ones to count."""
    read = _read(snapshot, question)
    if question.wants("receipt"):
        read = replace(read, is_named=True)
    with engine.reading(read, cancellation) as reading:
        if read.is_named:
            reading.make(views_sql(read, [str(file.absolute()) for file in read.files]))
        is_countable = _is_countable(question) and (question.wants("receipt") or not WARMING.is_ready)
        # Before the counts: the last statement is what a receipt shows.
        by_fallback, sampling = fallback_people(reading, read, question), sampling_of(reading, read, question)
        members = _of_counts(reading, read, question) if is_countable else _of_paths(reading, read, question, beside)
        members["fallback_people"] = by_fallback
        members |= sampling
        if question.wants("receipt"):
            members["receipt"] = receipt_of(
                reading,
                read,
                asked_of(question),
                method="sql" if is_countable else "paths",
                is_counted=is_countable,
                now_us=engine.clock.now_us(),
            )
    return members


def _is_countable(question: Question) -> bool:
    """True if the plain counts are the whole answer."""
    is_cut = question.span.to_us != question.time_range.to_us
    return (
        is_plain(question.definition)
        and question.extras.include <= {"compare", "receipt"}
        and question.definition.as_of_us is None
        and not (is_cut and question.definition.range == "all_steps")
    )


def _of_counts(reading: Reading, snapshot: Snapshot, question: Question) -> dict[str, object]:
    time_range = replace(question.time_range, to_us=question.span.to_us)
    counts = stage_counts(reading, snapshot, question.definition, time_range, open_from_us=question.open_from_us)
    most = [reached + may for reached, may in zip(counts.reached, counts.open, strict=True)]
    return counts_of(question.definition, counts.reached, most, entered=counts.reached[0], open_=counts.open[-1])


def _wanted(question: Question) -> Wanted:
    """What the members asked for need of each path. A group is decided by an event, hence by ids."""
    if question.wants("breakdown") and question.definition.breakdown is not None:
        return Wanted.EVENTS
    if question.wants("receipt"):  # its notebook solves the same rows by the text of the semantics, ids included
        return Wanted.EVENTS
    return Wanted.TIMES if question.wants("times") else Wanted.LENGTHS


def _of_paths(
    reading: Reading, snapshot: Snapshot, question: Question, beside: Mapping[str, Any] | None
) -> dict[str, object]:
    definition, plan = question.definition, question.plan
    tally = Tally.empty(plan.steps, len(definition.stages) - plan.steps)
    times = ConversionTimes(plan.steps, is_ordered=definition.order != "unordered")
    trend = Trend(question, snapshot) if question.wants("trend") else None
    breakdown = definition.breakdown if question.wants("breakdown") else None
    groups = GroupCounts(plan.steps)
    for solved in solve_paths(
        reading,
        snapshot,
        definition,
        question.time_range,
        span=question.span,
        session_gap_s=question.extras.session_gap_s,
        properties=[] if breakdown is None else [breakdown.property],
        wanted=_wanted(question),
    ):
        tally.add(solved, definition, plan, question.open_from_us)
        if question.wants("times"):
            times.add(solved)
        if breakdown is not None:
            add_breakdown(groups, solved, question, reading.check_time)
        if trend is not None:
            trend.add(solved.chunk.histories, reading.check_time)
    members = counts_of(definition, tally.reached.tolist(), tally.users_max(), entered=tally.entered, open_=tally.open)
    if definition.exclusions and definition.exclusion_mode == "drop":
        members["dropped_by_exclusion"] = tally.dropped_by_exclusion
    if definition.order == "unordered":
        members["stages_filled"] = stages_filled_of(definition, tally)
    if len(tally.optional):
        members["optional_stages"] = optional_stages_of(definition, tally)
    if question.wants("times"):
        members["times"] = times.answer(definition.window_seconds)
    if trend is not None:
        members["trend"] = trend.answer()
    if breakdown is not None:
        if beside is None:
            members["breakdown"] = breakdown_of(definition, breakdown, groups.groups(breakdown.limit))
        else:
            members["breakdown"] = counted_groups(definition, breakdown, groups.groups_named(values_of(beside)))
    return members
