"""What tests want a person to read at the end of a run: measured shares and counts, whichever process ran them."""

from collections.abc import Callable

import pytest

from tests.support.chance import SEED, seed

SAID = "said"


def pytest_report_header() -> str:
    return f"{SEED}={seed()}"


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
