"""With a grace, events that several stages want can be given out in many ways: tried up to a bound, then refused."""

from pathlib import Path
from typing import Any

import pytest

from iafa.errors import ValidationFailed
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.funnel import funnel
from iafa.query.paths import grace
from tests.support.heavy import RANGE, events_of
from tests.unit.query.rows import SECOND_US, a_definition, snapshot_of


def test_hundreds_of_events_within_the_grace_are_no_matter(tmp_path: Path, engine: DuckEngine) -> None:
    snapshot = snapshot_of(tmp_path, [events_of(lambda place, _many: "CBA"[place % 3], 600, 1_000, 1)])
    definition = a_definition("A", "B", "A", "C", "A", window_seconds=60) | {"tie": "grace:60"}
    answer: Any = funnel(engine, snapshot, parse_definition(definition), RANGE)
    assert [stage["users"] for stage in answer["stages"]] == [1, 1, 1, 1, 1]


def test_what_can_be_given_out_in_too_many_ways_is_refused(
    tmp_path: Path, engine: DuckEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grace, "TRIES_MAX", 50)
    snapshot = snapshot_of(tmp_path, [events_of(lambda _place, _many: "A", 7, SECOND_US, 1)])
    definition = a_definition(*"AAAAAAAA", window_seconds=60) | {"tie": "grace:60"}
    with pytest.raises(ValidationFailed) as refused:
        funnel(engine, snapshot, parse_definition(definition), RANGE)
    assert refused.value.code == "invalid_query"
    assert [(error.pointer, error.code) for error in refused.value.errors] == [("/tie", "too_many")]
    assert "50 ways" in refused.value.errors[0].message
