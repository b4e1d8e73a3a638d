"""Saved funnels as files: text that checks, and applied again changes nothing."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from iafa.checks.yaml_text import write_documents
from iafa.meta.funnels import StoredFunnel

_DEFAULTS: Mapping[str, object] = {"range": "entry", "filters": [], "semantics_version": 1}
_STAGE_DEFAULTS: Mapping[str, object] = {"filters": [], "match": "path"}
_NAME_CHARS_MAX = 60


def funnel_text(funnel: StoredFunnel) -> str:
    """One document. `key` ties it to the saved funnel, also when its name changes later."""
    return write_documents([_document(funnel)])


def funnels_text(funnels: Iterable[StoredFunnel]) -> str:
    return write_documents([_document(funnel) for funnel in funnels])


def definition_text(definitions: Iterable[Mapping[str, Any]]) -> str:
    """Definitions that are not saved yet."""
    return write_documents([_without_defaults(definition) for definition in definitions])


def file_names(funnels: Iterable[StoredFunnel]) -> dict[str, StoredFunnel]:
    """A name for each funnel's file, from its own name; no two are alike in any case."""
    named: dict[str, StoredFunnel] = {}
    for funnel in funnels:
        stem = re.sub(r"[^a-z0-9]+", "-", funnel.name.casefold())[:_NAME_CHARS_MAX].strip("-") or "funnel"
        number = 1
        while (name := f"{stem}{'' if number == 1 else f'-{number}'}.yaml") in named:
            number += 1
        named[name] = funnel
    return named


def _document(funnel: StoredFunnel) -> dict[str, object]:
    """The definition without the fields that say what is so anyway."""
    kept = _without_defaults({**funnel.definition, "name": funnel.name})
    head: dict[str, object] = {"key": funnel.key if funnel.key is not None else funnel.name.casefold()}
    head |= {key: kept.pop(key) for key in ("name", "description") if key in kept}
    return head | kept


def _without_defaults(definition: Mapping[str, Any]) -> dict[str, object]:
    kept = {key: value for key, value in definition.items() if _DEFAULTS.get(key, ...) != value}
    kept.pop("project_id", None)
    stages: list[Mapping[str, object]] = definition["stages"]
    return kept | {"stages": [_stage(stage, order, stages) for order, stage in enumerate(stages, start=1)]}


def _stage(stage: Mapping[str, object], order: int, stages: list[Mapping[str, object]]) -> dict[str, object]:
    """`order` is left out where all stages stand in their order."""
    plain = {key: value for key, value in stage.items() if _STAGE_DEFAULTS.get(key, ...) != value}
    if all(one.get("order", place) == place for place, one in enumerate(stages, start=1)):
        plain.pop("order", None)
    return plain
