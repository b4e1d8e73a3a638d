"""The solvers alone: random histories as arrays, made without the product's SQL, compared with the brute force.

Run as a program it does so without the compiler: `python -m tests.support.paths_arrays CASES`.
"""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

if __name__ == "__main__":
    sys.modules["numba"] = None  # type: ignore[assignment]  # as if it was not installed

import numpy as np
import pyarrow as pa

from iafa.query.definition_reading import parse_definition
from iafa.query.paths import compiled
from iafa.query.paths.plan import Histories
from iafa.query.paths.reading import Chunk
from iafa.query.paths.solving import Solved, plan_of, solved_of, span_of
from iafa.query.time_range import TimeRange
from tests.support import paths_oracle
from tests.support.chance import chance
from tests.support.paths_cases import MODES, Case, random_case

PEOPLE = 20
Ids = tuple[tuple[int, str], ...]


def check(mode: str, cases: int, seed: int = 1) -> int:
    """How many histories were compared, every other question about dense ones; at the first difference it stops."""
    draw = chance(f"arrays {mode} {seed}")
    compared = turn = 0
    while compared < cases:
        turn += 1
        case = random_case(draw, mode, PEOPLE, is_dense=turn % 2 == 0)
        histories = [own for own in case.histories() if own]
        if not histories:
            continue
        found = Counter(_solved(case, histories))
        assert found == Counter(map(ids_of, case.answer(histories).paths)), case
        compared += len(histories)
    return compared


def _solved(case: Case, histories: Sequence[Sequence[paths_oracle.Event]]) -> list[Ids]:
    definition = parse_definition(case.definition)
    plan = plan_of(definition, span_of(definition, TimeRange(case.lo, case.hi, None, None, "UTC")))
    return solved_ids(case.definition, solved_of(definition, plan, chunk_of(case.definition, histories), lambda: None))


def solved_ids(definition: Mapping[str, Any], solved: Solved) -> list[Ids]:
    """Each path as (number of the stage, id of its event), by stage."""
    kinds = [stage.get("optional", False) for stage in definition["stages"]]
    numbers = sorted(range(1, len(kinds) + 1), key=lambda number: kinds[number - 1])
    parts = [solved.paths.rows] if solved.optional is None else [solved.paths.rows, solved.optional]
    ids = solved.chunk.ids.to_pylist()
    found = [
        tuple(sorted((number, ids[row]) for number, row in zip(numbers, own, strict=True) if row >= 0))
        for own in np.concatenate(parts, axis=1).tolist()
    ]
    return [path for path in found if path]


def ids_of(path: paths_oracle.Path) -> Ids:
    return tuple(sorted((number, event["id"]) for number, event in path.items()))


def chunk_of(definition: Mapping[str, Any], histories: Sequence[Sequence[paths_oracle.Event]]) -> Chunk:
    """Every event of every history; masks are the oracle's own opinion of what an event matches."""
    if definition.get("strict_scope") == "filtered":
        histories = [[one for one in own if paths_oracle.passes(one, definition)] for own in histories]
        histories = [own for own in histories if own]
    events = [event for own in histories for event in own]
    required = [stage for stage in definition["stages"] if not stage.get("optional")]
    optional = [stage for stage in definition["stages"] if stage.get("optional")]

    def masks(matchers: Sequence[Mapping[str, Any]]) -> Any:
        return np.array(
            [sum(paths_oracle.hits(event, one, definition) << n for n, one in enumerate(matchers)) for event in events],
            dtype=np.int32,
        )

    return Chunk(
        entities=np.arange(len(histories), dtype=np.int64),
        histories=Histories(
            offsets=np.cumsum([0, *map(len, histories)]).astype(np.int64),
            time_us=np.array([event["t"] for event in events], dtype=np.int64),
            steps=masks(required),
            excluded=masks(definition.get("exclusions", ())),
        ),
        optional=masks(optional),
        ids=pa.array([event["id"] for event in events], pa.string()),
    )


if __name__ == "__main__":
    assert not compiled.IS_COMPILED
    print(sum(check(mode, int(sys.argv[1]), seed=2) for mode in MODES))
