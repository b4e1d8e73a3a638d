"""`iafa tracker`: loads a page as a visitor would, and says whether the tracker is installed and events arrive."""

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import urljoin, urlsplit

import click

import iafa
from iafa.cli.content_policy import refused_by
from iafa.cli.exit_codes import FAILED
from iafa.cli.options import json_option, print_json
from iafa.cli.page_source import HASHED_NAME, KNOWN_ATTRIBUTES, PageSource, Tag, read_page
from iafa.clock import SystemClock
from iafa.errors import IafaError, WrongUsage
from iafa.ingest.attempts import CHECK_AGENT

if TYPE_CHECKING:
    import httpx

Level = Literal["ok", "note", "problem"]
_BYTES_MAX = 4_000_000
_SCRIPTS_MAX = 20
_TIMEOUT_S = 10.0
_BUILDS = Path(iafa.__file__).parent / "static" / "tracker"
_PLACE = b"({});"  # where a server puts the settings of a project
_PACKAGE_MARK = b"iafa_debug"  # a text that every full build holds, also inside of a bundle
_EVENT = "installation_check"


class Finding(NamedTuple):
    level: Level
    text: str


@click.command("tracker")
@click.argument("url")
@click.option(
    "--send", is_flag=True, help=f"Send one event `{_EVENT}` as the page would, and say whether it is stored."
)
@json_option
def tracker_command(url: str, send: bool, as_json: bool) -> None:
    """Check the tracker on the page at URL."""
    if urlsplit(url).scheme not in {"http", "https"}:
        raise WrongUsage(f"{url!r} is not the address of a page; it begins with http:// or https://")
    with new_client() as client:
        findings = list(about_page(client, get_page(client, url), is_sending=send))
    is_ok = not any(finding.level == "problem" for finding in findings)
    if as_json:
        print_json({"url": url, "ok": is_ok, "findings": [finding._asdict() for finding in findings]})
    else:
        for finding in findings:
            click.echo(f"{finding.level:8}{finding.text}")
    if not is_ok:
        raise SystemExit(FAILED)


class Page(NamedTuple):
    """What a visitor gets at an address, behind all redirects."""

    url: str
    status: int
    source: PageSource
    policies: Sequence[str]


def new_client() -> "httpx.Client":
    import httpx  # slow to load

    return httpx.Client(timeout=_TIMEOUT_S, follow_redirects=True, headers={"user-agent": CHECK_AGENT})


def get_page(client: "httpx.Client", url: str) -> Page:
    answer, body = get(client, url)
    url = str(answer.url)
    source = read_page(body.decode(answer.encoding or "utf-8", "replace"), url)
    return Page(
        url, answer.status_code, source, [*answer.headers.get_list("content-security-policy"), *source.policies]
    )


def about_page(client: "httpx.Client", page: Page, *, is_sending: bool) -> Iterator[Finding]:
    url, source = page.url, page.source
    if page.status >= 400:
        yield Finding("note", f"the page answers {page.status}")
    yield from _about_page(client, source)
    for tag in source.tags:
        yield from _about_tag(tag)
        yield from _about_policy(tag, page.policies, url)
        yield from _about_script(client, tag)
        if tag.key:
            yield _about_collector(client, tag, url, is_sending=is_sending)


def _about_page(client: "httpx.Client", source: PageSource) -> Iterator[Finding]:
    if len(source.tags) > 1:
        yield Finding("problem", f"the tracker is on the page {len(source.tags)} times; only the first one counts")
    if not source.tags:
        yield _elsewhere(client, source)
    if source.has_stub:
        yield Finding("ok", "a stub or a call of `iafa` is in the page")
    if source.pixels:
        yield Finding("ok", "an image counts visitors without scripts")
    if source.banners:
        names = ", ".join(sorted(source.banners))
        yield Finding(
            "note", f"there is a cookie banner ({names}); with data-consent it has to call iafa.consent(true)"
        )


def _elsewhere(client: "httpx.Client", source: PageSource) -> Finding:
    """No tag in the page: a bundle may hold the package, a tag manager's file the tag."""
    for address in source.scripts[:_SCRIPTS_MAX]:
        try:
            _, script = get(client, address)
        except IafaError:
            continue
        if _PACKAGE_MARK in script:
            return Finding("ok", f"the npm package is in {address}; whether it is started only a browser can say")
        if b"data-key" in script and b".js" in script:
            return Finding("note", f"{address} seems to add the tag; check by ?iafa_debug=1 in a browser")
    where = "a tag manager may add it: check by ?iafa_debug=1 in a browser" if source.has_tag_manager else "add its tag"
    return Finding("problem", f"the tracker is not in the page; {where}")


