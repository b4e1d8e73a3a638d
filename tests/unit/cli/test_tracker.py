"""`iafa tracker`: what it finds on a page, against a real server."""

import base64
import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from iafa.cli.content_policy import allows
from iafa.cli.doctor import on_page
from iafa.cli.page_source import KNOWN_ATTRIBUTES, read_page
from iafa.cli.tracker import Page
from tests.support.server import Account, ServerProcess
from tests.unit.cli.conftest import Command

Serve = Callable[..., str]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("tracker") / "data") as process:
        yield process


@pytest.fixture(scope="module")
def owner(server: ServerProcess) -> Iterator[Account]:
    account = Account(server.url)
    yield account
    account.client.close()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves pages of a customer's site."""
    files: dict[str, tuple[str, str]] = {}
    headers: dict[str, str] = {}

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, content = files.get(self.path, ("text/html", ""))
            self.send_response(200 if self.path in files else 404)
            for name, value in {"content-type": kind, **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    site = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=site.serve_forever, daemon=True).start()

    def served(html: str, *, policy: str = "", **scripts: str) -> str:
        files["/"] = ("text/html; charset=utf-8", html)
        files.update({f"/{name}.js": ("text/javascript", text) for name, text in scripts.items()})
        if policy:
            headers["content-security-policy"] = policy
        return f"http://127.0.0.1:{site.server_port}/"

    yield served
    site.shutdown()
    site.server_close()


def tag(server: ServerProcess, owner: Account, more: str = "", name: str = "t.js") -> str:
    return f'<script defer src="{server.url}/{name}" data-key="{owner.write_key}" {more}></script>'


def test_a_good_installation_is_said_to_be_one_and_its_event_is_stored(
    iafa: Command, serve: Serve, server: ServerProcess, owner: Account
) -> None:
    url = serve(
        f"<title>Shop</title>{tag(server, owner)}", policy=f"script-src {server.url}; connect-src 'self' {server.url}"
    )

    looked = iafa("tracker", url)
    assert looked.code == 0, looked.out
    assert "the script is the one of this version" in looked.out
    assert "knows the key; --send sends an event" in looked.out
    assert "installation_check" not in owner.event_counts()

    sent = iafa("tracker", url, "--send", "--json")
    assert sent.code == 0, sent.out
    assert sent.json["ok"] is True
    assert any("is stored" in finding["text"] for finding in sent.json["findings"])
    assert owner.event_counts()["installation_check"] == 1


@pytest.mark.parametrize(
    ("more", "policy", "said"),
    [
        ('data-consnet="required"', "", "unknown attributes: data-consnet"),
        ("", "default-src 'self'", "add its origin to script-src"),
        ("", "script-src *; connect-src 'self'", "add its origin to connect-src"),
        ('integrity="sha384-AAAA" crossorigin', "", "the integrity value is of another file"),
        ('type="module"', "", 'type="module" hides the tag'),
    ],
)
def test_what_stops_the_tracker_is_a_problem(
    iafa: Command, serve: Serve, server: ServerProcess, owner: Account, more: str, policy: str, said: str
) -> None:
    found = iafa("tracker", serve(tag(server, owner, more), policy=policy), "--json")
    assert found.code == 1
    assert [one["level"] for one in found.json["findings"] if said in one["text"]] == ["problem"]


def test_integrity_of_a_hashed_file_is_accepted(
    iafa: Command, serve: Serve, server: ServerProcess, owner: Account
) -> None:
    script = httpx.get(f"{server.url}/t.js").content
    name = f"t.{hashlib.sha384(script).hexdigest()[:16]}.js"
    integrity = base64.b64encode(hashlib.sha384(script).digest()).decode()
    url = serve(tag(server, owner, f'integrity="sha384-{integrity}" crossorigin', name))
    found = iafa("tracker", url)
    assert found.code == 0, found.out
    assert "integrity" not in found.out


def test_settings_of_a_project_inside_the_script_are_this_version(
    iafa: Command, serve: Serve, server: ServerProcess, owner: Account
) -> None:
    found = iafa("tracker", serve(f'<script defer src="{server.url}/t.js?key={owner.write_key}"></script>'))
    assert found.code == 0, found.out
    assert "the script is the one of this version" in found.out


