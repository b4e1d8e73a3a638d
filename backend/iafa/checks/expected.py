"""What a test expects of a funnel: reading it, and comparing it with an answer and the people behind it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from iafa.query.definition import FunnelDefinition
from iafa.query.field_errors import FieldErrors, pointer_to

PEOPLE_MAX = 500
STAGE_FIELDS = ("users", "conversion_rate", "drop_off_rate")
_FIELDS = {"users", "conversion_rate", "stages", "converted", "stopped", "not_entered"}
_HALF_A_HUNDREDTH = 0.005


@dataclass(frozen=True)
class ExpectedNumber:
    """`order` counts the required stages from 1; 0 is the whole funnel. Optional stages go by their name."""

    pointer: str
    field: str
    order: int
    value: float
    optional: str | None = None


@dataclass(frozen=True)
class ExpectedPeople:
    """Exactly these people went so far and no further; 0 is: they did not enter."""

    pointer: str
    order: int
    people: frozenset[str]


@dataclass(frozen=True)
class Expected:
    numbers: tuple[ExpectedNumber, ...] = ()
    people: tuple[ExpectedPeople, ...] = ()


@dataclass(frozen=True)
class Miss:
    """Where the answer is another one."""

    pointer: str
    message: str


def read_expected(raw: object, definition: FunnelDefinition, pointer: str, errors: FieldErrors) -> Expected:
    fields = errors.mapping(raw, pointer)
    if fields is None:
        return Expected()
    errors.unknown(fields, pointer, _FIELDS)
    if not _FIELDS & set(fields):
        errors.add(pointer, "missing", f"needs at least one of {', '.join(sorted(_FIELDS))}")
    reader = _Reader(definition, errors)
    return Expected(tuple(reader.numbers(fields, pointer)), tuple(reader.people(fields, pointer)))


class _Reader:
    def __init__(self, definition: FunnelDefinition, errors: FieldErrors) -> None:
        self._definition = definition
        self._errors = errors

    def numbers(self, fields: Mapping[str, object], pointer: str) -> Iterator[ExpectedNumber]:
        if "users" in fields:
            yield from self._users(fields["users"], pointer_to(pointer, "users"))
        if "conversion_rate" in fields:
            at = pointer_to(pointer, "conversion_rate")
            yield ExpectedNumber(at, "overall_conversion_rate", 0, self._number(fields["conversion_rate"], at))
        if "stages" in fields:
            at = pointer_to(pointer, "stages")
            for name, numbers in (self._errors.mapping(fields["stages"], at) or {}).items():
                yield from self._stage(name, numbers, pointer_to(at, name))

    def people(self, fields: Mapping[str, object], pointer: str) -> Iterator[ExpectedPeople]:
        for field, order in (("converted", len(self._definition.required)), ("not_entered", 0)):
            if field in fields:
                at = pointer_to(pointer, field)
                yield ExpectedPeople(at, order, self._names(fields[field], at))
        if "stopped" in fields:
            at = pointer_to(pointer, "stopped")
            for name, people in (self._errors.mapping(fields["stopped"], at) or {}).items():
                own = pointer_to(at, name)
                order, optional = self._stage_called(name, own)
                if optional is not None or order == len(self._definition.required):
                    message = "nobody stops at an optional or at the last stage"
                    self._errors.add(own, "conflicting_fields", message)
                yield ExpectedPeople(own, order, self._names(people, own))

    def _users(self, raw: object, pointer: str) -> Iterator[ExpectedNumber]:
        stages = len(self._definition.required)
        items = self._errors.sequence(raw, pointer, most=stages, least=stages)
        for order, item in enumerate(items, start=1):
            at = pointer_to(pointer, order - 1)
            yield ExpectedNumber(at, "users", order, self._number(item, at))

    def _stage(self, name: str, raw: object, pointer: str) -> Iterator[ExpectedNumber]:
        order, optional = self._stage_called(name, pointer)
        fields: Mapping[str, object] | None = {"users": raw}
        if not isinstance(raw, int):
            fields = self._errors.mapping(raw, pointer)
        known = STAGE_FIELDS if optional is None else STAGE_FIELDS[:2]
        self._errors.unknown(fields or {}, pointer, known)
        for field in known:
            if fields and field in fields:
                at = pointer if isinstance(raw, int) else pointer_to(pointer, field)
                yield ExpectedNumber(at, field, order, self._number(fields[field], at), optional)

    def _stage_called(self, name: str, pointer: str) -> tuple[int, str | None]:
        """The number of a required stage, or the name of an optional one."""
        found = [number for number, stage in enumerate(self._definition.required, start=1) if stage.name == name]
        optional = [stage.name for stage in self._definition.stages if stage.optional and stage.name == name]
        if len(found) + len(optional) == 1:
            return (found[0], None) if found else (0, name)
        if not found and name.isascii() and name.isdigit() and 1 <= int(name[:9]) <= len(self._definition.required):
            return int(name), None
        known = ", ".join(stage.name for stage in self._definition.stages)
        message = f"several stages are called so; write the stage's number: {known}"
        self._errors.add(pointer, "unknown_stage", message if found else f"must be a stage: {known}")
        return 1, None

    def _number(self, raw: object, pointer: str) -> float:
        if isinstance(raw, bool) or not isinstance(raw, int | float) or raw < 0:
            self._errors.add(pointer, "wrong_type", "must be a number that is not negative")
            return 0
        return raw

    def _names(self, raw: object, pointer: str) -> frozenset[str]:
        items = self._errors.sequence(raw, pointer, most=PEOPLE_MAX)
        return frozenset(
            self._errors.text(item, pointer_to(pointer, index), most=200) for index, item in enumerate(items)
        )


def misses(
    expected: Expected, definition: FunnelDefinition, answer: Mapping[str, Any], furthest: Mapping[str, int]
) -> list[Miss]:
    """`furthest` is by person the last stage reached; 0 for those who did not enter."""
    found = [_number_miss(one, definition, answer) for one in expected.numbers]
    found += [_people_miss(one, definition, furthest) for one in expected.people]
    return [miss for miss in found if miss is not None]


def _number_miss(one: ExpectedNumber, definition: FunnelDefinition, answer: Mapping[str, Any]) -> Miss | None:
    if one.optional is not None:
        stages: Sequence[Mapping[str, Any]] = answer["optional_stages"]
        actual = next(stage[one.field] for stage in stages if stage["stage_name"] == one.optional)
        what = f"{one.field} of {one.optional!r}"
    elif one.order == 0:
        actual, what = answer[one.field], "conversion_rate"
    else:
        actual = answer["stages"][one.order - 1][one.field]
        what = f"{one.field} of stage {one.order}, {definition.required[one.order - 1].name!r}"
    if abs(actual - one.value) < _HALF_A_HUNDREDTH:
        return None
    return Miss(one.pointer, f"{what}: expected {one.value:.12g}, the funnel says {actual:.12g}")


def _people_miss(one: ExpectedPeople, definition: FunnelDefinition, furthest: Mapping[str, int]) -> Miss | None:
    actual = {person for person, order in furthest.items() if order == one.order}
    if actual == one.people:
        return None
    where = "did not enter" if one.order == 0 else f"stopped at {definition.required[one.order - 1].name!r}"
    if one.order == len(definition.required):
        where = "converted"
    parts = [f"expected {_listed(one.people)}", f"the funnel says {_listed(actual)}"]
    unknown = one.people - furthest.keys()
    if unknown:
        parts.append(f"nobody is called {_listed(unknown)}")
    return Miss(one.pointer, f"who {where}: {'; '.join(parts)}")


def _listed(people: set[str] | frozenset[str]) -> str:
    shown = sorted(people)
    rest = f" and {len(shown) - 10} more" if len(shown) > 10 else ""
    return (", ".join(shown[:10]) or "nobody") + rest
