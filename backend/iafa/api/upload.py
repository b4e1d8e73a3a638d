"""The upload route: a file of history, spooled to disk as it comes in, then loaded by the job. Knows no file format."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, cast

import aiofiles
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from iafa.api.access import secret_key
from iafa.api.answers import json_answer
from iafa.api.bodies import QuestionRoute
from iafa.api.problem_docs import problem_responses
from iafa.durable import remove_tree
from iafa.errors import IafaError, PayloadTooLarge, RateLimited, UnsupportedMediaType
from iafa.jobs.presets.reading import PresetName, check_one_map
from iafa.jobs.upload import Receipt, UploadRequest
from iafa.jobs.upload_columns import parse_columns
from iafa.jobs.upload_rows import Format
from iafa.meta.api_keys import KeyGrant

SPOOL_CHUNK_BYTES = 1024 * 1024
SILENCE_S_MAX = 30.0
INFLATION_MAX = 20  # an inflated upload may be so many times larger than the largest body
AT_ONCE_MAX = 4

TIME = Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-20T09:15:02.123456Z"])


@dataclass(frozen=True)
class Uploads:
    """What the route is given as `app.state.uploads`."""

    make_folder: Callable[[], Path]
    load: Callable[[UploadRequest], Receipt]
    bytes_max: int
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE_MAX))
    # Threads of their own: an upload may wait long for the lake, and sign-ins must not wait with it.
    pool: Executor = field(default_factory=lambda: ThreadPoolExecutor(AT_ONCE_MAX, thread_name_prefix="upload"))

    async def run(self, upload_request: UploadRequest) -> Receipt:
        return await asyncio.get_running_loop().run_in_executor(self.pool, self.load, upload_request)


class RowErrorAnswer(BaseModel):
    """The first thing that is wrong with a refused row."""

    row: int = Field(
        description="The line of a text file (a CSV header counts) or the row of a Parquet file, from 1.", examples=[17]
    )
    code: str = Field(examples=["invalid_timestamp"])
    pointer: str = Field(description="The event's field.", examples=["/created_at"])
    message: str = Field(examples=["must be an ISO 8601 time or seconds or milliseconds since 1970"])


class ReceiptAnswer(BaseModel):
    """accepted + duplicates + rejected are the rows of the file."""

    accepted: int = Field(examples=[142080])
    duplicates: int = Field(description="Rows whose id is stored already or occurs twice in the file.", examples=[1])
    rejected: int = Field(examples=[1])
    first_event: str | None = TIME
    last_event: str | None = TIME
    warnings: list[str] = Field(examples=[[]])
    errors: list[RowErrorAnswer] = Field(description="The first 20 refused rows.")
    rejected_by_code: dict[str, int] = Field(examples=[{"invalid_timestamp": 1}])


_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file itself, not a form. May be compressed with `Content-Encoding: gzip` (not Parquet).",
        "content": {
            "application/x-ndjson": {
                "schema": {"type": "string", "format": "binary"},
                "example": '{"user_id":"u1","event_type":"signup","timestamp":"2026-11-20T09:15:02Z","plan":"pro"}\n',
            },
            "text/csv": {
                "schema": {"type": "string", "format": "binary"},
                "example": "customer,action,at,plan\nu1,signup,2026-11-20 09:15:02,pro\n",
            },
            "application/vnd.apache.parquet": _BINARY,
            "application/octet-stream": _BINARY,
        },
    }
}

# A mistyped `columns` or `preset` would load rows that mean something else.
router = APIRouter(prefix="/api/v1/upload", tags=["collect"], route_class=QuestionRoute)


@router.post(
    "",
    response_model=ReceiptAnswer,
    summary="Upload a file of events",
    description="Loads NDJSON, CSV or Parquet into the project of the secret key. All of it becomes visible at once, "
    "before the answer; a request that fails stores nothing.\n\n"
    "A column named like a field of an event is that field (`id`, `event_type`, `user_id`, `anonymous_id`, "
    "`session_id`, `created_at` or `timestamp`, `source`, `url`, ...); `columns` names others. Every other column is a "
    "property. Times without a zone are UTC. A CSV or Parquet file needs a column for the event, its time and the "
    "user. Limits on age, dates and rate, the quota and sampling do not apply; the project's schemas and privacy do. "
    "Rows older than its `retention_days` are refused: set it first.\n\n"
    "`preset` reads an export of another tool: Segment, PostHog, Mixpanel, Amplitude, GA4 or Umami.\n\n"
    "Sending the same file again changes nothing: rows without an id get one made of the file's content and the row.",
    openapi_extra=_BODY,
    responses=problem_responses(
        "bad_request", "bad_encoding", "invalid_credentials", "insufficient_scope", "not_found", "request_timeout",
        "payload_too_large", "unsupported_encoding", "validation_error", "invalid_query", "rate_limited",
        "storage_unavailable",
    ),
)  # fmt: skip
async def upload(
    request: Request,
    grant: Annotated[KeyGrant, Depends(secret_key)],
    format: Annotated[Format, Query(description="What the body is.")],
    columns: Annotated[
        str | None,
        Query(
            max_length=10_000,
            description="Fields and their columns: `FIELD:COLUMN`, separated by commas.",
            examples=["user_id:customer,event_type:action,created_at:at"],
        ),
    ] = None,
    preset: Annotated[
        PresetName | None,
        Query(description="The tool whose export the file is, instead of `columns`. See docs/import.md."),
    ] = None,
) -> Response:
    uploads = cast(Uploads, request.app.state.uploads)
    mapped = parse_columns(columns)
    check_one_map(mapped, preset)
    is_gzip = _is_gzip(request, format)
    async with _spooled(request, uploads) as path:
        upload_request = UploadRequest(
            project_id=grant.project_id,
            path=path,
            format=format,
            columns=mapped,
            preset=preset,
            retention_days=grant.retention_days,
            schemas=grant.schemas,
            privacy=grant.privacy,
            salt=grant.salt,
            is_gzip=is_gzip,
            inflated_bytes_max=uploads.bytes_max * INFLATION_MAX,
        )
        return json_answer(await uploads.run(upload_request))


@asynccontextmanager
async def _spooled(request: Request, uploads: Uploads) -> AsyncIterator[Path]:
    """The body as a file, which is gone afterwards whatever happens."""
    if uploads.slots.locked():
        raise RateLimited(f"{AT_ONCE_MAX} uploads are running", retry_after_s=10, limit=AT_ONCE_MAX)
    async with uploads.slots:
        length = request.headers.get("content-length", "")
        if length.isascii() and length.isdigit() and int(length) > uploads.bytes_max:
            raise _too_large(uploads.bytes_max)
        folder = await asyncio.to_thread(uploads.make_folder)
        try:
            await _spool(request, folder / "body", uploads.bytes_max)
            yield folder / "body"
        finally:
            await asyncio.to_thread(remove_tree, folder)


async def _spool(request: Request, path: Path, bytes_max: int) -> None:
    size = 0
    try:
        async with aiofiles.open(path, "xb") as file:
            async for chunk in _chunks(request):
                size += len(chunk)
                if size > bytes_max:
                    raise _too_large(bytes_max)
                await file.write(chunk)
    except ClientDisconnect:
        # Nobody hears this; it ends the request without a trace in the log of our own errors.
        raise IafaError("the body was cut short; nothing was stored", code="bad_request") from None
    except TimeoutError:
        raise IafaError("the body came too slowly; nothing was stored", code="request_timeout") from None


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    """The body in larger pieces: each write is a trip to another thread."""
    stream = request.stream()
    gathered = bytearray()
    while True:
        try:
            async with asyncio.timeout(SILENCE_S_MAX):
                chunk = await anext(stream)
        except StopAsyncIteration:
            break
        gathered += chunk
        if len(gathered) >= SPOOL_CHUNK_BYTES:
            yield bytes(gathered)
            gathered.clear()
    yield bytes(gathered)


def _is_gzip(request: Request, format: Format) -> bool:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return False
    if encoding != "gzip":
        raise UnsupportedMediaType("send the body as it is or as gzip", code="unsupported_encoding")
    if format == "parquet":
        raise UnsupportedMediaType("Parquet is compressed by itself; send it as it is", code="unsupported_encoding")
    return True


def _too_large(bytes_max: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"an upload has at most {bytes_max} bytes; split the file", limit=bytes_max)
