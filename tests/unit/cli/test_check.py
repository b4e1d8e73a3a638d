"""`iafa check`: files to findings, tests, saved funnels and exit codes; `iafa funnels` back to files."""

import asyncio
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from iafa.audit import audit_files
from iafa.checks.templates import templates
from iafa.cli.options import house_at, run
from iafa.demo.funnels import FUNNELS
from iafa.meta.funnels import StoredFunnel
from iafa.query.definition import to_dict
from iafa.query.definition_reading import parse_definition
from tests.unit.cli.conftest import Command, Outcome

BUY = """
name: Buy
stages:
  - {name: Cart, event: cart}
  - {name: Buy, event: purchase, filters: [{property: total, op: gte, value: 20}]}
window_seconds: 3600
tests:
  - name: an hour, and only real sums
    given:
      ada: [cart, {event: purchase, at: 1h, properties: {total: 20}}]
      bob: [cart, {event: purchase, at: 5m, properties: {total: "19.99"}}]
      cleo: [cart, {event: purchase, at: 61m, properties: {total: 99}}]
      dan: [purchase]
    expect: {users: [3, 1], conversion_rate: 33.33, converted: [ada], stopped: {Cart: [bob, cleo]}, not_entered: [dan]}
"""


class Folder:
    """The files of a test, and the command over them."""

    def __init__(self, iafa: Command, root: Path) -> None:
        self.iafa = iafa
        self.root = root / "funnels"
        self.root.mkdir()

    def write(self, text: str, name: str = "buy.yaml") -> Path:
        path = self.root / name
        path.write_text(text)
        return path

    def check(self, *words: str) -> Outcome:
        return self.iafa("check", str(self.root), *words)

    def findings(self, *words: str) -> list[tuple[str, str, int]]:
        found = self.check("--json", *words).json["funnels"]
        tests = [test for funnel in found for test in funnel["tests"]]
        return [(one["code"], one["pointer"], one["line"]) for each in found + tests for one in each["findings"]]


@pytest.fixture
def folder(iafa: Command, tmp_path: Path) -> Folder:
    return Folder(iafa, tmp_path)


def load(iafa: Command, tmp_path: Path, *rows: str) -> None:
    path = tmp_path / "events.csv"
    path.write_text("user_id,event_type,created_at,total\n" + "\n".join(rows) + "\n")
    assert iafa("import", str(path), "--project", "Shop").code == 0


def saved(tmp_path: Path, project_id: str) -> list[StoredFunnel]:
    house = house_at(tmp_path / "data")
    return run(lambda: house.funnels.of_project(project_id))


def test_a_file_is_checked_without_any_data(folder: Folder, tmp_path: Path) -> None:
    folder.write(BUY)
    said = folder.check()
    assert (said.code, said.err) == (0, "")
    assert "Buy: 1 of 1 tests pass" in said.out
    assert "no project is named; the events were not compared" in said.out
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        ("{users: [3, 2]}", "users of stage 2, 'Buy': expected 2, the funnel says 1"),
        ("{conversion_rate: 33.3}", "conversion_rate: expected 33.3, the funnel says 33.33"),
        ("{stages: {Buy: {drop_off_rate: 50}}}", "drop_off_rate of stage 2, 'Buy': expected 50, the funnel says 66.67"),
        ("{converted: [ada, bob]}", "who converted: expected ada, bob; the funnel says ada"),
        ("{stopped: {Cart: [bob]}}", "who stopped at 'Cart': expected bob; the funnel says bob, cleo"),
        ("{not_entered: []}", "who did not enter: expected nobody; the funnel says dan"),
        ("{converted: [adam]}", "expected adam; the funnel says ada; nobody is called adam"),
    ],
)
def test_another_answer_than_expected_fails_and_says_both(folder: Folder, expect: str, message: str) -> None:
    head, _, _ = BUY.partition("    expect:")
    folder.write(f"{head}    expect: {expect}\n")
    said = folder.check()
    assert said.code == 1
    assert message in said.out
    assert "buy.yaml:14: error: /tests/0/expect" in said.out


