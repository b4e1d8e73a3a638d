"""Filters: their operators, reading them from JSON, and their SQL. The rules are section 3 of the semantics.

A filter looks at one event. Null is a missing property, a JSON null or an empty column; "" is a value.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

import msgspec

from iafa.event import INTEGER_MAX, NAME_CHARS_MAX, STRING_BYTES_MAX
from iafa.lake.schema import COLUMNS
from iafa.query.binding import Parameters, sql_text
from iafa.query.field_errors import FieldErrors, pointer_to
from iafa.query.worked_out import WORKED_OUT

FILTERS_MAX = 50
DEFINITION_FILTERS_MAX = 500
DEFINITION_REGEXES_MAX = 20
VALUES_MAX = 1_000
NESTING_MAX = 5
REGEX_CHARS_MAX = 1_000

# Times are asked for by the date range, the project and the hash are no property of the event.
FILTER_COLUMNS = tuple(
    name for name in COLUMNS if name not in {"project_id", "properties", "user_hash", "created_at", "received_at"}
)
_NOT_TEXT = frozenset({"is_bot", "sample_rate"})

Scalar = str | int | float | bool
RegexCheck = Callable[[str], str | None]


class Operator(StrEnum):
    EQ = "eq"
    NEQ = "neq"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    ICONTAINS = "icontains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    REGEX = "regex"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    EXISTS = "exists"
    NOT_EXISTS = "not_exists"


_COMPLEMENTS = {
    Operator.NEQ: Operator.EQ,
    Operator.NOT_IN: Operator.IN,
    Operator.NOT_CONTAINS: Operator.CONTAINS,
    Operator.NOT_EXISTS: Operator.EXISTS,
}
_NUMERIC = {Operator.GT: ">", Operator.GTE: ">=", Operator.LT: "<", Operator.LTE: "<="}
_TEXTUAL = {
    Operator.CONTAINS: "contains({text}, {value})",
    Operator.ICONTAINS: "contains(lower({text}), lower({value}))",
    Operator.STARTS_WITH: "starts_with({text}, {value})",
    Operator.ENDS_WITH: "ends_with({text}, {value})",
    Operator.REGEX: "regexp_matches({text}, {value})",
}
_DECIMAL = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)"


class Filter(msgspec.Struct, frozen=True):
    """`property` is as given, prefix included. `values` has one value, but for in, not_in and exists."""

    property: str
    operator: Operator
    values: tuple[Scalar, ...] = ()


class AnyOf(msgspec.Struct, frozen=True):
    """Holds when at least one of its conditions does."""

    any_of: tuple["Condition", ...]


Condition = Filter | AnyOf


def parse_filters(raw: object, errors: FieldErrors, pointer: str, *, regex_error: RegexCheck) -> tuple[Condition, ...]:
    """All of the list must hold. Wrong ones are added to `errors` and left out."""
    return _FilterReader(errors, regex_error).conditions(raw, pointer, depth=0)


def parse_property(raw: object, errors: FieldErrors, pointer: str) -> str:
    """The name of a property or column, with or without its prefix."""
    text = errors.text(raw, pointer, most=NAME_CHARS_MAX + len("property:"))
    prefix, name = _split(text)
    if prefix and not name:
        errors.add(pointer, "too_short", "a name must follow the prefix")
    elif prefix == "column" and name not in (*FILTER_COLUMNS, *WORKED_OUT):
        known = ", ".join((*FILTER_COLUMNS, *WORKED_OUT))
        errors.add(pointer, "unknown_column", f"must be one of: {known}")
    return text


def read_property(fields: Mapping[str, object], pointer: str, errors: FieldErrors) -> str:
    """What a question groups by or calculates with: it must be there, and be no unknown column."""
    at = pointer_to(pointer, "property")
    if fields.get("property") is None:
        errors.add(at, "missing", "is required")
        return ""
    return parse_property(fields["property"], errors, at)


def filter_to_dict(condition: Condition) -> dict[str, object]:
    if isinstance(condition, AnyOf):
        return {"any_of": [filter_to_dict(option) for option in condition.any_of]}
    plain: dict[str, object] = {"property": condition.property, "op": condition.operator.value}
    if condition.operator in {Operator.IN, Operator.NOT_IN}:
        plain["value"] = list(condition.values)
    elif condition.values:
        plain["value"] = condition.values[0]
    return plain


def canonical_text(value: Scalar) -> str:
    """The text by which values are compared: 1, 1.0 and "1" are equal, true is "true"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value + 0.0).removesuffix(".0")
    return str(value)


