"""Small things that a project keeps: made, listed, changed and removed by id, each with a version."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import msgspec

from iafa.clock import Clock
from iafa.errors import Conflict, NotFound
from iafa.meta.ids import is_id, new_id
from iafa.meta.json_file import JsonFile


class ProjectRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What all of them have."""

    id: str
    project_id: str
    created_us: int
    updated_us: int
    author_id: str | None = None
    version: int = 1


Record = TypeVar("Record", bound=ProjectRecord)


class ProjectRecords(Generic[Record]):
    """`what` is their name in a refusal, `most` how many a project may have. Those with a name have different ones, if
    they `have_own_names`."""

    def __init__(
        self,
        file: JsonFile[Record],
        record: type[Record],
        clock: Clock,
        *,
        what: str,
        most: int,
        have_own_names: bool = True,
    ) -> None:
        self._file = file
        self._record = record
        self._clock = clock
        self._what = what
        self._most = most
        self._have_own_names = have_own_names

    async def get(self, project_id: str, record_id: str) -> Record:
        """Missing, foreign and ill-formed ids are not told apart."""
        found = await self._file.get(record_id) if is_id(record_id) else None
        if found is None or found.project_id != project_id:
            raise NotFound
        return found

    async def of_project(self, project_id: str) -> list[Record]:
        """Oldest first."""
        found = [one for one in (await self._file.load()).records.values() if one.project_id == project_id]
        return sorted(found, key=lambda one: (one.created_us, one.id))

    async def add(self, project_id: str, **fields: Any) -> Record:
        now_us = self._clock.now_us()
        known = {"id": new_id(), "project_id": project_id, "created_us": now_us, "updated_us": now_us}
        made = self._record(**{**known, **fields})

        def insert(records: dict[str, Record]) -> Record:
            siblings = [one for one in records.values() if one.project_id == project_id]
            if len(siblings) >= self._most:
                raise Conflict(f"a project has at most {self._most} {self._what}s")
            self._check_name(siblings, made)
            records[made.id] = made
            return made

        return await self._file.change(insert)

    async def replace(
        self, project_id: str, record_id: str, *, expected_version: int | None = None, **fields: Any
    ) -> Record:
        """Swap the fields. With `expected_version`, refuse to overwrite somebody else's change."""

        def edit(records: dict[str, Record]) -> Record:
            old = records.get(record_id)
            if old is None or old.project_id != project_id:
                raise NotFound
            if expected_version is not None and old.version != expected_version:
                raise Conflict(f"the {self._what} is at version {old.version} by now", code="version_conflict")
            changes = self._changes(old, fields)
            new = msgspec.structs.replace(old, **changes, version=old.version + 1, updated_us=self._clock.now_us())
            siblings = [one for one in records.values() if one.project_id == project_id and one.id != record_id]
            self._check_name(siblings, new)
            records[record_id] = new
            return new

        return await self._file.change(edit)

    async def remove(self, project_id: str, record_id: str) -> Record:
        """The record as it was."""

        def drop(records: dict[str, Record]) -> Record:
            found = records.get(record_id)
            if found is None or found.project_id != project_id:
                raise NotFound
            del records[record_id]
            return found

        return await self._file.change(drop)

    async def remove_of_project(self, project_id: str) -> None:
        def drop(records: dict[str, Record]) -> None:
            for one in [each for each in records.values() if each.project_id == project_id]:
                del records[one.id]

        await self._file.change(drop)

    def _changes(self, old: Record, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a change of these fields sets."""
        return fields

    def _check_name(self, siblings: list[Record], record: Record) -> None:
        name = getattr(record, "name", None) if self._have_own_names else None
        if name is not None and any(getattr(one, "name", "").casefold() == name.casefold() for one in siblings):
            raise Conflict(f"there is a {self._what} of this name already")
