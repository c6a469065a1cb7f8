"""The one place that reads the time and that waits."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return this instant."""
    return datetime.now(UTC)  # noqa: TID251 - this is the clock
