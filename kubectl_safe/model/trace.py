"""What was asked of a server and what it answered, for whoever wants to see it."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One question and what came of it, with its credentials: whoever shows it masks them."""

    asked: str
    """Such as `GET https://127.0.0.1:6443/api/v1/nodes/x`."""
    answered: str
    """The status, such as `200 OK`, or why there is none."""
    took: timedelta
    asked_headers: Mapping[str, str] = field(default_factory=dict)
    asked_body: bytes | Mapping[str, Any] | None = None
    answered_headers: Mapping[str, str] = field(default_factory=dict)
    answered_body: bytes | Mapping[str, Any] | None = None


Trace = Callable[[Exchange], None]
"""Who sees every exchange that is over, from any thread. It never raises."""

AWS_TRACE: ContextVar[Trace | None] = ContextVar("AWS_TRACE", default=None)
"""Who sees the exchanges with AWS of connections that are made from now on.

They are made deep in a run, when the first target group is found, and by then nobody knows of flags any more.
"""
