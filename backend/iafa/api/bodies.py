"""JSON bodies of the management routes: one strict decoder in front of every model. Collecting has its own."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping, Set
from typing import Any

import msgspec
from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from iafa.errors import (
    FieldError,
    IafaError,
    InvalidJson,
    PayloadTooLarge,
    UnsupportedMediaType,
    ValidationFailed,
)
from iafa.event import DEPTH_MAX, INTEGER_MAX, WIRE_BYTES_MAX

JSON_TYPE = re.compile(r"application/(?:[a-z0-9.+-]+\+)?json\s*(?:;.*)?", re.IGNORECASE)
BODY_SECONDS_MAX = 30.0
_OFFSET = re.compile(r"\(byte \d+\)$")
NAME_SHOWN = 100
CREDENTIALS = ("authorization", "x-api-key", "cookie")
UNKNOWN_MAX = 20


class StrictRequest(Request):
    """A request whose JSON was decoded strictly before the framework asks for it."""

    decoded: Any = None

    async def json(self) -> Any:
        return self.decoded


class StrictRoute(APIRoute):
    """A route whose body passes `read_json` before anything else looks at it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()
        if self.body_field is None:
            return handler
        is_required = self.body_field.field_info.is_required()

        async def strict(request: Request) -> Response:
            checked = StrictRequest(request.scope, request.receive)
            checked.decoded = await read_json(checked, is_required=is_required)
            return await handler(checked)

        return strict


class QuestionRoute(StrictRoute):
    """A route that also refuses parameters of the address that it does not know: a mistyped `start_date` would ask for
    all time, and the numbers would look right. Who brings no credentials hears that first.
    """

    needs_credentials = True

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler, known = super().get_route_handler(), frozenset(_parameters(self.dependant))

        async def strict(request: Request) -> Response:
            if not self.needs_credentials or any(name in request.headers for name in CREDENTIALS):
                _refuse_unknown(request, known)
            return await handler(request)

        return strict


class OpenQuestionRoute(QuestionRoute):
    """The same for a route that anybody may call."""

    needs_credentials = False


def _refuse_unknown(request: Request, known: Set[str]) -> None:
    unknown = sorted({name for name in request.query_params if name not in known})
    if unknown:
        errors = [FieldError(f"/{name[:NAME_SHOWN]}", "unknown_field", "is not known here") for name in unknown]
        raise ValidationFailed("the question is not valid", errors=errors[:UNKNOWN_MAX], code="invalid_query")


def _parameters(dependant: Dependant) -> Iterator[str]:
    """The names of all parameters of the address that a route or what it depends on takes."""
    yield from (field.alias for field in dependant.query_params)
    for other in dependant.dependencies:
        yield from _parameters(other)


async def json_object(request: Request) -> Mapping[str, Any]:
    """The body as a JSON object, for routes whose grammar is another room's."""
    value = await read_json(request, is_required=True)
    if not isinstance(value, dict):
        raise ValidationFailed(
            "the body is not an object", errors=[FieldError("", "not_an_object", "send a JSON object")]
        )
    return value


async def read_json(request: Request, *, is_required: bool) -> Any:
    """The decoded body; None when there is none and none is needed."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("send the body without compression", code="unsupported_encoding")
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            body = await _read(request)
    except TimeoutError:
        raise IafaError("the body came too slowly", code="request_timeout") from None
    except ClientDisconnect:
        raise IafaError("the client left before its body was complete", code="bad_request") from None
    if not body and not is_required:
        return None
    if not JSON_TYPE.fullmatch(request.headers.get("content-type", "")):
        raise UnsupportedMediaType("send application/json")
    if not body:
        raise InvalidJson("the body is empty")
    value = _decode(body)
    _check_values(value)
    _check_names(body)
    return value


async def _read(request: Request) -> bytes:
    chunks = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > WIRE_BYTES_MAX:
            raise PayloadTooLarge(f"the body is larger than {WIRE_BYTES_MAX} bytes", limit=WIRE_BYTES_MAX)
        chunks.append(chunk)
    body = b"".join(chunks)
    # The framework reads the body again; it finds it where Starlette keeps one that was read.
    request._body = body
    return body


def _decode(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.ValidationError:
        raise InvalidJson("the body has a number that is out of range") from None
    except msgspec.DecodeError as error:
        place = _OFFSET.search(str(error))
        raise InvalidJson(f"the body is not JSON: invalid {place[0] if place else 'or cut short'}") from None
    except UnicodeDecodeError:
        raise InvalidJson("the body is not UTF-8") from None
    except RecursionError:
        raise InvalidJson("the body is nested too deep to be read") from None


def _check_values(root: Any) -> None:
    """What JSON can say but the rest of the system cannot hold: refused here, with the place."""
    stack: list[tuple[Any, str, int]] = [(root, "", 1)]
    while stack:
        value, pointer, depth = stack.pop()
        if depth > DEPTH_MAX:
            raise _wrong(pointer, "too_deep", f"nested deeper than {DEPTH_MAX}")
        match value:
            case dict():
                if any("\0" in key for key in value):
                    raise _wrong(pointer, "invalid_character", "a name holds a NUL character")
                stack.extend((v, f"{pointer}/{escape_pointer(k)}", depth + 1) for k, v in value.items())
            case list():
                stack.extend((v, f"{pointer}/{i}", depth + 1) for i, v in enumerate(value))
            case str():
                if "\0" in value:
                    raise _wrong(pointer, "invalid_character", "the text holds a NUL character")
            case int():
                if abs(value) > INTEGER_MAX:
                    raise _wrong(pointer, "number_out_of_range", "an integer is beyond plus or minus 2^53")


class _Repeating(dict[str, Any]):
    """An object of JSON in which a name comes twice."""

    repeated: str


def _check_names(body: bytes) -> None:
    """Of an object that says a name twice, readers keep the first, the last or both: nobody knows what is meant."""
    met: list[_Repeating] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        read = dict(items)
        if len(read) == len(items):
            return read
        counts = Counter(name for name, _value in items)
        repeating = _Repeating(items)
        repeating.repeated = next(name for name in counts if counts[name] > 1)
        met.append(repeating)
        return repeating

    root = json.loads(body, object_pairs_hook=pairs, parse_int=str, parse_float=str)
    stack: list[tuple[Any, str]] = [(root, "")] if met else []
    while stack:
        value, pointer = stack.pop()
        if isinstance(value, _Repeating):
            raise _wrong(f"{pointer}/{escape_pointer(value.repeated)}", "repeated_field", "is there more than once")
        if isinstance(value, dict):
            stack.extend((v, f"{pointer}/{escape_pointer(k)}") for k, v in value.items())
        elif isinstance(value, list):
            stack.extend((v, f"{pointer}/{i}") for i, v in enumerate(value))


def escape_pointer(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _wrong(pointer: str, code: str, message: str) -> IafaError:
    return ValidationFailed(
        "the body holds a value that cannot be stored", errors=[FieldError(pointer[:200], code, message)]
    )
