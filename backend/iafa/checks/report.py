"""What a check found, for people, programs and CI: as text, as plain values for JSON, as JUnit's XML."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import msgspec

from iafa.checks.applying import Change
from iafa.checks.findings import Finding
from iafa.checks.trial import Outcome

_CHARACTERS = {code: None for code in range(32) if code not in (9, 10, 13)}  # that XML cannot hold


class FunnelReport(msgspec.Struct):
    """One funnel of a file; `name` is empty where it could not be read. `change` is what applying does or did."""

    file: str
    line: int
    name: str
    project: str | None = None
    findings: list[Finding] = msgspec.field(default_factory=list)
    tests: list[Outcome] = msgspec.field(default_factory=list)
    change: Change | None = None

    def count(self, level: str) -> int:
        return sum(finding.level == level for finding in self.findings)

    @property
    def failed_tests(self) -> int:
        return sum(bool(test.findings) for test in self.tests)

    def is_ok(self, *, is_strict: bool) -> bool:
        return not (self.count("error") or self.failed_tests or (is_strict and self.count("warning")))


class Report(msgspec.Struct):
    """Everything. `ok` says that the exit code is 0."""

    ok: bool
    applied: bool
    funnels: list[FunnelReport]
    removed: list[Change] = msgspec.field(default_factory=list)
    strict: bool = False  # warnings fail too

    def text_lines(self) -> Iterator[str]:
        return (_clean(line) for line in self._lines())

    def _lines(self) -> Iterator[str]:
        for funnel in self.funnels:
            yield from _funnel_lines(funnel, applied=self.applied)
        for change in self.removed:
            yield f"{'removed' if self.applied else 'would remove'} {change.name!r}, which no file speaks of"
        tests = sum(len(one.tests) for one in self.funnels)
        failed = sum(one.failed_tests for one in self.funnels)
        errors = sum(one.count("error") for one in self.funnels)
        warnings = sum(one.count("warning") for one in self.funnels)
        counts = [f"{len(self.funnels)} funnels", f"{tests} tests, {failed} failed", f"{errors} errors"]
        yield f"{'ok' if self.ok else 'FAILED'}: {', '.join([*counts, f'{warnings} warnings'])}"

    def junit(self) -> str:
        suites = Element("testsuites", name="iafa check")
        for funnel in self.funnels:
            suite = SubElement(suites, "testsuite", name=_clean(f"{funnel.file}: {funnel.name}"))
            cases = [("definition", funnel.line, funnel.findings)]
            cases += [(test.name, test.line, test.findings) for test in funnel.tests]
            failures = 0
            for name, line, findings in cases:
                case = SubElement(
                    suite, "testcase", classname=_clean(funnel.name or funnel.file), name=_clean(name), line=str(line)
                )
                case.set("file", _clean(funnel.file))
                failing = ("error", "warning") if self.strict else ("error",)
                errors = [one for one in findings if one.level in failing]
                if errors:
                    failures += 1
                    failure = SubElement(case, "failure", message=_clean(errors[0].message))
                    failure.text = _clean("\n".join(_finding_line(funnel.file, one) for one in errors))
                others = [one for one in findings if one.level not in failing]
                if others:
                    said = SubElement(case, "system-out")
                    said.text = _clean("\n".join(_finding_line(funnel.file, one) for one in others))
            suite.set("tests", str(len(cases)))
            suite.set("failures", str(failures))
        indent(suites)
        return tostring(suites, encoding="unicode")


def _funnel_lines(funnel: FunnelReport, *, applied: bool) -> Iterator[str]:
    shown = [f"{len(funnel.tests) - funnel.failed_tests} of {len(funnel.tests)} tests pass"] if funnel.tests else []
    if funnel.change is not None:
        verb = (
            funnel.change.action if applied or funnel.change.action == "unchanged" else f"to be {funnel.change.action}"
        )
        shown.append(verb)
        if funnel.change.adopts:
            shown.append("kept by this file from now on" if applied else "to be kept by this file")
    yield f"{funnel.file}:{funnel.line} {funnel.name or '(not read)'}{': ' if shown else ''}{', '.join(shown)}"
    for finding in funnel.findings:
        yield f"  {_finding_line(funnel.file, finding)}"
    for test in funnel.tests:
        if test.findings:
            yield f"  {funnel.file}:{test.line}: test {test.name!r} failed"
        for finding in test.findings:
            yield f"    {_finding_line(funnel.file, finding)}"
    if funnel.change is not None:
        for difference in funnel.change.differences:
            yield f"    {difference}"


def _finding_line(file: str, finding: Finding) -> str:
    pointer = f" {finding.pointer}" if finding.pointer else ""
    return f"{file}:{finding.line}: {finding.level}:{pointer} {finding.message} ({finding.code})"


def _clean(text: str) -> str:
    return text.translate(_CHARACTERS)


def plain(report: Report) -> object:
    """For JSON."""
    return msgspec.to_builtins(report)
