"""Pods of every kind that a drain can come across, as they are written to an API server where no controller runs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

NODE = "odd"
NAMESPACES = ("batch", "shop", "system")
OLD_SECONDS = 1
"""A pod that is `deleted="old"` is older than that once it is."""

EMPTY_DIR = {"name": "scratch", "emptyDir": {}}
IN_MEMORY = {"name": "shm", "emptyDir": {"medium": "Memory"}}
HOST_PATH = {"name": "host", "hostPath": {"path": "/var/log"}}
SETTINGS = {"name": "settings", "configMap": {"name": "none"}}
CLAIM = {"name": "data", "persistentVolumeClaim": {"claimName": "none"}}
OF_THE_POD = {
    "name": "own",
    "ephemeral": {
        "volumeClaimTemplate": {
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        }
    },
}
MIRROR = {"kubernetes.io/config.mirror": "0123456789abcdef"}


@dataclass(frozen=True, kw_only=True)
class Odd:
    """One pod, and what is odd about it."""

    name: str
    namespace: str = "shop"
    owner: tuple[str, str, str] | None = None
    """apiVersion, kind and name of its controller, which exists where it is among `OWNERS`."""
    is_controlled: bool = True
    """Whether that is its controller, or only an owner."""
    phase: str = "Running"
    volumes: tuple[Json, ...] = ()
    labels: Json = field(default_factory=dict)
    annotations: Json = field(default_factory=dict)
    deleted: str = ""
    """`old`: it should have ended long ago; `now`: its grace period lasts."""
    finalizers: tuple[str, ...] = ()
    spec: Json = field(default_factory=dict)
    is_of_unknown_owner: bool = False
    """Whether nobody knows how its controller replaces it: a handoff has to be told to go on."""

    @property
    def has_data(self) -> bool:
        """Whether its eviction loses data, by kubectl's rule."""
        is_finished = self.phase in {"Succeeded", "Failed"}
        return any("emptyDir" in volume for volume in self.volumes) and not is_finished

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


WEB = ("apps/v1", "ReplicaSet", "web-1")
BARE = ("apps/v1", "ReplicaSet", "bare")
DB = ("apps/v1", "StatefulSet", "db")
AGENT = ("apps/v1", "DaemonSet", "agent")
TASK = ("batch/v1", "Job", "task")
OLD_WEB = ("v1", "ReplicationController", "old-web")
GONE_AGENT = ("apps/v1", "DaemonSet", "ghost")
GONE_JOB = ("batch/v1", "Job", "ghost")
GONE_SET = ("apps/v1", "ReplicaSet", "ghost-1")
GONE_DB = ("apps/v1", "StatefulSet", "ghost")
CLONES = ("apps.kruise.io/v1alpha1", "CloneSet", "clones")
OTHER_AGENT = ("apps.kruise.io/v1alpha1", "DaemonSet", "agent")
OLD_AGENT = ("extensions/v1beta1", "DaemonSet", "agent")
NODE_ITSELF = ("v1", "Node", NODE)
FINALIZER = ("example.com/keep",)

