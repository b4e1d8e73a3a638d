"""What a visitor of the dashboard waits for and what moves meanwhile, page by page, in headless Chromium.

Run: python -m tests.bench.first_view_bench [ROUNDS [DATA_DIR [PAGE ...]]]. The measuring is done by
frontend/scripts/first-view.mjs; without Chromium it is skipped with a message.
"""

import subprocess
import sys
from pathlib import Path

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"


def main(arguments: list[str]) -> int:
    return subprocess.run(["node", "scripts/first-view.mjs", *arguments], cwd=FRONTEND, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
