"""Sealed JSON: a document whose last member is the CRC32C of all bytes before it, so that no flipped bit passes."""

import google_crc32c

_HEAD, _TAIL = b',"crc32c":"', b'"}\n'
_MEMBER_BYTES = len(_HEAD) + 8 + len(_TAIL)


def sealed(document: bytes) -> bytes:
    """The JSON object with the member `crc32c` at its end."""
    body = document.rstrip().removesuffix(b"}").rstrip()
    return body + _HEAD + b"%08x" % google_crc32c.value(body) + _TAIL


def is_sealed(data: bytes) -> bool | None:
    """Whether the content is what was sealed; None when there is no seal, as in files of the first formats."""
    body, member = data[:-_MEMBER_BYTES], data[-_MEMBER_BYTES:]
    if not (body and member.startswith(_HEAD) and member.endswith(_TAIL)):
        return None
    return member == _HEAD + b"%08x" % google_crc32c.value(body) + _TAIL
