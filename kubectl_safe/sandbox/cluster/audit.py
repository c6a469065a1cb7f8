"""The audit log: a JSON object a line, in the form in which an API server with the sandbox's policy writes it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from kubectl_safe.sandbox.cluster.requests import Answer, Request
from kubectl_safe.sandbox.cluster.resources import Route

if TYPE_CHECKING:
    from kubectl_safe.sandbox.cluster.objects import Json

_READS = ("get", "list", "watch")


class AuditLog:
    """Writes each request to a resource down, reads of the control plane's own users excepted.

    Args:
        file: where to.
        now: reads the clock.
    """

    def __init__(self, file: Path, *, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lines = file.open("a", encoding="utf-8", buffering=1)

    def __call__(self, request: Request, route: Route, answer: Answer) -> None:
        """Write one request down."""
        verb = request.verb(route)
        if verb in _READS and request.user.name.startswith("system:"):
            return
        moment = self._now().astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        about = {
            "resource": route.resource.plural,
            "namespace": route.namespace,
            "name": route.name or _created(answer),
            "apiGroup": route.resource.group,
            "apiVersion": route.resource.version,
            "subresource": route.subresource,
        }
        entry: Json = {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "stage": "ResponseComplete",
            "requestURI": request.path + (f"?{urlencode(request.query)}" if request.query else ""),
            "verb": verb,
            "user": {"username": request.user.name, "groups": list(request.user.groups)},
            "objectRef": {key: value for key, value in about.items() if value},
            "responseStatus": {"code": answer.status},
            "requestReceivedTimestamp": moment,
            "stageTimestamp": moment,
        }
        if verb not in _READS:
            entry["requestObject"] = request.body
            entry["responseObject"] = answer.body
        self._lines.write(json.dumps(entry, separators=(",", ":")) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._lines.close()


def _created(answer: Answer) -> str:
    if answer.status != 201 or isinstance(answer.body, str):
        return ""
    name: str = answer.body.get("metadata", {}).get("name", "")
    return name
