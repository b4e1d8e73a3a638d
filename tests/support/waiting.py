"""Waiting by the clock for what other processes do, as long as a slow machine may need."""

import time
from collections.abc import Callable

WAIT_S = 60


def eventually(look: Callable[[], bool], what: str) -> None:
    """Returns when it is so; `what` says what is wrong when it never is."""
    deadline = time.monotonic() + WAIT_S
    while not look():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)
