"""What the API server fills in, as far as anything here reads it. Each function changes the object that it is given."""

from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.objects import Json
from kubectl_safe.sandbox.cluster.resources import Resource

_TOLERATED_SECONDS = 300
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
_BEST_EFFORT = "BestEffort"
SYSTEM_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
"""The priority classes that every cluster has, and the only ones here."""


def fill_in(resource: Resource, subject: Json) -> None:
    """Fill in the defaults of an object's spec."""
    spec = subject.setdefault("spec", {}) if resource in _SPECS else subject.get("spec")
    if resource in _SPECS and spec is not None:
        _SPECS[resource](spec)
    if resource is kinds.PODS:
        _pod(subject["spec"])
    if resource is kinds.SLICES:
        for name in ("endpoints", "ports"):
            subject[name] = subject.get(name) or None
    if resource is kinds.DAEMON_SETS:
        subject["metadata"].setdefault("annotations", {}).setdefault(TEMPLATE_GENERATION, "1")


def _pod(spec: Json) -> None:
    """Fill in what a pod has and a template has not: defaults, and what the Priority admission plugin adds."""
    tolerate_lost_nodes(spec)
    spec.setdefault("enableServiceLinks", True)
    spec.setdefault("priority", SYSTEM_PRIORITIES.get(spec.get("priorityClassName", ""), 0))
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")


def pod_spec(spec: Json) -> None:
    """Fill in a pod's spec, or a template's."""
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    for name in ("nodeSelector", "volumes", "readinessGates"):
        if not spec.get(name, True):
            del spec[name]
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        _container(container)
        for port in (container.get("ports") or ()) if spec.get("hostNetwork") else ():
            port.setdefault("hostPort", port["containerPort"])


def tolerate_lost_nodes(spec: Json) -> None:
    """Add the tolerations of the DefaultTolerationSeconds admission plugin."""
    tolerations = spec.setdefault("tolerations", [])
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(its.get("key") in (key, None) and its.get("effect") in ("NoExecute", None) for its in tolerations):
            tolerations.append(
                {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": _TOLERATED_SECONDS}
            )


def _container(container: Json) -> None:
    container.setdefault("resources", {})
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    tag = container.get("image", "").rpartition(":")[2]
    container.setdefault("imagePullPolicy", "Always" if tag in ("latest", container.get("image")) else "IfNotPresent")
    for port in container.get("ports") or ():
        port.setdefault("protocol", "TCP")
    for name in ("readinessProbe", "livenessProbe", "startupProbe"):
        if probe := container.get(name):
            for field, value in (
                ("timeoutSeconds", 1),
                ("periodSeconds", 10),
                ("successThreshold", 1),
                ("failureThreshold", 3),
            ):
                probe.setdefault(field, value)
            if action := probe.get("httpGet"):
                action.setdefault("path", "/")
                action.setdefault("scheme", "HTTP")


def _template(spec: Json) -> None:
    template = spec.setdefault("template", {})
    metadata = template.setdefault("metadata", {})
    for field in ("labels", "annotations"):
        if not metadata.get(field, True):
            del metadata[field]
    pod_spec(template.setdefault("spec", {}))


def _deployment(spec: Json) -> None:
    _template(spec)
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    strategy = spec.setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")


def _replica_set(spec: Json) -> None:
    _template(spec)
    spec.setdefault("replicas", 1)


def _stateful_set(spec: Json) -> None:
    _template(spec)
    spec.setdefault("replicas", 1)
    spec.setdefault("podManagementPolicy", "OrderedReady")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("serviceName", "")
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)


def _daemon_set(spec: Json) -> None:
    _template(spec)
    spec.setdefault("revisionHistoryLimit", 10)
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)


def _job(spec: Json) -> None:
    _template(spec)
    spec.setdefault("completionMode", "NonIndexed")
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", 6)


def _controller(spec: Json) -> None:
    _template(spec)
    spec.setdefault("replicas", 1)
    spec.setdefault("selector", dict(spec["template"]["metadata"].get("labels") or {}))


def _service(spec: Json) -> None:
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("sessionAffinity", "None")
    spec.setdefault("internalTrafficPolicy", "Cluster")
    if spec.setdefault("ipFamilyPolicy", "SingleStack") == "SingleStack":
        spec.setdefault("ipFamilies", ["IPv4"])
    spec.setdefault("ipFamilies", ["IPv4", "IPv6"])
    if spec["type"] in ("NodePort", "LoadBalancer"):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    for port in spec.get("ports") or ():
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port["port"])


def _namespace(spec: Json) -> None:
    spec.setdefault("finalizers", ["kubernetes"])


_SPECS = {
    kinds.PODS: pod_spec,
    kinds.DEPLOYMENTS: _deployment,
    kinds.REPLICA_SETS: _replica_set,
    kinds.STATEFUL_SETS: _stateful_set,
    kinds.DAEMON_SETS: _daemon_set,
    kinds.REPLICATION_CONTROLLERS: _controller,
    kinds.JOBS: _job,
    kinds.SERVICES: _service,
    kinds.NAMESPACES: _namespace,
}


_FIRST_STATUS: dict[Resource, Json] = {
    kinds.PODS: {"phase": "Pending", "qosClass": _BEST_EFFORT},
    kinds.NAMESPACES: {"phase": "Active"},
    kinds.SERVICES: {"loadBalancer": {}},
    kinds.REPLICA_SETS: {"replicas": 0},
    kinds.STATEFUL_SETS: {"replicas": 0},
    kinds.REPLICATION_CONTROLLERS: {"replicas": 0},
    kinds.DAEMON_SETS: dict.fromkeys(
        ("currentNumberScheduled", "desiredNumberScheduled", "numberMisscheduled", "numberReady"), 0
    ),
}


def first_status(resource: Resource, subject: Json) -> Json | None:
    """Return the status that an object has when it is created, or None where it has none."""
    if resource is kinds.NODES:
        # A node tells its own.
        return {"daemonEndpoints": {"kubeletEndpoint": {"Port": 0}}, **(subject.get("status") or {})}
    if resource in _FIRST_STATUS:
        return dict(_FIRST_STATUS[resource])
    return {} if "status" in resource.subresources and not resource.is_custom else None
