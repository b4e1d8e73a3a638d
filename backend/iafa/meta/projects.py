"""Projects: settings, keys and the private salt, and the key ring that the collect path reads."""

import secrets
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

import msgspec

from iafa.clock import US_PER_S, Clock
from iafa.errors import Conflict, NotFound
from iafa.event import TIME_MAX_US
from iafa.meta.api_keys import ApiKey, FormerKey, KeyGrant, KeyKind, KeyRing, RemovedKey, make_key
from iafa.meta.collect_rules import PrivacySettings, SamplingRule, SchemaRule, chooses_events
from iafa.meta.ids import new_id
from iafa.meta.json_file import JsonFile, Stored

SALT_BYTES = 32
KNOWN_TO_ALL_US = 10 * US_PER_S  # a change of rules is known to every worker by then
PROJECTS_MAX = 500  # an organization's
KEYS_MAX = 20  # a project's
REMOVED_KEYS_MAX = 20  # of which a project remembers whose they were

_Result = TypeVar("_Result")


class TrackerSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the server puts into the tracker's file for this project (`/t.js?key=`)."""

    build: Literal["lite", "web", "full", "vitals"] = "full"
    auto: bool = True
    spa: bool = True
    hash: bool = False
    local: bool = True
    dnt: bool = True
    consent: Literal["granted", "required", "cookieless"] = "granted"
    cookieless: bool = False
    sample: float = 1.0
    exit: Literal["beacon", "next"] = "beacon"
    domains: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    tag: str | None = None


