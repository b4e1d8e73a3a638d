"""The moment at which a person had got as far as a stage, against every prefix of their history by brute force."""

import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from iafa.query.definition_reading import parse_definition
from iafa.query.paths.moments import moments
from iafa.query.paths.solving import paths_of, plan_of, span_of
from tests.support import paths_oracle
from tests.support.drivers_oracle import first_moment
from tests.support.paths_arrays import chunk_of
from tests.support.paths_cases import MODES, Case, random_case

CASES = 400
KINDS = [mode for mode in MODES if "totals" not in mode and mode not in ("session", "hold")]


@pytest.mark.parametrize("mode", KINDS)
def test_a_moment_is_the_first_prefix_that_is_enough(mode: str) -> None:
    draw = random.Random(f"moments-{mode}")
    seen: Counter[int] = Counter()
    while sum(seen.values()) < CASES:
        case = random_case(draw, mode, people=6)
        histories = [own for own in case.histories() if own]
        if histories:
            level = draw.randint(1, sum(not stage.get("optional") for stage in case.definition["stages"]))
            check(case, histories, level, seen)
    assert seen[1] > CASES / 8  # and not only people who never got there


def check(case: Case, histories: Sequence[Sequence[paths_oracle.Event]], level: int, seen: Counter[int]) -> None:
    definition = parse_definition(case.definition)
    plan = plan_of(definition, span_of(definition, case.time_range))
    chunk = chunk_of(case.definition, histories)
    found = moments(definition, plan, chunk.histories, level, lambda: None)
    at_us = dict(zip(found.person.tolist(), found.at_us.tolist(), strict=True))
    paths = paths_of(definition, plan, chunk.histories, lambda: None)
    assert set(paths.person[paths.reached >= level].tolist()) <= set(at_us)
    if case.definition.get("strict_scope") == "filtered":
        histories = [[one for one in own if paths_oracle.passes(one, case.definition)] for own in histories]
        histories = [own for own in histories if own]
    for person, history in enumerate(histories):
        expected = first_moment(history, case.definition, level, case.lo, case.hi)
        seen[int(expected is not None)] += 1
        assert at_us.get(person) == expected, (case.definition, history)
    for person, entry, stage in zip(found.person, found.entry_rows, found.stage_rows, strict=True):
        first, last = chunk.histories.offsets[person], chunk.histories.offsets[person + 1]
        assert first <= entry < last
        assert first <= stage < last
        assert chunk.histories.time_us[max(entry, stage)] <= at_us[int(person)]
    assert np.all(np.diff(found.person) > 0)
