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


def test_commands_and_servers_start_without_the_compiler() -> None:
    found = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, timeout=300, check=False)
    assert (found.stdout, found.returncode) == ("False\n", 0), found.stderr
