"""Who dropped off at a stage of a funnel, and with which event they filled it: where paths after a drop-off begin."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from iafa.errors import FieldError, ValidationFailed
from iafa.lake.snapshot import Snapshot
from iafa.query.definition import FunnelDefinition, to_dict
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import Reading
from iafa.query.field_errors import FieldErrors
from iafa.query.field_reading import read_number
from iafa.query.paths.reading import Span
from iafa.query.paths.solving import Wanted, solve_paths
from iafa.query.question import Extras, question_of
from iafa.query.reports.frame import Frame, FrameReader

_AT = "/after_drop"


@dataclass(frozen=True)
class AfterDrop:
    """People whose reported path ends with the stage."""

    definition: FunnelDefinition
    stage: int

    def key(self) -> object:
        return [to_dict(self.definition), self.stage]

    def shown(self) -> dict[str, Any]:
        return {"funnel": self.definition.name, "stage": self.stage}

    def span(self, frame: Frame) -> tuple[int, int]:
        """The range, and the window of the funnel after it."""
        span = self._span(frame)
        return min(frame.from_us, span.read_from_us), max(frame.to_us, span.read_to_us)

    def anchors(self, reading: Reading, snapshot: Snapshot, frame: Frame) -> pa.Table:
        """The ids of the events, one for each person."""
        found = []
        for solved in solve_paths(
            reading,
            snapshot,
            self.definition,
            frame.time_range,
            span=self._span(frame),
            session_gap_s=frame.setting.session_gap_s,
            wanted=Wanted.EVENTS,
        ):
            stopped = np.flatnonzero(solved.paths.reached == self.stage)
            found.append(solved.chunk.ids.take(pa.array(solved.paths.rows[stopped, self.stage - 1])).cast(pa.string()))
        return pa.table({"id": pa.chunked_array(found, type=pa.string())})

    def _span(self, frame: Frame) -> Span:
        as_of_us = frame.as_of_us if frame.is_as_of_given else None
        definition = msgspec.structs.replace(self.definition, as_of_us=as_of_us)
        return question_of(definition, frame.time_range, frame.setting.now_us, Extras()).span


def after_drop_of(reader: FrameReader) -> AfterDrop | None:
    """`{"funnel": definition, "stage": 2}`; wrong fields are added to the reader's."""
    errors = reader.errors
    raw = reader.fields.get("after_drop")
    fields = None if raw is None else errors.mapping(raw, _AT)
    if fields is None:
        return None
    errors.unknown(fields, _AT, {"funnel", "stage"})
    definition = _funnel(fields, errors)
    if definition is None:
        return None
    stage = read_number(fields.get("stage"), f"{_AT}/stage", 1, max(1, len(definition.required) - 1), errors)
    if len(definition.required) < 2:
        errors.add(f"{_AT}/funnel/stages", "too_short", "nobody drops off a single stage")
    for field, value, known in (
        ("unit", definition.unit, "user"),
        ("order", "unordered" if definition.order == "unordered" else "ordered", "ordered"),
        ("count", definition.count, "unique"),
        ("hold", list(definition.hold), []),
        ("as_of", definition.as_of_us, None),
    ):
        if value != known:
            errors.add(f"{_AT}/funnel/{field}", "conflicting_fields", "paths follow people of an ordered funnel")
    return AfterDrop(definition, stage)


def _funnel(fields: Mapping[str, object], errors: FieldErrors) -> FunnelDefinition | None:
    funnel = fields.get("funnel")
    if not isinstance(funnel, Mapping):
        errors.add(f"{_AT}/funnel", "missing" if funnel is None else "wrong_type", "must be a funnel's definition")
        return None
    try:
        return parse_definition(funnel)
    except ValidationFailed as failed:
        found: list[FieldError] = list(failed.errors)
        for error in found:
            errors.add(f"{_AT}/funnel{error.pointer}", error.code, error.message)
        return None
