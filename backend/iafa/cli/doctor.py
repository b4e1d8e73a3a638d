"""`iafa doctor`: why no events come from a page: what stands on it, what stops it there, what the server says of it."""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import click
import msgspec

from iafa.cli.content_policy import refused_by
from iafa.cli.exit_codes import FAILED
from iafa.cli.options import data_dir_option, house_at, json_option, print_json, read_settings
from iafa.cli.page_source import Tag
from iafa.cli.tracker import Finding, Level, Page, about_page, get, get_page, new_client
from iafa.errors import IafaError, NotFound, WrongUsage
from iafa.jobs.diagnosis import Diagnosis
from iafa.lake.layout import Layout

if TYPE_CHECKING:
    import httpx

_LEVELS: Mapping[str, Level] = {"error": "problem", "warning": "problem", "info": "note", "ok": "ok"}
_SETTINGS = re.compile(rb"\((\{[^()]*\})\);\s*$")  # where a server puts the settings of a project
_LOCAL = re.compile(r"127[.\d]+|.*\blocalhost|::1")
Said = tuple[list[Finding], list[dict[str, Any]]]


@click.command("doctor")
@click.argument("url")
@click.option(
    "--secret-key",
    envvar="IAFA_SECRET_KEY",
    default=None,
    help="The project's secret key, for the server's diagnosis (IAFA_SECRET_KEY).",
)
@click.option("--server", default=None, help="The server that the secret key is sent to, http(s)://host.")
@data_dir_option
@json_option
def doctor_command(url: str, secret_key: str | None, server: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Say why no events come from the page at URL."""
    if urlsplit(url).scheme not in {"http", "https"}:
        raise WrongUsage(f"{url!r} is not the address of a page; it begins with http:// or https://")
    if server is not None and (not secret_key or urlsplit(server).scheme not in {"http", "https"}):
        raise WrongUsage("--server is the address of a server, and needs --secret-key")
    with new_client() as client:
        page = get_page(client, url)
        # Before the page's key is tried: what the doctor does is no finding.
        ask = partial(_asked, client, server.rstrip("/"), secret_key) if server and secret_key else None
        findings, told = ask() if ask else _here(page, data_dir)
        findings = [*about_page(client, page, is_sending=False), *on_page(client, page), *findings]
    is_ok = not any(finding.level == "problem" for finding in findings)
    if as_json:
        print_json({"url": page.url, "ok": is_ok, "findings": [one._asdict() for one in findings], "server": told})
    else:
        for finding in findings:
            click.echo(f"{finding.level:8}{finding.text}")
    if not is_ok:
        raise SystemExit(FAILED)


def on_page(client: "httpx.Client", page: Page) -> Iterator[Finding]:
    for tag in page.source.tags:
        if tag.key:
            yield Finding("note", f"the tag has the {_kind(tag.key)} key ending in {tag.key[-4:]}")
        if _kind(tag.key or "") == "secret":
            yield Finding("problem", "this is the secret key: put the write key into the page, and rotate this one")
        yield from _mixed(tag, page.url)
        yield from _settings(client, tag, page.url)
    for image in page.source.pixels:
        policy = refused_by(page.policies, "img-src", image, page.url)
        if policy is not None:
            yield Finding("problem", f"the content policy refuses the image {_hidden(image)}: img-src ({policy})")


def _mixed(tag: Tag, page: str) -> Iterator[Finding]:
    """A page of https loads nothing from http and sends nothing there."""
    if urlsplit(page).scheme != "https":
        return
    for what, address in (("script", tag.src), ("collector", urljoin(page, tag.collector))):
        if urlsplit(address).scheme == "http":
            yield Finding("problem", f"mixed content: the page is https and the {what} {_hidden(address)} is http")


def _settings(client: "httpx.Client", tag: Tag, page: str) -> Iterator[Finding]:
    """Rules that make the tracker say nothing here: of the tag, else of the project's settings in the script."""
    given = _baked(client, tag) | tag.options
    host, path = urlsplit(page).hostname or "", urlsplit(page).path or "/"
    if given.get("domains") and not _is_listed(given["domains"], host):
        yield Finding("problem", f"the tracker counts only on {given['domains']}, and this page is on {host}")
    if given.get("exclude") and _is_listed(given["exclude"], path):
        yield Finding("problem", f"the tracker leaves out {path} (exclude: {given['exclude']})")
    if given.get("local") == "off" and _LOCAL.fullmatch(host):
        yield Finding("problem", f"the tracker counts nothing on {host} (local: off)")
    if given.get("consent") == "required":
        yield Finding("note", "the tracker waits until the page calls iafa.consent(true)")
    if given.get("sample"):
        yield Finding("note", f"the tracker keeps a part of the visitors: sample {given['sample']}")


def _baked(client: "httpx.Client", tag: Tag) -> dict[str, str]:
    try:
        _, script = get(client, tag.src)
        found = _SETTINGS.search(script)
        return msgspec.json.decode(found.group(1), type=dict[str, str]) if found else {}
    except (IafaError, msgspec.DecodeError):
        return {}


def _is_listed(patterns: str, text: str) -> bool:
    """As the tracker reads them: with commas between, `*` stands for anything."""
    listed = "|".join(".*".join(re.escape(part) for part in one.split("*")) for one in patterns.split(","))
    return re.fullmatch(listed, text) is not None


def _here(page: Page, data_dir: Path | None) -> Said:
    """What the server of a data directory on this machine counted of the project that the page's key is of."""
    tag = next((one for one in page.source.tags if one.key), None)
    layout = Layout(read_settings(data_dir=data_dir).data_dir.resolve())
    if tag is None or tag.key is None or not (layout.metadata / "projects.json").exists():
        return [Finding("note", "--server and --secret-key ask the server for its diagnosis, too")], []
    try:
        return _told(house_at(data_dir).diagnose_key(tag.key))
    except NotFound:
        return [Finding("note", f"no project of {layout.root} has the page's key")], []


def _asked(client: "httpx.Client", server: str, secret_key: str) -> Said:
    import httpx

    headers = {"x-api-key": secret_key}  # only for the named server: neither the page nor a redirect chooses it

    def ask(path: str) -> dict[str, Any]:
        answer = client.get(f"{server}/api/v1{path}", headers=headers, follow_redirects=False)
        if answer.status_code != 200:
            raise IafaError(f"{server} does not give its diagnosis: it answers {answer.status_code}")
        found: dict[str, Any] = answer.json()
        return found

    try:
        found = ask(f"/projects/{ask('/auth/key')['project_id']}/diagnosis")
        findings = found["findings"]
        return [_finding(one["severity"], one["title"], one["advice"], one["count"]) for one in findings], findings
    except IafaError as error:
        return [Finding("problem", error.detail)], []
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        return [Finding("problem", f"{server} does not give its diagnosis: {error}")], []


def _told(found: Diagnosis) -> Said:
    findings = [_finding(one.severity, one.title, one.advice, one.count) for one in found.findings]
    return findings, [msgspec.to_builtins(one) for one in found.findings]


def _finding(severity: str, title: str, advice: str, count: int) -> Finding:
    counted = f" ({count} in 24 hours)" if count else ""
    return Finding(_LEVELS[severity], f"server: {title}{counted}. {advice}")


def _kind(key: str) -> str:
    return {"iafa_w_": "write", "iafa_s_": "secret"}.get(key[:7], "unknown")


def _hidden(address: str) -> str:
    """Without its key."""
    return re.sub(r"iafa_[ws]_[A-Za-z0-9_-]+", "KEY", address)
