"""The write-ahead journal: record framing, one writer a process, readers for queries and for the flusher."""
