"""What runs in the sandbox: Deployments of sandbox pods with their Services and bindings, as manifests. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kubectl_safe.sandbox import pod_spec
from kubectl_safe.sandbox.elbv2 import ACCOUNT, REGION
from kubectl_safe.sandbox.pod import HEALTH_PATH, Sigterm
from kubectl_safe.sandbox.targetgroupbinding import GROUP, INJECT_LABEL, VERSIONS

POD_PORT = 8080
HASH = "pod-template-hash"


@dataclass(frozen=True, slots=True, kw_only=True)
class Balanced:
    """A target group that an application is behind, and its binding."""

    name: str = ""
    """What its group and its binding are called after the application's name."""
    service: str = ""
    """The Service that is bound; empty for the application's own."""
    port: str = "http"
    pod_port: int = POD_PORT
    protocol: str = "HTTP"
    attributes: Mapping[str, str] = field(default_factory=dict)
    crosses_zones: bool | None = None
    region: str = REGION
    account: str = ACCOUNT
    role: str = ""
    """The ARN of the IAM role that is to be assumed; empty for none."""
    external_id: str = ""
    api: str = GROUP
    is_ipv6: bool = False
    is_named: bool = False
    """Whether its binding tells its name, and neither its ARN nor its type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """A workload and its Service, behind a load balancer or not; times are in seconds.

    Pods have a gate where they are behind a load balancer and their namespace injects it.
    """

    namespace: str
    name: str
    replicas: int
    is_load_balanced: bool = False
    targets: str = "ip"
    """What its load balancer sends requests to: its pods (`ip`), or a port of all nodes (`instance`)."""
    deregistration_delay: float = 10.0
    health_interval: float = 1.0
    start_delay: float = 1.0
    sigterm: Sigterm = "graceful"
    pre_stop: int = 0
    grace_period: int = 30
    strategy: Mapping[str, Any] | None = None
    gates: tuple[str, ...] = ()
    """Readiness gates of its own, beside those that the webhook injects."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Further annotations of its pods."""
    node_selector: Mapping[str, str] = field(default_factory=dict)
    """Labels of the nodes that its pods may run on."""
    placement: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of its pods' spec: what else keeps them from nodes, or has them stay there."""
    pace: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of its own spec: deadlines and delays."""
    cpu: str = ""
    """What each of its pods requests."""
    host_port: int = 0
    """The port that its pods take of their nodes."""
    kind: str = "Deployment"
    """Of what keeps its pods. A StatefulSet has a governing Service beside the one that leads requests to it."""
    controller_labels: Mapping[str, str] = field(default_factory=dict)
    """What its controller selects by; by default as its Service does."""
    is_on_host: bool = False
    """Whether its pods have the address of their node, and so no two of them can share one."""
    pod_management: str = "Parallel"
    """Of a StatefulSet; or `OrderedReady`."""
    access_mode: str = ""
    """Of a volume that all its pods use; empty for none."""
    strays: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Nodes with one pod more in its Service, by the owner reference of that; an empty one for a bare pod."""
    member_labels: Mapping[str, str] = field(default_factory=dict)
    """What the governing Service selects by; by default as the other one does."""

    pod_labels: Mapping[str, str] = field(default_factory=dict)
    """Further labels of its pods."""
    selector_labels: Mapping[str, str] = field(default_factory=dict)
    """Further labels of its pods that its owner selects by, too."""
    min_ready: int = 0
    is_served: bool = True
    """Whether it has a Service of its name."""
    service_spec: Mapping[str, Any] = field(default_factory=dict)
    """What the spec of its Service says beside the usual."""
    services: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Further Services by name, and what their specs say beside the usual.

    One whose selector has an empty `pod-template-hash` selects by that of the Deployment's ReplicaSet.
    """

    balanced: tuple[Balanced, ...] = (Balanced(),)
    """What it is behind, where it is load balanced."""

    @property
    def labels(self) -> dict[str, str]:
        """The labels that its Service selects."""
        return {"app": self.name}

    @property
    def governing_service(self) -> str:
        """The name of the Service by which the pods of a StatefulSet find each other."""
        return f"{self.name}-members"

    @property
    def group_name(self) -> str:
        """The name of its target group."""
        return f"{self.namespace}-{self.name}"


def namespace(name: str, *, injects_gates: bool = True) -> dict[str, Any]:
    """Return a namespace, in which the webhook injects gates or not."""
    labels = {INJECT_LABEL: "enabled"} if injects_gates else {}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def workload(application: Application) -> dict[str, Any]:
    """Return what keeps its pods."""
    its = {"apiVersion": "apps/v1", "kind": application.kind, "metadata": _metadata(application)}
    spec = _spec(application)
    match application.kind:
        case "StatefulSet":
            spec |= {"serviceName": application.governing_service, "podManagementPolicy": application.pod_management}
        case "DaemonSet":
            # It has a pod on every node that it may run on.
            del spec["replicas"]
        case "ReplicationController":
            its["apiVersion"] = "v1"
            spec["selector"] = spec["selector"]["matchLabels"]
        case _:
            pass
    if application.strategy is not None:
        spec["strategy" if application.kind == "Deployment" else "updateStrategy"] = dict(application.strategy)
    return {**its, "spec": spec}


def volume(application: Application) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the PersistentVolume and the PersistentVolumeClaim of an application, bound to each other."""
    size = {"storage": "1Gi"}
    its = {"accessModes": [application.access_mode], "storageClassName": ""}
    name = f"{application.namespace}-{application.name}"
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {**its, "capacity": size, "csi": {"driver": "sandbox.invalid", "volumeHandle": name}},
    }
    spec = {**its, "resources": {"requests": size}, "volumeName": name}
    # No controller of volumes has to run for it.
    meta = {**_metadata(application), "annotations": {"pv.kubernetes.io/bind-completed": "yes"}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec}
    return volume, claim


