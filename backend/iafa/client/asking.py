"""Questions over HTTP: JSON in, JSON out, and the server's problems as exceptions."""

import logging
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial
from time import sleep
from typing import Any

import httpx

from iafa.client.connection import CONNECT_S, RETRIED_STATUSES, Connection, retry_after_s
from iafa.client.delivery import content_of
from iafa.client.errors import ApiError, Unreachable

ATTEMPTS_MAX = 4
PAUSE_S = 0.5
PAUSE_MAX_S = 60.0
Day = str | date | datetime
log = logging.getLogger("iafa.client")


class Questions:
    """Asks again what only time can help: a busy server, a limit, a broken connection."""

    def __init__(self, connection: Connection, timeout_s: float) -> None:
        self._connection = connection
        self._timeout = httpx.Timeout(timeout_s, connect=CONNECT_S)

    def get(self, path: str, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return self._ask(partial(self._connection.client.get, path, params=dict(parameters or {})))

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._ask(partial(self._connection.client.post, path, json=body))

    def _ask(self, send: Callable[..., httpx.Response]) -> dict[str, Any]:
        return content_of(with_retries(partial(send, timeout=self._timeout)))


def present(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def day_text(value: Day | None) -> str | None:
    return value.isoformat() if isinstance(value, date) else value


def with_retries(send: Callable[[], httpx.Response]) -> httpx.Response:
    """The answer 200. Raises ApiError or Unreachable."""
    for attempt in range(1, ATTEMPTS_MAX + 1):
        pause_s = PAUSE_S * 2**attempt
        try:
            answer = send()
        except httpx.TransportError as error:
            failure: ApiError | Unreachable = Unreachable(f"no answer: {type(error).__name__}: {error}")
            failure.__cause__ = error
        else:
            if answer.status_code == 200:
                return answer
            said_s = retry_after_s(answer)
            failure = ApiError(answer.status_code, content_of(answer), said_s)
            pause_s = pause_s if said_s is None else said_s
            if answer.status_code not in RETRIED_STATUSES or pause_s > PAUSE_MAX_S:
                raise failure
        if attempt == ATTEMPTS_MAX:
            raise failure
        log.warning("asking again in %.1f s: %s", pause_s, failure)
        sleep(pause_s)
    raise AssertionError("the last attempt returns or raises")