def filter_columns(condition: Condition) -> set[str]:
    """The event columns that the condition reads."""
    if isinstance(condition, AnyOf):
        return set().union(*(filter_columns(option) for option in condition.any_of))
    prefix, name = _split(condition.property)
    columns = set() if prefix == "column" else {"properties"}
    if prefix != "property" and name in FILTER_COLUMNS:
        columns.add(name)
    return columns | WORKED_OUT[name].columns if prefix == "column" and name in WORKED_OUT else columns


def filter_properties(condition: Condition) -> set[str]:
    """What the condition looks at, by the names that were given."""
    if isinstance(condition, AnyOf):
        return set().union(*map(filter_properties, condition.any_of))
    return {condition.property}


def condition_sql(condition: Condition, parameters: Parameters) -> str:
    """A boolean expression that is never null, over the columns of an event and its `property_values`."""
    if isinstance(condition, AnyOf):
        return f"({' or '.join(condition_sql(option, parameters) for option in condition.any_of)})"
    positive = _COMPLEMENTS.get(condition.operator)
    if positive is None:
        return _positive_sql(condition, parameters)
    mirrored = Filter(condition.property, positive, condition.values)
    return f"(not {_positive_sql(mirrored, parameters)})"


def property_values_sql(events: str, parameters: Parameters, *, of_events: Sequence[str] | None = None) -> str:
    """Events, given as SQL, with what conditions look at. Of events of other types nothing is read: that costs most."""
    is_asked = "random() < 1"
    if of_events is not None:
        is_asked = f"event_type in ({', '.join(map(parameters.bind, of_events)) or 'null'}) and {is_asked}"
    return sql_text("property_values", events=events, is_asked=is_asked, pointers=parameters.bind_properties())


def text_sql(name: str, parameters: Parameters) -> str:
    """The canonical text of a property or column; null where it is missing, an array or an object."""
    return _Subject(name, parameters).text()


def numeric_sql(name: str, parameters: Parameters) -> str:
    """A property or column as a finite number; null where it is none."""
    number = _Subject(name, parameters).number()
    return f"nullif(nullif({number}, 'inf'::double), '-inf'::double)"


def property_columns(name: str) -> set[str]:
    """The event columns that a property's name reads."""
    return filter_columns(Filter(name, Operator.EXISTS))


