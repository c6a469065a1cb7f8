"""Objects in the API server's JSON, as small as a claim needs them."""

from typing import Any


def a_raw_pod(name: str = "a", *, version: int = 1, uid: str | None = None, **metadata: Any) -> dict[str, Any]:
    """Return a pod without a spec; `metadata` adds to its metadata."""
    meta = {"namespace": "default", "name": name, "uid": uid or f"uid-{name}", "resourceVersion": str(version)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {**meta, **metadata}, "spec": {}, "status": {}}


def a_list(*items: dict[str, Any], version: int, further: str = "") -> dict[str, Any]:
    """Return a list at a resourceVersion; `further` is the token of its next page."""
    meta = {"resourceVersion": str(version), **({"continue": further} if further else {})}
    return {"kind": "List", "apiVersion": "v1", "metadata": meta, "items": list(items)}


def an_event(kind: str, raw: dict[str, Any]) -> dict[str, Any]:
    """Return a line of a watch."""
    return {"type": kind, "object": raw}


def a_bookmark(version: int) -> dict[str, Any]:
    """Return a bookmark."""
    return an_event("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": str(version)}})


def an_expiry() -> dict[str, Any]:
    """Return the event of a watch whose resourceVersion is too old."""
    return an_event("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"})