WRONG = """
name: Buy
stages:
  - {name: Cart, event: cart, evnt: x}
  - {name: Buy}
window_seconds: -1
tests:
  - given: {ada: [{event: cart, page: /x}, 7, {event: x, at: soon}]}
    expect: {users: [1], stages: {Nowhere: 1}, cost: 3}
  - {given: ../secrets.txt, expect: {users: [1, 2]}, timezone: Mars}
"""


def test_all_errors_of_a_file_come_at_once_with_their_lines(folder: Folder) -> None:
    folder.write(WRONG)
    assert folder.findings("--offline") == [
        ("unknown_field", "/stages/0/evnt", 4),
        ("missing", "/stages/1", 5),
        ("number_out_of_range", "/window_seconds", 6),
    ]
    folder.write(WRONG.replace(", evnt: x", "").replace("{name: Buy}", "{name: Buy, event: b}").replace("-1", "1"))
    assert folder.findings("--offline") == [
        ("missing", "/tests/0/given/ada/0", 8),
        ("wrong_type", "/tests/0/given/ada/1", 8),
        ("invalid_timestamp", "/tests/0/given/ada/2/at", 8),
        ("unknown_field", "/tests/0/expect/cost", 9),
        ("too_short", "/tests/0/expect/users", 9),
        ("unknown_stage", "/tests/0/expect/stages/Nowhere", 9),
        ("bad_path", "/tests/1/given", 10),
        ("unknown_timezone", "/tests/1/timezone", 10),
    ]


def test_given_events_pass_the_rules_of_collecting(folder: Folder) -> None:
    folder.write(BUY.replace("dan: [purchase]", f"dan: [{{event: purchase, properties: {{x: {'[' * 21}{']' * 21}}}}}]"))
    assert [code for code, *_ in folder.findings("--offline")] == ["too_deep"]
    folder.write(BUY.replace("dan: [purchase]", "guest: [purchase]"))
    assert [code for code, *_ in folder.findings("--offline")] == ["missing_identity"]


def test_fixtures_come_from_files_beside_the_funnel(folder: Folder) -> None:
    head, _, _ = BUY.partition("    given:")
    folder.write(f"{head}    given: visits.ndjson\n    expect: {{users: [1, 1], converted: [ada]}}\n")
    rows = [
        {"user_id": "ada", "event": "cart", "timestamp": "2026-11-20T10:00:00Z"},
        {"user_id": "ada", "event": "purchase", "timestamp": "2026-11-20T11:00:00Z", "properties": {"total": 20}},
    ]
    assert folder.findings("--offline") == [("unreadable", "/tests/0/given", 9)]
    folder.write("\n".join(map(json.dumps, rows)), "visits.ndjson")
    assert folder.check().code == 0
    folder.write(
        "user_id,event,timestamp,total\nada,cart,2026-11-20 10:00,\nada,purchase,2026-11-20 11:00,20\n", "v.csv"
    )
    folder.write((folder.root / "buy.yaml").read_text().replace("visits.ndjson", "v.csv"))
    assert folder.check().code == 0
    folder.write("user_id,event,timestamp\nada,cart,never\n", "v.csv")
    assert [code for code, *_ in folder.findings("--offline")] == ["invalid_timestamp"]


