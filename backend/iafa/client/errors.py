"""What a question or an upload may raise. Sending events in the background raises nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class ClientError(Exception):
    """Anything that this client raises."""


class InvalidEvent(ClientError, ValueError):
    """What was given is no event: its name, a person or a readable time is missing."""


class Unreachable(ClientError):
    """No answer came: the network, the address or the time limit. The request may have been carried out."""


@dataclass(frozen=True)
class FieldProblem:
    """One wrong field. `pointer` is a JSON pointer into what was sent, such as `/stages/0/event`."""

    pointer: str
    code: str
    message: str


class ApiError(ClientError):
    """The server refused. Carries its problem+json: branch on `code`, show `message`."""

    def __init__(self, status: int, content: Mapping[str, Any], retry_after_s: float | None = None) -> None:
        self.status = status
        self.code = str(content.get("code") or f"http_{status}")
        self.message = str(content.get("detail") or content.get("title") or f"the server answered {status}")
        self.errors = tuple(_fields(content.get("errors")))
        self.is_retryable = content.get("retryable") is True
        self.retry_after_s = retry_after_s
        self.request_id = str(content.get("instance") or "").removeprefix("urn:iafa:request:")
        super().__init__(status, content, retry_after_s)

    @property
    def pointer(self) -> str | None:
        """Of the first wrong field."""
        return self.errors[0].pointer if self.errors else None

    def __str__(self) -> str:
        fields = "; ".join(f"{one.pointer or 'body'}: {one.message}" for one in self.errors)
        return f"{self.message} ({self.code}{', ' + fields if fields else ''})"


def _fields(errors: Any) -> list[FieldProblem]:
    if not isinstance(errors, list):
        return []
    return [
        FieldProblem(*(str(one.get(name) or "") for name in ("pointer", "code", "message")))
        for one in errors
        if isinstance(one, dict)
    ]
