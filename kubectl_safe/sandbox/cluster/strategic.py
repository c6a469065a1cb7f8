"""Strategic merge patch for the fields of the built-in types. Pure.

Lists with a merge key are merged element by element, all others are replaced:
https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
"""

from typing import Any

from kubectl_safe.sandbox.cluster.objects import Json, clone

_MERGE_KEYS = {
    "ownerReferences": "uid",
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "volumes": "name",
    "env": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "imagePullSecrets": "name",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
    "conditions": "type",
    "podIPs": "ip",
    "addresses": "type",
    "webhooks": "name",
}
_MERGED_VALUES = frozenset({"finalizers", "podCIDRs"})
_DIRECTIVE = "$patch"
_DELETED = "$deleteFromPrimitiveList/"
_ORDER = "$setElementOrder/"
_RETAIN = "$retainKeys"


def strategic_merge(target: Any, patch: Json) -> Json:
    """Return what a strategic merge patch makes of an object, or of a part of one."""
    if patch.get(_DIRECTIVE) == "replace":
        return strategic_merge({}, {key: value for key, value in patch.items() if key != _DIRECTIVE})
    if patch.get(_DIRECTIVE) == "delete":
        return {}
    merged = dict(target) if isinstance(target, dict) else {}
    if _RETAIN in patch:
        merged = {key: value for key, value in merged.items() if key in patch[_RETAIN]}
    for key, value in patch.items():
        if key not in (_DIRECTIVE, _RETAIN) and not key.startswith(_ORDER):
            _merge_field(merged, key, value)
    for key, order in patch.items():
        if key.startswith(_ORDER):
            _reorder(merged, key.removeprefix(_ORDER), order)
    return merged


def _merge_field(merged: Json, key: str, value: Any) -> None:
    if key.startswith(_DELETED):
        name = key.removeprefix(_DELETED)
        merged[name] = [item for item in merged.get(name) or [] if item not in value]
    elif value is None:
        merged.pop(key, None)
    elif isinstance(value, dict):
        merged[key] = strategic_merge(merged.get(key), value)
    elif isinstance(value, list):
        merged[key] = _merge_list(key, merged.get(key) or [], value)
    else:
        merged[key] = value


def _merge_list(field: str, target: list[Any], patch: list[Any]) -> list[Any]:
    if field in _MERGED_VALUES:
        return [*target, *(item for item in patch if item not in target)]
    key = _merge_key(field, [*target, *patch])
    if key is None:
        return [_plain(item) for item in patch if not _is_directive(item)]
    if any(_is_directive(item) and item[_DIRECTIVE] == "replace" for item in patch):
        return [_plain(item) for item in patch if not _is_directive(item)]
    merged = list(target)
    for item in patch:
        at = next((n for n, known in enumerate(merged) if known.get(key) == item.get(key)), None)
        if item.get(_DIRECTIVE) == "delete":
            if at is not None:
                del merged[at]
        elif at is None:
            merged.append(strategic_merge({}, item))
        else:
            merged[at] = strategic_merge(merged[at], item)
    return merged


def _merge_key(field: str, items: list[Any]) -> str | None:
    if field == "ports":
        # A container's by its containerPort, a Service's by its port.
        return "containerPort" if any("containerPort" in item for item in items) else "port"
    return _MERGE_KEYS.get(field)


def _is_directive(item: Any) -> bool:
    return isinstance(item, dict) and _DIRECTIVE in item and len(item) == 1


def _plain(value: Any) -> Any:
    """Return a patch's value as it is stored where there was none: without nulls and directives."""
    if isinstance(value, dict):
        return strategic_merge({}, value)
    return clone(value)


def _reorder(merged: Json, field: str, order: list[Any]) -> None:
    items = merged.get(field)
    if not isinstance(items, list):
        return
    key = _merge_key(field, items)
    wanted = [item.get(key) if isinstance(item, dict) else item for item in order]

    def rank(item: Any) -> int:
        value = item.get(key) if isinstance(item, dict) else item
        return wanted.index(value) if value in wanted else len(wanted)

    merged[field] = sorted(items, key=rank)
