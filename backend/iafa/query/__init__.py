"""The read path: definitions to SQL, and DuckDB over one snapshot. Never writes events."""
