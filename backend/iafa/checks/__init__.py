"""Funnels as code: definitions in YAML, compared with the events that exist, tried on fixtures, applied; templates."""
