"""Network policies as manifests; the rig enforces none."""

from typing import Any

NETWORK_POLICIES = "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CILIUM_POLICIES = "/apis/cilium.io/v2/namespaces/{}/ciliumnetworkpolicies"


def a_network_policy(name: str, **spec: Any) -> dict[str, Any]:
    """Return a NetworkPolicy."""
    head = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name}}
    return {**head, "spec": {"podSelector": {"matchLabels": {"app": name}}, **spec}}


def letting_in(*keys: str, **labels: str) -> list[dict[str, Any]]:
    """Return rules that let in whoever has one of these labels, or one with one of these keys."""
    expressions = [{"matchExpressions": [{"key": key, "operator": "Exists"}]} for key in keys]
    selectors = [*expressions, *({"matchLabels": {key: value}} for key, value in labels.items())]
    return [{"from": [{"podSelector": selector}]} for selector in selectors]


def cilium_definition() -> dict[str, Any]:
    """Return the definition of CiliumNetworkPolicies, as far as anybody here looks at one."""
    names = {"kind": "CiliumNetworkPolicy", "plural": "ciliumnetworkpolicies", "singular": "ciliumnetworkpolicy"}
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v2", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "ciliumnetworkpolicies.cilium.io"},
        "spec": {"group": "cilium.io", "scope": "Namespaced", "names": names, "versions": [version]},
    }


def a_cilium_policy(name: str, *keys: str) -> dict[str, Any]:
    """Return a CiliumNetworkPolicy that lets in whoever has labels with these keys."""
    peers = [{"matchExpressions": [{"key": f"k8s:{key}", "operator": "Exists"}]} for key in keys]
    spec = {"endpointSelector": {"matchLabels": {"k8s:app": name}}, "ingress": [{"fromEndpoints": peers}]}
    head = {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": {"name": name}}
    return {**head, "spec": spec}
