"""The TargetGroupBinding resource: its definition, and what the sandbox reads from one."""

from dataclasses import dataclass
from typing import Any

GROUP = "elbv2.k8s.aws"
VERSION = "v1beta1"
API_PATH = f"/apis/{GROUP}/{VERSION}"
AUTO_MODE_GROUP = "eks.amazonaws.com"
"""The API group of EKS Auto Mode, which has the same resource in version v1."""
VERSIONS = {GROUP: VERSION, AUTO_MODE_GROUP: "v1"}
GATE_PREFIX = "target-health."
INJECT_LABEL = "elbv2.k8s.aws/pod-readiness-gate-inject"
FINALIZER = "elbv2.k8s.aws/resources"

_STRING = {"type": "string"}
_SPEC_FIELDS: dict[str, Any] = {
    "targetGroupARN": _STRING,
    "targetGroupName": _STRING,
    "targetType": {"type": "string", "enum": ["instance", "ip"]},
    "serviceRef": {
        "type": "object",
        "required": ["name", "port"],
        "properties": {"name": _STRING, "port": {"x-kubernetes-int-or-string": True}},
    },
    "ipAddressType": {"type": "string", "enum": ["ipv4", "ipv6"]},
    "vpcID": _STRING,
    "multiClusterTargetGroup": {"type": "boolean"},
    "iamRoleArnToAssume": _STRING,
    "assumeRoleExternalId": _STRING,
    "nodeSelector": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    "networking": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What a TargetGroupBinding says."""

    api: str
    namespace: str
    name: str
    arn: str
    group_name: str
    """Where it tells no ARN."""
    target_type: str
    service: str
    port: int | str
    node_selector: dict[str, str]
    """Labels of the nodes that it registers, beside what holds for all (`matchLabels`; nothing else is read)."""
    is_ipv6: bool
    is_shared: bool
    """Whether other clusters have targets in its group (`multiClusterTargetGroup`)."""
    is_deleted: bool
    generation: int
    observed_generation: int

    @property
    def gate(self) -> str:
        """The readiness gate of the pods behind it."""
        return f"{GATE_PREFIX}{self.api}/{self.name}"

    @property
    def path(self) -> str:
        """Where it is."""
        return f"{collection(self.namespace, self.api)}/{self.name}"


def parse(binding: dict[str, Any]) -> Binding:
    """Read a TargetGroupBinding object."""
    metadata, spec = binding["metadata"], binding["spec"]
    return Binding(
        api=binding["apiVersion"].partition("/")[0],
        namespace=metadata["namespace"],
        name=metadata["name"],
        arn=spec.get("targetGroupARN", ""),
        group_name=spec.get("targetGroupName", ""),
        target_type=spec.get("targetType", ""),
        service=spec["serviceRef"]["name"],
        port=spec["serviceRef"]["port"],
        node_selector=(spec.get("nodeSelector") or {}).get("matchLabels") or {},
        is_ipv6=spec.get("ipAddressType") == "ipv6",
        is_shared=bool(spec.get("multiClusterTargetGroup")),
        is_deleted="deletionTimestamp" in metadata,
        generation=metadata["generation"],
        observed_generation=binding.get("status", {}).get("observedGeneration", 0),
    )


def collection(namespace: str = "", api: str = GROUP) -> str:
    """Return the path of a namespace's bindings, or of all, in an API group."""
    scope = f"/namespaces/{namespace}" if namespace else ""
    return f"/apis/{api}/{VERSIONS[api]}{scope}/targetgroupbindings"


def definition(api: str = GROUP) -> dict[str, Any]:
    """Return the CustomResourceDefinition of an API group."""
    schema = {
        "type": "object",
        "properties": {
            "apiVersion": _STRING,
            "kind": _STRING,
            "metadata": {"type": "object"},
            "spec": {"type": "object", "required": ["serviceRef"], "properties": _SPEC_FIELDS},
            "status": {
                "type": "object",
                "properties": {"observedGeneration": {"type": "integer", "format": "int64"}},
            },
        },
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"targetgroupbindings.{api}"},
        "spec": {
            "group": api,
            "scope": "Namespaced",
            "names": {
                "kind": "TargetGroupBinding",
                "listKind": "TargetGroupBindingList",
                "plural": "targetgroupbindings",
                "singular": "targetgroupbinding",
            },
            "versions": [
                {
                    "name": VERSIONS[api],
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": schema},
                    "additionalPrinterColumns": [
                        {"name": "SERVICE-NAME", "type": "string", "jsonPath": ".spec.serviceRef.name"},
                        {"name": "SERVICE-PORT", "type": "string", "jsonPath": ".spec.serviceRef.port"},
                        {"name": "TARGET-TYPE", "type": "string", "jsonPath": ".spec.targetType"},
                        {"name": "AGE", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
                    ],
                }
            ],
        },
    }
