"""Applications as manifests: their workloads, Services, volumes, budgets and bindings. Pure."""

from typing import Any

from kubectl_safe.sandbox import pod_spec
from kubectl_safe.sandbox.application import HASH, POD_PORT, Application, Balanced
from kubectl_safe.sandbox.pod import HEALTH_PATH
from kubectl_safe.sandbox.targetgroupbinding import INJECT_LABEL, VERSIONS


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
    selected = dict(application.controller_labels or application.labels)
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
    if its.is_shared:
        spec["multiClusterTargetGroup"] = True
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
    return {**its.labels, **its.controller_labels, **its.member_labels, **its.pod_labels}


def _metadata(application: Application) -> dict[str, Any]:
    return {"name": application.name, "namespace": application.namespace}