@pytest.mark.parametrize(
    ("html", "code", "said"),
    [
        ("<p>nothing</p>", 1, "the tracker is not in the page; add its tag"),
        ('<script src="/bundle.js"></script>', 0, "the npm package is in"),
        ('<script src="/gtm.js"></script>', 0, "seems to add the tag"),
        ("<script>(s.src='https://www.googletagmanager.com/gtm.js')</script>", 1, "a tag manager may add it"),
        ('<script src="/cookiebot.js"></script>', 1, "there is a cookie banner (Cookiebot)"),
    ],
)
def test_a_page_without_the_tag(iafa: Command, serve: Serve, html: str, code: int, said: str) -> None:
    url = serve(html, bundle="x=/iafa_debug=1/", gtm="'<script src=\"/t.js\" data-key=...'")
    found = iafa("tracker", url)
    assert (found.code, said in found.out) == (code, True), found.out


def test_a_double_installation_a_wrong_key_and_a_wrong_file(
    iafa: Command, serve: Serve, server: ServerProcess, owner: Account
) -> None:
    wrong = f'<script defer src="{server.url}/t.js" data-key="iafa_w_none"></script>'
    other = '<script defer src="/other.js" data-key="x"></script>'
    gone = '<script defer src="http://127.0.0.1:9/t.js" data-key="x"></script>'
    url = serve(tag(server, owner) + wrong + other + gone, other="alert(1)")
    found = iafa("tracker", url)
    assert found.code == 1
    assert "the tracker is on the page 4 times" in found.out
    assert "/e/iafa_w_none answers 401" in found.out
    assert "other.js is a script, but not the tracker" in found.out
    assert "http://127.0.0.1:9/t.js cannot be read" in found.out


@pytest.mark.parametrize(
    ("address", "code", "said"),
    [("ftp://shop.example/", 2, "is not the address of a page"), ("http://127.0.0.1:9/", 1, "cannot be read")],
)
def test_a_page_that_cannot_be_read(iafa: Command, address: str, code: int, said: str) -> None:
    found = iafa("tracker", address)
    assert (found.code, said in found.err) == (code, True)


PAGE = "https://shop.example/cart"


@pytest.mark.parametrize(
    ("policy", "url", "is_allowed"),
    [
        ("", "https://in.example/t.js", True),
        ("img-src 'self'", "https://in.example/t.js", True),
        ("default-src 'none'", "https://in.example/t.js", False),
        ("script-src 'self'", "https://shop.example/t.js", True),
        ("script-src 'self'", "https://in.example/t.js", False),
        ("script-src https:", "https://in.example/t.js", True),
        ("script-src https:", "http://in.example/t.js", False),
        ("script-src *", "https://in.example/t.js", True),
        ("script-src in.example", "https://in.example/t.js", True),
        ("script-src http://in.example", "https://in.example/t.js", True),
        ("script-src https://in.example", "http://in.example/t.js", False),
        ("script-src *.example", "https://in.example/t.js", True),
        ("script-src *.in.example", "https://in.example/t.js", False),
        ("script-src in.example:8443", "https://in.example:8443/t.js", True),
        ("script-src in.example", "https://in.example:8443/t.js", False),
        ("script-src in.example:*", "https://in.example:8443/t.js", True),
        ("script-src in.example/js/", "https://in.example/js/t.js", True),
        ("script-src in.example/js/", "https://in.example/t.js", False),
        ("script-src-elem 'none'; script-src *", "https://in.example/t.js", False),
        ("script-src 'strict-dynamic' https:", "https://in.example/t.js", False),
        ("SCRIPT-SRC in.example; script-src 'none'", "https://in.example/t.js", True),
    ],
)
def test_a_content_policy_is_read_as_browsers_do(policy: str, url: str, is_allowed: bool) -> None:
    assert allows(policy, "script-src-elem", url, PAGE) is is_allowed


def test_a_nonce_on_the_tag_is_enough_for_the_script() -> None:
    assert allows("script-src 'nonce-abc'", "script-src-elem", "https://in.example/t.js", PAGE, nonce="abc")
    assert not allows("script-src 'nonce-abc'", "script-src-elem", "https://in.example/t.js", PAGE, nonce="x")