class _FilterReader:
    def __init__(self, errors: FieldErrors, regex_error: RegexCheck) -> None:
        self._errors = errors
        self._regex_error = regex_error

    def conditions(self, raw: object, pointer: str, *, depth: int, least: int = 0) -> tuple[Condition, ...]:
        items = self._errors.sequence(raw, pointer, most=FILTERS_MAX, least=least)
        read = (self._condition(item, pointer_to(pointer, index), depth=depth) for index, item in enumerate(items))
        return tuple(condition for condition in read if condition is not None)

    def _condition(self, raw: object, pointer: str, *, depth: int) -> Condition | None:
        fields = self._errors.mapping(raw, pointer)
        if fields is None:
            return None
        if "any_of" not in fields:
            return self._filter(fields, pointer)
        self._errors.unknown(fields, pointer, {"any_of"})
        if depth == NESTING_MAX:
            self._errors.add(pointer, "too_deep", f"any_of may be nested at most {NESTING_MAX} deep")
            return None
        return AnyOf(self.conditions(fields["any_of"], pointer_to(pointer, "any_of"), depth=depth + 1, least=1))

    def _filter(self, fields: Mapping[str, object], pointer: str) -> Filter | None:
        before = len(self._errors)
        if not self._errors.spend("filters", pointer, most=DEFINITION_FILTERS_MAX):
            return None
        self._errors.unknown(fields, pointer, {"property", "op", "value"})
        name = parse_property(fields.get("property"), self._errors, pointer_to(pointer, "property"))
        operator = self._operator(fields.get("op"), pointer_to(pointer, "op"))
        if operator is None:
            return None
        values = self._values(operator, fields.get("value"), pointer_to(pointer, "value"))
        return Filter(name, operator, values) if len(self._errors) == before else None

    def _operator(self, raw: object, pointer: str) -> Operator | None:
        for operator in Operator:
            if raw == operator.value:
                return operator
        self._errors.add(pointer, "unknown_operator", f"must be one of: {', '.join(Operator)}")
        return None

    def _values(self, operator: Operator, raw: object, pointer: str) -> tuple[Scalar, ...]:
        if operator in {Operator.EXISTS, Operator.NOT_EXISTS}:
            if raw is not None:
                self._errors.add(pointer, "unknown_field", "this operator takes no value")
            return ()
        if operator in {Operator.IN, Operator.NOT_IN}:
            items = self._errors.sequence(raw, pointer, most=VALUES_MAX)
            return tuple(self._scalar(item, pointer_to(pointer, index)) for index, item in enumerate(items))
        value = self._scalar(raw, pointer)
        if operator in _NUMERIC and not _is_number(value):
            self._errors.add(pointer, "wrong_type", "must be a number")
        elif operator is Operator.REGEX:
            self._regex(value, pointer)
        return (value,)

    def _scalar(self, raw: object, pointer: str) -> Scalar:
        if isinstance(raw, str):
            return self._errors.text(raw, pointer, most=STRING_BYTES_MAX, least=0)
        if isinstance(raw, bool):
            return raw
        if isinstance(raw, int | float):
            if abs(raw) > INTEGER_MAX if isinstance(raw, int) else not math.isfinite(raw):
                self._errors.add(pointer, "number_out_of_range", "must be finite, an integer at most 2^53")
                return 0
            return raw
        self._errors.add(pointer, "wrong_type", "must be a string, a number or a boolean")
        return ""

    def _regex(self, value: Scalar, pointer: str) -> None:
        if not isinstance(value, str):
            self._errors.add(pointer, "wrong_type", "must be a string")
        elif len(value) > REGEX_CHARS_MAX:
            self._errors.add(pointer, "too_long", f"must have at most {REGEX_CHARS_MAX} characters")
        elif not self._errors.spend("regular expressions", pointer, most=DEFINITION_REGEXES_MAX):
            return
        elif (reason := self._regex_error(value)) is not None:
            self._errors.add(pointer, "bad_regex", f"not a regular expression of RE2: {reason}")


def _is_number(value: Scalar) -> bool:
    if isinstance(value, str):
        return re.fullmatch(_DECIMAL, value) is not None and math.isfinite(float(value))
    return not isinstance(value, bool)


def name_of_property(name: str) -> str:
    """How a filter names a property of events and nothing else: bare, where that leaves nothing open."""
    is_open = not name or name in FILTER_COLUMNS or _split(name)[0] != ""
    return f"property:{name}" if is_open else name


def _split(name: str) -> tuple[str, str]:
    """`property:x` and `column:x` force what a bare name leaves open."""
    prefix, colon, rest = name.partition(":")
    return (prefix, rest) if colon and prefix in {"property", "column"} else ("", name)


