"""Stopping what cannot be interrupted: compiled solvers look at a number between two starts of a path."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from iafa.errors import IafaError
from iafa.query.paths.plan import Int32s

LOOK_EVERY_S = 0.05


def never() -> None:
    """For who has all the time there is."""


@contextmanager
def stopping(check_time: Callable[[], None]) -> Iterator[Int32s]:
    """An array whose only number becomes 1 when `check_time` raises; then it raises at the end of the block too."""
    stop = np.zeros(1, dtype=np.int32)
    is_done = threading.Event()

    def look() -> None:
        while not is_done.wait(LOOK_EVERY_S):
            try:
                check_time()
            except IafaError:
                stop[0] = 1
                return

    looking = threading.Thread(target=look, name="solver-deadline", daemon=True)
    looking.start()
    try:
        yield stop
    finally:
        is_done.set()
        looking.join()
    check_time()
