"""What meshes and clouds leave on pods and Services, by which they can be told to lead requests to them."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

Json = Mapping[str, Any]

_PROXIES = {
    "istio-proxy": "Istio",
    "linkerd-proxy": "Linkerd",
    "kuma-sidecar": "Kuma",
    "consul-dataplane": "Consul",
}
"""Containers that meshes inject, as a sidecar of either kind."""
_INJECTED = {"sidecar.istio.io/status": "Istio", "linkerd.io/proxy-version": "Linkerd"}
"""Annotations that the injectors of meshes leave."""
_AMBIENT = "ambient.istio.io/redirection"
_GROUP_STATUS, _GROUP = "cloud.google.com/neg-status", "cloud.google.com/neg"


def mesh_of(annotations: Mapping[str, str], containers: Iterable[Json]) -> str:
    """Return the mesh that a pod is in, or nothing.

    Istio's ambient mode has no sidecar, and says on each pod that it is in effect, whatever label asked for that of the
    pod or of its namespace (Istio reference, Resource Annotations).
    """
    if annotations.get(_AMBIENT) == "enabled":
        return "Istio in ambient mode"
    names = [container.get("name", "") for container in containers]
    found = [mesh for mark, mesh in _INJECTED.items() if mark in annotations]
    return next(iter([*found, *(mesh for name, mesh in _PROXIES.items() if name in names)]), "")


def is_in_endpoint_group(annotations: Mapping[str, str]) -> bool:
    """Tell whether GKE puts the pods of a Service into network endpoint groups.

    The status is on each Service that has some. That an Ingress may have them, which every Service of a VPC-native
    cluster says, makes none yet; standalone ones are made at once (GKE documentation, standalone zonal NEGs).
    """
    if annotations.get(_GROUP_STATUS):
        return True
    try:
        wished = json.loads(annotations.get(_GROUP, "{}"))
    except ValueError:
        # Its controller can't read it either.
        return False
    return isinstance(wished, dict) and bool(wished.get("exposed_ports"))
