"""The columns of an event in Parquet. Fixed: a column is never inferred from data, and readers may rely on each."""

import sys
from importlib.abc import MetaPathFinder

import pyarrow as pa

FORMAT_VERSION = 1
FORMAT_KEY = "iafa.format"  # in the key-value metadata of every file; the first files did not say it

TIME_TYPE = pa.timestamp("us", tz="UTC")

# Portable on purpose: ids are strings and properties are JSON text, so that Spark, pandas and ClickHouse read them too.
EVENT_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("project_id", pa.string(), nullable=False),
        pa.field("event_type", pa.string(), nullable=False),
        pa.field("user_id", pa.string()),
        pa.field("anonymous_id", pa.string()),
        pa.field("session_id", pa.string()),
        pa.field("source", pa.string()),
        pa.field("properties", pa.string(), nullable=False),
        pa.field("user_hash", pa.int64(), nullable=False),
        pa.field("url", pa.string()),
        pa.field("referrer", pa.string()),
        pa.field("user_agent", pa.string()),
        pa.field("ip_address", pa.string()),
        pa.field("created_at", TIME_TYPE, nullable=False),
        pa.field("received_at", TIME_TYPE, nullable=False),
        pa.field("country", pa.string()),
        pa.field("region", pa.string()),
        pa.field("city", pa.string()),
        pa.field("browser", pa.string()),
        pa.field("os", pa.string()),
        pa.field("device", pa.string()),
        pa.field("timezone", pa.string()),
        pa.field("utm_source", pa.string()),
        pa.field("utm_medium", pa.string()),
        pa.field("utm_campaign", pa.string()),
        pa.field("utm_term", pa.string()),
        pa.field("utm_content", pa.string()),
        pa.field("is_bot", pa.bool_(), nullable=False),
        pa.field("sample_rate", pa.float64(), nullable=False),
    ],
    metadata={FORMAT_KEY: str(FORMAT_VERSION)},
)
COLUMNS = tuple(EVENT_SCHEMA.names)


class _PandasIsAbsent(MetaPathFinder):
    def find_spec(self, fullname: str, _path: object, _target: object = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname)


def leave_pandas_out() -> None:
    """pyarrow imports pandas with its first array: two seconds and 30 MB for what nothing here uses. It asks only once;
    call this before. Where pandas has been imported already it stays."""
    absent = _PandasIsAbsent()
    sys.meta_path.insert(0, absent)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(absent)