ODD: tuple[Odd, ...] = (
    Odd(name="web-a", owner=WEB),
    Odd(name="web-b", owner=WEB, labels={"tier": "front"}),
    Odd(name="web-scratch", owner=WEB, volumes=(EMPTY_DIR,)),
    Odd(name="web-pending", owner=WEB, phase="Pending"),
    Odd(name="web-unknown", owner=WEB, phase="Unknown"),
    Odd(name="web-failed", owner=WEB, phase="Failed"),
    Odd(name="web-stopping", owner=WEB, deleted="now"),
    Odd(name="web-stuck", owner=WEB, deleted="old"),
    Odd(name="bare-set", owner=BARE),
    Odd(name="db-0", owner=DB),
    Odd(name="old-web-a", owner=OLD_WEB),
    Odd(name="task-a", namespace="batch", owner=TASK, labels={"number": "10"}),
    Odd(name="task-scratch", namespace="batch", owner=TASK, volumes=(EMPTY_DIR,)),
    Odd(name="task-done", namespace="batch", owner=TASK, phase="Succeeded", labels={"number": "9"}),
    Odd(name="task-failed", namespace="batch", owner=TASK, phase="Failed", volumes=(EMPTY_DIR,)),
    Odd(name="task-stuck", namespace="batch", owner=TASK, deleted="old", volumes=(EMPTY_DIR,)),
    Odd(name="task-orphan", namespace="batch", owner=GONE_JOB, labels={"number": "many"}),
    Odd(name="agent-a", namespace="system", owner=AGENT),
    Odd(name="agent-host", namespace="system", owner=AGENT, spec={"hostNetwork": True}),
    Odd(name="agent-scratch", namespace="system", owner=AGENT, volumes=(EMPTY_DIR,)),
    Odd(name="agent-done", namespace="system", owner=AGENT, phase="Succeeded"),
    Odd(name="agent-failed", namespace="system", owner=AGENT, phase="Failed", volumes=(EMPTY_DIR,)),
    Odd(name="agent-mirror", namespace="system", owner=AGENT, annotations=MIRROR),
    Odd(name="agent-stopping", namespace="system", owner=AGENT, deleted="now"),
    Odd(name="agent-stuck", namespace="system", owner=AGENT, deleted="old"),
    # By its name there is one, in another namespace.
    Odd(name="agent-elsewhere", namespace="batch", owner=AGENT),
    Odd(name="ghost-a", namespace="system", owner=GONE_AGENT),
    Odd(name="ghost-done", namespace="system", owner=GONE_AGENT, phase="Succeeded"),
    Odd(name="ghost-scratch", namespace="system", owner=GONE_AGENT, volumes=(EMPTY_DIR,)),
    Odd(name="ghost-stuck", namespace="system", owner=GONE_AGENT, deleted="old"),
    Odd(name="ghost-mirror", namespace="system", owner=GONE_AGENT, annotations=MIRROR),
    Odd(name="static-a", namespace="system", owner=NODE_ITSELF, annotations=MIRROR, spec={"hostNetwork": True}),
    Odd(name="static-scratch", namespace="system", owner=NODE_ITSELF, annotations=MIRROR, volumes=(EMPTY_DIR,)),
    Odd(name="static-bare", namespace="system", annotations=MIRROR),
    Odd(name="static-empty-mark", namespace="system", annotations={"kubernetes.io/config.mirror": ""}),
    Odd(name="of-node", namespace="system", owner=NODE_ITSELF, is_of_unknown_owner=True),
    Odd(name="bare-a"),
    Odd(name="bare-host", spec={"hostNetwork": True}),
    Odd(name="bare-pending", phase="Pending"),
    Odd(name="bare-done", phase="Succeeded"),
    Odd(name="bare-failed", phase="Failed", volumes=(EMPTY_DIR,)),
    Odd(name="bare-scratch", volumes=(EMPTY_DIR,)),
    Odd(name="bare-memory", volumes=(SETTINGS, IN_MEMORY)),
    Odd(name="bare-volumes", volumes=(HOST_PATH, SETTINGS, CLAIM)),
    Odd(name="bare-own-claim", volumes=(OF_THE_POD,)),
    Odd(name="bare-stopping", deleted="now"),
    Odd(name="bare-stuck", deleted="old"),
    Odd(name="bare-kept", deleted="old", finalizers=FINALIZER),
    Odd(name="done-kept", phase="Succeeded", deleted="old", finalizers=FINALIZER),
    Odd(name="bare-finalizer", finalizers=FINALIZER),
    Odd(name="bare-owned", owner=WEB, is_controlled=False),
    Odd(name="bare-guarded", labels={"guard": "open"}),
    Odd(name="orphan-set", owner=GONE_SET, is_of_unknown_owner=True),
    Odd(name="orphan-db", owner=GONE_DB, is_of_unknown_owner=True),
    Odd(name="clone-a", owner=CLONES, is_of_unknown_owner=True),
    Odd(name="clone-scratch", owner=CLONES, volumes=(EMPTY_DIR,), is_of_unknown_owner=True),
    Odd(name="clone-done", owner=CLONES, phase="Succeeded"),
    Odd(name="other-agent", namespace="system", owner=OTHER_AGENT, is_of_unknown_owner=True),
    Odd(name="old-agent", namespace="system", owner=OLD_AGENT, is_of_unknown_owner=True),
)


