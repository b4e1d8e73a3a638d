"""Page patterns: `*` inside a segment, `**` across segments, anchored. Their reading, and SQL over `url`."""

import re
from typing import Literal

import msgspec

from iafa.event import URL_BYTES_MAX
from iafa.query.binding import Parameters
from iafa.query.field_errors import FieldErrors, pointer_to

PAGE_EVENT = "page_view"
HOST_CHARS_MAX = 255

_ORIGIN = r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*"
_BEFORE_PATH = "^(?:[A-Za-z][A-Za-z0-9+.-]*:)?(?://[^/]*)?"
_ORIGIN_SQL = f"lower(regexp_extract(url, '^{_ORIGIN}'))"
_HOST_PORT_SQL = r"lower(regexp_extract(url, '^(?:[A-Za-z][A-Za-z0-9+.-]*:)?//(?:[^/?#@]*@)?([^/?#]*)', 1))"


class Page(msgspec.Struct, frozen=True):
    """A page view whose URL path (or, without query and fragment, whole URL) matches the pattern."""

    pattern: str
    match: Literal["path", "url"] = "path"
    host: str | None = None


def parse_page(fields: dict[str, object], errors: FieldErrors, pointer: str) -> Page:
    """`fields` holds `page` and, if given, `match` and `host` of a stage."""
    at = pointer_to(pointer, "page")
    pattern = errors.text(fields["page"], at, most=URL_BYTES_MAX)
    match: Literal["path", "url"] = "path"
    if fields.get("match") is not None:
        chosen = errors.choice(fields["match"], pointer_to(pointer, "match"), ("path", "url"))
        match = "url" if chosen == "url" else "path"
    if pattern and match == "url" and "://" not in pattern:
        errors.add(at, "bad_pattern", "must name scheme and host, as https://example.com/docs/**")
    if pattern and match == "path" and pattern[0] not in "/*":
        errors.add(at, "bad_pattern", "must begin with / or *")
    if "?" in pattern or "#" in pattern:
        errors.add(at, "bad_pattern", "query and fragment are not matched: leave out ? and #")
    host = None
    if fields.get("host") is not None:
        host = errors.text(fields["host"], pointer_to(pointer, "host"), most=HOST_CHARS_MAX).lower()
    return Page(pattern, match, host)


def literal_path(page: Page) -> str | None:
    """The one path that the page can have, if it is only one."""
    return None if "*" in page.pattern or page.match == "url" else _trimmed(page.pattern)


def page_sql(page: Page, parameters: Parameters) -> str:
    """A boolean expression over `event_type` and `url` that is never null."""
    subject = path_sql() if page.match == "path" else f"{_ORIGIN_SQL} || {path_sql()}"
    literal = literal_path(page)
    if literal is not None:
        matched = f"{subject} = {parameters.bind(literal)}"
    else:
        matched = f"regexp_full_match({subject}, {parameters.bind(pattern_regex(page))}, 's')"
    host = f" and {_host_sql(page.host, parameters)}" if page.host else ""
    is_page = f"event_type = {parameters.bind(PAGE_EVENT)} and url is not null"
    return f"({is_page} and coalesce({matched}{host}, false))"


def pattern_regex(page: Page) -> str:
    """RE2 text that must match the whole of the path or URL."""
    pattern = _trimmed(page.pattern)
    if page.match == "url":
        origin = re.match(r"[^/]*//[^/]*", pattern)
        pattern = pattern if origin is None else origin.group().lower() + (pattern[origin.end() :] or "/")
    tail = ""
    if pattern.endswith("/**"):
        pattern, tail = pattern[:-3], "(?:/.*)?"
    parts = re.split(r"(\*+)", pattern)
    return "".join(_part_regex(part) for part in parts) + tail


def address_sql(url: str = "url") -> str:
    """The part of `url` that tells its host and its path."""
    return f"split_part(split_part({url}, '#', 1), '?', 1)"


def path_sql(url: str = "url") -> str:
    """The path of `url`, percent-decoded once, as it is where that gives no text; a trailing slash is ignored."""
    # A group that is extracted takes three times as long.
    path = f"regexp_replace({address_sql(url)}, '{_BEFORE_PATH}', '')"
    decoded = f"coalesce(try(url_decode({path})), {path})"
    return f"coalesce(nullif(regexp_replace({decoded}, '/$', ''), ''), '/')"


def _part_regex(part: str) -> str:
    if part.startswith("*"):
        return "[^/]*" if part == "*" else ".*"
    return re.sub(r"[^A-Za-z0-9_/\x80-\U0010ffff]", lambda found: f"\\x{{{ord(found.group()):x}}}", part)


def _trimmed(pattern: str) -> str:
    return pattern.removesuffix("/") or "/"


def _host_sql(host: str, parameters: Parameters) -> str:
    """A host without a port is the host of any port."""
    subject = _HOST_PORT_SQL
    if not re.search(r":[0-9]+$", host):
        subject = f"regexp_replace({subject}, ':[0-9]*$', '')"
    return f"{subject} = {parameters.bind(host)}"
