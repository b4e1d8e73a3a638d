"""The domain's errors: what went wrong, with a code from a closed set. Status codes live in api/problems."""

from collections.abc import Mapping, Sequence

import msgspec


class FieldError(msgspec.Struct, frozen=True, omit_defaults=True):
    """One wrong field. `pointer` is a JSON pointer into the request; nothing of the input is repeated."""

    pointer: str
    code: str
    message: str
    index: int | None = None
    event_id: str | None = None


class IafaError(Exception):
    """Base of all errors that a caller may see. `code` is one of api/problems' table."""

    code = "internal_error"

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        code: str | None = None,
        retry_after_s: int | None = None,
        limit: int | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after_s = retry_after_s
        self.limit = limit
        self.fields = fields  # of the answer's header
        if code is not None:
            self.code = code


class NotFound(IafaError):
    """Missing, another tenant's, or an id that is not of the grammar: one answer for all three."""

    code = "not_found"

    def __init__(self, detail: str = "there is no such object, or it is not yours") -> None:
        super().__init__(detail)


class InvalidCredentials(IafaError):
    code = "invalid_credentials"


class TokenReplaced(InvalidCredentials):
    """A refresh token that was used a moment ago: who sent it twice has its successor, or is about to get it."""

    code = "token_replaced"


class TokenExpired(IafaError):
    code = "token_expired"


class InsufficientScope(IafaError):
    code = "insufficient_scope"


class Conflict(IafaError):
    code = "conflict"


class ValidationFailed(IafaError):
    """The request was readable but its content is wrong; `errors` lists every wrong field."""

    code = "validation_error"


class InvalidJson(IafaError):
    code = "invalid_json"


class PayloadTooLarge(IafaError):
    code = "payload_too_large"


class UnsupportedMediaType(IafaError):
    code = "unsupported_media_type"


class RateLimited(IafaError):
    code = "rate_limited"


class QuotaExceeded(IafaError):
    code = "quota_exceeded"


class StorageUnavailable(IafaError):
    """The journal or the lake cannot be written now; nothing of the request was stored."""

    code = "storage_unavailable"


class NoRoom(StorageUnavailable):
    """Nothing is broken: more waits to be stored than may wait, or the disk is almost full."""


class QueryTimeout(IafaError):
    code = "query_timeout"


class QueryBusy(IafaError):
    code = "query_busy"


class QueryTooLarge(IafaError):
    """It would not be answered later either."""

    code = "query_too_large"


class DataDamaged(IafaError):
    """A file of the data directory is not what was written; the message names it and says what to do."""

    code = "internal_error"


class WrongUsage(IafaError):
    """A command was called with arguments that cannot work (exit code 2)."""

    code = "bad_request"
