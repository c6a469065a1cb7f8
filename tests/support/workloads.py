"""Workloads of every kind on one node of a stage, for what is refused, skipped or evicted as kubectl does it."""

import subprocess
from typing import Any

from kubectl_safe.sandbox.endpoints import is_true
from tests.support.stage import Stage

NODE = "node-a"
IMAGE = "sandbox.invalid/app:1"

PATHS = {
    "Pod": "/api/v1/namespaces/{}/pods",
    "ReplicaSet": "/apis/apps/v1/namespaces/{}/replicasets",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
}


def pod_template(name: str, *, node: str = NODE, empty_dir: bool = False, **spec: Any) -> dict[str, Any]:
    """Return a template of pods that run on one node only, and stop at once."""
    return {
        "metadata": {"labels": {"app": name}, "annotations": {"sandbox.kubectl-safe/start-delay": "100ms"}},
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "nodeSelector": {"kubernetes.io/hostname": node} if node else {},
            "containers": [{"name": "app", "image": IMAGE}],
            "volumes": [{"name": "scratch", "emptyDir": {}}] if empty_dir else [],
            **spec,
        },
    }


def create(stage: Stage, namespace: str, kind: str, name: str, *, node: str = NODE, **spec: Any) -> None:
    """Create a workload with one pod, and wait until that is Ready."""
    template = spec.pop("template", None) or pod_template(name, node=node)
    if kind == "Pod":
        body: dict[str, Any] = template
    else:
        owned = {"template": template, "selector": {"matchLabels": {"app": name}}}
        body = {"spec": {**({"template": template} if kind == "Job" else owned), **spec}}
    put(stage, namespace, kind, name, body)
    if spec.get("replicas", 1):
        stage.wait_until(lambda: len(ready_pods(stage, namespace, name)) >= spec.get("replicas", 1), what=name)


def put(stage: Stage, namespace: str, kind: str, name: str, body: dict[str, Any]) -> None:
    """Create an object."""
    groups = {"Pod": "v1", "Job": "batch/v1", "PodDisruptionBudget": "policy/v1"}
    whole = {
        **body,
        "apiVersion": groups.get(kind, "apps/v1"),
        "kind": kind,
        "metadata": {**body.get("metadata", {}), "name": name},
    }
    stage.loop.call(stage.rig.api.create(PATHS[kind].format(namespace), whole))


def pods(stage: Stage, namespace: str, app: str) -> list[dict[str, Any]]:
    """Return the pods of a workload that are not on their way out."""
    listed = stage.loop.call(stage.rig.api.get(PATHS["Pod"].format(namespace), labelSelector=f"app={app}"))["items"]
    return [pod for pod in listed if "deletionTimestamp" not in pod["metadata"]]


def ready_pods(stage: Stage, namespace: str, app: str) -> list[str]:
    """Return the names of a workload's pods that are Ready, as the rig sees them now."""
    return [
        pod["metadata"]["name"]
        for pod in stage.rig.controller.pods.of(namespace)
        if pod["metadata"]["labels"].get("app") == app and is_true(pod, "Ready")
    ]


def is_cordoned(stage: Stage, node: str = NODE) -> bool:
    """Tell whether a node is unschedulable."""
    return bool(stage.loop.call(stage.rig.api.get(f"/api/v1/nodes/{node}"))["spec"].get("unschedulable"))


def kubectl(stage: Stage, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the real kubectl as an administrator, whatever comes of it."""
    command = [str(stage.rig.control_plane.binaries / "kubectl"), *arguments]
    return subprocess.run(command, env=stage.rig.environment(), text=True, capture_output=True, timeout=60, check=False)


def refusal_of_kubectl(stage: Stage, *arguments: str) -> str:
    """Run the real kubectl, which is to refuse, and return what it says."""
    done = kubectl(stage, *arguments)
    assert done.returncode == 1, done.stdout
    return done.stderr