def strays(application: Application) -> list[dict[str, Any]]:
    """Return the pods that are in its Service, and not its own."""
    template = _spec(application)["template"]
    found = []
    for node, owner in application.strays.items():
        meta: dict[str, Any] = {
            **template["metadata"],
            "name": f"{application.name}-stray-{node}",
            "labels": application.labels,
        }
        if owner:
            meta["ownerReferences"] = [{**owner, "controller": True}]
        spec = {**template["spec"], "nodeName": node}
        found.append({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    return found


def collection(application: Application) -> str:
    """Return the path of its kind in its namespace."""
    api = "/api/v1" if application.kind == "ReplicationController" else "/apis/apps/v1"
    return f"{api}/namespaces/{application.namespace}/{application.kind.lower()}s"


def _spec(application: Application) -> dict[str, Any]:
    annotations = {
        pod_spec.START_DELAY: f"{application.start_delay:g}s",
        pod_spec.SIGTERM: application.sigterm,
        **application.annotations,
    }
    selected = {**(application.controller_labels or application.labels), **application.selector_labels}
    spec: dict[str, Any] = {
        "replicas": application.replicas,
        "selector": {"matchLabels": selected},
        "template": {
            "metadata": {"labels": _pod_labels(application), "annotations": annotations},
            "spec": {
                "terminationGracePeriodSeconds": application.grace_period,
                "containers": [_container(application)],
                **application.placement,
            },
        },
        **application.pace,
    }
    if application.node_selector:
        spec["template"]["spec"]["nodeSelector"] = dict(application.node_selector)
    if application.min_ready:
        spec["minReadySeconds"] = application.min_ready
    if application.is_on_host:
        spec["template"]["spec"]["hostNetwork"] = True
    if application.access_mode:
        claim = {"name": "data", "persistentVolumeClaim": {"claimName": application.name}}
        spec["template"]["spec"]["volumes"] = [claim]
    if application.gates:
        spec["template"]["spec"]["readinessGates"] = [{"conditionType": gate} for gate in application.gates]
    return spec


def governing_service(application: Application) -> dict[str, Any]:
    """Return the headless Service of a StatefulSet."""
    its = service(application)
    its["metadata"]["name"] = application.governing_service
    its["spec"] |= {"clusterIP": "None", "selector": dict(application.member_labels or application.labels)}
    return its


def service(application: Application) -> dict[str, Any]:
    """Return the Service: port 80, named http; with a node port where nodes are the targets."""
    ports = [{"name": "http", "port": 80, "targetPort": POD_PORT}]
    ports += [
        {"name": its.port, "port": its.pod_port, "targetPort": its.pod_port}
        for its in application.balanced
        if its.pod_port != POD_PORT and not its.service
    ]
    kind = {"type": "NodePort"} if application.targets == "instance" else {}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(application),
        "spec": {**kind, "selector": application.labels, "ports": ports, **application.service_spec},
    }


def further_service(application: Application, name: str, template_hash: str) -> dict[str, Any]:
    """Return one more Service, of pods whose ReplicaSet has this hash where it selects by one."""
    its = service(application)
    its["metadata"]["name"] = name
    its["spec"] |= application.services[name]
    if HASH in its["spec"]["selector"]:
        its["spec"]["selector"] = {**its["spec"]["selector"], HASH: template_hash}
    return its


def target_group_binding(application: Application, arn: str, balanced: Balanced | None = None) -> dict[str, Any]:
    """Return the TargetGroupBinding between a Service and a target group."""
    its = balanced or Balanced()
    reference = {"name": its.service or application.name, "port": its.port}
    spec: dict[str, Any] = {"targetType": application.targets, "serviceRef": reference}
    spec |= {"targetGroupName": group_name(application, its)} if its.is_named else {"targetGroupARN": arn}
    if its.is_ipv6:
        spec["ipAddressType"] = "ipv6"
    if its.role:
        spec |= {"iamRoleArnToAssume": its.role, "assumeRoleExternalId": its.external_id}
    return {
        "apiVersion": f"{its.api}/{VERSIONS[its.api]}",
        "kind": "TargetGroupBinding",
        "metadata": {**_metadata(application), "name": binding_name(application, its)},
        "spec": spec,
    }


def binding_name(application: Application, balanced: Balanced) -> str:
    """Return the name of a binding."""
    return f"{application.name}-{balanced.name}" if balanced.name else application.name


def group_name(application: Application, balanced: Balanced) -> str:
    """Return the name of a target group."""
    return f"{application.group_name}-{balanced.name}" if balanced.name else application.group_name


def pod_disruption_budget(application: Application, **allowed: int | str) -> dict[str, Any]:
    """Return a budget over the pods: `minAvailable` or `maxUnavailable`."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _metadata(application),
        "spec": {"selector": {"matchLabels": application.labels}, **allowed},
    }


def _container(application: Application) -> dict[str, Any]:
    numbers = {its.pod_port: its.port for its in application.balanced if its.pod_port != POD_PORT}
    further = [{"name": name, "containerPort": number} for number, name in numbers.items()]
    container: dict[str, Any] = {
        "name": "app",
        "image": "sandbox.invalid/app:1",
        "ports": [{"name": "http", "containerPort": POD_PORT}, *further],
        "readinessProbe": {"httpGet": {"path": HEALTH_PATH, "port": "http"}, "periodSeconds": 1},
    }
    if application.cpu:
        container["resources"] = {"requests": {"cpu": application.cpu}}
    if application.host_port:
        container["ports"][0]["hostPort"] = application.host_port
    if application.pre_stop:
        container["lifecycle"] = {"preStop": {"sleep": {"seconds": application.pre_stop}}}
    return container


def _pod_labels(application: Application) -> dict[str, str]:
    its = application
    return {**its.labels, **its.controller_labels, **its.selector_labels, **its.member_labels, **its.pod_labels}


def _metadata(application: Application) -> dict[str, Any]:
    return {"name": application.name, "namespace": application.namespace}
