"""The audit log as the OpenAPI document shows it."""

from typing import Any

from pydantic import BaseModel, Field


class AuditEntry(BaseModel):
    """One thing that was done."""

    id: int = Field(description="Its number in the server's log; higher is later.", examples=[4711])
    at: str = Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-20T09:15:02.123456Z"])
    actor: str = Field(
        description="`user:{id}`, `key:{id}`, `background`, `anonymous`, or who ran a command.",
        examples=["user:k3v9x2m5q8w1z7t4r6y0"],
    )
    actor_name: str | None = Field(description="Of somebody who is a member now.", examples=["Ada Byron"])
    actor_email: str | None = Field(description="Of somebody who is a member now.", examples=["ada@example.org"])
    action: str = Field(examples=["key.revoke"])
    object: str = Field(description="`project:{id}` or `organization:{id}`.", examples=["project:p7c1n4d8j2g5b9f3h6m0"])
    object_name: str | None = Field(
        description="Of a project that is there, or of the organization.", examples=["Web shop"]
    )
    details: dict[str, Any] = Field(description="Depends on the action. Never a secret.", examples=[{"name": "old"}])
    hash: str = Field(
        description="Of the line in the log; each line holds the hash of the one before.", examples=["51ab..."]
    )


class AuditPage(BaseModel):
    entries: list[AuditEntry]
    next_cursor: str | None = Field(
        description="Null at the end. A page may hold fewer entries than asked for, or none, before the end: a page "
        "reads a bounded part of the log."
    )
