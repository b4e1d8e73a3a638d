"""Exports of other tools, row by row to events: one module a tool, all of them listed in `reading`."""
