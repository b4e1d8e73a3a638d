"""Page cursors: where the next page begins, opaque to clients and bound to the project and the question."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

import msgspec

from iafa.errors import FieldError, ValidationFailed

VERSION = 1
MAC_BYTES = 12
CURSOR_CHARS_MAX = 2_000

Place = Sequence[str | int]  # the sort key of the last row that was shown


class _Cursor(msgspec.Struct, array_like=True):
    version: int
    place: list[str | int]


def encode_cursor(key: bytes, project_id: str, question: str, place: Place) -> str:
    """A base64url text. `question` names the list and its filters: a cursor is worth nothing for another one."""
    body = msgspec.json.encode(_Cursor(VERSION, list(place)))
    return base64.urlsafe_b64encode(_mac(key, project_id, question, body) + body).rstrip(b"=").decode()


def decode_cursor(key: bytes, project_id: str, question: str, text: str) -> list[str | int]:
    """The place. Raises ValidationFailed (`invalid_query`) for a cursor that was not made for this question."""
    try:
        if len(text) > CURSOR_CHARS_MAX:
            raise ValueError
        data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        body = data[MAC_BYTES:]
        if not hmac.compare_digest(data[:MAC_BYTES], _mac(key, project_id, question, body)):
            raise ValueError
        cursor = msgspec.json.decode(body, type=_Cursor)
        if cursor.version != VERSION:
            raise ValueError
    except (ValueError, binascii.Error, msgspec.DecodeError):
        raise ValidationFailed(
            "the cursor does not belong to this query; start again without it",
            errors=[FieldError("/cursor", "invalid_cursor", "is not a cursor of this query")],
            code="invalid_query",
        ) from None
    return cursor.place


def _mac(key: bytes, project_id: str, question: str, body: bytes) -> bytes:
    text = b"\n".join((b"iafa cursor", project_id.encode(), question.encode(), body))
    return hmac.new(key, text, hashlib.sha256).digest()[:MAC_BYTES]