def _selecting(name: str) -> Json:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": _spec()}
    return {"selector": {"matchLabels": labels}, "template": template}


def _spec(*volumes: Json) -> Json:
    return {"containers": [{"name": "app", "image": "sandbox.invalid/app:1"}], "volumes": list(volumes)}


OWNERS: tuple[tuple[str, str, str, Json], ...] = (
    ("apps/v1", "deployments", "shop", {"metadata": {"name": "web"}, "spec": {"replicas": 6, **_selecting("web")}}),
    ("apps/v1", "replicasets", "shop", {"metadata": {"name": "bare"}, "spec": {"replicas": 1, **_selecting("bare")}}),
    (
        *("apps/v1", "statefulsets", "shop"),
        {"metadata": {"name": "db"}, "spec": {"replicas": 1, "serviceName": "db", **_selecting("db")}},
    ),
    (
        *("v1", "replicationcontrollers", "shop"),
        {
            "metadata": {"name": "old-web"},
            "spec": {"replicas": 1, **_selecting("old-web"), "selector": {"app": "old-web"}},
        },
    ),
    ("apps/v1", "daemonsets", "system", {"metadata": {"name": "agent"}, "spec": _selecting("agent")}),
    (
        *("batch/v1", "jobs", "batch"),
        {
            "metadata": {"name": "task"},
            "spec": {"template": {"metadata": {}, "spec": {**_spec(), "restartPolicy": "Never"}}},
        },
    ),
)


def replica_set_of(owners: Iterable[Json]) -> Json:
    """Return the ReplicaSet of the Deployment among these."""
    deployment = next(its for its in owners if its["kind"] == "Deployment")
    labels = {"app": "web", "pod-template-hash": "1"}
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": deployment["metadata"]["uid"]}
    template = {"metadata": {"labels": labels}, "spec": _spec()}
    return {
        "metadata": {"name": "web-1", "labels": labels, "ownerReferences": [{**owner, "controller": True}]},
        "spec": {"replicas": 6, "selector": {"matchLabels": labels}, "template": template},
    }


def manifest(pod: Odd, owners: Iterable[Json], *, node: str = NODE) -> Json:
    """Return a pod to create, of the controller of its name among those that were created."""
    reference = _reference(pod, owners)
    labels = {"app": pod.owner[2].removesuffix("-1") if pod.owner else pod.name, "odd": "yes", **pod.labels}
    if pod.owner == WEB and pod.is_controlled:
        labels["pod-template-hash"] = "1"
    metadata = {
        "name": pod.name,
        "labels": labels,
        "annotations": pod.annotations,
        "finalizers": list(pod.finalizers),
        "ownerReferences": [reference] if reference else [],
    }
    spec = {**_spec(*pod.volumes), "nodeName": node, "restartPolicy": "Always", **pod.spec}
    return {"metadata": metadata, "spec": spec}


def status(pod: Odd) -> Json:
    """Return what its node says of it."""
    is_ready = pod.phase == "Running" and not pod.deleted
    condition = {"type": "Ready", "status": str(is_ready), "lastTransitionTime": "2026-01-01T00:00:00Z"}
    return {"status": {"phase": pod.phase, "conditions": [condition]}}


def _reference(pod: Odd, owners: Iterable[Json]) -> Json | None:
    if pod.owner is None:
        return None
    api, kind, name = pod.owner
    known = {
        (its["apiVersion"], its["kind"], its["metadata"].get("namespace"), its["metadata"]["name"]): its
        for its in owners
    }
    found = known.get((api, kind, pod.namespace, name))
    uid = found["metadata"]["uid"] if found else f"gone-{name}"
    return {"apiVersion": api, "kind": kind, "name": name, "uid": uid, "controller": pod.is_controlled}
