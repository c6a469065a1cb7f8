"""A pod's status as the kubelet computes it. Pure.

It speaks for the conditions that are the kubelet's and for no others: those of readiness gates belong to whoever set
them, and `PodScheduled` to the scheduler.
"""

from dataclasses import dataclass
from typing import Any

from kubectl_safe.sandbox.network import twin
from kubectl_safe.sandbox.pod_fault import Waiting


@dataclass(slots=True, kw_only=True)
class ContainerState:
    """What a node knows of the one process of a pod; instants are RFC 3339, as the API writes them."""

    acknowledged: str
    started: str | None = None
    finished: str | None = None
    exit_code: int | None = None
    is_ready: bool = False
    waiting: Waiting | None = None
    """Why it never runs."""


def pod_status(pod: dict[str, Any], state: ContainerState, *, ip: str, host_ip: str, now: str) -> dict[str, Any]:
    """Return the status to patch into the pod."""
    status: dict[str, Any] = {
        "phase": _phase(state),
        "hostIP": host_ip,
        "hostIPs": [{"ip": host_ip}],
        "startTime": state.acknowledged,
        "conditions": _conditions(pod, state, now),
        "containerStatuses": [_container(container, state) for container in pod["spec"]["containers"]],
    }
    # A container that waits has its pod's network already.
    if state.started is not None or state.waiting is not None:
        status |= {"podIP": ip, "podIPs": [{"ip": ip}, {"ip": twin(ip)}]}
    return status


def is_ready(status: dict[str, Any]) -> bool:
    """Tell whether the Ready condition is True."""
    return any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", []))


def _phase(state: ContainerState) -> str:
    if state.exit_code is not None:
        return "Succeeded" if state.exit_code == 0 else "Failed"
    has_run = state.started is not None or (state.waiting is not None and state.waiting.restarts > 0)
    return "Running" if has_run else "Pending"


def _conditions(pod: dict[str, Any], state: ContainerState, now: str) -> list[dict[str, Any]]:
    current = {condition["type"]: condition for condition in pod.get("status", {}).get("conditions", [])}
    containers = _containers_ready(pod, state)
    wanted = {
        "Initialized": _verdict(),
        "ContainersReady": containers,
        "Ready": _gates_ready(pod, current) if containers["status"] == "True" else containers,
    }
    return [{"type": kind, **verdict, **_since(current.get(kind), verdict, now)} for kind, verdict in wanted.items()]


def _containers_ready(pod: dict[str, Any], state: ContainerState) -> dict[str, Any]:
    if state.exit_code == 0:
        return _verdict("PodCompleted")
    if state.exit_code is not None:
        return _verdict("PodFailed")
    if state.is_ready:
        return _verdict()
    names = " ".join(container["name"] for container in pod["spec"]["containers"])
    return _verdict("ContainersNotReady", f"containers with unready status: [{names}]")


def _gates_ready(pod: dict[str, Any], current: dict[str, dict[str, Any]]) -> dict[str, Any]:
    messages = []
    for gate in pod["spec"].get("readinessGates", []):
        kind = gate["conditionType"]
        if kind not in current:
            messages.append(f'corresponding condition of pod readiness gate "{kind}" does not exist.')
        elif current[kind]["status"] != "True":
            messages.append(f'the status of pod readiness gate "{kind}" is not "True", but {current[kind]["status"]}')
    return _verdict("ReadinessGatesNotReady", ", ".join(messages)) if messages else _verdict()


def _verdict(reason: str | None = None, message: str | None = None) -> dict[str, Any]:
    """Return a condition's status with its reason; a null in a merge patch takes an earlier reason away."""
    return {"status": "True" if reason is None else "False", "reason": reason, "message": message}


def _since(current: dict[str, Any] | None, verdict: dict[str, Any], now: str) -> dict[str, Any]:
    same = current is not None and current["status"] == verdict["status"]
    return {"lastTransitionTime": current.get("lastTransitionTime", now) if same and current is not None else now}


def _container(container: dict[str, Any], state: ContainerState) -> dict[str, Any]:
    name = container["name"]
    running = state.started is not None and state.exit_code is None
    return {
        "name": name,
        "image": container["image"],
        "imageID": f"sandbox://{container['image']}",
        "containerID": f"sandbox://{name}" if state.started is not None else "",
        "restartCount": state.waiting.restarts if state.waiting else 0,
        "ready": state.is_ready and running,
        "started": running,
        "state": _container_state(state),
        "lastState": _last_state(state),
    }


def _last_state(state: ContainerState) -> dict[str, Any]:
    """Return how a container that was restarted ended before."""
    if state.waiting is None or not state.waiting.restarts:
        return {}
    moment = state.acknowledged
    return {"terminated": {"exitCode": 1, "reason": "Error", "startedAt": moment, "finishedAt": moment}}


def _container_state(state: ContainerState) -> dict[str, Any]:
    if state.exit_code is not None:
        return {
            "terminated": {
                "exitCode": state.exit_code,
                "reason": "Completed" if state.exit_code == 0 else "Error",
                "startedAt": state.started,
                "finishedAt": state.finished,
            }
        }
    if state.waiting is not None:
        return {"waiting": {"reason": state.waiting.reason, "message": state.waiting.message}}
    if state.started is None:
        return {"waiting": {"reason": "ContainerCreating"}}
    return {"running": {"startedAt": state.started}}
