"""The receipt of a funnel's number as the OpenAPI document shows it."""

from typing import Literal

from pydantic import BaseModel, Field


class ReceiptRange(BaseModel):
    """Instants, half-open. Null: the side is open."""

    from_: str | None = Field(alias="from", examples=["2026-09-30T22:00:00.000000Z"])
    to: str | None
    read_from: str | None = Field(description="From here on events were read.")
    read_to: str | None = Field(description="Up to here: the range and the window after it.")


class ReceiptFile(BaseModel):
    path: str = Field(
        description="From the data directory.",
        examples=["events/project_p7c1n4d8j2g5b9f3h6m0/2026/10/events_2026-10-01.parquet"],
    )
    rows: int | None = Field(None, examples=[3124])
    bytes: int | None = None
    xxh64: str | None = Field(None, description="The checksum of the file.")


class NotStored(BaseModel):
    count: int | None = Field(description="Null: not known.", examples=[3])
    is_exact: bool = Field(description="False: there may have been more.")
    reason: str | None = Field(description="Why it is not exact.")


class RejectedEvents(NotStored):
    """Refused events that were received in the range, as far as they have been flushed."""

    by_code: dict[str, int] = Field(examples=[{"missing_identity": 3}])


class DuplicateEvents(NotStored):
    """Events that were left out because their id was known, by the UTC days that the range touches."""

    first_day: str | None = Field(None, examples=["2026-09-30"])
    last_day: str | None = Field(None, examples=["2026-10-31"])


class ReceiptAnswer(BaseModel):
    """What the counts were made of."""

    method: Literal["sql", "paths", "report"] = Field(
        description="`sql`: `sql` gives the counts. `paths`: it gives the histories, and a program finds the paths in "
        "them; the notebook has a readable one. `report`: each statement of a report, one after the other."
    )
    sql: str = Field(description="What was run, with its values. Reads the view `events`; runs in `iafa sql` as it is.")
    setup: str = Field(description="SQL that makes the views of the files. Run it in the data directory.")
    stands_alone: bool = Field(
        description="True: `setup` and `sql` together give the counts in plain DuckDB. False: there are events in no "
        "file yet, identity edges, or paths to be found; use `iafa sql` or the notebook."
    )
    range: ReceiptRange
    files: list[ReceiptFile]
    tail_rows: int = Field(description="Events that are in no file yet, of any time.", examples=[17])
    rows_read: int = Field(description="Rows of the files that were opened, and of the tail.", examples=[96_302])
    events_in_span: int = Field(description="Events between `read_from` and `read_to`.", examples=[96_100])
    events_in_range: int = Field(description="Events of the range.", examples=[80_211])
    bots: int = Field(description="Events of known bots in the range, left out or not.", examples=[311])
    late_events: int = Field(description="Events from before `as_of` that arrived after it.", examples=[0])
    events_after_as_of: int = Field(description="Events with a time after `as_of`.", examples=[0])
    rejected: RejectedEvents
    duplicates: DuplicateEvents
    conflicting_ids: NotStored = Field(description="Repeated ids with other contents.")
    as_of: str = Field(description="The instant as of which the question was answered.")
    identity_as_of: str | None = Field(
        description="Identity edges that were made later do not count. Null: all that there are do."
    )
    identity_files: list[str]
    identity_edges: int = Field(description="Identities that have another owner for a time.", examples=[0])
    semantics: Literal["iafa"]
    semantics_version: int = Field(examples=[1])
    engine: Literal["duckdb"]
    engine_version: str = Field(examples=["2.0.0"])
    iafa_version: str = Field(examples=["0.1.0"])
