"""The bugs that `make mutants` plants still have their place: a text that has changed needs its mutant changed too."""

import pytest

from tests.mutants import MUTANTS, ROOT, broken_texts

MUTANTS_MIN = 10


def test_every_mutant_can_be_planted() -> None:
    assert list(broken_texts()) == []
    assert len({mutant.name for mutant in MUTANTS}) >= MUTANTS_MIN


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_tests_of_every_mutant_are_there(mutant: object) -> None:
    assert all((ROOT / test).is_file() for test in getattr(mutant, "tests", ()))
