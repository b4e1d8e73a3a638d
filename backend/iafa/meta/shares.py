"""Share links: what each shows, until when, and how often it was opened. A link's token is kept as a hash alone."""

import hashlib
import hmac
import re
import secrets
from collections import Counter
from typing import Any, Literal

import msgspec

from iafa.clock import US_PER_S, Clock
from iafa.errors import StorageUnavailable
from iafa.meta.ids import ID_CHARS, new_id
from iafa.meta.json_file import JsonFile
from iafa.meta.project_records import ProjectRecord, ProjectRecords

SHARES_MAX = 100  # a project's
SECRET_BYTES = 32
WRITE_OPENED_US = 60 * US_PER_S  # a link that is opened all the time is not written all the time
ShareKind = Literal["funnel", "view", "board"]
_TOKEN = re.compile(rf"[a-z0-9]{{{ID_CHARS}}}[A-Za-z0-9_-]{{43}}")


class StoredShare(ProjectRecord, frozen=True, kw_only=True):
    """`question` is what a funnel is asked for beside its counts; a view and a board have questions of their own."""

    sha256: str
    token_end: str
    kind: ShareKind
    target_id: str
    question: dict[str, Any]
    label: str | None = None
    range: dict[str, Any] | None = None
    choosable_days: int | None = None
    password_hash: str | None = None
    expires_us: int | None = None
    opened: int = 0
    opened_us: int | None = None


class Shares(ProjectRecords[StoredShare]):
    def __init__(self, file: JsonFile[StoredShare], clock: Clock) -> None:
        super().__init__(file, StoredShare, clock, what="share link", most=SHARES_MAX)
        self._unwritten: Counter[str] = Counter()

    async def make(self, project_id: str, **fields: Any) -> tuple[StoredShare, str]:
        """The link and its token, which nobody can show again."""
        share_id = new_id()
        token = share_id + secrets.token_urlsafe(SECRET_BYTES)
        share = await self.add(project_id, id=share_id, sha256=_digest(token), token_end=token[-4:], **fields)
        return share, token

    async def by_token(self, token: str) -> StoredShare | None:
        """The link, if the token opens it now."""
        if not _TOKEN.fullmatch(token):
            return None
        share = await self._file.get(token[:ID_CHARS])
        if share is None or not hmac.compare_digest(share.sha256, _digest(token)):
            return None
        return None if self.is_over(share) else share

    def is_over(self, share: StoredShare) -> bool:
        return share.expires_us is not None and share.expires_us <= self._clock.now_us()

    async def remove_of_target(self, target_id: str) -> None:
        """Links to what is not there any more."""

        def drop(records: dict[str, StoredShare]) -> None:
            for one in [each for each in records.values() if each.target_id == target_id]:
                del records[one.id]

        if any(one.target_id == target_id for one in (await self._file.load_anew()).records.values()):
            await self._file.change(drop)

    def opened_by_now(self, share: StoredShare) -> int:
        return share.opened + self._unwritten[share.id]

    async def count_opened(self, share: StoredShare) -> None:
        """Written at most once a minute; what is not written yet is lost with the process."""
        self._unwritten[share.id] += 1
        now_us = self._clock.now_us()
        if share.opened_us is not None and now_us - share.opened_us < WRITE_OPENED_US:
            return
        count = self._unwritten.pop(share.id)

        def edit(records: dict[str, StoredShare]) -> None:
            found = records.get(share.id)
            if found is not None:
                records[share.id] = msgspec.structs.replace(found, opened=found.opened + count, opened_us=now_us)

        try:
            await self._file.change(edit)
        except StorageUnavailable:  # a link can be read where nothing can be written
            self._unwritten[share.id] += count


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
