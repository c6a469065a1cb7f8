"""The API server's JSON of network policies as values of `model`.

Those of other kinds are not read, only searched: which labels of pods do their selectors look at? In all of them labels
stand in `matchLabels` and in the keys of `matchExpressions`; in Calico's, in texts such as `app == 'web' && has(tier)`.
"""

import re
from collections.abc import Iterator
from typing import Any

from kubectl_safe.kube.parse import Json, selector
from kubectl_safe.model.policy import ForeignPolicy, NetworkPolicy, Peer

_OF_OTHERS = frozenset({"namespaceSelector", "namespaces", "nodeSelector", "serviceAccountSelector"})
"""Fields whose selectors look at what is no pod."""
_OTHER_NAMESPACES = ("io.kubernetes.pod.namespace", "io.cilium.k8s.namespace.labels")
"""How the labels begin by which Cilium's policies mean pods of other namespaces than their own."""
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")


def network_policy(raw: Json) -> NetworkPolicy:
    """Return a NetworkPolicy; a rule without peers means everybody, and takes no pod for anything."""
    meta, spec = raw["metadata"], raw.get("spec") or {}
    rules = [rule.get("from") for rule in spec.get("ingress") or ()] + [
        rule.get("to") for rule in spec.get("egress") or ()
    ]
    peers = (tuple(_peers(entries or ())) for entries in rules)
    return NetworkPolicy(
        namespace=meta["namespace"],
        name=meta["name"],
        subjects=selector(spec.get("podSelector") or {}),
        rules=tuple(found for found in peers if found),
    )


def foreign_policy(kind: str, raw: Json) -> ForeignPolicy:
    """Return a policy of another kind: of Cilium, Calico and others."""
    meta = raw["metadata"]
    namespace = meta.get("namespace") or ""
    keys, spec = set[str](), [raw.get("spec"), raw.get("specs")]
    for text in _looked_at(spec):
        # Cilium takes labels with their source: `k8s:app`, `any:app`.
        keys |= set(_WORD.findall(text))
    is_of_others = _has_field("namespaceSelector", spec) or any(key.startswith(_OTHER_NAMESPACES) for key in keys)
    return ForeignPolicy(
        kind=kind,
        namespace=namespace,
        name=meta["name"],
        scope=None if is_of_others or not namespace else namespace,
        keys=frozenset(keys),
    )


def _peers(entries: Any) -> Iterator[Peer]:
    """Return the peers that are pods; one that names only namespaces means all pods of these."""
    for entry in entries:
        pods, namespaces = entry.get("podSelector"), entry.get("namespaceSelector")
        if pods is not None or namespaces is not None:
            yield Peer(pods=selector(pods or {}), namespaces=None if namespaces is None else selector(namespaces))


def _looked_at(spec: Any) -> Iterator[str]:
    """Return the texts in which labels of pods stand, of a whole spec or of a part of it."""
    for name, value in _fields(spec):
        if name == "matchLabels":
            yield from value or ()
        elif name == "matchExpressions":
            yield from (entry["key"] for entry in value or ())
        elif isinstance(value, str) and name.lower().endswith("selector"):
            yield _QUOTED.sub("", value)


def _fields(spec: Any) -> Iterator[tuple[str, Any]]:
    """Return the fields of a spec and of all that is in it, but for what is about no pods."""
    if isinstance(spec, list):
        for part in spec:
            yield from _fields(part)
    elif isinstance(spec, dict):
        for name, value in spec.items():
            if name not in _OF_OTHERS:
                yield name, value
                yield from _fields(value)


def _has_field(name: str, spec: Any) -> bool:
    if isinstance(spec, list):
        return any(_has_field(name, part) for part in spec)
    return isinstance(spec, dict) and (name in spec or any(_has_field(name, part) for part in spec.values()))
