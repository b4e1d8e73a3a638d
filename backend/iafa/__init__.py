"""IAFA: self-hosted event analytics over Parquet files."""

__version__ = "0.1.0"
