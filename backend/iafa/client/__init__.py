"""The Python client: sends events in the background, loads files, and answers questions as DataFrames."""

from iafa.client.client import Client
from iafa.client.errors import ApiError, ClientError, FieldProblem, InvalidEvent, Unreachable
from iafa.client.loading import Receipt, RowProblem
from iafa.client.outbox import Counts, Dropped
from iafa.client.reports import Overview

__all__ = [
    "ApiError",
    "Client",
    "ClientError",
    "Counts",
    "Dropped",
    "FieldProblem",
    "InvalidEvent",
    "Overview",
    "Receipt",
    "RowProblem",
    "Unreachable",
]