def _positive_sql(condition: Filter, parameters: Parameters) -> str:
    operator, values = condition.operator, condition.values
    if operator is Operator.IN and not values:
        return "false"
    subject = _Subject(condition.property, parameters)
    if operator is Operator.EXISTS:
        return f"({subject.exists()})"
    if operator in _NUMERIC:
        return f"coalesce({subject.number()} {_NUMERIC[operator]} {parameters.bind(float(values[0]))}, false)"
    texts = [parameters.bind(canonical_text(value)) for value in values]
    if operator in {Operator.EQ, Operator.IN}:
        matched = f"{subject.text()} in ({', '.join(texts)})"
    else:
        matched = _TEXTUAL[operator].format(text=subject.text(), value=texts[0])
    if operator in {Operator.EQ, Operator.IN, Operator.CONTAINS} and subject.place is not None:
        element = f"list_has_any({subject.elements()}, [{', '.join(texts)}])"
        matched = f"case when {subject.kind()} = 'ARRAY' then {element} else {matched} end"
    return f"coalesce({matched}, false)"


class _Subject:
    """What a filter looks at: a property by its place among those read, a column, or the one, else the other."""

    def __init__(self, name: str, parameters: Parameters) -> None:
        prefix, bare = _split(name)
        self.place: int | None = None
        self._column = bare if prefix != "property" and bare in FILTER_COLUMNS else None
        if prefix == "column" and bare in WORKED_OUT:
            self._column = WORKED_OUT[bare].sql
        if prefix != "column":
            self.place = parameters.property_place(pointer_of_property(bare))

    def kind(self) -> str:
        return f"property_kinds[{self.place}]"

    def exists(self) -> str:
        checks = []
        if self.place is not None:
            checks.append(f"coalesce({self.kind()}, 'NULL') <> 'NULL'")
        if self._column is not None:
            checks.append(f"{self._column} is not null")
        return " or ".join(checks)

    def text(self) -> str:
        """Canonical text; null for null, arrays and objects."""
        return self._choose(canonical_sql(self.kind(), self._value()), self._column_text())

    def number(self) -> str:
        """Numbers, and strings that are wholly a decimal number; else null."""
        column = "sample_rate" if self._column == "sample_rate" else _decimal_sql(self._column_text())
        return self._choose(number_sql(self.kind(), self._value()), column)

    def elements(self) -> str:
        """The canonical texts of an array's scalar elements."""
        items = f"from_json({self._value()}, '[\"JSON\"]')"
        element = canonical_sql("json_type(element)", "json_extract_string(element, '$')")
        return f"list_transform({items}, lambda element: {element})"

    def _value(self) -> str:
        return f"property_texts[{self.place}]"

    def _column_text(self) -> str:
        if self._column == "sample_rate":
            return _double_text_sql("sample_rate")
        return f"{self._column}::varchar" if self._column in _NOT_TEXT else str(self._column)

    def _choose(self, of_property: str, of_column: str) -> str:
        if self._column is None:
            return f"({of_property})"
        if self.place is None:
            return f"({of_column})"
        return f"(case when coalesce({self.kind()}, 'NULL') = 'NULL' then {of_column} else {of_property} end)"


def pointer_of_property(name: str) -> str:
    """The JSON pointer to bind for a property. In a `$.` path `*` and `.` would have meanings of their own."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def canonical_sql(kind: str, value: str) -> str:
    """The canonical text of a JSON value, given as SQL: its type and its plain text."""
    return (
        f"case {kind} when 'DOUBLE' then {_double_text_sql(f'{value}::double')} "
        f"when 'ARRAY' then null when 'OBJECT' then null when 'NULL' then null else {value} end"
    )


def number_sql(kind: str, value: str) -> str:
    """A JSON value as a number; null where it is none."""
    return (
        f"case {kind} when 'VARCHAR' then {_decimal_sql(value)} "
        f"when 'UBIGINT' then {value}::double when 'BIGINT' then {value}::double "
        f"when 'DOUBLE' then {value}::double end"
    )


def _double_text_sql(value: str) -> str:
    return f"regexp_replace(({value} + 0.0::double)::varchar, '\\.0$', '')"


def _decimal_sql(text: str) -> str:
    return f"case when regexp_full_match({text}, '{_DECIMAL}') then try_cast({text} as double) end"
