"""Every kind of funnel, over real Parquet files and a tail, against the brute force of the semantics: reported paths,
counts, times to convert, breakdowns, trends, lists of people, explanations. IAFA_TEST_CASES asks for more cases.
"""

import ast
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest

from iafa.lake.snapshot import Snapshot
from iafa.query.engine_duckdb import DuckEngine
from tests.support.chance import cases_of, chance
from tests.support.paths_answers import check_all
from tests.support.paths_cases import (
    FIRST_US,
    HOUR_US,
    MODES,
    SHARE_MIN,
    SHARE_MIN_OF_A_KIND,
    Case,
    Shares,
    random_case,
    with_reports,
)
from tests.support.paths_oracle import Event
from tests.unit.query.rows import an_engine, snapshot_of

CASES = cases_of(600)  # of each mode; a case is the history of one entity
PEOPLE = 200
SHARES: dict[str, Shares] = {}  # by mode, of the cases that were made
SUPPORT = Path(__file__).resolve().parent.parent / "support"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    engine = an_engine(tmp_path_factory.mktemp("engine"))
    yield engine
    engine.close()


@pytest.mark.parametrize("mode", MODES)
def test_everything_equals_the_oracle(
    engine: DuckEngine, tmp_path: Path, say: Callable[[str], None], mode: str
) -> None:
    shares, draw = Shares(), chance(f"files {mode}")
    for case, histories in cases(mode):
        snapshot = snapshot_on_days(draw, case.events, tmp_path / str(shares.cases))
        answer = case.answer(histories)
        check_all(engine, snapshot, case, answer)
        shares.add(histories, case.definition)
        shares.paths += len(answer.paths)
    SHARES[mode] = shares
    say(str(shares))
    assert shares.cases >= CASES
    assert shares.paths > shares.cases / 10
    if mode not in ("hold", "session"):  # who split histories this far has few ties left in each
        assert min(shares.ties, shares.overlaps) >= SHARE_MIN_OF_A_KIND


def test_ties_and_overlaps_abound(say: Callable[[str], None]) -> None:
    """In the cases of all kinds together; those of a kind that was not compared in this process are made for this."""
    for mode in MODES:
        if mode not in SHARES:
            SHARES[mode] = Shares()
            for case, histories in cases(mode):
                SHARES[mode].add(histories, case.definition)
    shares = Shares(*map(sum, zip(*(astuple(SHARES[mode]) for mode in MODES), strict=True)))
    assert shares.cases >= CASES * len(MODES)
    say(f"ties {shares.ties:.0%}, repeated or overlapping steps {shares.overlaps:.0%} of {shares.cases} histories")
    assert min(shares.ties, shares.overlaps) >= SHARE_MIN


def cases(mode: str) -> Iterator[tuple[Case, list[list[Event]]]]:
    """Questions until they are about as many entities as are wanted."""
    draw, made = chance(f"oracle {mode}"), 0
    while made < CASES:
        case = with_reports(draw, random_case(draw, mode, PEOPLE))
        histories = case.histories()
        made += len(histories)
        yield case, histories


ORACLES = ("oracle", "paths_oracle", "reports_oracle")


@pytest.mark.parametrize("name", ORACLES)
def test_an_oracle_imports_nothing_of_the_product(name: str) -> None:
    tree = ast.parse((SUPPORT / f"{name}.py").read_text())
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    own = {module.removeprefix("tests.support.") for module in modules if module.startswith("tests")}
    assert own <= set(ORACLES)
    assert {module.partition(".")[0] for module in modules} - {"tests"} <= sys.stdlib_module_names


def test_the_oracle_of_paths_is_short(say: Callable[[str], None]) -> None:
    tree = ast.parse((SUPPORT / "paths_oracle.py").read_text())
    (node,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "paths")
    lines = (node.end_lineno or 0) - node.lineno + 1
    say(f"{lines} lines")
    assert lines <= 60


def snapshot_on_days(draw: random.Random, events: list[dict[str, Any]], directory: Path) -> Snapshot:
    """Each of three UTC days in one file or two, a later file sorted as compaction does, and a tail."""
    by_day: dict[int, list[dict[str, Any]]] = {}
    for event in draw.sample(events, len(events)):
        by_day.setdefault((event["t"] - FIRST_US) // (24 * HOUR_US), []).append(event)
    days = sorted(by_day)
    tail = [event for event in by_day[days[-1]] if draw.random() < 0.4]
    by_day[days[-1]] = [event for event in by_day[days[-1]] if event not in tail]
    files = [own for day in days[:-1] for own in (by_day[day][::2], by_day[day][1::2])]
    files.append(sorted(by_day[days[-1]], key=lambda event: (event["name"], event["user"] or "", event["t"])))
    return snapshot_of(directory, [own for own in files if own], tail)
