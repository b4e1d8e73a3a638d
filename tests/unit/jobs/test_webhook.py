"""Webhooks against a real server: signed, never to an address that is not of the public Internet, never elsewhere."""

import hashlib
import hmac
from collections.abc import Iterator, Sequence

import pytest

from iafa.clock import FakeClock
from iafa.jobs.webhook import BODY_BYTES_MAX, Refused, Webhook, check_url, is_public
from tests.support.hook import Hook, a_hook

NOW_US = 1_763_726_400_000_000
SECRET = "a secret of the rule"


@pytest.fixture
def hook() -> Iterator[Hook]:
    with a_hook() as made:
        yield made


def inside(**over: object) -> Webhook:
    """One that may send to this machine."""
    return Webhook(FakeClock(NOW_US), True, **over)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1"),
        *("169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
        *("224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1", "203.0.113.9"),
        *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"),
        *("2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "::127.0.0.1", "no address", ""),
    ],
)
def test_an_address_that_is_not_public_is_known(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_a_public_address_is_known(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "ftp://a.example/",
            "file:///etc/passwd",
            "gopher://a.example",
            "a.example/hook",
            "",
            "https://",
            "http:///x",
        ),
        *("https://user:word@a.example/", "https://a.example/#part", "http://a.example:22/", "http://a.example:25/"),
        *("http://a.example:0/", "http://a.example:99999/", "http://a b/", "https://[::1", "javascript:alert(1)"),
    ],
)
def test_a_wrong_form_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        check_url(text)


@pytest.mark.parametrize("text", ["https://a.example/hook?x=1", "http://a.example:8080", "https://[2606:4700::1]:443/"])
def test_a_usual_form_is_taken(text: str) -> None:
    check_url(text)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "0177.0.0.1", "127.1", "[::1]"])
async def test_nothing_is_sent_to_this_machine_in_any_spelling(hook: Hook, host: str) -> None:
    sent = await Webhook(FakeClock(NOW_US)).send(hook.url(host), SECRET, {"text": "x"})
    assert not sent.is_delivered
    assert sent.status is None
    assert hook.received == []


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1/", "http://0x7f.1:8080/", "http://2130706433", "https://10.0.0.8/", "http://[::1]/"),
        *("http://localhost:9000", "http://LOCALHOST./", "http://169.254.169.254/latest", "http://[::ffff:10.0.0.1]/"),
    ],
)
def test_an_address_that_says_of_itself_that_it_is_private_is_known_before_anything_is_sent(url: str) -> None:
    with pytest.raises(Refused, match="not of the public Internet"):
        Webhook(FakeClock(NOW_US)).check(url)
    inside().check(url)


@pytest.mark.parametrize("url", ["https://hooks.example.org/", "https://93.184.216.34/", "https://localhost.example/"])
def test_a_name_is_not_resolved_before_something_is_sent(url: str) -> None:
    Webhook(FakeClock(NOW_US)).check(url)


async def test_one_private_address_among_several_is_enough_to_refuse(hook: Hook) -> None:
    async def two(_host: str, _port: int) -> Sequence[str]:
        return ["93.184.216.34", "127.0.0.1"]

    sent = await Webhook(FakeClock(NOW_US), resolve=two).send(hook.url("a.example"), SECRET, {})
    assert "not of the public Internet" in sent.detail


async def test_the_address_that_was_checked_is_the_one_that_is_connected_to(hook: Hook) -> None:
    """A name that says something else the second time is asked once."""
    asked = []

    async def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["192.0.2.1"]

    sent = await inside(resolve=rebinding).send(hook.url("no-such-name.invalid"), SECRET, {"text": "x"})
    assert (sent.is_delivered, sent.status) == (True, 204)
    assert asked == ["no-such-name.invalid"]
    assert hook.received[0][1]["host"] == f"no-such-name.invalid:{hook.port}"


async def test_a_message_is_signed_over_its_time_and_body(hook: Hook) -> None:
    assert (await inside().send(hook.url(), SECRET, {"text": "Käse", "n": 1})).is_delivered
    ((path, headers, body),) = hook.received
    assert (path, body) == ("/hook", '{"text":"Käse","n":1}'.encode())
    seconds = headers["x-iafa-timestamp"]
    assert seconds == str(NOW_US // 1_000_000)
    expected = hmac.new(SECRET.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["x-iafa-signature"] == f"v1={expected}"


async def test_a_redirect_is_not_followed(hook: Hook) -> None:
    hook.statuses = [307]
    sent = await inside().send(hook.url(), SECRET, {})
    assert (sent.is_delivered, sent.status) == (False, 307)
    assert [path for path, _headers, _body in hook.received] == ["/hook"]


async def test_what_goes_wrong_is_told(hook: Hook) -> None:
    hook.statuses = [500]
    assert (await inside().send(hook.url(), SECRET, {})).detail == "the host answered 500"
    hook.is_silent = True
    assert (await inside(timeout_s=0.3).send(hook.url(), SECRET, {})).detail == "no answer within 0.3 s"
    large = await inside().send(hook.url(), SECRET, {"text": "x" * BODY_BYTES_MAX})
    assert (large.is_delivered, len(hook.received)) == (False, 2)
    assert (await inside().send("http://no-such-name.invalid/", SECRET, {})).detail == "the host has no address"

    async def closed(_host: str, _port: int) -> Sequence[str]:
        return []

    assert not (await inside(resolve=closed).send(hook.url(), SECRET, {})).is_delivered
    plain = hook.url().replace("http:", "https:")
    hook.is_silent = False
    assert (await inside().send(plain, SECRET, {})).detail.startswith("no connection: ")
