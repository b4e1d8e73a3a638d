"""Whom drivers compare: the people who got as far as a stage, when, and which of them reached the next one."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from iafa.errors import FieldError, ValidationFailed
from iafa.lake.snapshot import Snapshot
from iafa.query.engine_duckdb import Reading
from iafa.query.paths.moments import Moments, moments
from iafa.query.paths.plan import NO_LIMIT_US, Int32s, Int64s, Plan, last_entries
from iafa.query.paths.reading import Chunk, entry_bits, read_histories
from iafa.query.paths.solving import paths_of, window_us
from iafa.query.question import Question

PEOPLE_MAX = 2_000_000  # 100 bytes each are held
NEVER_US = NO_LIMIT_US
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class DriverPeople:
    """One row a person. `next_us` is their first moment at the next stage, NEVER_US if they never got there."""

    entities: Int64s
    at_us: Int64s
    next_us: Int64s
    converted: Flags
    entry_us: Int64s
    stage_us: Int64s
    entry_ids: pa.Array
    stage_ids: pa.Array
    weights: npt.NDArray[np.uint64]  # groups of people whose weights have the same exclusive-or are the same people
    open: int = 0  # of these, who may still convert
    left_out_open: int = 0  # who got to the stage too, but is not given the whole window yet

    def __len__(self) -> int:
        return len(self.entities)


class PeopleOfStage:
    """Finds them chunk by chunk, within one reading."""

    def __init__(self, snapshot: Snapshot, question: Question, *, include_open: bool) -> None:
        self._snapshot = snapshot
        self._question = question
        self._mature = question.plan._replace(to_us=_mature_to_us(question, include_open=include_open))

    def reached(self, reading: Reading) -> Int64s:
        """By stage, how many reached it."""
        counts = np.zeros(self._mature.steps + 1, dtype=np.int64)
        for chunk in self._chunks(reading):
            counts += np.bincount(self._reached(reading, self._mature, chunk), minlength=len(counts))
        reached: Int64s = counts[::-1].cumsum()[::-1][1:]
        return reached

    def find(self, reading: Reading, stage: int) -> DriverPeople:
        """Raises ValidationFailed if they are too many to be compared."""
        parts: list[DriverPeople] = []
        left_out = 0
        for chunk in self._chunks(reading):
            reached = self._reached(reading, self._mature, chunk)
            if self._mature.to_us < self._question.plan.to_us:
                everybody = self._reached(reading, self._question.plan, chunk)
                left_out += int((everybody >= stage).sum() - (reached >= stage).sum())
            parts.append(self._part(reading, chunk, reached, stage))
            if sum(map(len, parts)) > PEOPLE_MAX:
                message = f"more than {PEOPLE_MAX} people reached the stage"
                raise ValidationFailed(
                    "ask for a shorter range",
                    errors=[FieldError("/start_date", "too_many", message)],
                    code="invalid_query",
                )
        return _joined(parts, left_out)

    def _chunks(self, reading: Reading) -> Iterator[Chunk]:
        question = self._question
        for chunk in read_histories(reading, self._snapshot, question.definition, question.span):
            reading.check_time()
            yield chunk

    def _reached(self, reading: Reading, plan: Plan, chunk: Chunk) -> Int32s:
        """By person; the paths of people without one have no row in some solvers."""
        paths = paths_of(self._question.definition, plan, chunk.histories, reading.check_time)
        reached = np.zeros(len(chunk.entities), dtype=np.int32)
        reached[paths.person] = paths.reached
        return reached

    def _part(self, reading: Reading, chunk: Chunk, reached: Int32s, stage: int) -> DriverPeople:
        there, beyond = self._moments(reading, chunk, stage), self._moments(reading, chunk, stage + 1)
        is_counted = reached[there.person] >= stage
        there = Moments(*(each[is_counted] for each in there))
        next_us = np.full(len(chunk.entities), NEVER_US, dtype=np.int64)
        next_us[beyond.person] = beyond.at_us
        converted = reached[there.person] > stage
        entries = last_entries(self._mature, chunk.histories, bits=entry_bits(self._question.definition))
        is_open = ~converted & (entries[there.person] >= self._question.open_from_us)
        times = chunk.histories.time_us
        return DriverPeople(
            entities=chunk.entities[there.person],
            at_us=there.at_us,
            next_us=next_us[there.person],
            converted=converted,
            entry_us=times[there.entry_rows],
            stage_us=times[there.stage_rows],
            entry_ids=chunk.ids.take(pa.array(there.entry_rows)),
            stage_ids=chunk.ids.take(pa.array(there.stage_rows)),
            weights=np.zeros(0, dtype=np.uint64),
            open=int(is_open.sum()),
        )

    def _moments(self, reading: Reading, chunk: Chunk, level: int) -> Moments:
        return moments(self._question.definition, self._mature, chunk.histories, level, reading.check_time)


def _mature_to_us(question: Question, *, include_open: bool) -> int:
    """Until when people may enter so that everybody has had the whole window. Whoever is quick would count otherwise,
    and whoever is slow would not."""
    is_final = question.definition.window_seconds is None or question.open_from_us >= question.span.to_us
    if include_open or is_final:
        return question.span.to_us
    return min(question.span.to_us, max(question.span.from_us, question.as_of_us - window_us(question.definition)))


def _joined(parts: list[DriverPeople], left_out_open: int) -> DriverPeople:
    def numbers(name: str) -> Int64s:
        return np.concatenate([np.zeros(0, dtype=np.int64), *(getattr(part, name) for part in parts)])

    def texts(name: str) -> pa.Array:
        return pa.concat_arrays([pa.array([], pa.string()), *(getattr(part, name).cast(pa.string()) for part in parts)])

    return DriverPeople(
        entities=numbers("entities"),
        at_us=numbers("at_us"),
        next_us=numbers("next_us"),
        converted=numbers("converted").astype(np.bool_),
        entry_us=numbers("entry_us"),
        stage_us=numbers("stage_us"),
        entry_ids=texts("entry_ids"),
        stage_ids=texts("stage_ids"),
        weights=np.random.default_rng(0).integers(1, 1 << 63, size=sum(map(len, parts)), dtype=np.uint64),
        open=sum(part.open for part in parts),
        left_out_open=left_out_open,
    )
