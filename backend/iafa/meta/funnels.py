"""Saved funnels. A definition is kept as it was accepted; what it means is the read path's business."""

from collections.abc import Mapping
from typing import Any

import msgspec

from iafa.clock import Clock
from iafa.errors import Conflict, NotFound
from iafa.meta.ids import new_id
from iafa.meta.json_file import JsonFile

FUNNELS_MAX = 500  # a project's


class StoredFunnel(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    project_id: str
    name: str
    definition: dict[str, Any]
    created_us: int
    updated_us: int
    version: int = 1
    key: str | None = None  # of a funnel that a file speaks for; what people make by hand has none


class Funnels:
    def __init__(self, file: JsonFile[StoredFunnel], clock: Clock) -> None:
        self._file = file
        self._clock = clock

    async def get(self, funnel_id: str) -> StoredFunnel | None:
        return await self._file.get(funnel_id)

    async def of_project(self, project_id: str) -> list[StoredFunnel]:
        """Oldest first."""
        records = (await self._file.load()).records.values()
        found = [funnel for funnel in records if funnel.project_id == project_id]
        return sorted(found, key=lambda funnel: (funnel.created_us, funnel.id))

    async def add(
        self, project_id: str, *, name: str, definition: Mapping[str, Any], key: str | None = None
    ) -> StoredFunnel:
        now_us = self._clock.now_us()
        funnel = StoredFunnel(
            id=new_id(),
            project_id=project_id,
            name=name,
            definition=dict(definition),
            created_us=now_us,
            updated_us=now_us,
            key=key,
        )

        def insert(records: dict[str, StoredFunnel]) -> StoredFunnel:
            siblings = [other for other in records.values() if other.project_id == project_id]
            if len(siblings) >= FUNNELS_MAX:
                raise Conflict(f"a project has at most {FUNNELS_MAX} funnels")
            _check_name(siblings, name)
            records[funnel.id] = funnel
            return funnel

        return await self._file.change(insert)

    async def replace(
        self,
        funnel_id: str,
        *,
        name: str,
        definition: Mapping[str, Any],
        expected_version: int | None = None,
    ) -> StoredFunnel:
        """Swap the whole definition. With `expected_version`, refuse to overwrite somebody else's change."""

        def edit(records: dict[str, StoredFunnel]) -> StoredFunnel:
            funnel = records.get(funnel_id)
            if funnel is None:
                raise NotFound
            if expected_version is not None and funnel.version != expected_version:
                raise Conflict(f"the funnel is at version {funnel.version} by now", code="version_conflict")
            siblings = [
                other for other in records.values() if other.project_id == funnel.project_id and other.id != funnel_id
            ]
            _check_name(siblings, name)
            records[funnel_id] = msgspec.structs.replace(
                funnel,
                name=name,
                definition=dict(definition),
                version=funnel.version + 1,
                updated_us=self._clock.now_us(),
            )
            return records[funnel_id]

        return await self._file.change(edit)

    async def claim(self, funnel_id: str, key: str) -> None:
        """From now on the file of the key speaks for the funnel. That is no new version of it."""

        def edit(records: dict[str, StoredFunnel]) -> None:
            if funnel_id not in records:
                raise NotFound
            records[funnel_id] = msgspec.structs.replace(records[funnel_id], key=key)

        await self._file.change(edit)

    async def remove(self, funnel_id: str) -> None:
        def drop(records: dict[str, StoredFunnel]) -> None:
            if records.pop(funnel_id, None) is None:
                raise NotFound

        await self._file.change(drop)

    async def remove_of_project(self, project_id: str) -> None:
        def drop(records: dict[str, StoredFunnel]) -> None:
            for funnel in [f for f in records.values() if f.project_id == project_id]:
                del records[funnel.id]

        await self._file.change(drop)


def _check_name(siblings: list[StoredFunnel], name: str) -> None:
    if any(other.name.casefold() == name.casefold() for other in siblings):
        raise Conflict("there is a funnel of this name already")
