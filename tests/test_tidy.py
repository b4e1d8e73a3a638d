"""Style as a test. Each rule is a function from a file to its breaches, and is itself tried on a bad sample."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
SKIPPED_FOLDERS = frozenset({"node_modules", "static", "dist", "__pycache__", "artifacts"})
TEXT_SUFFIXES = frozenset(
    {".py", ".ts", ".tsx", ".mjs", ".js", ".css", ".html", ".sql", ".md", ".toml", ".yml", ".json", ".ndjson", ""}
)


class Source(NamedTuple):
    """A file by its path from the root, with forward slashes."""

    path: str
    text: str

    @property
    def name(self) -> str:
        return Path(self.path).name

    @property
    def tree(self) -> ast.Module:
        return _parsed(self.text)


Rule = Callable[[Source], Iterable[str]]


def module_is_short(source: Source) -> Iterator[str]:
    lines = source.text.count("\n")
    if lines > MODULE_LINES_MAX:
        yield f"has {lines} lines, at most {MODULE_LINES_MAX}"


def functions_are_short(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield f"{node.name} has {lines} lines, at most {FUNCTION_LINES_MAX}"


def module_says_what_it_owns(source: Source) -> Iterator[str]:
    if ast.get_docstring(source.tree) is None:
        yield "has no docstring"


def file_is_named_for_its_content(source: Source) -> Iterator[str]:
    stem = source.name.partition(".")[0].lower().replace("-", "_")
    if stem in {"utils", "util", "helpers", "helper", "common", "misc", "base", "core", "shared"}:
        yield f"the name {source.name} does not say what is in it"


def classes_are_nouns_of_the_domain(source: Source) -> Iterator[str]:
    for name in re.findall(r"^\s*(?:export )?(?:abstract )?(?:class|interface) (\w+)", source.text, re.MULTILINE):
        if re.search(r"(Manager|Helper|Handler|Processor|Util|Utils|Info)$", name):
            yield f"class {name}"


def open_work_has_an_issue(source: Source) -> Iterator[str]:
    for mark in re.finditer(r"\b(TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))", source.text):
        yield f"{mark[1]} without an issue number"


def no_path_of_one_machine(source: Source) -> Iterator[str]:
    for path in re.finditer(r"(?<![\w/.])/(?:root|home|Users|work)/\w+|[A-Z]:\\Users", source.text):
        yield f"names {path[0]}"


def prints_only_in_commands(source: Source) -> Iterator[str]:
    if source.path.startswith("backend/iafa/cli/"):
        return
    for node in _calls(source):
        if isinstance(node.func, ast.Name) and node.func.id == "print":
            yield f"line {node.lineno} prints"


def sql_opens_with_its_question(source: Source) -> Iterator[str]:
    first = source.text.partition("\n")[0]
    if not first.startswith("-- ") or "?" not in first:
        yield "does not open with one line that is the question"


def one_module_reads_the_wall_clock(source: Source) -> Iterator[str]:
    # The Python client imports nothing of the server.
    if source.path in {"backend/iafa/clock.py", "backend/iafa/client/clock.py"}:
        return
    clocks = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
    for node in _calls(source):
        if ".".join(_dotted(node.func)[-2:]) in clocks:
            yield f"line {node.lineno} reads the wall clock"


def one_module_reads_the_environment(source: Source) -> Iterator[str]:
    # A child process inherits its parent's environment, which has to be handed on.
    if source.path in {"backend/iafa/settings.py", "backend/iafa/cli/children.py"}:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and _dotted(node) in (["os", "environ"], ["os", "getenv"]):
            yield f"line {node.lineno} reads the environment"


def one_module_renames_and_removes(source: Source) -> Iterator[str]:
    if source.path == "backend/iafa/durable.py":
        return
    functions = {"os.rename", "os.replace", "os.unlink", "os.remove", "os.rmdir", "shutil.rmtree", "shutil.move"}
    for node in _calls(source):
        dotted = _dotted(node.func)
        is_method = isinstance(node.func, ast.Attribute) and node.func.attr in {"unlink", "rename", "rmdir"}
        if ".".join(dotted) in functions or (is_method and dotted[:1] != ["durable"]):
            yield f"line {node.lineno} removes or renames; iafa.durable does that"


def tokens_have_one_door(source: Source) -> Iterator[str]:
    if source.path != "backend/iafa/api/tokens.py" and re.search(
        r"^\s*(from|import) jose\b", source.text, re.MULTILINE
    ):
        yield "imports jose"


def the_dashboard_fetches_in_one_folder(source: Source) -> Iterator[str]:
    if source.path.startswith(("frontend/src/api/", "frontend/src/test/")) or ".test." in source.name:
        return
    if re.search(r"(?<![\w.])(?:window\.|globalThis\.)?fetch\(|new XMLHttpRequest", source.text):
        yield "fetches; src/api does that"


SERVER = "backend/iafa/**/*.py"
DASHBOARD = ("frontend/src/**/*.ts", "frontend/src/**/*.tsx")
TRACKER = "tracker-js/src/**/*.ts"
TESTS = ("tests/**/*.py", "tests/**/*.ts", "tracker-js/test/**/*.ts")

RULES: tuple[tuple[Rule, tuple[str, ...]], ...] = (
    (module_is_short, (SERVER, *DASHBOARD, TRACKER)),
    (functions_are_short, (SERVER,)),
    (module_says_what_it_owns, (SERVER,)),
    (file_is_named_for_its_content, (SERVER, *DASHBOARD, TRACKER, *TESTS)),
    (classes_are_nouns_of_the_domain, (SERVER, *DASHBOARD, TRACKER, *TESTS)),
    (open_work_has_an_issue, (SERVER, *DASHBOARD, TRACKER, *TESTS, "backend/**/*.sql")),
    (no_path_of_one_machine, ("**/*",)),
    (prints_only_in_commands, (SERVER,)),
    (sql_opens_with_its_question, ("backend/**/*.sql",)),
    (one_module_reads_the_wall_clock, (SERVER,)),
    (one_module_reads_the_environment, (SERVER,)),
    (one_module_renames_and_removes, (SERVER,)),
    (tokens_have_one_door, (SERVER,)),
    (the_dashboard_fetches_in_one_folder, DASHBOARD),
)
GENERATED = frozenset({"frontend/src/api/schema.d.ts", "frontend/openapi.json"})
OWN_FILE = "tests/test_tidy.py"  # holds the bad samples


@pytest.mark.parametrize(("rule", "patterns"), RULES, ids=[rule.__name__ for rule, _ in RULES])
def test_the_code_keeps(rule: Rule, patterns: tuple[str, ...]) -> None:
    sources = [source for pattern in patterns for source in _sources(pattern)]
    assert sources, f"no file matches {patterns}"
    breaches = [f"{source.path}: {breach}" for source in sources for breach in rule(source)]
    assert not breaches, "\n".join(breaches)


_LONG = "def long() -> None:\n" + "    x = 1\n" * FUNCTION_LINES_MAX
BAD_SAMPLES: tuple[tuple[Rule, str, str], ...] = (
    (module_is_short, "backend/iafa/a.py", "x = 1\n" * (MODULE_LINES_MAX + 1)),
    (functions_are_short, "backend/iafa/a.py", _LONG),
    (functions_are_short, "backend/iafa/a.py", f"async {_LONG}"),
    (module_says_what_it_owns, "backend/iafa/a.py", "x = 1\n"),
    (file_is_named_for_its_content, "backend/iafa/lake/utils.py", ""),
    (file_is_named_for_its_content, "frontend/src/lib/common.ts", ""),
    (classes_are_nouns_of_the_domain, "backend/iafa/a.py", "class EventManager:\n    pass\n"),
    (classes_are_nouns_of_the_domain, "frontend/src/a.ts", "export class QueueHandler {}\n"),
    (open_work_has_an_issue, "backend/iafa/a.py", "# TODO later\n"),
    (no_path_of_one_machine, "docs/a.md", "see /home/someone/notes\n"),
    (prints_only_in_commands, "backend/iafa/lake/a.py", "print('x')\n"),
    (sql_opens_with_its_question, "backend/iafa/query/sql/a.sql", "select 1\n"),
    (sql_opens_with_its_question, "backend/iafa/query/sql/a.sql", "-- counts people\nselect 1\n"),
    (one_module_reads_the_wall_clock, "backend/iafa/a.py", "import time\nt = time.time()\n"),
    (one_module_reads_the_wall_clock, "backend/iafa/a.py", "import datetime\nt = datetime.datetime.now()\n"),
    (one_module_reads_the_environment, "backend/iafa/a.py", "import os\nx = os.environ['X']\n"),
    (one_module_reads_the_environment, "backend/iafa/a.py", "import os\nx = os.getenv('X')\n"),
    (one_module_renames_and_removes, "backend/iafa/a.py", "import os\nos.replace('a', 'b')\n"),
    (one_module_renames_and_removes, "backend/iafa/a.py", "from pathlib import Path\nPath('a').unlink()\n"),
    (one_module_renames_and_removes, "backend/iafa/a.py", "import shutil\nshutil.rmtree('a')\n"),
    (tokens_have_one_door, "backend/iafa/a.py", "from jose import jwt\n"),
    (the_dashboard_fetches_in_one_folder, "frontend/src/features/a.ts", "const x = await fetch('/api');\n"),
)


@pytest.mark.parametrize(
    ("rule", "path", "text"), BAD_SAMPLES, ids=[f"{rule.__name__}-{n}" for n, (rule, _, _) in enumerate(BAD_SAMPLES)]
)
def test_a_bad_sample_is_caught(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Source(path, text)))


def test_every_rule_has_a_bad_sample() -> None:
    assert {rule for rule, _ in RULES} == {rule for rule, _, _ in BAD_SAMPLES}


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (open_work_has_an_issue, "backend/iafa/a.py", "# TODO(#12): when the second engine is there\n"),
        (no_path_of_one_machine, "docs/a.md", "the network/home/page and https://example.org/home/page\n"),
        (prints_only_in_commands, "backend/iafa/cli/a.py", "print('x')\n"),
        (one_module_renames_and_removes, "backend/iafa/a.py", "from iafa import durable\ndurable.unlink('a')\n"),
        (one_module_renames_and_removes, "backend/iafa/a.py", "x = 'a'.replace('a', 'b')\n"),
        (the_dashboard_fetches_in_one_folder, "frontend/src/features/a.ts", "await query.refetch();\n"),
    ],
)
def test_a_good_sample_passes(rule: Rule, path: str, text: str) -> None:
    assert not list(rule(Source(path, text)))


# One line in one module each: what the contracts of pyproject.toml are there to stop.
SEEDED_BREACHES = (
    ("floors", "lake/layout.py", "from iafa.meta import projects"),
    ("no cycles", "lake/schema.py", "from iafa.lake import parts"),
    ("the demo's generator stands alone", "demo/shop.py", "import iafa.clock"),
    ("only commands use the demo's generator", "wiring.py", "import iafa.demo.shop"),
    ("the Python client stands alone", "client/values.py", "import iafa.event"),
    ("the server does not use its own client", "cli/import_events.py", "import iafa.client.loading"),
    ("settings go down as plain arguments", "jobs/flush.py", "from iafa.settings import Settings"),
    ("the ingest path knows of metadata", "ingest/limits.py", "import iafa.meta.users"),
    ("routes hold no rules of storage", "api/health.py", "import iafa.journal.reader"),
    ("HTTP only in api", "jobs/compact.py", "import starlette.responses"),
    ("uvicorn only in the server module", "cli/serve.py", "import uvicorn"),
    ("duckdb behind the engine", "api/text.py", "import duckdb"),
    ("pyarrow where rows and files are made", "ingest/wire.py", "import pyarrow"),
    ("file locks in one module", "meta/json_file.py", "import filelock"),
    ("tokens in one module", "api/auth.py", "from jose import jwt"),
    ("password hashes in one module", "meta/users.py", "import passlib.hash"),
    ("JSON Schema in one module", "ingest/pipeline.py", "import jsonschema_rs"),
    ("the database of addresses in one module", "ingest/collector.py", "import maxminddb"),
    ("the reader of user agents in one module", "lake/parts.py", "import ua_parser"),
    ("YAML in one module", "cli/check.py", "import yaml"),
    ("pandas stays out of the server", "query/funnel.py", "import pandas"),
)


def test_every_import_contract_stops_the_breach_that_it_is_meant_for(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "backend", tmp_path / "backend", ignore=shutil.ignore_patterns("static", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for _, module, line in SEEDED_BREACHES:
        with open(tmp_path / "backend" / "iafa" / module, "a") as file:
            file.write(f"\n{line}\n")
    said = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "backend"), "COLUMNS": "400"},
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = re.findall(r"^(.+) (KEPT|BROKEN)(?: \(.+\))?$", said.stdout, re.MULTILINE)
    assert len(verdicts) == len(SEEDED_BREACHES), said.stdout + said.stderr
    for (contract, *_), (name, verdict) in zip(SEEDED_BREACHES, verdicts, strict=True):
        assert name.startswith(contract)
        assert verdict == "BROKEN", name


def _sources(pattern: str) -> list[Source]:
    return [source for source in _all_sources() if pattern == "**/*" or _matches(source.path, pattern)]


def _matches(path: str, pattern: str) -> bool:
    """`folder/**/*.suffix`, nothing else."""
    folder, _, suffix = pattern.partition("/**/*")
    return path.startswith(f"{folder}/") and path.endswith(suffix)


@cache
def _all_sources() -> tuple[Source, ...]:
    paths = [path for path in ROOT.iterdir() if path.is_file()]
    for top in ("backend", "docs", "frontend", "tests", "tracker-js"):
        for folder, inner, names in os.walk(ROOT / top):
            inner[:] = sorted(set(inner) - SKIPPED_FOLDERS)
            paths += [Path(folder, name) for name in sorted(names)]
    own = (path for path in paths if path.suffix in TEXT_SUFFIXES)
    sources = ((path.relative_to(ROOT).as_posix(), path.read_bytes()) for path in own)
    return tuple(
        Source(path, content.decode())
        for path, content in sources
        if path not in GENERATED and path != OWN_FILE and b"\0" not in content
    )


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


def _calls(source: Source) -> Iterator[ast.Call]:
    return (node for node in ast.walk(source.tree) if isinstance(node, ast.Call))


def _dotted(node: ast.expr) -> list[str]:
    """`a.b.c` as its names; what a name cannot be given to is left out."""
    if isinstance(node, ast.Attribute):
        return [*_dotted(node.value), node.attr]
    return [node.id] if isinstance(node, ast.Name) else []
