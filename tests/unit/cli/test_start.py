"""What a command and a server load before they do anything: the compiler takes longer to load than everything else."""

import subprocess
import sys

LOADED = """
import sys
import iafa.wiring, iafa.checks.existing, iafa.cli.sql, iafa.cli.check, iafa.cli.funnel
import iafa.cli.serve, iafa.api.server
from iafa.query.paths.ordered import solve
from iafa.query.paths.warming import interpreted
interpreted(solve)
print("numba" in sys.modules)
"""


SUPERVISOR = """
import sys
import iafa.cli.serve
print(sorted({"duckdb", "fastapi", "numpy", "pyarrow"} & set(sys.modules)))
"""


def test_commands_and_servers_start_without_the_compiler() -> None:
    assert _printed_by(LOADED) == "False\n"


def test_whoever_only_looks_after_workers_loads_nothing_that_reads_events() -> None:
    assert _printed_by(SUPERVISOR) == "[]\n"


def _printed_by(program: str) -> str:
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