def test_addresses_of_a_page_are_read_against_its_base() -> None:
    html = """<base href="/x/"><meta http-equiv="Content-Security-Policy" content="default-src 'self'">
      <script src="t.js" data-key="k" data-host="/stats"></script><noscript><img src="/e/k.gif"></noscript>
      <script>window.iafa = window.iafa || {q: []}</script><script src="app.js"></script>"""
    page = read_page(html, PAGE)
    assert [(tag.src, tag.key, tag.collector) for tag in page.tags] == [("https://shop.example/x/t.js", "k", "/stats")]
    assert (page.scripts, page.policies) == (["https://shop.example/x/app.js"], ["default-src 'self'"])
    assert (bool(page.pixels), page.has_stub, page.has_tag_manager) == (True, True, False)


def test_the_known_attributes_are_those_of_the_documentation() -> None:
    text = (Path(__file__).parents[3] / "docs" / "tracker.md").read_text()
    table = text.split("## Attributes")[1].split("\n## ")[0]
    documented = set(re.findall(r"^\| `data-([a-z0-9-]+)", table, re.MULTILINE))
    assert documented | {"api-key"} == KNOWN_ATTRIBUTES


def test_the_doctor_names_what_the_page_and_the_server_say(
    iafa: Command, serve: Serve, server: ServerProcess, owner: Account
) -> None:
    made = owner.client.post("/projects", json={"name": "Blocked", "allowed_origins": ["https://shop.example"]}).json()
    page = f'<script defer src="{server.url}/t.js" data-key="{made["api_key"]}" data-domains="*.shop.example"></script>'
    url = serve(page + f'<img src="{server.url}/e/{made["api_key"]}.gif">', policy="img-src 'self'; default-src *")
    refused = httpx.post(f"{server.url}/e/{made['api_key']}", content="{}", headers={"origin": "https://evil.example"})
    assert refused.status_code == 403
    given = ("--server", server.url, "--secret-key", made["secret_key"])
    found = iafa("doctor", url, *given, "--json")
    assert found.code == 1, found.out
    assert made["api_key"] not in found.out.replace(f"/e/{made['api_key']} ", "")
    texts = [one["text"] for one in found.json["findings"] if one["level"] == "problem"]
    for said in (
        "answers 403: this key may not be used from this origin",
        "the tracker counts only on *.shop.example, and this page is on 127.0.0.1",
        "the content policy refuses the image",
        "server: Requests from https://evil.example are refused: the origin is not allowed",
    ):
        assert any(said in text for text in texts), (said, texts)
    # What the doctor tried is no finding of its next visit.
    assert iafa("doctor", url, *given, "--json").json["server"][0]["count"] == 1


def test_the_doctor_reads_the_counts_of_a_server_on_this_machine(
    iafa: Command, serve: Serve, server: ServerProcess, owner: Account
) -> None:
    url = serve(f"{tag(server, owner)}")
    sent = {"content": '{"e":[{"n":"page_view","a":"v"}]}', "headers": {"origin": "http://127.0.0.1"}}
    assert httpx.post(f"{server.url}/e/{owner.write_key}", **sent).status_code == 204  # type: ignore[arg-type]
    data_dir = str(server.log_path.with_suffix(""))

    def says(text: str) -> bool:
        return text in iafa("doctor", url, "--data-dir", data_dir).out

    deadline = time.monotonic() + 60
    while not says("server: Events are arriving"):
        assert time.monotonic() < deadline, "the server has published nothing"
    assert says(f"the tag has the write key ending in {owner.write_key[-4:]}")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("ftp://shop.example/",), 2, "is not the address of a page"),
        (("http://127.0.0.1:9/", "--server", "http://127.0.0.1:9"), 2, "needs --secret-key"),
        (("http://127.0.0.1:9/",), 1, "cannot be read"),
    ],
)
def test_the_doctor_refuses_what_is_no_page(iafa: Command, words: tuple[str, ...], code: int, said: str) -> None:
    found = iafa("doctor", *words)
    assert (found.code, said in found.err) == (code, True), found


def test_the_doctor_finds_mixed_content_and_the_secret_key() -> None:
    secret = "iafa_s_" + "k" * 43
    html = f'<script src="http://in.example/t.js" data-key="{secret}" data-exclude="/cart,/x/*"></script>'
    page = Page(PAGE, 200, read_page(html, PAGE), [])
    with httpx.Client(transport=httpx.MockTransport(lambda _request: httpx.Response(200, text="({});"))) as client:
        texts = [one.text for one in on_page(client, page)]
    assert sum("mixed content" in text for text in texts) == 2
    assert any("this is the secret key" in text for text in texts)
    assert any("leaves out /cart" in text for text in texts)
    assert not any(secret in text for text in texts)
