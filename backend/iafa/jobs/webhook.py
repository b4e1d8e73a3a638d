"""Signed messages to addresses that users name, which must not reach what only this machine may reach."""

import asyncio
import hashlib
import hmac
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from iafa.clock import US_PER_S, Clock

TIMEOUT_S = 10.0  # altogether: resolving, connecting, sending, and the first line and headers of the answer
BODY_BYTES_MAX = 64 * 1024
URL_CHARS_MAX = 2_000
LOW_PORTS = (80, 443)
UNPRIVILEGED_PORT = 1024
# Azure's and Oracle's services for their own machines: public by the number, private by use.
_OF_CLOUDS = (ipaddress.ip_network("168.63.129.16/32"), ipaddress.ip_network("192.0.0.0/24"))
_UNICAST = ipaddress.ip_network("2000::/3")  # all of IPv6 that is routed in public
_HOST = re.compile(r"[A-Za-z0-9._-]+")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class Refused(Exception):
    """Why nothing is sent to an address, as a sentence without the address."""


@dataclass(frozen=True)
class Sent:
    """What became of one attempt."""

    is_delivered: bool
    detail: str
    status: int | None = None


def check_url(text: str) -> httpx.URL:
    """The address, if its form is one that a message may be sent to; else Refused. Nothing is resolved."""
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError, TypeError):
        raise Refused("is not an address such as https://hooks.example.org/iafa") from None
    host = url.raw_host.decode("ascii")
    if url.scheme not in ("http", "https") or not (_HOST.fullmatch(host) or ":" in host):
        raise Refused("is not an address such as https://hooks.example.org/iafa")
    if url.userinfo or url.fragment:
        raise Refused("must hold neither a name and password nor a fragment")
    if url.port is not None and url.port not in LOW_PORTS and not UNPRIVILEGED_PORT <= url.port <= 65_535:
        raise Refused("names a port that is neither 80, 443 nor above 1023")
    return url


def is_public(address: str) -> bool:
    """Whether the address is of the public Internet; of one that carries another address, that one."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return is_public(str(found.ipv4_mapped))
        if found in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF)))
        carries = found.sixtofour is not None or found.teredo is not None or found.scope_id is not None
        return found in _UNICAST and found.is_global and not carries
    is_special = found.is_private or found.is_multicast or found.is_reserved or found.is_unspecified
    return found.is_global and not is_special and not any(found in one for one in _OF_CLOUDS)


async def resolved(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, also of one that is written as a number in any of its forms."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


def _written(host: str) -> Sequence[str]:
    """The address that a host is by its letters alone, in any spelling of a number; none of a name. Nobody is asked."""
    if host.rstrip(".").lower() == "localhost":
        return ["127.0.0.1"]
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except OSError:
        return []
    return [str(one[4][0]) for one in found]


@dataclass(frozen=True)
class Webhook:
    """Connects to the very address that was checked: a name that is resolved again may say something else."""

    clock: Clock
    may_be_private: bool = False
    resolve: Resolve = resolved
    timeout_s: float = TIMEOUT_S

    def check(self, url_text: str) -> None:
        """Refused, if nothing can ever be sent there, by its form or as the address that stands in it. A name may still
        turn out to be private when something is sent."""
        self._allow(_written(check_url(url_text).raw_host.decode("ascii")))

    def _allow(self, addresses: Sequence[str]) -> None:
        if not self.may_be_private and not all(is_public(one) for one in addresses):
            raise Refused("is not of the public Internet; see the setting IAFA_WEBHOOK_PRIVATE")

    async def send(self, url_text: str, secret: str, content: dict[str, Any]) -> Sent:
        """One attempt. What goes wrong is in the answer; redirects are not followed."""
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self._sent(url_text, secret, content)
        except Refused as refused:
            return Sent(False, f"the address {refused}")
        except TimeoutError:
            return Sent(False, f"no answer within {self.timeout_s:g} s")
        except OSError:
            return Sent(False, "the host has no address")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            return Sent(False, f"no connection: {type(error).__name__}")

    async def _sent(self, url_text: str, secret: str, content: dict[str, Any]) -> Sent:
        url = check_url(url_text)
        body = msgspec.json.encode(content)
        if len(body) > BODY_BYTES_MAX:
            raise Refused("is not sent a message of that size")
        host = url.raw_host.decode("ascii")
        port = url.port or (443 if url.scheme == "https" else 80)
        addresses = await self.resolve(host, port)
        if not addresses:
            return Sent(False, "the host has no address")
        self._allow(addresses)
        seconds = str(self.clock.now_us() // US_PER_S)
        headers = {
            "Host": url.netloc.decode("ascii"),
            "Content-Type": "application/json",
            "User-Agent": "IAFA-Webhook",
            "X-IAFA-Timestamp": seconds,
            "X-IAFA-Signature": f"v1={signature(secret, seconds, body)}",
        }
        pinned = url.copy_with(host=addresses[0])
        extensions = {"sni_hostname": host} if url.scheme == "https" else {}
        async with (
            httpx.AsyncClient(
                trust_env=False, follow_redirects=False, timeout=self.timeout_s, verify=url.scheme == "https"
            ) as client,
            client.stream("POST", pinned, content=body, headers=headers, extensions=extensions) as answer,
        ):
            # The body of the answer is left unread, however long it is.
            return Sent(answer.is_success, f"the host answered {answer.status_code}", answer.status_code)


def signature(secret: str, seconds: str, body: bytes) -> str:
    """HMAC-SHA256 over the time, a dot and the body, in hexadecimal."""
    return hmac.new(secret.encode(), seconds.encode() + b"." + body, hashlib.sha256).hexdigest()