def _about_tag(tag: Tag) -> Iterator[Finding]:
    yield Finding("ok", f"found {tag.src}")
    if not tag.key:
        yield Finding("problem", "the tag has no data-key; nothing starts until the page calls iafa.init")
    unknown = sorted(set(tag.options) - KNOWN_ATTRIBUTES)
    if unknown:
        yield Finding("problem", f"unknown attributes: {', '.join('data-' + name for name in unknown)}")
    if not {"defer", "async"} & set(tag.attributes) and tag.attributes.get("type") != "module":
        yield Finding("note", "without defer the page waits for the script")
    if tag.attributes.get("type") == "module":
        yield Finding("problem", 'type="module" hides the tag from the script; leave it out')


def _about_policy(tag: Tag, policies: Sequence[str], page: str) -> Iterator[Finding]:
    nonce = tag.attributes.get("nonce", "")
    for directive, address in (("script-src-elem", tag.src), ("connect-src", _collector(tag, page))):
        policy = refused_by(policies, directive, address, page, nonce=nonce)
        if policy is not None:
            name = directive.removesuffix("-elem")
            yield Finding("problem", f"the content policy refuses {address}: add its origin to {name} ({policy})")


def _about_script(client: "httpx.Client", tag: Tag) -> Iterator[Finding]:
    try:
        answer, script = get(client, tag.src)
    except IafaError as error:
        yield Finding("problem", str(error))
        return
    if answer.status_code != 200 or not answer.headers.get("content-type", "").startswith("text/javascript"):
        kind = answer.headers.get("content-type", "no type")
        yield Finding("problem", f"{tag.src} answers {answer.status_code}, {kind}; it is not the tracker")
        return
    if b"_iafa" not in script:
        yield Finding("problem", f"{tag.src} is a script, but not the tracker")
        return
    if _is_current(script):
        yield Finding("ok", "the script is the one of this version")
    else:
        yield Finding("note", f"the script is not of this version ({iafa.__version__}); a server or cache may be older")
    yield from _about_integrity(tag, answer, script)


def _about_integrity(tag: Tag, answer: "httpx.Response", script: bytes) -> Iterator[Finding]:
    pinned = tag.attributes.get("integrity", "").split()
    if not pinned:
        return
    hashes = [
        f"{name}-{base64.b64encode(hashlib.new(name, script).digest()).decode()}"
        for name in ("sha256", "sha384", "sha512")
    ]
    if not set(pinned) & set(hashes):
        yield Finding("problem", "the integrity value is of another file: browsers refuse the script")
    if "crossorigin" not in tag.attributes or answer.headers.get("access-control-allow-origin") is None:
        yield Finding(
            "problem", "integrity needs the attribute crossorigin and an answer with Access-Control-Allow-Origin"
        )
    if not HASHED_NAME.search(urlsplit(tag.src).path):
        yield Finding("note", "integrity pins a file that changes with every version; use its name with the hash")


def _about_collector(client: "httpx.Client", tag: Tag, page: str, *, is_sending: bool) -> Finding:
    import httpx

    address = f"{_collector(tag, page)}/e/{tag.key}"
    now_ms = SystemClock().now_us() // 1000
    events = [{"n": _EVENT, "t": now_ms, "l": page}] if is_sending else []
    headers = {"content-type": "text/plain;charset=UTF-8", "origin": "{0.scheme}://{0.netloc}".format(urlsplit(page))}
    try:
        answer = client.post(address, content=json.dumps({"t": now_ms, "e": events}), headers=headers)
    except httpx.HTTPError as error:
        return Finding("problem", f"{address} does not answer: {error}")
    if answer.status_code == 204 and is_sending:
        return Finding("ok", f"an event `{_EVENT}` was sent to {address} and is stored")
    # An empty body is refused after the key was looked up.
    if answer.status_code in {204, 422} and "x-request-id" in answer.headers:
        return Finding("ok", f"{address} knows the key; --send sends an event")
    return Finding("problem", f"{address} answers {answer.status_code}: {_said(answer)}")


def _said(answer: "httpx.Response") -> str:
    try:
        return str(answer.json()["detail"])[:200]
    except (ValueError, KeyError, TypeError):
        return "it is not a collector"


def _collector(tag: Tag, page: str) -> str:
    return urljoin(page, tag.collector)


def _is_current(script: bytes) -> bool:
    """Whether it is a file of this version, with or without a project's settings."""
    head = script[: script.rfind(b"})(")]
    return any(path.read_bytes().removesuffix(_PLACE) == head + b"})" for path in _BUILDS.glob("t*.js"))


def get(client: "httpx.Client", url: str) -> "tuple[httpx.Response, bytes]":
    """At most 4 MB of what is there."""
    import httpx

    body = b""
    try:
        with client.stream("GET", url) as answer:
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > _BYTES_MAX:
                    raise IafaError(f"{url} has more than {_BYTES_MAX // 1_000_000} MB")
            return answer, body
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise IafaError(f"{url} cannot be read: {error}") from None
