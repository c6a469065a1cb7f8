"""What the API server's audit log says that a user wrote."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write that was asked for, and what became of it; `at` is `time.time()` of its arrival."""

    at: float
    verb: str
    resource: str
    """With its subresource: `pods`, `pods/eviction`."""
    namespace: str
    name: str
    status: int
    is_dry_run: bool
    body: dict[str, Any]


def writes_by(user: str, log: Path) -> list[Write]:
    """Return all writes of a user, dry runs among them, in the order of their arrival."""
    found = []
    # The server may be in the middle of a line, of somebody else's request: who asks has had the answers to its own.
    whole, _, _ = log.read_text(encoding="utf-8").rpartition("\n")
    for line in whole.splitlines():
        event = json.loads(line)
        if event["user"]["username"] != user or event["verb"] not in WRITES:
            continue
        about = event.get("objectRef", {})
        resource = "/".join(filter(None, [about.get("resource", ""), about.get("subresource", "")]))
        if resource.startswith("selfsubject"):
            continue
        found.append(
            Write(
                at=datetime.fromisoformat(event["requestReceivedTimestamp"]).timestamp(),
                verb=event["verb"],
                resource=resource,
                namespace=about.get("namespace", ""),
                name=about.get("name", ""),
                status=event.get("responseStatus", {}).get("code", 0),
                is_dry_run="dryRun" in parse_qs(urlparse(event["requestURI"]).query),
                body=event.get("requestObject") or {},
            )
        )
    return sorted(found, key=lambda write: write.at)
