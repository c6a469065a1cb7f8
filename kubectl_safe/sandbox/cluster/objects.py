"""API objects as plain JSON, and the questions about them that the model's parts share. Pure.

An object that is stored is never changed in place: whoever changes one makes a `clone` first.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
Key = tuple[str, str]
"""Namespace (empty for what has none) and name."""

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"


def clone(value: Any) -> Any:
    """Return a deep copy of JSON."""
    if isinstance(value, dict):
        return {key: clone(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clone(item) for item in value]
    return value


def key_of(subject: Json) -> Key:
    """Return an object's namespace and name."""
    metadata = subject["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def uid_of(subject: Json) -> str:
    """Return an object's UID."""
    uid: str = subject["metadata"]["uid"]
    return uid


def labels_of(subject: Json) -> dict[str, str]:
    """Return an object's labels."""
    return subject["metadata"].get("labels") or {}


def is_terminating(subject: Json) -> bool:
    """Tell whether an object's deletion was asked for."""
    return "deletionTimestamp" in subject["metadata"]


def owners_of(subject: Json) -> list[Json]:
    """Return an object's owner references."""
    return subject["metadata"].get("ownerReferences") or []


def controller_of(subject: Json) -> Json | None:
    """Return the owner reference of an object's controller."""
    return next((owner for owner in owners_of(subject) if owner.get("controller")), None)


def is_controlled_by(subject: Json, owner: Json) -> bool:
    """Tell whether an object's controller is that owner."""
    reference = controller_of(subject)
    return reference is not None and reference["uid"] == owner["metadata"]["uid"]


def controller_reference(owner: Json) -> Json:
    """Return the reference that makes the owner a controller."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def condition(subject: Json, kind: str) -> Json | None:
    """Return a condition of an object's status."""
    found = subject.get("status", {}).get("conditions") or ()
    return next((its for its in found if its["type"] == kind), None)


def is_ready(pod: Json) -> bool:
    """Tell whether a pod's Ready condition is True."""
    found = condition(pod, "Ready")
    return found is not None and found["status"] == "True"


def phase(pod: Json) -> str:
    """Return a pod's phase."""
    found: str = pod.get("status", {}).get("phase", "Pending")
    return found


def is_finished(pod: Json) -> bool:
    """Tell whether a pod has run to its end."""
    return phase(pod) in ("Succeeded", "Failed")


def is_active(pod: Json) -> bool:
    """Tell whether a pod counts for its controller: neither finished nor on its way out."""
    return not is_finished(pod) and not is_terminating(pod)


def available_in(pod: Json, least_ready: int, now: datetime) -> timedelta | None:
    """Return after how long a pod is available (zero or less: it is), or None where it is not ready.

    Args:
        pod: the pod.
        least_ready: the owner's `minReadySeconds`.
        now: this instant.
    """
    if not is_ready(pod):
        return None
    if not least_ready:
        return timedelta(0)
    ready = condition(pod, "Ready") or {}
    since = ready.get("lastTransitionTime")
    return (instant(since) + timedelta(seconds=least_ready) - now) if since else None


def is_available(pod: Json, least_ready: int, now: datetime) -> bool:
    """Tell whether a pod has been ready for long enough."""
    left = available_in(pod, least_ready, now)
    return left is not None and left <= timedelta(0)


def stamp(moment: datetime) -> str:
    """Return an instant as `metav1.Time` writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def instant(text: str) -> datetime:
    """Return what a `metav1.Time` or `MicroTime` says."""
    return datetime.fromisoformat(text)


def scaled(value: int | str, total: int, *, rounds_up: bool) -> int:
    """Return a number, or a percentage of a total, as a number."""
    if isinstance(value, int):
        return value
    share = int(value.removesuffix("%")) * total
    return -(-share // 100) if rounds_up else share // 100
