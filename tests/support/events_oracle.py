"""The event log by brute force, word by word after the semantics. Imports nothing of the product.

An event has `id`, `t`, `received`, `name`, `user`, `anonymous`, `properties`, `source`, `is_bot`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.reports_oracle import owner

Event = Mapping[str, Any]
Key = tuple[int, str, int]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)")
_COLUMNS = {"event_type": "name", "user_id": "user", "anonymous_id": "anonymous", "source": "source", "id": "id"}
_OPPOSITE = {"neq": "eq", "not_in": "in", "not_contains": "contains", "not_exists": "exists"}


@dataclass(frozen=True)
class Asked:
    """Days are local ones of the zone, both included."""

    names: Sequence[str] = ()
    user: str | None = None
    first: date | None = None
    last: date | None = None
    zone: str = "UTC"
    filters: Sequence[Mapping[str, Any]] = ()
    exclude_bots: bool = False

    def means(self, event: Event, owners: Callable[[Event], str], wanted: set[str]) -> bool:
        """`wanted` are the people that the user is."""
        return (
            (not self.names or event["name"] in self.names)
            and (self.user is None or owners(event) in wanted)
            and self._is_in_range(event["t"])
            and not (self.exclude_bots and event["is_bot"])
            and all(holds(one, event) for one in self.filters)
        )

    def _is_in_range(self, t: int) -> bool:
        day = (_EPOCH + timedelta(microseconds=t)).astimezone(ZoneInfo(self.zone)).date()
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)


def key_of(event: Event) -> Key:
    return event["t"], event["id"], event["received"]


def chosen(events: Sequence[Event], edges: Sequence[Mapping[str, Any]], asked: Asked) -> list[Event]:
    """What the question means, oldest first."""

    def owners(event: Event) -> str:
        return owner(event, edges)

    wanted = set() if asked.user is None else people_of(asked.user, edges)
    return sorted((one for one in events if asked.means(one, owners, wanted)), key=key_of)


def people_of(who: str, edges: Sequence[Mapping[str, Any]]) -> set[str]:
    """The person of a user; of an anonymous id everybody to whom an event of it may belong, whenever it was."""
    times = {edge["t"] + moved for edge in edges for moved in (-1, 0)} or {0}
    anonymous = {owner({"user": None, "anonymous": who, "t": t}, edges) for t in times}
    return {owner({"user": who, "anonymous": None, "t": 0}, edges), *anonymous}


def holds(condition: Mapping[str, Any], event: Event) -> bool:
    if "any_of" in condition:
        return any(holds(one, event) for one in condition["any_of"])
    op = condition["op"]
    if op in _OPPOSITE:
        return not holds({**condition, "op": _OPPOSITE[op]}, event)
    value, wanted = _subject(condition["property"], event), condition.get("value")
    if op == "exists":
        return value is not None
    if op in ("gt", "gte", "lt", "lte"):
        number = _number(value)
        return number is not None and _compared(op, number, float(wanted))  # type: ignore[arg-type]
    listed: Sequence[Any] = wanted if isinstance(wanted, list) else [wanted]
    texts = [_text(one) for one in listed]
    if isinstance(value, list):
        return op in ("eq", "in", "contains") and bool(
            {_text(one) for one in value} & {one for one in texts if one is not None}
        )
    text = _text(value)
    return text is not None and any(_matches(op, text, str(one)) for one in texts)


def _matches(op: str, text: str, wanted: str) -> bool:
    return {
        "eq": lambda: text == wanted,
        "in": lambda: text == wanted,
        "contains": lambda: wanted in text,
        "icontains": lambda: wanted.lower() in text.lower(),
        "starts_with": lambda: text.startswith(wanted),
        "ends_with": lambda: text.endswith(wanted),
        "regex": lambda: re.search(wanted, text) is not None,
    }[op]()


def _compared(op: str, one: float, other: float) -> bool:
    return {"gt": one > other, "gte": one >= other, "lt": one < other, "lte": one <= other}[op]


def _subject(name: str, event: Event) -> Any:
    prefix, colon, rest = name.partition(":")
    forced, bare = (prefix, rest) if colon and prefix in ("property", "column") else ("", name)
    value = event["properties"].get(bare) if forced != "column" else None
    if value is None and forced != "property" and bare in _COLUMNS:
        return event[_COLUMNS[bare]]
    return value


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        return float(value) if _DECIMAL.fullmatch(value) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(value: Any) -> str | None:
    """Canonical: 1, 1.0 and "1" are equal."""
    if value is None or isinstance(value, list | dict):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value == int(value) else repr(value)
    return str(value)
