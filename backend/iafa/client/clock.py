"""This machine's time. The client has a clock of its own because it stands alone."""

from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)
