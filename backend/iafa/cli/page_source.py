"""What the source of a page says about the tracker: its tags, other scripts, policies, cookie banners."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import parse_qs, urljoin, urlsplit

SCRIPT_NAME = re.compile(r"/(?:tracker|t(?:\.(?:lite|web|vitals))?(?:\.[0-9a-f]{16})?)\.js$")
HASHED_NAME = re.compile(r"\.[0-9a-f]{16}\.js$")
KNOWN_ATTRIBUTES = frozenset(
    ("key", "api-key", "host", "auto", "spa", "hash", "local", "test", "dnt", "consent", "cookieless", "sample")
) | {"domains", "exclude", "exit", "tag", "404"}
_BANNERS = {
    "cookiebot": "Cookiebot",
    "onetrust": "OneTrust",
    "cookielaw": "OneTrust",
    "usercentrics": "Usercentrics",
    "didomi": "Didomi",
    "iubenda": "iubenda",
    "klaro": "Klaro",
    "cookieyes": "CookieYes",
    "tarteaucitron": "tarteaucitron",
}


class Tag(NamedTuple):
    """One script element that loads the tracker."""

    src: str
    attributes: dict[str, str]

    @property
    def options(self) -> dict[str, str]:
        return {name[5:]: value for name, value in self.attributes.items() if name.startswith("data-")}

    @property
    def key(self) -> str | None:
        baked = parse_qs(urlsplit(self.src).query).get("key", [None])[0]
        return self.options.get("key") or self.options.get("api-key") or baked

    @property
    def collector(self) -> str:
        """The address before `/e/`; the origin of the script unless the tag names another."""
        return self.options.get("host", "").rstrip("/") or "{0.scheme}://{0.netloc}".format(urlsplit(self.src))


class PageSource(NamedTuple):
    tags: Sequence[Tag]
    scripts: Sequence[str]
    """Addresses of all other scripts."""
    policies: Sequence[str]
    """Content policies of `meta` elements."""
    banners: frozenset[str]
    has_tag_manager: bool
    pixels: Sequence[str]
    """Addresses of images that count a view."""
    has_stub: bool


def read_page(html: str, url: str) -> PageSource:
    reader = _Reader(url)
    reader.feed(html)
    reader.close()
    tags = [tag for tag in reader.scripts if _is_tracker(tag)]
    others = [tag.src for tag in reader.scripts if not _is_tracker(tag)]
    text = html.lower()
    return PageSource(
        tags=tags,
        scripts=others,
        policies=reader.policies,
        banners=frozenset(name for mark, name in _BANNERS.items() if mark in text),
        has_tag_manager="googletagmanager.com/gtm.js" in text,
        pixels=[image for image in reader.images if re.search(r"/e/[^/?]+\.gif", image)],
        has_stub=any(re.search(r"\biafa\b", code) for code in reader.codes),
    )


def _is_tracker(tag: Tag) -> bool:
    # A file of another name may be a proxy's; only the tracker's tags carry a key and load a script.
    return SCRIPT_NAME.search(urlsplit(tag.src).path) is not None or bool({"key", "api-key"} & set(tag.options))


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.base = url
        self.scripts: list[Tag] = []
        self.codes: list[str] = []
        self.images: list[str] = []
        self.policies: list[str] = []
        self._is_code = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "base" and given.get("href"):
            self.base = urljoin(self.base, given["href"])
        if tag == "meta" and given.get("http-equiv", "").lower() == "content-security-policy":
            self.policies.append(given.get("content", ""))
        if tag == "img" and given.get("src"):
            self.images.append(urljoin(self.base, given["src"]))
        if tag == "script" and given.get("src"):
            self.scripts.append(Tag(urljoin(self.base, given["src"].strip()), given))
        self._is_code = tag == "script" and not given.get("src")

    def handle_endtag(self, tag: str) -> None:
        self._is_code = self._is_code and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._is_code:
            self.codes.append(data)
