"""The list of steps between a request and the lake, in order: what each may refuse or drop, and where it is counted.

`docs/pipeline.md` is held against this list, and so are the steps that the code runs. A new reason gets its place here.
"""

from typing import Literal, NamedTuple

from iafa.event import DropReason

# What a step sees: a whole request, one event of it, or the events of a journal segment on their way to Parquet.
Place = Literal["request", "event", "flush"]

DROPPED = "events_dropped"  # by reason
REFUSED = "requests_refused"  # by code; of such a request nothing is stored


class Step(NamedTuple):
    """`reasons` are the codes under which the step's counter counts; a step without any completes or marks."""

    name: str
    place: Place
    does: str
    reasons: tuple[str, ...] = ()
    counter: str = ""


STEPS: tuple[Step, ...] = (
    Step("authentication", "request", "the key is known, not revoked, not expired", ("invalid_credentials",), REFUSED),
    Step(
        "origin", "request", "a page's origin is among the project's allowed origins", ("insufficient_scope",), REFUSED
    ),
    Step("address_limit", "request", "requests a minute and address", (DropReason.RATE_LIMITED,), DROPPED),
    Step(
        "body",
        "request",
        "type, encoding, bytes on the wire and inflated, the time that it takes",
        (
            *("unsupported_media_type", "unsupported_encoding", "bad_encoding", "bad_request"),
            *("payload_too_large", "request_timeout", "client_left"),
        ),
        REFUSED,
    ),
    Step(
        "decoding",
        "request",
        "JSON in UTF-8 that holds events, at most 2,500",
        ("invalid_json", "invalid_batch"),
        REFUSED,
    ),
    Step("key_limit", "request", "events a minute and key", (DropReason.RATE_LIMITED,), DROPPED),
    Step("quota", "request", "events a month and project", (DropReason.QUOTA_EXCEEDED,), DROPPED),
    Step("shape", "event", "known members have the right type", (DropReason.VALIDATION,), DROPPED),
    Step(
        "name",
        "event",
        "what happened, under one of its names",
        (DropReason.VALIDATION, DropReason.TOO_LONG, DropReason.INVALID_CHARACTER),
        DROPPED,
    ),
    Step(
        "identity",
        "event",
        "who did it; placeholders are nobody, and a page's visitor without an id gets the fallback id",
        (
            *(DropReason.MISSING_IDENTITY, DropReason.TOO_LONG, DropReason.INVALID_CHARACTER),
            DropReason.NUMBER_OUT_OF_RANGE,
        ),
        DROPPED,
    ),
    Step(
        "event_id",
        "event",
        "its id; one is made where none came",
        (DropReason.VALIDATION, DropReason.TOO_LONG, DropReason.INVALID_CHARACTER),
        DROPPED,
    ),
    Step(
        "time",
        "event",
        "its time, corrected by the client's clock; none: now",
        (DropReason.INVALID_TIMESTAMP, DropReason.TIMESTAMP_OUT_OF_WINDOW),
        DROPPED,
    ),
    Step(
        "privacy",
        "event",
        "members on the project's deny-list are removed, and addresses become what is stored of them",
        counter="properties_removed",
    ),
    Step(
        "properties",
        "event",
        "depth, members, lengths and numbers of the properties",
        (
            *(DropReason.TOO_DEEP, DropReason.TOO_MANY_KEYS, DropReason.TOO_LONG, DropReason.INVALID_CHARACTER),
            DropReason.NUMBER_OUT_OF_RANGE,
        ),
        DROPPED,
    ),
    Step(
        "texts",
        "event",
        "lengths and characters of the other texts, and the sample rate",
        (DropReason.TOO_LONG, DropReason.INVALID_CHARACTER, DropReason.NUMBER_OUT_OF_RANGE),
        DROPPED,
    ),
    Step("canonical", "event", "the form that is stored, within 32 KiB", (DropReason.EVENT_TOO_LARGE,), DROPPED),
    Step(
        "schema",
        "event",
        "the properties fit the project's JSON Schema for the event type, where it has one",
        (DropReason.SCHEMA,),
        DROPPED,
    ),
    Step("days", "event", "a batch spans at most 31 UTC days", (DropReason.TOO_MANY_DATES,), DROPPED),
    Step("sampling", "event", "the most specific sampling rule", (DropReason.SAMPLED_OUT,), DROPPED),
    Step("duplicates", "event", "ids that this worker has seen lately", (DropReason.DUPLICATE,), DROPPED),
    Step("journal", "request", "written and synced before the answer", ("storage_unavailable", "not_ready"), REFUSED),
    Step(
        "distinct",
        "flush",
        "each id once in the dedup window, across workers, restarts and days",
        (DropReason.DUPLICATE,),
        "flush_duplicates",
    ),
    Step(
        "rows",
        "flush",
        "a row of Parquet, with browser, device, campaign and the mark of bots",
        (DropReason.POISON,),
        DROPPED,
    ),
)
