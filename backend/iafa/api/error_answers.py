"""Exceptions of routes and of the framework to problems. Registered once, for every route."""

import logging
from typing import Any, cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match

from iafa.api.bodies import escape_pointer
from iafa.api.problems import Problem
from iafa.errors import FieldError, IafaError, NotFound

log = logging.getLogger("iafa.api")

ERRORS_MAX = 100
POINTER_CHARS_MAX = 200
_CODES = {
    "extra_forbidden": "unknown_field",
    "value_error": "invalid",
    "int_parsing": "wrong_type",
    "int_parsing_size": "number_out_of_range",
    "int_from_float": "wrong_type",
    "int_type": "wrong_type",
    "bool_parsing": "wrong_type",
    "bool_type": "wrong_type",
    "string_type": "wrong_type",
    "list_type": "wrong_type",
    "greater_than_equal": "number_out_of_range",
    "less_than_equal": "number_out_of_range",
    "string_too_long": "too_long",
    "string_too_short": "too_short",
    "literal_error": "unknown_value",
    "enum": "unknown_value",
}
# What the framework says of them is about its own types; `{...}` is what the route demands.
_MESSAGES = {
    "missing": "this field is required",
    "extra_forbidden": "there is no such field",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "int_from_float": "must be a whole number",
    "int_type": "must be a whole number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": "must be a text",
    "list_type": "must be a list",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
}
_BY_STATUS = {
    400: ("bad_request", "the request cannot be understood"),
    404: ("not_found", NotFound().detail),
    405: ("method_not_allowed", "this method is not allowed here; see Allow"),
    413: ("payload_too_large", "the body is too large"),
    415: ("unsupported_media_type", "send application/json"),
}


def register_error_answers(app: FastAPI) -> None:
    app.add_exception_handler(IafaError, _domain_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _framework_error)


async def _domain_error(request: Request, error: Exception) -> Response:
    problem = Problem.of(cast(IafaError, error))
    if problem.status == 500:
        log.error("request failed request_id=%s", _request_id(request), exc_info=error)
    return problem.response(_request_id(request))


async def _invalid_request(request: Request, error: Exception) -> Response:
    found = cast(RequestValidationError, error).errors()
    errors = [_field_error(item) for item in found[:ERRORS_MAX]]
    is_query = all(item["loc"][:1] != ("body",) for item in found)
    count = f"{len(found)} field is" if len(found) == 1 else f"{len(found)} fields are"
    problem = Problem("invalid_query" if is_query else "validation_error", f"{count} not valid", errors)
    return problem.response(_request_id(request))


async def _framework_error(request: Request, error: Exception) -> Response:
    status = cast(HTTPException, error).status_code
    code, detail = _BY_STATUS.get(status, _BY_STATUS[400])
    headers = {"allow": ", ".join(_methods(request))} if status == 405 else None
    return Problem(code, detail, headers=headers).response(_request_id(request))


def _field_error(item: Any) -> FieldError:
    kind = item["type"]
    pointer = "".join(f"/{escape_pointer(str(part))}" for part in item["loc"][1:])
    message, context = _MESSAGES.get(kind), item.get("ctx", {})
    if message is not None:
        message = message.format(**context)
    else:
        # Our own validators' texts and the framework's are fixed; neither repeats the value.
        message = str(context["error"]) if kind == "value_error" else item["msg"]
    return FieldError(pointer[:POINTER_CHARS_MAX], _CODES.get(kind, kind), message)


def _methods(request: Request) -> list[str]:
    """The methods of every route of the path; the framework names only those of the first one."""
    found: set[str] = set()
    routes = cast(list[BaseRoute], request.app.routes)
    for context in iter_route_contexts(routes):
        match, _scope = context.matches(request.scope)
        if match is not Match.NONE:
            found |= set(context.methods or ())
    return sorted(found)


def _request_id(request: Request) -> str:
    return str(getattr(request.state, "request_id", ""))
