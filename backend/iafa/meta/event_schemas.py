"""What the properties of an event type must look like: JSON Schemas of a project's settings, checked and compiled."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import jsonschema_rs
import msgspec

from iafa.errors import FieldError
from iafa.event import DropReason
from iafa.meta.collect_rules import SchemaRule

RULES_MAX = 100
SCHEMA_BYTES_MAX = 16 * 1024
ERRORS_MAX = 20  # of one event
MESSAGE_CHARS_MAX = 200
PROJECTS_MAX = 1000
PATTERN_BYTES_MAX = 1024 * 1024  # of a compiled pattern
# Parts that refer to each other could make the work of one event grow without bound.
_REFERENCES = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})
VALUE_SHOWN = "the value"  # messages never repeat what an event holds


class EventSchemas:
    """The rules of one project."""

    def __init__(self, rules: Sequence[SchemaRule]) -> None:
        self._validators = {rule.event_type: _validator(msgspec.json.decode(rule.schema)) for rule in rules}

    def concern(self, event_type: str) -> bool:
        return event_type in self._validators

    def errors(self, event_type: str, properties: bytes, pointer: str) -> Iterator[FieldError]:
        """What does not fit, where; nothing for event types without a rule. `properties` is an object's JSON."""
        validator = self._validators.get(event_type)
        if validator is None:
            return
        value = msgspec.json.decode(properties)
        for _, error in zip(range(ERRORS_MAX), validator.iter_errors(value), strict=False):
            path = "".join(f"/{_token(part)}" for part in error.instance_path)
            yield FieldError(f"{pointer}{path}", DropReason.SCHEMA.value, error.message[:MESSAGE_CHARS_MAX])


@lru_cache(maxsize=PROJECTS_MAX)
def schemas_of(rules: tuple[SchemaRule, ...]) -> EventSchemas:
    return EventSchemas(rules)


def why_not_schema(schema: Mapping[str, Any]) -> str | None:
    """What is wrong with a schema; None if nothing is."""
    if len(msgspec.json.encode(schema)) > SCHEMA_BYTES_MAX:
        return f"has more than {SCHEMA_BYTES_MAX} bytes"
    if any(name in _REFERENCES for name in _names(schema)):
        return "references are not followed; write the parts out"
    try:
        _validator(schema)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        return str(getattr(error, "message", error))[:MESSAGE_CHARS_MAX]
    return None


def _validator(schema: Mapping[str, Any]) -> Any:
    """Nothing is fetched for a schema, and its patterns take a time that is linear in the text."""
    return jsonschema_rs.validator_for(
        dict(schema),
        offline=True,
        mask=VALUE_SHOWN,
        pattern_options=jsonschema_rs.RegexOptions(size_limit=PATTERN_BYTES_MAX, dfa_size_limit=PATTERN_BYTES_MAX),
    )


def _names(value: Any) -> Iterator[str]:
    """Every member's name, at any depth."""
    if isinstance(value, Mapping):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _names(inner)


def _token(part: str | int) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")
