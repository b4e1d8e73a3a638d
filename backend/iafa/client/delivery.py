"""One request with events: its body, and what its answer means for each of them."""

import gzip
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import httpx

from iafa.client.connection import CONNECT_S, RETRIED_STATUSES, Connection, retry_after_s
from iafa.client.errors import ApiError
from iafa.client.events import Prepared

BATCH_BYTES_MAX = 1024 * 1024  # the server's limit on the wire, kept before compression
BATCH_EVENTS_MAX = 2_500
BATCH_DAYS_MAX = 31
GZIP_FROM_BYTES = 1024
ANSWER_S = 60.0
_START, _END = b'{"events":[', b"]}"
EVENT_BYTES_MAX = BATCH_BYTES_MAX - len(_START) - len(_END)
_COUNTS = ("accepted", "duplicates", "sampled_out", "rejected", "retry")
log = logging.getLogger("iafa.client")


class Refused(NamedTuple):
    """An event that the server did not take, by its place in the request."""

    position: int
    code: str
    message: str


@dataclass(frozen=True)
class Outcome:
    """What became of a request.

    `answered`: each event was judged; those in `refused` are not stored, those in `again` may be sent again.
    `later`: nothing was stored; `is_patient` says that only time is needed, however much. `smaller`: the request was
    too large. `never`: sending it again would change nothing.
    """

    kind: Literal["answered", "later", "smaller", "never"]
    code: str = ""
    message: str = ""
    retry_after_s: float | None = None
    is_patient: bool = False
    accepted: int = 0
    duplicates: int = 0
    sampled_out: int = 0
    refused: Sequence[Refused] = ()
    again: Sequence[int] = ()


@dataclass(frozen=True)
class Delivery:
    connection: Connection
    is_gzip: bool = True

    def __call__(self, events: Sequence[Prepared]) -> Outcome:
        """Send the events in one request. Never raises."""
        body = _START + b",".join(event.body for event in events) + _END
        headers = {"content-type": "application/json"}
        if self.is_gzip and len(body) >= GZIP_FROM_BYTES:
            body = gzip.compress(body, 6, mtime=0)
            headers["content-encoding"] = "gzip"
        try:
            timeout = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
            answer = self.connection.client.post("/track/batch", content=body, headers=headers, timeout=timeout)
        except httpx.TransportError as error:
            return Outcome("later", "unreachable", f"no answer: {type(error).__name__}: {error}", is_patient=True)
        except Exception as error:
            log.exception("a request could not be made")
            return Outcome("later", "client_error", f"{type(error).__name__}: {error}")
        log.debug("sent %d events, %d bytes: %d", len(events), len(body), answer.status_code)
        return _outcome(answer, len(events))


def _outcome(answer: httpx.Response, count: int) -> Outcome:
    status, content = answer.status_code, content_of(answer)
    if status == 200:
        return _judged(content, count)
    error = ApiError(status, content)
    if status == 413 and count > 1:
        return Outcome("smaller", error.code, str(error))
    if status in RETRIED_STATUSES or status >= 500:
        return Outcome("later", error.code, str(error), retry_after_s(answer), status in RETRIED_STATUSES)
    if 300 <= status < 400:
        return Outcome("never", error.code, "the server answers from another address; give that one as host")
    return Outcome("never", error.code, str(error))


def content_of(answer: httpx.Response) -> dict[str, Any]:
    """The answer's JSON object; empty for anything else."""
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _judged(content: dict[str, Any], count: int) -> Outcome:
    """The counts must add up to what was sent, and the results name each event that was not taken: whoever else says
    200 has stored nothing."""
    counts: dict[str, Any] = {name: content.get(name) for name in _COUNTS}
    foreign = Outcome("later", "foreign_answer", "what answered is no IAFA server")
    are_counts = all(type(number) is int and number >= 0 for number in counts.values())
    if not are_counts or sum(counts.values()) != count:
        return foreign
    try:
        refused, again = _not_taken(content.get("results") or [])
    except (AttributeError, TypeError):
        return foreign
    places = {one.position for one in refused} | {*again}
    is_each_once = len(places) == len(refused) + len(again) and places <= {*range(count)}
    if not is_each_once or (len(refused), len(again)) != (counts["rejected"], counts["retry"]):
        return foreign
    return Outcome(
        "answered",
        accepted=content["accepted"],
        duplicates=content["duplicates"],
        sampled_out=content["sampled_out"],
        refused=refused,
        again=again,
    )


def _not_taken(results: Any) -> tuple[list[Refused], list[int]]:
    """What is refused and what may be sent again. Raises whatever comes of results that are none."""
    refused, again = [], []
    for one in results:
        if type(one.get("index")) is not int:
            raise TypeError("a place is a whole number")
        if one.get("result") == "rejected":
            refused.append(Refused(one["index"], str(one.get("code")), f"{one.get('pointer')}: {one.get('message')}"))
        elif one.get("result") == "retry":
            again.append(one["index"])
    return refused, again
