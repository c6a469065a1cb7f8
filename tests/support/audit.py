"""What the API server's audit log says that a user asked for, and wrote."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

_FAILED = 400
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request of any kind, and what became of it."""

    verb: str
    group: str
    resource: str
    """With its subresource."""
    namespace: str
    status: int


def requests_by(user: str, log: Path) -> Iterator[Asked]:
    """Yield all requests of a user that are over, but questions about rights; a watch is over once it is closed."""
    whole, _, _ = log.read_text(encoding="utf-8").rpartition("\n")
    for line in whole.splitlines():
        event = json.loads(line)
        about = event.get("objectRef", {})
        resource = "/".join(filter(None, [about.get("resource", ""), about.get("subresource", "")]))
        if event["user"]["username"] == user and resource and not resource.startswith("selfsubject"):
            yield Asked(
                verb=event["verb"],
                group=about.get("apiGroup", ""),
                resource=resource,
                namespace=about.get("namespace", ""),
                status=event.get("responseStatus", {}).get("code", 0),
            )


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


def unlisted_at(log: Path) -> dict[str, float]:
    """Return when each pod (by UID) that is in no EndpointSlice any more left the last one, by the server's clock.

    Who watches learns of it a moment later, and on a busy machine not always before who is watched.
    """
    listed: dict[tuple[str, str], set[str]] = {}
    left: dict[str, float] = {}
    whole, _, _ = log.read_text(encoding="utf-8").rpartition("\n")
    events = (json.loads(line) for line in whole.splitlines() if '"endpointslices"' in line)
    for event in sorted(events, key=lambda it: str(it["requestReceivedTimestamp"])):
        about = event.get("objectRef", {})
        if event["verb"] not in WRITES or event.get("responseStatus", {}).get("code", 0) >= _FAILED:
            continue
        endpoints = (event.get("requestObject") or {}).get("endpoints") or []
        now = {uid for endpoint in endpoints if (uid := (endpoint.get("targetRef") or {}).get("uid"))}
        before = set[str]().union(*listed.values())
        listed[about.get("namespace", ""), about.get("name", "")] = now
        after = set[str]().union(*listed.values())
        at = datetime.fromisoformat(event["requestReceivedTimestamp"]).timestamp()
        left = {uid: since for uid, since in left.items() if uid not in after} | dict.fromkeys(before - after, at)
    return left