def test_names_are_compared_with_the_events_that_exist(
    folder: Folder, iafa: Command, project_id: str, tmp_path: Path
) -> None:
    folder.write(BUY)
    assert folder.findings() == [("no_events", "", 2)]
    load(iafa, tmp_path, "u1,Cart,2025-01-01T00:00:00Z,1", "u1,purchase,2025-01-01T01:00:00Z,7")
    said = folder.check()
    assert said.code == 1
    assert (
        "buy.yaml:4: error: /stages/0/event no event is called 'cart'; did you mean 'Cart'? (unknown_event)" in said.out
    )
    assert folder.findings() == [("unknown_event", "/stages/0/event", 4), ("never_matched", "/stages/1", 5)]

    load(iafa, tmp_path, "u2,cart,2025-01-01T00:00:00Z,1", "u2,purchase,2025-01-01T01:00:00Z,70")
    assert folder.findings() == [("silent", "/stages/0", 4), ("silent", "/stages/1", 5)]
    assert folder.check().code == 0
    assert folder.check("--strict").code == 1
    assert folder.findings("--recent-days", "3000") == []
    folder.write(BUY.replace("total", "sum"))
    assert folder.findings("--recent-days", "3000") == [
        ("never_matched", "/stages/1", 5),
        ("unknown_property", "/stages/1/filters/0/property", 5),
    ]


def test_an_unknown_name_among_several_and_in_an_exclusion_only_warns(
    folder: Folder, iafa: Command, project_id: str, tmp_path: Path
) -> None:
    load(iafa, tmp_path, "u1,cart,2025-01-01T00:00:00Z,1", "u1,purchase,2025-01-01T01:00:00Z,7")
    folder.write(
        "name: F\nstages:\n  - {name: B, order: 2, event: purchase}\n  - name: A\n    order: 1\n"
        "    events: [basket, cart]\nexclusions: [{event: refund}]\nhold: [order_id]\n"
    )
    assert folder.findings("--recent-days", "3000") == [
        ("unknown_event", "/stages/1/events/0", 6),
        ("unknown_event", "/exclusions/0/event", 7),
        ("unknown_property", "/hold/0", 8),
    ]
    assert folder.check("--recent-days", "3000").code == 0


def test_applying_makes_changes_and_then_nothing(
    folder: Folder, iafa: Command, project_id: str, tmp_path: Path
) -> None:
    load(iafa, tmp_path, "u1,cart,2025-01-01T00:00:00Z,1", "u1,purchase,2025-01-01T01:00:00Z,70")
    path = folder.write(BUY)
    assert "to be created" in folder.check().out
    assert saved(tmp_path, project_id) == []

    assert "created" in folder.check("--apply").out
    (funnel,) = saved(tmp_path, project_id)
    assert (funnel.name, funnel.key, funnel.version) == ("Buy", "buy", 1)
    assert funnel.definition["project_id"] == project_id
    assert "unchanged" in folder.check("--apply").out
    assert saved(tmp_path, project_id) == [funnel]

    path.write_text(BUY.replace("3600", "7200").replace("61m", "121m"))
    said = folder.check("--apply")
    assert "/window_seconds: 3600 -> 7200" in said.out
    (changed,) = saved(tmp_path, project_id)
    assert (changed.id, changed.version, changed.definition["window_seconds"]) == (funnel.id, 2, 7200)
    assert iafa("funnel", "--project", "Shop", "--funnel", "Buy").code == 0


def test_nothing_is_applied_when_anything_fails(folder: Folder, project_id: str, tmp_path: Path) -> None:
    folder.write(BUY)
    folder.write(BUY.replace("users: [3, 1]", "users: [3, 3]").replace("name: Buy\n", "name: Other\n"), "other.yaml")
    assert folder.check("--apply").code == 1
    assert saved(tmp_path, project_id) == []


