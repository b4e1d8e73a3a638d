"""Funnels as files say them: reading a YAML file into definitions and tests, with every error and its line.

A document holds the fields of the API's definition, and beside them `key`, `project`, `tests` and `template`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from iafa.checks.expected import Expected, read_expected
from iafa.checks.findings import Finding, of_errors
from iafa.checks.given import Given, read_given
from iafa.checks.yaml_text import Document, WrongYaml, read_documents
from iafa.errors import ValidationFailed
from iafa.event import NAME_CHARS_MAX
from iafa.query.definition import FunnelDefinition, to_dict
from iafa.query.definition_reading import parse_definition
from iafa.query.field_errors import FieldErrors, pointer_to
from iafa.query.time_range import TimeRange, check_timezone, resolve_time_range

FILE_BYTES_MAX = 512 * 1024
TESTS_MAX = 50
OWN_FIELDS = ("key", "project", "project_id", "tests", "template")
_TEST_FIELDS = {"name", "given", "expect", "start_date", "end_date", "timezone"}
_RANGE_FIELDS = ("start_date", "end_date", "timezone")


@dataclass(frozen=True)
class WrittenTest:
    """Events, a range to ask for, and what is to come out."""

    name: str
    pointer: str
    given: Given
    expected: Expected
    time_range: TimeRange


@dataclass
class WrittenFunnel:
    """One document. Where `definition` is None the findings say why."""

    path: Path
    document: Document
    definition: FunnelDefinition | None = None
    key: str | None = None
    project: str | None = None
    tests: list[WrittenTest] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def name(self) -> str:
        return "" if self.definition is None else self.definition.name

    @property
    def stable_key(self) -> str:
        """By what a saved funnel is found again: the key, else the name."""
        return self.key if self.key is not None else self.name.casefold()

    def stored(self, project_id: str) -> dict[str, object]:
        """The definition as the API would save it for the project."""
        assert self.definition is not None
        return {**to_dict(self.definition), "project_id": project_id}


def read_file(path: Path) -> list[WrittenFunnel]:
    """The funnels of a file; one that cannot be read gives one funnel that says so."""
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
        if len(content) > FILE_BYTES_MAX:
            raise WrongYaml(1, f"the file is larger than {FILE_BYTES_MAX} bytes")
        documents = read_documents(content.decode("utf-8-sig"))
    except OSError as error:
        return [_unreadable(path, "unreadable", f"cannot be read: {error.strerror}")]
    except UnicodeDecodeError:
        return [_unreadable(path, "invalid_yaml", "is not UTF-8 text")]
    except WrongYaml as error:
        return [_unreadable(path, "invalid_yaml", error.message, error.line)]
    if not documents:
        return [_unreadable(path, "invalid_yaml", "holds no funnel")]
    return [read_funnel(path, document) for document in documents]


def read_funnel(path: Path, document: Document) -> WrittenFunnel:
    errors = FieldErrors()
    funnel = WrittenFunnel(path, document)
    fields = errors.mapping(document.value, "")
    if fields is not None:
        _read_own(funnel, fields, errors)
        try:
            funnel.definition = parse_definition({key: fields[key] for key in fields if key not in OWN_FIELDS})
        except ValidationFailed as wrong:
            funnel.findings += of_errors(document, wrong.errors)
        else:
            _read_tests(funnel, fields.get("tests"), funnel.definition, errors)
    funnel.findings += of_errors(document, errors.found)
    if funnel.findings:
        funnel.tests = []
        funnel.definition = None
    return funnel


def _read_own(funnel: WrittenFunnel, fields: Mapping[str, object], errors: FieldErrors) -> None:
    for key in ("key", "project", "project_id"):
        if fields.get(key) is not None:
            text = errors.text(fields[key], pointer_to("", key), most=NAME_CHARS_MAX)
            setattr(funnel, "key" if key == "key" else "project", text)
    if fields.get("project") is not None and fields.get("project_id") is not None:
        errors.add("/project_id", "conflicting_fields", "takes only one of project, project_id")
    if fields.get("template") is not None:
        errors.mapping(fields["template"], "/template")


def _read_tests(funnel: WrittenFunnel, raw: object, definition: FunnelDefinition, errors: FieldErrors) -> None:
    if raw is None:
        return
    for index, item in enumerate(errors.sequence(raw, "/tests", most=TESTS_MAX)):
        at = pointer_to("/tests", index)
        fields = errors.mapping(item, at)
        if fields is None:
            continue
        errors.unknown(fields, at, _TEST_FIELDS)
        for key in ("given", "expect"):
            if fields.get(key) is None:
                errors.add(pointer_to(at, key), "missing", "is required")
        name = f"test {index + 1}"
        if fields.get("name") is not None:
            name = errors.text(fields["name"], pointer_to(at, "name"), most=NAME_CHARS_MAX)
        given = read_given(fields.get("given") or {}, pointer_to(at, "given"), errors)
        expected = Expected()
        if fields.get("expect") is not None:
            expected = read_expected(fields["expect"], definition, pointer_to(at, "expect"), errors)
        time_range = _range(fields, at, errors)
        if time_range is not None:
            funnel.tests.append(WrittenTest(name, at, given, expected, time_range))


def _range(fields: Mapping[str, object], pointer: str, errors: FieldErrors) -> TimeRange | None:
    texts: dict[str, str | None] = {
        key: None if fields.get(key) is None else errors.text(fields[key], pointer_to(pointer, key), most=64)
        for key in _RANGE_FIELDS
    }
    try:
        timezone = check_timezone(texts["timezone"] or "UTC")
        return resolve_time_range(texts["start_date"], texts["end_date"], timezone=timezone)
    except ValidationFailed as wrong:
        for error in wrong.errors:
            errors.add(pointer + error.pointer, error.code, error.message)
        return None


def _unreadable(path: Path, code: str, message: str, line: int = 1) -> WrittenFunnel:
    return WrittenFunnel(path, Document(None), findings=[Finding("error", code, message, line=line)])
