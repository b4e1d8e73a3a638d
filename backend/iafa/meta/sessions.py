"""Sessions: families of refresh tokens. Each use of a token gives the next one; a used token ends its family."""

import hashlib
import hmac
import secrets

import msgspec

from iafa.clock import US_PER_S, Clock
from iafa.errors import InvalidCredentials, TokenReplaced
from iafa.meta.ids import is_id, new_id
from iafa.meta.json_file import JsonFile

ABSOLUTE_S = 30 * 24 * 3600
# Two tabs of one browser may refresh at the same moment, or a page be reloaded while it does: the second use is refused
# by a name of its own, and the family lives on.
RACE_S = 10
PER_USER_MAX = 50
TOKEN_PREFIX = "iafa_r_"  # noqa: S105 - what tokens begin with
TOKEN_BYTES = 32
TOKEN_CHARS_MAX = 200


class Session(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    user_id: str
    sha256: str
    created_us: int
    used_us: int
    before_sha256: str = ""


class Sessions:
    """`idle_s` bounds the time between two uses; 30 days bound the whole family."""

    def __init__(self, file: JsonFile[Session], clock: Clock, *, idle_s: int) -> None:
        self._file = file
        self._clock = clock
        self.idle_s = idle_s

    async def begin(self, user_id: str) -> tuple[Session, str]:
        """A new family and its first token."""
        now_us = self._clock.now_us()
        session_id = new_id()
        token = _make_token(session_id)
        session = Session(id=session_id, user_id=user_id, sha256=_digest(token), created_us=now_us, used_us=now_us)

        def insert(records: dict[str, Session]) -> None:
            self._forget_ended(records)
            own = sorted((s for s in records.values() if s.user_id == user_id), key=lambda s: s.used_us)
            for oldest in own[: max(0, len(own) - PER_USER_MAX + 1)]:
                del records[oldest.id]
            records[session.id] = session

        await self._file.change(insert)
        return session, token

    async def rotate(self, token: str) -> tuple[Session, str]:
        """The family and the token that replaces the given one. A token that was used before ends the family."""
        session_id = _session_id(token)
        if session_id is None:
            raise _refused()
        found = await self._file.change(lambda records: self._rotated(records, session_id, token))
        if found is None:
            raise _refused()
        return found

    def _rotated(self, records: dict[str, Session], session_id: str, token: str) -> tuple[Session, str] | None:
        session = records.get(session_id)
        if session is None or not self._lives(session):
            records.pop(session_id, None)
            return None
        now_us = self._clock.now_us()
        given = _digest(token)
        if not hmac.compare_digest(given, session.sha256):
            is_race = (
                hmac.compare_digest(given, session.before_sha256) and now_us - session.used_us <= RACE_S * US_PER_S
            )
            if is_race:
                raise TokenReplaced(
                    "the refresh token was replaced a moment ago; use the one that came with the answer"
                )
            del records[session_id]
            return None
        new_token = _make_token(session_id)
        records[session_id] = msgspec.structs.replace(
            session, sha256=_digest(new_token), before_sha256=session.sha256, used_us=now_us
        )
        return records[session_id], new_token

    async def lives(self, session_id: str, user_id: str) -> bool:
        """Whether the family exists and is not over; asked for every access token."""
        session = await self._file.get(session_id)
        return session is not None and session.user_id == user_id and self._lives(session)

    async def end(self, session_id: str) -> None:
        await self._file.change(lambda records: records.pop(session_id, None))

    async def end_by_token(self, token: str) -> None:
        """End the family of a refresh token; an unknown one is no error."""
        session_id = _session_id(token)
        if session_id is None:
            return

        def drop(records: dict[str, Session]) -> None:
            session = records.get(session_id)
            if session is not None and _digest(token) in (session.sha256, session.before_sha256):
                del records[session_id]

        await self._file.change(drop)

    async def end_others(self, user_id: str, *, keep: str | None) -> None:
        """End all families of a user but one."""

        def drop(records: dict[str, Session]) -> None:
            for session in list(records.values()):
                if session.user_id == user_id and session.id != keep:
                    del records[session.id]

        await self._file.change(drop)

    def _lives(self, session: Session) -> bool:
        now_us = self._clock.now_us()
        return now_us - session.used_us < self.idle_s * US_PER_S and now_us - session.created_us < ABSOLUTE_S * US_PER_S

    def _forget_ended(self, records: dict[str, Session]) -> None:
        for session in list(records.values()):
            if not self._lives(session):
                del records[session.id]


def _make_token(session_id: str) -> str:
    return f"{TOKEN_PREFIX}{session_id}_{secrets.token_urlsafe(TOKEN_BYTES)}"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _session_id(token: str) -> str | None:
    if len(token) > TOKEN_CHARS_MAX or not token.startswith(TOKEN_PREFIX):
        return None
    session_id = token.removeprefix(TOKEN_PREFIX).partition("_")[0]
    return session_id if is_id(session_id) else None


def _refused() -> InvalidCredentials:
    return InvalidCredentials("the refresh token is not valid; sign in again")