def test_only_prune_removes_and_only_what_files_have_made(folder: Folder, project_id: str, tmp_path: Path) -> None:
    house = house_at(tmp_path / "data")
    by_hand = run(lambda: house.funnels.add(project_id, name="By hand", definition={"name": "By hand"}))
    folder.write(BUY)
    second = folder.write(BUY.replace("name: Buy\n", "name: Second\n"), "second.yaml")
    assert folder.check("--apply").code == 0
    second.unlink()
    folder.check("--apply")
    assert len(saved(tmp_path, project_id)) == 3
    assert "removed 'Second'" in folder.check("--apply", "--prune").out
    assert [one.name for one in saved(tmp_path, project_id)] == [by_hand.name, "Buy"]
    second.write_text(BUY.replace("name: Buy\n", "name: Second\n").replace("3600", "7200").replace("61m", "121m"))
    folder.check("--apply")
    (log,) = audit_files(house.layout.audit)
    said = [(line["action"], line["details"]) for line in map(json.loads, log.read_text().splitlines())]
    of_funnels = [(action, details["name"]) for action, details in said if action.startswith("funnel.")]
    assert of_funnels == [
        ("funnel.make", "Buy"),
        ("funnel.make", "Second"),
        ("funnel.delete", "Second"),
        ("funnel.make", "Second"),
    ]


def test_a_key_keeps_a_funnel_through_a_new_name(folder: Folder, project_id: str, tmp_path: Path) -> None:
    path = folder.write(f"key: main\n{BUY.strip()}\n")
    folder.check("--apply")
    path.write_text(f"key: main\n{BUY.strip()}\n".replace("name: Buy\n", "name: Purchase\n"))
    assert '/name: "Buy" -> "Purchase"' in folder.check("--apply").out
    (funnel,) = saved(tmp_path, project_id)
    assert (funnel.name, funnel.version) == ("Purchase", 2)


def test_two_files_cannot_speak_of_one_funnel(folder: Folder, project_id: str) -> None:
    folder.write(BUY)
    folder.write(BUY.replace("name: Buy\n", "name: BUY\n"), "z.yaml")
    assert folder.findings("--offline") == [("repeated", "/name", 2)]
    assert folder.check("--apply").code == 1


def test_two_projects_may_have_funnels_of_one_name(folder: Folder, iafa: Command, project_id: str) -> None:
    iafa("project", "add", "Other")
    folder.write(f"project: Other\n{BUY.strip()}\n")
    path = folder.write(f"project: {project_id}\n{BUY.strip()}\n", "z.yaml")
    assert folder.findings("--offline") == []
    assert folder.check("--apply").code == 0
    assert folder.findings("--offline", "--project", "Other") == [("repeated", "/name", 2)]
    path.write_text(f"project: other\n{BUY.strip()}\n".replace("name: Buy\n", "name: Else\nkey: buy\n"))
    assert folder.findings("--offline", "--project", "Other") == [("repeated", "/key", 3)]


def test_usage_that_cannot_work_is_code_2(folder: Folder, iafa: Command, project_id: str) -> None:
    assert folder.check().code == 2, "an empty folder"
    folder.write(BUY)
    assert iafa("check", "no-such-file.yaml").code == 2
    assert folder.check("--project", "Nowhere").code == 2
    assert folder.check("--offline", "--apply").code == 2
    assert folder.check("--prune").code == 2
    iafa("project", "add", "Other")
    assert folder.check("--apply").code == 2, "two projects, and none is named"
    assert folder.check("--apply", "--project", "Shop").code == 0


def test_reports_for_programs(folder: Folder) -> None:
    folder.write(BUY)
    folder.write("name: [", "bad.yaml")
    report = folder.check("--offline", "--format", "json").json
    assert (report["ok"], [one["name"] for one in report["funnels"]]) == (False, ["", "Buy"])
    suites = ElementTree.fromstring(folder.check("--offline", "--format", "junit").out)
    counts = [(suite.get("tests"), suite.get("failures")) for suite in suites]
    assert counts == [("1", "1"), ("2", "0")]


@pytest.mark.parametrize("template", templates(), ids=[one.id for one in templates()])
def test_every_template_passes_its_own_tests(folder: Folder, template: Any) -> None:
    folder.write(template.text)
    said = folder.check("--offline", "--strict")
    assert said.code == 0, said.out
    assert "1 of 1 tests pass" in said.out