class Project(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    organization_id: str
    name: str
    salt: str  # for keyed hashes of addresses; never in an answer
    created_us: int
    updated_us: int
    version: int = 1
    domain: str | None = None
    timezone: str = "UTC"
    allowed_origins: tuple[str, ...] = ()
    rate_limit_per_minute: int | None = 1000
    rate_limit_per_ip_per_minute: int | None = 100
    monthly_quota: int | None = None
    sampling: tuple[SamplingRule, ...] = ()
    sampled_singly_until_us: int = 0  # when the last rules that choose single events were changed
    schemas: tuple[SchemaRule, ...] = ()
    privacy: PrivacySettings = PrivacySettings()
    retention_days: int | None = 90
    aggregate_retention_days: int | None = None
    session_gap_seconds: int = 3600
    tracker: TrackerSettings = TrackerSettings()
    keys: dict[str, ApiKey] = {}
    removed_keys: tuple[RemovedKey, ...] = ()

    @property
    def may_miss_single_events_until_us(self) -> int:
        """Of events from then on it is known that the project's rules never chose them without their people."""
        return TIME_MAX_US if chooses_events(self.sampling) else self.sampled_singly_until_us


class Projects:
    def __init__(self, file: JsonFile[Project], clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._ring = KeyRing(-1, ())

    async def get(self, project_id: str) -> Project | None:
        return await self._file.get(project_id)

    async def of_organization(self, organization_id: str) -> list[Project]:
        """Oldest first."""
        found = [
            project
            for project in (await self._file.load()).records.values()
            if project.organization_id == organization_id
        ]
        return sorted(found, key=lambda project: (project.created_us, project.id))

    async def all(self) -> list[Project]:
        return list((await self._file.load()).records.values())

    def grant(self, key: str, *, now_us: int) -> KeyGrant | None:
        """What the key allows. An unknown one may have been made a moment ago, by another worker."""
        return self.key_ring().grant(key, now_us=now_us) or self.key_ring(anew=True).grant(key, now_us=now_us)

    def former(self, key: str, *, now_us: int) -> FormerKey | None:
        """Whose a key was that `grant` does not know any more."""
        return self.key_ring().former(key, now_us=now_us)

    def read(self) -> list[Project]:
        """As `all`, for jobs without an event loop."""
        return list(self._file.read().records.values())

    def key_ring(self, *, anew: bool = False) -> KeyRing:
        """All keys of all projects. Costs at most one `stat` a second; rebuilt when the file has changed."""
        stored = self._file.read(anew=anew)
        if stored.generation != self._ring.generation:
            self._ring = _build_ring(stored)
        return self._ring

    async def add(self, organization_id: str, *, name: str, settings: Mapping[str, Any]) -> tuple[Project, str, str]:
        """The new project, its write key and its secret key in clear."""
        now_us = self._clock.now_us()
        write_key, write_text = make_key("write", name="Website", now_us=now_us)
        secret_key, secret_text = make_key("secret", name="Server", now_us=now_us)
        project = Project(
            id=new_id(),
            organization_id=organization_id,
            name=name,
            salt=secrets.token_hex(SALT_BYTES),
            created_us=now_us,
            updated_us=now_us,
            keys={write_key.id: write_key, secret_key.id: secret_key},
            **settings,
        )

        def insert(records: dict[str, Project]) -> None:
            siblings = [other for other in records.values() if other.organization_id == organization_id]
            if len(siblings) >= PROJECTS_MAX:
                raise Conflict(f"an organization has at most {PROJECTS_MAX} projects")
            _check_name(siblings, name)
            records[project.id] = project

        await self._file.change(insert)
        return project, write_text, secret_text

    async def update(
        self, project_id: str, *, changes: Mapping[str, Any], expected_version: int | None = None
    ) -> Project:
        """Change the given fields. With `expected_version`, refuse to overwrite somebody else's change."""

        def edit(records: dict[str, Project]) -> Project:
            project = _existing(records, project_id)
            if expected_version is not None and project.version != expected_version:
                raise Conflict(f"the project is at version {project.version} by now", code="version_conflict")
            if "name" in changes:
                siblings = [
                    other
                    for other in records.values()
                    if other.organization_id == project.organization_id and other.id != project_id
                ]
                _check_name(siblings, changes["name"])
            kept = {}
            if "sampling" in changes and chooses_events(project.sampling):
                kept["sampled_singly_until_us"] = self._clock.now_us() + KNOWN_TO_ALL_US
            records[project_id] = self._stamped(project, **changes, **kept)
            return records[project_id]

        return await self._file.change(edit)

    async def remove(self, project_id: str) -> None:
        """Forget the project and its keys; one that is gone already is no error."""
        await self._file.change(lambda records: records.pop(project_id, None))

    async def add_key(self, project_id: str, *, kind: KeyKind, name: str) -> tuple[ApiKey, str]:
        key, text = make_key(kind, name=name, now_us=self._clock.now_us())

        def insert(keys: dict[str, ApiKey]) -> None:
            if len(keys) >= KEYS_MAX:
                raise Conflict(f"a project has at most {KEYS_MAX} keys")
            keys[key.id] = key

        await self._change_keys(project_id, insert)
        return key, text

    async def rotate_key(self, project_id: str, key_id: str, *, overlap_s: int) -> tuple[ApiKey, str]:
        """A new key of the same kind; the old one keeps working for `overlap_s` seconds."""
        now_us = self._clock.now_us()

        def rotate(keys: dict[str, ApiKey]) -> tuple[ApiKey, str]:
            old = keys.get(key_id)
            if old is None or (old.expires_us is not None and old.expires_us <= now_us):
                raise NotFound
            new, text = make_key(old.kind, name=old.name, now_us=now_us)
            if overlap_s == 0:
                del keys[key_id]
            elif len(keys) >= KEYS_MAX:
                raise Conflict(f"a project has at most {KEYS_MAX} keys")
            else:
                ends_us = now_us + overlap_s * US_PER_S
                keys[key_id] = msgspec.structs.replace(old, expires_us=min(old.expires_us or ends_us, ends_us))
            keys[new.id] = new
            return new, text

        return await self._change_keys(project_id, rotate)

    async def revoke_key(self, project_id: str, key_id: str) -> ApiKey:
        def revoke(keys: dict[str, ApiKey]) -> ApiKey:
            if key_id not in keys:
                raise NotFound
            return keys.pop(key_id)

        return await self._change_keys(project_id, revoke)

    async def _change_keys(self, project_id: str, edit: Callable[[dict[str, ApiKey]], _Result]) -> _Result:
        now_us = self._clock.now_us()

        def change(records: dict[str, Project]) -> _Result:
            project = _existing(records, project_id)
            keys = {key.id: key for key in project.keys.values() if key.expires_us is None or key.expires_us > now_us}
            result = edit(keys)
            removed = [*project.removed_keys, *_removed(project, keys, now_us)][-REMOVED_KEYS_MAX:]
            records[project_id] = self._stamped(project, keys=keys, removed_keys=tuple(removed))
            return result

        return await self._file.change(change)

    def _stamped(self, project: Project, **changes: Any) -> Project:
        return msgspec.structs.replace(project, version=project.version + 1, updated_us=self._clock.now_us(), **changes)


def _existing(records: Mapping[str, Project], project_id: str) -> Project:
    project = records.get(project_id)
    if project is None:
        raise NotFound
    return project


def _check_name(siblings: list[Project], name: str) -> None:
    if any(other.name.casefold() == name.casefold() for other in siblings):
        raise Conflict("there is a project of this name already")


def _build_ring(stored: Stored[Project]) -> KeyRing:
    return KeyRing(
        stored.generation,
        (
            (bytes.fromhex(key.sha256), _grant(project, key))
            for project in stored.records.values()
            for key in project.keys.values()
        ),
        (
            (bytes.fromhex(key.sha256), FormerKey(project.id, key.is_expired))
            for project in stored.records.values()
            for key in project.removed_keys
        ),
    )


def _removed(project: Project, kept: Mapping[str, ApiKey], now_us: int) -> list[RemovedKey]:
    """What is remembered of the keys that a change takes away."""
    return [
        RemovedKey(
            kind=key.kind,
            name=key.name,
            sha256=key.sha256,
            last4=key.last4,
            removed_us=now_us,
            is_expired=key.expires_us is not None and key.expires_us <= now_us,
        )
        for key_id, key in project.keys.items()
        if key_id not in kept
    ]


def _grant(project: Project, key: ApiKey) -> KeyGrant:
    return KeyGrant(
        project_id=project.id,
        key_id=key.id,
        kind=key.kind,
        expires_us=key.expires_us,
        salt=bytes.fromhex(project.salt),
        timezone=project.timezone,
        allowed_origins=project.allowed_origins,
        rate_limit_per_minute=project.rate_limit_per_minute,
        rate_limit_per_ip_per_minute=project.rate_limit_per_ip_per_minute,
        retention_days=project.retention_days,
        monthly_quota=project.monthly_quota,
        sampling=project.sampling,
        schemas=project.schemas,
        privacy=project.privacy,
    )
