"""Whether the events of a funnel or a report are a sample, and of which kind: a path is whole only if people were
sampled as a whole.

A stored event says its rate and not by what it was chosen. So a sample counts as one of people only where nothing
speaks against it: all events that are looked at have one rate, and no rule that chooses single events was there.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.definition import FunnelDefinition
from iafa.query.engine_duckdb import Reading
from iafa.query.files_with import FilesWith
from iafa.query.paths.reading import Span, identified_sql
from iafa.query.question import Question
from iafa.query.stages import relevant_sql, stage_columns, with_properties

BY_USER, BIASED = "by_user", "biased"
Rates = tuple[float | None, float | None]  # the smallest and the largest; None: there are no events
_FILES = FilesWith("sampled_files")


def sampling_of(reading: Reading, snapshot: Snapshot, question: Question) -> dict[str, object]:
    """The members `sampling` and `smallest_sample_rate`, of a snapshot of the question's span."""
    definition, span = question.definition, question.span
    may_be_whole = max(span.read_from_us, 0) >= question.extras.sampled_singly_until_us
    return _sampling(reading, snapshot, lambda read: _rates(reading, read, definition, span), may_be_whole)


def sampling_of_events(
    reading: Reading,
    snapshot: Snapshot,
    events: Callable[[Snapshot, Parameters], str],
    *,
    from_us: int,
    sampled_singly_until_us: int,
) -> dict[str, object]:
    """The same of events from an instant on; `events` gives them as SQL with their `sample_rate`. A receipt does not
    show what is asked for this."""

    def rates(read: Snapshot) -> Rates:
        parameters = Parameters()
        text = sql_text("sampled_rates", events=events(replace(read, is_named=False, identities=None), parameters))
        return _least_and_most(reading, text, parameters.values)

    shown = len(reading.statements)
    found = _sampling(reading, snapshot, rates, max(from_us, 0) >= sampled_singly_until_us)
    del reading.statements[shown:]
    return found


def _sampling(
    reading: Reading, snapshot: Snapshot, rates: Callable[[Snapshot], Rates], may_be_whole: bool
) -> dict[str, object]:
    files = _FILES.among(reading, snapshot)
    if not files and not _is_in_tail(reading, snapshot):
        return _members(None, None)
    # The others hold whole days at the rate 1: that matters where one rate of all would make the sample a sound one.
    read = snapshot if may_be_whole else replace(snapshot, files=files)
    least, most = rates(read)
    if least is None or most is None or least >= 1:
        return _members(None, None)
    return _members(BY_USER if may_be_whole and least == most else BIASED, least)


def _members(sampling: str | None, rate: float | None) -> dict[str, object]:
    return {"sampling": sampling, "smallest_sample_rate": rate}


def _is_in_tail(reading: Reading, snapshot: Snapshot) -> bool:
    if not snapshot.tail.num_rows:
        return False
    ((count,),) = reading.rows(sql_text("sampled_tail"), {})
    return count != 0


def _rates(reading: Reading, snapshot: Snapshot, definition: FunnelDefinition, span: Span) -> Rates:
    """Of the events that the stages look at."""
    parameters = Parameters(read_from_us=span.read_from_us, read_to_us=span.read_to_us)
    columns = stage_columns(definition) | {"sample_rate"}
    text = sql_text(
        "sampled_events",
        identified=identified_sql(snapshot, definition, columns, parameters),
        with_properties=with_properties("select * from identified", definition, columns, parameters, of_all=True),
        is_relevant=relevant_sql(definition, parameters),
    )
    return _least_and_most(reading, text, parameters.values)


def _least_and_most(reading: Reading, text: str, values: Mapping[str, object]) -> Rates:
    ((least, most),) = reading.rows(text, values)
    return (None, None) if least is None or most is None else (float(str(least)), float(str(most)))
