"""Answers of the autocomplete routes."""

from typing import Literal

from pydantic import BaseModel, Field


class SeenProperty(BaseModel):
    name: str
    filter: str = Field(description="The name in filters and breakdowns.", examples=["plan"])
    events: int = Field(description="Events, among those looked at, that have it.")
    types: list[Literal["text", "number", "boolean", "list", "object", "null"]]
    last_seen: str


class BuiltInColumn(BaseModel):
    name: str
    filter: str = Field(examples=["column:browser"])


class _Extent(BaseModel):
    rows_read: int
    is_complete: bool = Field(description="False if older events were not looked at.")
    data_version: str


class PropertyListAnswer(_Extent):
    properties: list[SeenProperty]
    columns: list[BuiltInColumn]


class SeenValue(BaseModel):
    value: str
    events: int
    last_seen: str


class ValueListAnswer(_Extent):
    property: str
    values: list[SeenValue]
