"""Organizations: who owns projects. A user belongs to one."""

import msgspec

from iafa.clock import Clock
from iafa.meta.ids import new_id
from iafa.meta.json_file import JsonFile


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    created_us: int


class Organizations:
    def __init__(self, file: JsonFile[Organization], clock: Clock) -> None:
        self._file = file
        self._clock = clock

    async def get(self, organization_id: str) -> Organization | None:
        return await self._file.get(organization_id)

    async def all(self) -> list[Organization]:
        return list((await self._file.load()).records.values())

    async def add(self, name: str) -> Organization:
        organization = Organization(id=new_id(), name=name, created_us=self._clock.now_us())
        await self._file.change(lambda records: records.update({organization.id: organization}))
        return organization

    async def remove(self, organization_id: str) -> None:
        await self._file.change(lambda records: records.pop(organization_id, None))
