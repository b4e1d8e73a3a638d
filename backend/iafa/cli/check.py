"""`iafa check`: funnels as code. Reads files, compares them with the events that exist, tries their tests, applies."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from iafa.checks.applying import Change, apply, planned
from iafa.checks.existing import Existing
from iafa.checks.findings import Finding, found
from iafa.checks.report import FunnelReport, Report, plain
from iafa.checks.trial import try_tests
from iafa.checks.written import WrittenFunnel, read_file
from iafa.cli.exit_codes import FAILED
from iafa.cli.lookup import project_called
from iafa.cli.options import actor, data_dir_option, house_at, json_option, print_json, read_settings, run
from iafa.errors import WrongUsage
from iafa.meta.projects import Project
from iafa.meta.recorded import of_project
from iafa.wiring import House

FILES_MAX = 1_000
_RECORDED = {"created": "funnel.make", "changed": "funnel.change", "removed": "funnel.delete"}
SUFFIXES = (".yaml", ".yml")


@dataclass
class _Checked:
    """A funnel with what is said about it."""

    written: WrittenFunnel
    report: FunnelReport
    project: Project | None = None


@dataclass
class _Check:
    """One run over all files."""

    funnels: list[_Checked]
    options: dict[str, Any]
    house: House | None = field(default=None)

    async def report(self) -> Report:
        self._refuse_repeats()
        if not self.options["offline"]:
            await self._find_projects()
            self._refuse_repeats()
            await self._compare()
        for one in self.funnels:
            one.report.findings.sort(key=lambda finding: finding.line)
        removed: list[Change] = []
        is_ok = all(one.report.is_ok(is_strict=self.options["strict"]) for one in self.funnels)
        if self.house is not None:
            removed = await self._apply(self.house, is_ok=is_ok)
        funnels = [one.report for one in self.funnels]
        return Report(is_ok, is_ok and self.options["apply"], funnels, removed, self.options["strict"])

    def _refuse_repeats(self) -> None:
        """Two files must not speak of one saved funnel."""
        seen: dict[tuple[str | None, str, str], WrittenFunnel] = {}
        for one in self.funnels:
            written = one.written
            if written.definition is None:
                continue
            # Until the projects are found they are what is written; two ways to write one are compared after that.
            project = one.report.project or self.options["project"] or written.project
            for kind, text in (("key", written.stable_key), ("name", written.name.casefold())):
                first = seen.setdefault((project, kind, text), written)
                if first is not written:
                    one.report.findings.append(_repeated(written, first, kind))
                    written.definition = None
                    break

    async def _find_projects(self) -> None:
        wanted = {self.options["project"] or one.written.project for one in self.funnels}
        if not any(one.written.definition for one in self.funnels):
            return
        only: list[Project] = []
        # A machine that just runs the tests has no data directory, and gets none.
        if wanted - {None} or read_settings(data_dir=self.options["data_dir"]).data_dir.exists():
            self.house = house_at(self.options["data_dir"])
            only = await self.house.projects.all()
        projects: dict[str | None, Project | None] = {None: only[0] if len(only) == 1 else None}
        for text in wanted - {None}:
            assert text is not None
            assert self.house is not None
            projects[text] = await project_called(self.house, text)
        for one in self.funnels:
            one.project = projects[self.options["project"] or one.written.project]
            if one.project is not None:
                one.report.project = one.project.id
            elif one.written.definition is not None and self.options["apply"]:
                raise WrongUsage(f"{one.written.path} names no project; write `project:` into it, or --project")
            elif one.written.definition is not None:
                message = "no project is named; the events were not compared"
                one.report.findings.append(found(one.written.document, "note", "no_project", message))

    async def _compare(self) -> None:
        for project, funnels in self._by_project():
            assert self.house is not None
            snapshot = await self.house.snapshot(project.id)
            existing = Existing(self.house, snapshot, self.options["recent_days"])
            for one in funnels:
                if one.written.definition is not None:
                    one.report.findings += await asyncio.to_thread(existing.findings, one.written)

    async def _apply(self, house: House, *, is_ok: bool) -> list[Change]:
        """Nothing is saved unless everything is right; what would be saved is shown in any case."""
        plans = []
        for project, funnels in self._by_project():
            written = [one.written for one in funnels if one.written.definition is not None]
            saved = await house.funnels.of_project(project.id)
            plans.append((project, planned(saved, written, project.id, prunes=self.options["prune"])))
        removed = []
        for project, changes in plans:
            done = [change for change, _funnel in changes]
            if is_ok and self.options["apply"]:
                done = await apply(house.funnels, changes, project.id)
                for change in done:
                    if change.action in _RECORDED:
                        details = {"funnel": change.funnel_id, "name": change.name, "version": change.version}
                        house.audit.add(actor(), _RECORDED[change.action], of_project(project.id), details)
            by_key = {change.key: change for change in done if change.action != "removed"}
            removed += [change for change in done if change.action == "removed"]
            for one in self.funnels:
                if one.project is project and one.written.definition is not None:
                    one.report.change = by_key[one.written.stable_key]
        return removed

    def _by_project(self) -> list[tuple[Project, list[_Checked]]]:
        grouped: dict[str, list[_Checked]] = defaultdict(list)
        for one in self.funnels:
            if one.project is not None:
                grouped[one.project.id].append(one)
        return [(group[0].project, group) for group in grouped.values() if group[0].project is not None]


def _repeated(written: WrittenFunnel, first: WrittenFunnel, kind: str) -> Finding:
    """Who writes no key has its name for one."""
    of = "name" if first.key is None else kind
    fields = written.document.value if isinstance(written.document.value, dict) else {}
    field_name = "key" if kind == "key" and written.key is not None else "name"
    message = f"has the {of} of the funnel at {first.path}:{first.document.line_of('')}"
    return found(written.document, "error", "repeated", message, f"/{field_name}" if field_name in fields else "")


@click.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--project", help="The project's id or name; before what the files say.")
@click.option("--apply", is_flag=True, help="Save the funnels, if everything is right.")
@click.option("--prune", is_flag=True, help="With --apply: remove funnels that files made and no file speaks of now.")
@click.option("--strict", is_flag=True, help="Warnings fail the check too.")
@click.option("--offline", is_flag=True, help="Read the files and try their tests; look at no project.")
@click.option(
    "--recent-days", type=click.IntRange(1, 3660), default=30, show_default=True, help="What counts as lately."
)
@click.option("--format", "format", type=click.Choice(["text", "json", "junit"]), default="text", help="Of the report.")
@data_dir_option
@json_option
@click.pass_context
def check_command(ctx: click.Context, /, files: tuple[Path, ...], **options: Any) -> None:
    """Check funnels that are written as YAML, compare them with the events that exist, and apply them.

    FILES are files, or folders of *.yaml and *.yml files.
    """
    if options["offline"] and (options["apply"] or options["prune"]):
        raise click.UsageError("--offline looks at no project, so it can apply nothing")
    if options["prune"] and not options["apply"]:
        raise click.UsageError("--prune belongs to --apply")
    checked = [
        _Checked(
            written, FunnelReport(str(path), written.document.line_of(""), written.name, findings=written.findings)
        )
        for path in _paths(files)
        for written in read_file(path)
    ]
    check = _Check(checked, options)

    async def main() -> Report:
        await _try(checked)
        return await check.report()

    try:
        report = run(main)
    finally:
        if check.house is not None:
            check.house.engine.close()
    if options["as_json"] or options["format"] == "json":
        print_json(plain(report))
    elif options["format"] == "junit":
        click.echo(report.junit())
    else:
        click.echo("\n".join(report.text_lines()))
    if not report.ok:
        ctx.exit(FAILED)


async def _try(funnels: Sequence[_Checked]) -> None:
    """All tests, in a data directory of their own that is gone afterwards."""
    if not any(one.written.tests for one in funnels):
        return
    with TemporaryDirectory(prefix="iafa-check-") as folder:
        house = house_at(Path(folder))
        try:
            for one in funnels:
                one.report.tests = await try_tests(house, one.written)
        finally:
            house.engine.close()


def _paths(given: Sequence[Path]) -> list[Path]:
    """Every file once, in the order given; of a folder by name."""
    paths: dict[Path, None] = {}
    for path in given:
        inner = sorted(one for one in path.rglob("*") if one.suffix in SUFFIXES and one.is_file())
        paths |= dict.fromkeys(inner if path.is_dir() else [path])
    if not paths:
        raise WrongUsage(f"there is no {' or '.join(SUFFIXES)} file in {', '.join(map(str, given))}")
    if len(paths) > FILES_MAX:
        raise WrongUsage(f"these are {len(paths)} files; at most {FILES_MAX} are checked at once")
    return list(paths)
