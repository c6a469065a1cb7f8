"""Warning events of an object, for the words of whoever can't do their part; without them it goes on all the same."""

from datetime import datetime, timedelta
from typing import Any, Protocol

from kubectl_safe.decide.settings import go_duration
from kubectl_safe.kube.errors import ApiError
from kubectl_safe.kube.parse import Json, instant
from kubectl_safe.kube.watch import UNREADABLE
from kubectl_safe.model.event import Subject

LATELY = timedelta(seconds=1000)
"""An older complaint may be over: no controller pauses for longer before it tries again, and complains again."""

_SECONDS = 5.0
_MOST = "100"


class Requests(Protocol):
    """The part of a client that is needed here."""

    clock_offset: timedelta

    def request(self, method: str, path: str, *, query: Any = None, timeout: float = 0) -> dict[str, Any]:
        """Send a request and return the answer's JSON.

        Raises:
            ApiError: the server's refusal.
        """


def last_warning(client: Requests, subject: Subject, at: datetime) -> str:
    """Return the last Warning event of an object as `FailedReconcile 4s ago: ...`; empty where none can be had.

    Events that are written by `events.k8s.io` are found here too: they are the same objects.

    Args:
        client: of the API server.
        subject: what the event is to be about.
        at: now, by our clock.
    """
    of = f"involvedObject.kind={subject.kind},involvedObject.name={subject.name},type=Warning"
    path = f"/api/v1/namespaces/{subject.namespace}/events"
    try:
        answer = client.request("GET", path, query={"fieldSelector": of, "limit": _MOST}, timeout=_SECONDS)
        told = [(when, event) for event in answer.get("items") or () if (when := last_seen(event))]
    except (ApiError, *UNREADABLE):
        # Nobody needs the right to list events, and nothing is decided by them.
        return ""
    if not told:
        return ""
    when, event = max(told, key=lambda entry: entry[0])
    age = at + client.clock_offset - when
    if age >= LATELY:
        return ""
    words = " ".join((event.get("message") or "").split())
    return f"{event.get('reason') or 'Warning'} {go_duration(max(timedelta(0), age))} ago: {words}"


def last_seen(event: Json) -> datetime | None:
    """Return when it last happened: events of `events.k8s.io` have a series, and no `lastTimestamp`."""
    series = event.get("series") or {}
    known = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return instant(next((moment for moment in known if moment), event["metadata"].get("creationTimestamp")))
