"""Seed and counts of the random tests: fixed and small in the suite, fresh and ten times as many in `make torture`."""

import os
import random

from hypothesis import HealthCheck

SEED = "IAFA_TEST_SEED"
TIMES = "IAFA_TEST_TIMES"
CASES = "IAFA_TEST_CASES"
_DEFAULT_SEED = 20261121

# Hypothesis' complaints that are of no use here: how slow a loaded machine is says nothing about the code, and the
# fixtures that its cases share (an engine, a folder) are made to be shared.
CHECKS_OFF = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


def seed() -> int:
    return int(os.environ.get(SEED) or _DEFAULT_SEED)


def chance(salt: object) -> random.Random:
    """A source of random choices of its own for each `salt`, so that one test's choices never shift another's."""
    return random.Random(f"{seed()}:{salt}")


def times(count: int) -> int:
    """As often as the suite has time for, or as `make torture` wants."""
    return count * int(os.environ.get(TIMES) or 1)


def cases_of(count: int) -> int:
    """Random cases of each mode: IAFA_TEST_CASES asks for another number than the suite's."""
    return int(os.environ.get(CASES) or times(count))
