"""`iafa compact` as a person reads it."""

import pytest

from iafa.cli.compact import _several
from tests.unit.cli.conftest import Command


def test_nothing_to_do(iafa: Command) -> None:
    said = iafa("compact")
    assert (said.code, said.out.splitlines()) == (
        0,
        ["flushed 0 events from 0 journal segments", "merged 0 files of 0 days (0 rows), removed 0 old files"],
    )


@pytest.mark.parametrize(("amount", "said"), [(1, "1 event"), (0, "0 events"), (1_204, "1,204 events")])
def test_one_is_no_plural(amount: int, said: str) -> None:
    assert _several(amount, "event") == said
