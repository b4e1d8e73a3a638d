"""Funnels that many products have: YAML files of the package, with tests inside; and which of them fit a project."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from iafa.checks.written import read_funnel
from iafa.checks.yaml_text import read_documents
from iafa.query.definition import FunnelDefinition, Stage
from iafa.query.pages import PAGE_EVENT

_SHOWN = ("name", "description", "window_seconds", "stages")


@dataclass(frozen=True)
class Template:
    """`also_called` has other names that tracking plans give the same event, by the template's name of it."""

    id: str
    category: str
    raw: Mapping[str, Any]  # what is written of the definition
    definition: FunnelDefinition
    also_called: Mapping[str, Sequence[str]]
    text: str

    def shown(self) -> dict[str, Any]:
        return {"id": self.id, "category": self.category, **{key: self.raw[key] for key in _SHOWN}}

    def matches(self, names: Iterable[str]) -> dict[str, Any]:
        """`names` are a project's, most frequent first. `stages` is the template's with the project's names put in.

        An optional stage is not needed, and of several events one is enough.
        """
        of_project = _Names(names)
        events = {
            name: of_project.find((name, *self.also_called.get(name, ())))
            for stage in self.definition.stages
            for name in _events(stage)
        }
        required = self.definition.required
        found = sum(any(events[name] is not None for name in _events(stage)) for stage in required)
        return {
            "fits": "all" if found == len(required) else "some" if found else "none",
            "found": found,
            "needed": len(required),
            "events": events,
            "stages": [_mapped(stage, events) for stage in self.raw["stages"]],
        }


class _Names:
    """The names of a project's events, found whatever their case and separators."""

    def __init__(self, names: Iterable[str]) -> None:
        self._exact: dict[str, str] = {}
        self._folded: dict[str, str] = {}
        for name in names:
            self._exact[name] = name
            self._folded.setdefault(_folded(name), name)

    def find(self, candidates: Sequence[str]) -> str | None:
        exact = (self._exact.get(name) for name in candidates)
        folded = (self._folded.get(_folded(name)) for name in candidates)
        return next((name for name in (*exact, *folded) if name is not None), None)


@cache
def templates() -> tuple[Template, ...]:
    """All of them, by category and then name. Read at the first call."""
    folder = files("iafa.checks").joinpath("templates")
    read = [_template(one.name, one.read_text(encoding="utf-8")) for one in folder.iterdir() if _is_yaml(one.name)]
    return tuple(sorted(read, key=lambda one: (one.category, one.definition.name)))


def template_matches(names: Sequence[str]) -> list[dict[str, Any]]:
    """Every template beside what a project has of it, the best fitting ones first."""
    rows = [{**one.shown(), "matches": one.matches(names)} for one in templates()]
    rank = ("all", "some", "none")
    return sorted(rows, key=lambda row: (rank.index(row["matches"]["fits"]), -row["matches"]["found"]))


def _template(name: str, text: str) -> Template:
    (document,) = read_documents(text)
    funnel = read_funnel(Path(name), document)
    assert funnel.definition is not None, funnel.findings
    assert funnel.key is not None
    assert isinstance(document.value, Mapping)
    own = document.value["template"]
    return Template(
        id=funnel.key,
        category=own["category"],
        raw=document.value,
        definition=funnel.definition,
        also_called=own.get("also_called", {}),
        text=text,
    )


def _is_yaml(name: str) -> bool:
    return name.endswith(".yaml")


def _events(stage: Stage) -> tuple[str, ...]:
    return stage.events if stage.page is None else (PAGE_EVENT,)


def _mapped(stage: Mapping[str, Any], events: Mapping[str, str | None]) -> dict[str, Any]:
    """The stage with the project's names; one that the project does not have keeps the template's."""
    mapped = dict(stage)
    if "event" in stage:
        mapped["event"] = events[stage["event"]] or stage["event"]
    elif "events" in stage:
        found = [name for one in stage["events"] if (name := events[one]) is not None]
        mapped["events"] = list(dict.fromkeys(found)) or list(stage["events"])
    return mapped


def _folded(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum()) or name
