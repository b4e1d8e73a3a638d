"""The documentation says what the code does: settings, commands, routes, reasons and codes; links resolve."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import click
import duckdb
import msgspec
import pytest
from click.testing import CliRunner

from iafa.api.problems import KINDS
from iafa.cli.app import COMMANDS, HIDDEN, iafa
from iafa.cli.openapi import openapi_command
from iafa.clock import US_PER_DAY, FakeClock
from iafa.event import DropReason, Event
from iafa.ingest import pipeline, steps
from iafa.jobs.compact import Compactor
from iafa.lake.append import LakeAppender
from iafa.lake.layout import Layout
from iafa.lake.manifest import Manifests
from iafa.lake.parts import Arrival, to_table
from iafa.lake.quarantine import REJECTED_SCHEMA
from iafa.lake.schema import EVENT_SCHEMA
from iafa.metrics import METRICS
from iafa.query.filters import Operator
from iafa.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
METHODS = ("get", "post", "put", "delete", "patch")


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text()


def documented_settings() -> dict[str, str]:
    return dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", page("settings"), re.MULTILINE))


def shown(default: object) -> str:
    if default in ("", []):
        return "empty"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def setting_name(field: str) -> str:
    alias = Settings.model_fields[field].validation_alias
    return str(getattr(alias, "choices", [f"IAFA_{field.upper()}"])[0])


@pytest.mark.parametrize("field", Settings.model_fields)
def test_a_setting_is_documented_with_its_default(field: str) -> None:
    default = Settings.model_fields[field].get_default(call_default_factory=True)
    assert documented_settings().get(setting_name(field)) == shown(default)


def test_no_setting_is_documented_that_does_not_exist() -> None:
    assert set(documented_settings()) == {setting_name(field) for field in Settings.model_fields}


def test_the_example_environment_names_only_settings() -> None:
    names = re.findall(r"^#? ?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert names
    assert set(names) <= {setting_name(field) for field in Settings.model_fields}


def test_every_command_is_documented_and_no_other() -> None:
    table = set(re.findall(r"^\| `iafa ([a-z]+)` \|", page("commands"), re.MULTILINE))
    assert table == set(COMMANDS) - HIDDEN


def options_of(name: str, command: click.Command) -> list[tuple[str, str]]:
    if isinstance(command, click.Group):
        return [found for part, inner in command.commands.items() for found in options_of(f"{name} {part}", inner)]
    options = [option for option in command.params if isinstance(option, click.Option) and not option.hidden]
    return [(name, option.opts[-1]) for option in options]


def test_every_option_and_sub_command_is_documented() -> None:
    context = click.Context(iafa)
    loaded = {name: iafa.get_command(context, name) for name in COMMANDS if name not in HIDDEN}
    found = [pair for name, command in loaded.items() if command for pair in options_of(f"iafa {name}", command)]
    assert ("iafa import", "--map") in found
    text = page("commands")
    assert not [(name, option) for name, option in found if name not in text or f"`{option}" not in text]


def test_every_metric_is_documented_and_no_other() -> None:
    rows = re.findall(r"^\| `iafa_(\w+)` \| (\w+) \| `?(\w*)`? ?\|", page("metrics"), re.MULTILINE)
    assert rows == [
        (f"{name}_total" if metric.kind == "counter" else name, metric.kind, metric.label)
        for name, metric in METRICS.items()
    ]


def test_every_counter_of_the_code_is_a_metric() -> None:
    sources = [path.read_text() for path in (ROOT / "backend" / "iafa").rglob("*.py")]
    counted = {name for text in sources for name in re.findall(r"counters\.add\(\s*\"(\w+)\"", text)}
    assert "events_accepted" in counted
    assert counted <= {name for name, metric in METRICS.items() if metric.kind == "counter"}


@cache
def routes() -> list[tuple[str, str]]:
    said = CliRunner().invoke(openapi_command)
    assert said.exit_code == 0, said.output
    document: dict[str, Any] = json.loads(said.stdout)
    return [(method.upper(), path) for path, item in document["paths"].items() for method in METHODS if method in item]


def test_every_route_is_documented() -> None:
    text = page("api")
    root = [("GET", "/health"), ("GET", "/health/live"), ("GET", "/health/ready")]
    missing = [
        f"{method} {path}"
        for method, path in routes()
        if f"`{method} {path}`" not in text and not ((method, path) in root and f"`{path}`" in text)
    ]
    assert not missing


def test_no_route_is_documented_that_does_not_exist() -> None:
    documented = set(re.findall(r"`(GET|POST|PUT|DELETE) (/api/v1/[^`?]*)`", page("api")))
    assert documented
    assert documented <= set(routes())


@pytest.mark.parametrize("reason", list(DropReason))
def test_a_reason_not_to_store_an_event_is_documented(reason: DropReason) -> None:
    assert f"| `{reason.value}` |" in page("api")


def test_the_pipeline_is_documented_step_by_step() -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| (\w+) \| (.+) \| (.*) \| (.*) \|$", page("pipeline"), re.MULTILINE)
    assert rows == [
        (
            str(number),
            step.name,
            step.place,
            step.does,
            ", ".join(f"`{reason}`" for reason in step.reasons),
            f"`{step.counter}`" if step.counter else "",
        )
        for number, step in enumerate(steps.STEPS, 1)
    ]


def test_every_reason_belongs_to_a_step_and_every_step_that_drops_counts() -> None:
    assert {str(reason) for reason in DropReason} <= {reason for step in steps.STEPS for reason in step.reasons}
    refused = {reason for step in steps.STEPS if step.counter == steps.REFUSED for reason in step.reasons}
    assert refused <= {*KINDS, "client_left"}
    dropped = {reason for step in steps.STEPS if step.counter == steps.DROPPED for reason in step.reasons}
    assert dropped <= {reason.value for reason in DropReason}
    assert [step.name for step in steps.STEPS if step.reasons and step.counter not in METRICS] == []


def test_the_steps_that_judge_an_event_run_in_the_listed_order() -> None:
    run = [step.__name__ for step in pipeline.STEPS]
    assert [step.name for step in steps.STEPS if step.name in run] == run


@pytest.mark.parametrize("code", KINDS)
def test_a_problem_code_is_documented_beside_its_status(code: str) -> None:
    rows = [line for line in page("api").splitlines() if f"`{code}`" in line]
    assert any(re.match(rf"\| (\d+, )*{KINDS[code].status}(, \d+)* \|", row) for row in rows)


@pytest.mark.parametrize("operator", list(Operator))
def test_a_filter_operator_is_defined(operator: Operator) -> None:
    assert re.search(rf"[` ]{operator.value}[` ]", page("semantics"))


@pytest.mark.parametrize(
    ("heading", "schema"), [("The event in Parquet", EVENT_SCHEMA), ("The quarantine", REJECTED_SCHEMA)]
)
def test_every_column_is_documented_with_its_type(heading: str, schema: Any) -> None:
    kinds = {
        "string": "string",
        "int64": "int64",
        "timestamp[us, tz=UTC]": "timestamp",
        "bool": "boolean",
        "double": "double",
    }
    section = page("data-format").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+?`) \| (.+?) \|", section, re.MULTILINE)
    documented = {name: kind for names, kind in rows for name in re.findall(r"`(\w+)`", names)}
    for column in schema:
        kind = documented[column.name]
        assert kind.startswith(kinds[str(column.type)]), column.name
        assert ("null" in kind) == column.nullable, column.name


@pytest.mark.parametrize("path", PAGES, ids=[path.relative_to(ROOT).as_posix() for path in PAGES])
def test_links_between_pages_resolve(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        file, _, anchor = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        if found.suffix != ".png":  # pictures are made from a running demo
            assert found.is_file(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", found.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}, (
                target
            )


def test_every_decision_is_in_the_index() -> None:
    names = {path.name for path in (DOCS / "adr").glob("0*.md")}
    assert set(re.findall(r"\((0[^)]+\.md)\)", (DOCS / "adr" / "README.md").read_text())) == names


def test_a_decision_names_what_was_rejected() -> None:
    for path in (DOCS / "adr").glob("0*.md"):
        headings = re.findall(r"^## (.+)$", path.read_text(), re.MULTILINE)
        assert headings == ["Context", "Decision", "Rejected", "Consequences"], path.name


def test_the_readme_shows_the_two_commands() -> None:
    lines = [line.split("#")[0].strip() for line in (ROOT / "README.md").read_text().splitlines()]
    assert "make run" in lines
    assert "make test" in lines


def test_the_makefile_describes_every_target_that_the_docs_name() -> None:
    described = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for path in PAGES for name in re.findall(r"`make ([a-z-]+)", path.read_text())}
    assert named <= described | {"test-server"}
    assert {"help", "setup", "run", "test", "dev", "check", "bench", "build", "clean"} <= described


def test_the_readmes_query_counts_each_event_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = "p0readme0000"
    clock = FakeClock()
    layout = Layout(tmp_path / "data")
    manifests = Manifests(layout, clock)
    appender = LakeAppender(layout, manifests, US_PER_DAY)
    for batch in range(3):
        appender.publish(
            project, appender.write(project, _twenty_events(project, batch, clock.now_us()), f"j1-{batch}")
        )
        if batch == 1:
            Compactor(layout, manifests, clock).run(everything=True)
    stored = list((tmp_path / "data").rglob("*.parquet"))
    query = re.search(r"```sql\n(.+?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert query is not None
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as connection:
        rows = connection.execute(query[1].replace("PROJECT_ID", project)).fetchall()
        everything = connection.execute(
            "select count(*) from read_parquet($files)", {"files": [str(f) for f in stored]}
        )
        assert everything.fetchone() == (100,), "merged parts are still there: the test would see a query that globs"
    assert rows == [("page_view", 60, 10)]


def _twenty_events(project: str, batch: int, now_us: int) -> Any:
    return to_table(
        Arrival(
            project,
            now_us + batch,
            Event(
                id=f"{batch}-{number}",
                event_type="page_view",
                created_at=now_us,
                user_id=f"user-{number % 10}",
                properties=msgspec.Raw(b"{}"),
            ),
        )
        for number in range(20)
    )
