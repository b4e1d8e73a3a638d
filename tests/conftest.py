"""What every run of the tests has: solvers that are compiled before the first question, and lines for a person to read
at the end, whichever process ran the tests.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import gettempdir

import pytest
from filelock import FileLock
from hypothesis import settings

from iafa.query.paths.warming import solve_little
from tests.support.chance import CHECKS_OFF, SEED, seed

SAID = "said"
ASKING = {"api", "contract", "golden", "property", "query", "reports"}  # folders of tests that ask in their own process


def pytest_configure() -> None:
    """Let Python keep the bytecode of what it loads. The tests start hundreds of processes; where the environment
    forbids bytecode, each of them would compile the sources of every library again, for longer than it then runs.

    Let Hypothesis judge what the code does, not how fast the machine is today.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    settings.register_profile("any machine", deadline=None, suppress_health_check=CHECKS_OFF)
    settings.load_profile("any machine")


def pytest_report_header() -> str:
    return f"{SEED}={seed()}"


def pytest_collection_finish(session: pytest.Session) -> None:
    """Compile once, outside of any question: a cold compiler takes longer than a question may."""
    if (
        ASKING.isdisjoint(part for item in session.items for part in item.path.parts)
        or session.config.option.collectonly
    ):
        return
    if not hasattr(session.config, "workerinput") and getattr(session.config.option, "numprocesses", None):
        return  # the processes that run the tests do it, one after the other
    with FileLock(Path(gettempdir()) / "iafa-tests-compile.lock"):
        solve_little()


@pytest.fixture
def say(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Put a line under the results of the run. Plain printing is lost when tests run in several processes."""
    return lambda line: record_property(SAID, line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    lines = [
        (report.nodeid.rpartition("::")[2], value)
        for report in reports
        if report.when == "call"
        for name, value in report.user_properties
        if name == SAID
    ]
    if lines:
        terminalreporter.section("measured")
    for test, line in lines:
        terminalreporter.write_line(f"{test}: {line}")
