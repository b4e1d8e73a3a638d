"""Running a receipt's notebook as a person would: in a process of its own that has no IAFA, and no server to ask.

Run as a program: `python notebooks.py FILE...` executes the code cells of each notebook in order and prints what they
found as JSON. It then imports nothing of the tests.
"""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def run_notebooks(data_dir: Path, notebooks: Sequence[bytes], folder: Path) -> list[dict[str, Any]]:
    """By notebook: `expected`, `result`, `is_same_data`, and what it printed as `said`."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, content in enumerate(notebooks):
        check_format(json.loads(content))
        paths.append(folder / f"{number}.ipynb")
        paths[-1].write_bytes(content)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    ended = subprocess.run(
        [sys.executable, "-P", str(Path(__file__).resolve()), *map(str, paths)],
        cwd=folder,
        env=environment | {"DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]


def check_format(notebook: Mapping[str, Any]) -> None:
    """The required members of nbformat 4.5, and no others."""
    assert set(notebook) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(1 <= len(id_) <= 64 and id_.replace("-", "").isalnum() for id_ in ids)
    for cell in notebook["cells"]:
        needed = {"id", "cell_type", "metadata", "source"}
        if cell["cell_type"] == "code":
            needed |= {"execution_count", "outputs"}
            assert (cell["execution_count"], cell["outputs"]) == (None, [])
        else:
            assert cell["cell_type"] == "markdown"
        assert set(cell) == needed
        assert all(isinstance(line, str) for line in cell["source"])


def _execute(path: str) -> dict[str, Any]:
    cells = json.loads(Path(path).read_bytes())["cells"]
    said = io.StringIO()
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(said):
        for cell in cells:
            if cell["cell_type"] == "code":
                exec(compile("".join(cell["source"]), cell["id"], "exec"), namespace)
    named = {name.lower(): namespace[name] for name in ("EXPECTED", "result", "is_same_data", "SQL")}
    return named | {"said": said.getvalue(), "definition": namespace["DEFINITION"]}


if __name__ == "__main__":
    for absent in ("iafa", "tests", "msgspec", "numba"):
        sys.modules[absent] = None  # type: ignore[assignment]  # as if it was not installed
    for each in sys.argv[1:]:
        print(json.dumps(_execute(each)))