def test_exported_funnels_apply_without_a_change(
    folder: Folder, iafa: Command, project_id: str, tmp_path: Path
) -> None:
    """Every option once; the demo's funnels; names that are hard on files."""
    house = house_at(tmp_path / "data")
    stages = [{"name": name, "event": name} for name in "abc"]
    hard: list[dict[str, Any]] = [
        {"name": "on", "stages": [{"name": "1:30", "events": ["yes", "1e3"],
         "filters": [{"property": "x", "op": "exists"}]}]},
        {"name": "ON!", "stages": stages, "order": "unordered", "first_required": True, "unit": "session"},
        {"name": "é / ../x", "stages": [{"name": "p", "page": "/a/**", "host": "x.org"}], "window_seconds": None},
        {"name": "t", "stages": stages, "tie": "grace:2", "hold": ["o"],
         "breakdown": {"property": "b", "attribution": "step:2"}},
        {"name": "e", "stages": stages, "exclusions": [{"event": "x", "from_stage": 2}], "exclusion_mode": "drop",
         "filters": [{"any_of": [{"property": "p", "op": "in", "value": ["1", 1, True]}]}], "range": "all_steps"},
    ]  # fmt: skip

    async def add() -> None:
        for raw in (*FUNNELS, *hard):
            definition = to_dict(parse_definition({**raw, "project_id": project_id}))
            await house.funnels.add(project_id, name=str(raw["name"]), definition=definition)

    asyncio.run(add())
    before = saved(tmp_path, project_id)
    assert iafa("funnels", "export", "--project", "Shop", "--out", str(folder.root)).code == 0
    assert len(list(folder.root.iterdir())) == len(FUNNELS) + len(hard)
    assert iafa("funnels", "export", "--project", "Shop", "--out", str(folder.root)).code == 2
    assert iafa("funnels", "export", "--project", "Shop", "--out", str(folder.root), "--force").code == 0
    report = folder.check("--apply", "--json").json
    assert report["ok"], report
    assert {one["change"]["action"] for one in report["funnels"]} == {"unchanged"}
    after = saved(tmp_path, project_id)
    assert [(one.id, one.version, one.definition) for one in after] == [
        (one.id, one.version, one.definition) for one in before
    ]
    assert iafa("funnels", "export", "--project", "Shop", "--funnel", "on").out.startswith("key: 'on'\nname: 'on'\n")


def test_templates_are_listed_shown_and_matched(iafa: Command, project_id: str, tmp_path: Path) -> None:
    assert "purchase         Shop          Purchase" in iafa("funnels", "templates").out
    assert iafa("funnels", "templates", "--show", "purchase").out == next(
        t.text for t in templates() if t.id == "purchase"
    )
    assert iafa("funnels", "templates", "--show", "nothing").code == 2
    names = ("view_item", "Product Added", "begin-checkout", "purchase", "other")
    load(iafa, tmp_path, *(f"u1,{name},2025-01-01T00:00:00Z,1" for name in names))
    first = iafa("funnels", "templates", "--project", "Shop", "--json").json["templates"][0]
    assert (first["id"], first["matches"]["fits"]) == ("purchase", "all")
    assert [stage["event"] for stage in first["matches"]["stages"]] == list(names[:4])


def test_suggested_funnels_are_files_that_check(folder: Folder, iafa: Command, project_id: str, tmp_path: Path) -> None:
    assert iafa("funnels", "suggest", "--project", "Shop").out == ""
    days = [
        f"u{user},{name},2025-01-0{day}T00:00:00Z,1" for user in "ab" for day, name in enumerate(("v", "c", "p"), 1)
    ]
    load(iafa, tmp_path, *days)
    folder.write(iafa("funnels", "suggest", "--project", "Shop").out)
    assert "From v to p: to be created" in folder.check("--recent-days", "3000").out
    (funnel,) = iafa("funnels", "suggest", "--project", "Shop", "--json").json["funnels"]
    assert [stage["users"] for stage in funnel["stages"]] == [2, 2, 2]
