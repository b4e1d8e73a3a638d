"""The raw events: the event log page by page, and their export."""
