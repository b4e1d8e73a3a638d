"""Why people stop: what goes with reaching the next stage or not, with its size, its interval and a corrected test."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from iafa.clock import US_PER_S, to_iso
from iafa.errors import FieldError, ValidationFailed
from iafa.event import NAME_CHARS_MAX
from iafa.lake.snapshot import Snapshot
from iafa.query.cancellation import Cancellation
from iafa.query.contingency import Verdict, judge
from iafa.query.definition import SEMANTICS, SEMANTICS_VERSION, FunnelDefinition
from iafa.query.driver_factors import Candidate, Factor, FactorReader, Factors, Landmark, LeftOut
from iafa.query.driver_people import PeopleOfStage
from iafa.query.engine_duckdb import DuckEngine, Reading
from iafa.query.funnel_members import stage_names
from iafa.query.paths.plan import Int64s
from iafa.query.question import Question
from iafa.query.rates import percent
from iafa.query.significance import LEVEL, Sample
from iafa.query.time_range import TIME_END_US, TIME_MIN_US

LOOKBACK_S = 604_800
LANDMARK_S = 300
SECONDS_MAX = 31_536_000
SHOWN = 50
SHOWN_MAX = 500
FACTORS_MAX = 500  # that are tested
LEFT_OUT_MAX = 200  # that are named
_WINDOWS_OF_A_LANDMARK = 10


@dataclass(frozen=True)
class DriversQuestion:
    """`stage` is where the step begins: from it to the next one. None: where most people are lost."""

    question: Question
    stage: int | None = None
    lookback_s: int = LOOKBACK_S
    landmark_s: int | None = None
    include_open: bool = False
    limit: int = SHOWN

    @property
    def landmark_seconds(self) -> int:
        """Five minutes if nothing is said, or a tenth of a shorter window."""
        if self.landmark_s is not None:
            return self.landmark_s
        window_s = self.question.definition.window_seconds
        return LANDMARK_S if window_s is None else min(LANDMARK_S, window_s // _WINDOWS_OF_A_LANDMARK)

    def key(self) -> bytes:
        """Equal for questions that have equal answers over equal data."""
        own = [self.stage, self.lookback_s, self.landmark_s, self.include_open, self.limit]
        return msgspec.json.encode(["drivers", own]) + self.question.key()


def check_drivers(asked: DriversQuestion) -> None:
    """Raises ValidationFailed for a step that the funnel does not have, and for units that the tests cannot take."""
    definition = asked.question.definition
    steps = len(definition.required)
    if steps == 1:
        raise _refused("/stages", "too_few", "a funnel of one stage has no step to explain")
    if asked.stage is not None and not 1 <= asked.stage < steps:
        message = f"must be a stage that another one follows, 1 to {steps - 1}; optional ones are not counted"
        raise _refused("/stage", "number_out_of_range", message)
    message = "the tests need everybody once; use unit: user, count: unique and no hold"
    if definition.count == "totals":
        raise _refused("/count", "conflicting_fields", message)
    if definition.unit == "session":
        raise _refused("/unit", "conflicting_fields", message)
    if definition.hold:
        raise _refused("/hold", "conflicting_fields", message)
    if asked.include_open and definition.mature_only:
        raise _refused("/include_open", "conflicting_fields", "the definition says mature_only")
    window_s = definition.window_seconds
    if asked.landmark_s and window_s is not None and asked.landmark_s >= window_s:
        raise _refused("/landmark_seconds", "number_out_of_range", "must be shorter than the window")


def drivers(
    engine: DuckEngine,
    snapshot: Snapshot,
    asked: DriversQuestion,
    *,
    funnel_id: str | None = None,
    cancellation: Cancellation | None = None,
) -> dict[str, object]:
    """The answer, ready for JSON. Blocks: call it in a thread."""
    check_drivers(asked)
    began_s = engine.clock.monotonic_s()
    question = asked.question
    definition, time_range = question.definition, question.time_range
    read = _read(snapshot, asked)
    with engine.reading(read, cancellation) as reading:
        members = _Comparison(reading, read, asked).members()
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
        "rows_read": read.rows,
        "elapsed_ms": round((engine.clock.monotonic_s() - began_s) * 1000, 1),
    }


def _read(snapshot: Snapshot, asked: DriversQuestion) -> Snapshot:
    """The files of the funnel, and of what came before and after it."""
    span = asked.question.span
    before_us = (asked.lookback_s + asked.question.definition.grace_seconds) * US_PER_S
    after_us = asked.landmark_seconds * US_PER_S + 1
    return snapshot.between(
        max(TIME_MIN_US, span.read_from_us - before_us), min(TIME_END_US, span.read_to_us + after_us)
    )


class _Comparison:
    def __init__(self, reading: Reading, snapshot: Snapshot, asked: DriversQuestion) -> None:
        self._reading = reading
        self._snapshot = snapshot
        self._asked = asked
        self._of_stage = PeopleOfStage(snapshot, asked.question, include_open=asked.include_open)

    def members(self) -> dict[str, object]:
        asked, question = self._asked, self._asked.question
        stage = asked.stage or _biggest_loss(self._of_stage.reached(self._reading))
        people = self._of_stage.find(self._reading, stage)
        landmark = Landmark.of(people, asked.landmark_seconds, question.as_of_us)
        reader = FactorReader(self._reading, self._snapshot, question, people)
        of_properties = reader.properties(is_first_stage=stage == 1)
        of_events = reader.events(stage, landmark, lookback_s=asked.lookback_s)
        found = Factors(of_properties.candidates + of_events.candidates, of_properties.left_out + of_events.left_out)
        tested, left_out, too_small = chosen(found)
        self._reading.check_time()
        verdicts = judge([one.table for one in tested])
        step = {**_step(question.definition, stage), **_shown_sample(reader.whole)}
        return {
            "step": step | {"open": people.open, "left_out_open": people.left_out_open},
            "lookback_seconds": asked.lookback_s,
            "landmark": {"seconds": landmark.seconds, **_shown_sample(landmark.whole.sample)},
            "drivers": _ranked(tested, verdicts)[: asked.limit],
            "findings": sum(verdict.is_significant for verdict in verdicts),
            "factors_tested": len(tested),
            "factors_too_small": too_small,
            "factors_left_out": sum(one.count for one in left_out),
            "left_out": [_shown_left_out(one) for one in left_out[:LEFT_OUT_MAX]],
            "correction": "holm",
            "level": LEVEL,
        }


def chosen(factors: Factors) -> tuple[list[Candidate], list[LeftOut], int]:
    """What is tested, what is left out, and how many tables are too small. Looks at nobody's outcome but as a sum."""
    testable = [one for one in factors.candidates if one.table.is_testable]
    too_small = len(factors.candidates) - len(testable)
    left_out = list(factors.left_out)
    seen: set[tuple[str, int]] = set()
    distinct = []
    for one in testable:
        if one.people in seen:
            left_out.append(LeftOut(one.factor.at, one.factor.name, "same_people"))
        else:
            distinct.append(one)
        seen.add(one.people)
    distinct.sort(key=lambda one: -min(one.table.with_it.entered, one.table.without.entered))
    left_out += [LeftOut(one.factor.at, one.factor.name, "over_the_limit") for one in distinct[FACTORS_MAX:]]
    return distinct[:FACTORS_MAX], left_out, too_small


