"""JSON merge patch (RFC 7386) and JSON patch (RFC 6902). Pure."""

from typing import Any

from kubectl_safe.sandbox.cluster import refusals
from kubectl_safe.sandbox.cluster.objects import Json, clone


def merge_patch(target: Any, patch: Any) -> Any:
    """Return what a merge patch makes of a target."""
    if not isinstance(patch, dict):
        return clone(patch)
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def json_patch(target: Json, operations: list[Json]) -> Json:
    """Return what a JSON patch makes of a target.

    Raises:
        RefusalError: a `test` fails, or a path leads nowhere.
    """
    whole = {"": clone(target)}
    for operation in operations:
        _apply(whole, operation)
    patched: Json = whole[""]
    return patched


def _apply(whole: Json, operation: Json) -> None:
    path = ["", *_pointer(operation["path"])]
    match operation["op"]:
        case "add":
            _add(whole, path, operation["value"])
        case "replace":
            _remove(whole, path)
            _add(whole, path, operation["value"])
        case "remove":
            _remove(whole, path)
        case "test":
            if _get(whole, path) != operation.get("value"):
                raise refusals.RefusalError(
                    422, "Invalid", f"the server rejected our request due to an error in our request: {operation}"
                )
        case "copy":
            _add(whole, path, clone(_get(whole, ["", *_pointer(operation["from"])])))
        case "move":
            origin = ["", *_pointer(operation["from"])]
            value = _get(whole, origin)
            _remove(whole, origin)
            _add(whole, path, value)
        case other:
            raise refusals.bad_request(f"unexpected kind: {other}")


def _pointer(text: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _get(whole: Any, path: list[str]) -> Any:
    for part in path:
        try:
            whole = whole[int(part)] if isinstance(whole, list) else whole[part]
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise refusals.RefusalError(
                422, "Invalid", "the server rejected our request due to an error in our request"
            ) from error
    return whole


def _add(whole: Any, path: list[str], value: Any) -> None:
    parent = _get(whole, path[:-1])
    if not isinstance(parent, list):
        parent[path[-1]] = clone(value)
    elif path[-1] == "-":
        parent.append(clone(value))
    else:
        parent.insert(int(path[-1]), clone(value))


def _remove(whole: Any, path: list[str]) -> None:
    _get(whole, path)
    parent = _get(whole, path[:-1])
    del parent[int(path[-1]) if isinstance(parent, list) else path[-1]]
