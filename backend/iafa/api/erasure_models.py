"""Erasures of people, as the OpenAPI document shows them."""

from typing import Literal

from pydantic import BaseModel, Field

TIME = Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-20T09:15:02.123456Z"])


class Erasure(BaseModel):
    """What is known of an erasure. Nothing in it says who the person was."""

    erasure_id: str = Field(examples=["0f3c9a5d1e7b2468"])
    status: Literal["hidden", "done"] = Field(
        description="`hidden`: no question sees the person any more, files are being written anew. `done`: no file "
        "holds anything of them; the proof is in the audit log."
    )
    requested_at: str = TIME
    done_at: str | None = Field(json_schema_extra={"format": "date-time"}, examples=[None])
    rows_hidden: int = Field(description="Stored events that left the answers at once.", examples=[1204])
    removed: dict[str, int] = Field(
        description="So far: `rows` from `files` of the lake, and `refused` events.",
        examples=[{"rows": 1204, "files": 31, "refused": 2}],
    )


class Erasures(BaseModel):
    """The newest first."""

    erasures: list[Erasure]