def _biggest_loss(reached: Int64s) -> int:
    """The stage after which most people are lost; of equal ones the first."""
    return int((reached[:-1] - reached[1:]).argmax()) + 1


def _ranked(tested: Sequence[Candidate], verdicts: Sequence[Verdict]) -> list[dict[str, object]]:
    """Findings first, the strongest of them first: by the end of the interval that is nearer to no difference."""
    pairs = sorted(
        zip(tested, verdicts, strict=True),
        key=lambda pair: (not pair[1].is_significant, -pair[1].strength, pair[1].p_value),
    )
    return [_shown(one, verdict) for one, verdict in pairs]


def _shown(one: Candidate, verdict: Verdict) -> dict[str, object]:
    factor = one.factor
    is_event = factor.op == "did"
    return {
        "kind": "event" if is_event else "property",
        "at": factor.at,
        "name": factor.name,
        "op": factor.op,
        "value": factor.value,
        "filter": None if is_event else _filter_of(factor),
        "with_it": _shown_sample(one.table.with_it),
        "without": _shown_sample(one.table.without),
        "difference": round(100 * verdict.difference, 2) + 0.0,
        "interval": [round(100 * end, 2) + 0.0 for end in verdict.interval],
        "odds_ratio": _short(verdict.odds_ratio),
        "odds_interval": [_short(end) for end in verdict.odds_interval],
        "p_value": _short(verdict.p_value),
        "p_corrected": _short(verdict.p_corrected),
        "is_significant": verdict.is_significant,
    }


def _filter_of(factor: Factor) -> dict[str, object] | None:
    """The same condition as a stage takes it; None where the name is none that a filter may have."""
    if not factor.name or len(factor.name) > NAME_CHARS_MAX:
        return None
    condition: dict[str, object] = {"property": factor.property, "op": factor.op}
    return condition if factor.op == "exists" else condition | {"value": factor.value}


def _shown_sample(sample: Sample) -> dict[str, object]:
    rate = percent(sample.converted, sample.entered)
    return {"people": sample.entered, "converted": sample.converted, "conversion_rate": rate}


def _shown_left_out(one: LeftOut) -> dict[str, object]:
    return {"at": one.at, "name": one.name, "reason": one.reason, "count": one.count}


def _step(definition: FunnelDefinition, stage: int) -> dict[str, object]:
    names = stage_names(definition)
    return {
        "from_order": stage,
        "from_name": names[stage - 1],
        "to_order": stage + 1,
        "to_name": names[stage],
    }


def _short(number: float) -> float:
    """Four digits that count: odds and p-values span many magnitudes."""
    return float(f"{number:.4g}")


def _refused(pointer: str, code: str, message: str) -> ValidationFailed:
    return ValidationFailed(
        "the question is not valid", errors=[FieldError(pointer, code, message)], code="invalid_query"
    )
