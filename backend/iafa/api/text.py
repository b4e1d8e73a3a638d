"""Checks of texts that people give to things: names, addresses of sites, time zones."""

import re
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from email_validator import EmailNotValidError, validate_email

from iafa.event import CONTROL

_LINE_BREAKS = str.maketrans("", "", "\n\r\t")
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
_HOST = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def plain_text(value: str) -> str:
    """One line without control characters, trimmed, not empty."""
    trimmed = value.strip()
    if not trimmed:
        raise ValueError("must not be blank")
    if CONTROL.search(trimmed):
        raise ValueError("must not contain control characters")
    return trimmed


def several_lines(value: str) -> str:
    """Text that may have line breaks and tabs, but no other control characters; trimmed, not empty."""
    trimmed = value.strip()
    if not trimmed:
        raise ValueError("must not be blank")
    if CONTROL.search(trimmed.translate(_LINE_BREAKS)):
        raise ValueError("must not contain control characters")
    return trimmed


def email_address(value: str) -> str:
    """An address of usual form; whether mail arrives there is not asked."""
    try:
        return validate_email(value, check_deliverability=False).normalized
    except EmailNotValidError:
        # The library's message repeats parts of the input.
        raise ValueError("is not an e-mail address") from None


def time_zone(value: str) -> str:
    """A name of the time-zone database."""
    try:
        # Not `available_timezones`: it walks the disk. "right/" zones count leap seconds, "posix/" ones are copies.
        if _ZONE.fullmatch(value) and not value.startswith(("right/", "posix/")):
            ZoneInfo(value)
            return value
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise ValueError("is not a time zone of the IANA database, such as Europe/Vienna")


def host_name(value: str) -> str:
    """A host name such as `shop.example.org`."""
    lowered = value.strip().lower()
    if not _HOST.fullmatch(lowered):
        raise ValueError("is not a host name such as shop.example.org")
    return lowered


def origin(value: str) -> str:
    """`https://shop.example.org`, or with a wildcard for subdomains: `https://*.example.org`."""
    lowered = value.strip().lower()
    try:
        parts = urlsplit(lowered)
        port = parts.port
    except ValueError:
        raise ValueError("is not an origin such as https://shop.example.org") from None
    host = parts.hostname or ""
    rebuilt = f"{parts.scheme}://{host}" + ("" if port is None else f":{port}")
    if parts.scheme not in ("http", "https") or rebuilt != lowered or not _HOST.fullmatch(host.removeprefix("*.")):
        raise ValueError("is not an origin such as https://shop.example.org or https://*.example.org")
    return lowered
