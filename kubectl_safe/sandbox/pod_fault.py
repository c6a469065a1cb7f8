"""How a pod of the sandbox can fail to come into service, and what the kubelet then says of it. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any


class PodFault(Enum):
    """What is wrong with a pod from its start to its end; it is deleted as any other."""

    CRASH_LOOP = "its process ends at once, again and again"
    IMAGE_PULL = "its image can't be pulled"
    UNHEALTHY = "it passes its own probe, and answers the load balancer's health check with 404"


FaultOf = Callable[[dict[str, Any]], PodFault | None]
"""Takes a pod, as it was bound to its node, and says what is wrong with it."""


def no_fault(_pod: dict[str, Any]) -> PodFault | None:
    """Return what is wrong with a pod where nothing is."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Why a container doesn't run: its waiting state, and how often it ran and failed."""

    reason: str
    message: str
    restarts: int = 0


def waiting(fault: PodFault, pod: dict[str, Any]) -> Waiting | None:
    """Return why the pod's first container waits for ever, or None where the fault lets it run.

    The words are the kubelet's, in pkg/kubelet/kuberuntime/kuberuntime_manager.go (`doBackOff`) and
    pkg/kubelet/images/image_manager.go (`pullImage`): https://github.com/kubernetes/kubernetes/tree/v1.37.2/pkg/kubelet
    """
    container, metadata = pod["spec"]["containers"][0], pod["metadata"]
    match fault:
        case PodFault.CRASH_LOOP:
            where = f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"
            words = f"back-off 5m0s restarting failed container={container['name']} pod={where}"
            return Waiting(reason="CrashLoopBackOff", message=words, restarts=6)
        case PodFault.IMAGE_PULL:
            image = container["image"]
            words = (
                f'Back-off pulling image "{image}": ErrImagePull: failed to pull and unpack image "{image}": '
                f'failed to resolve reference "{image}": {image}: not found'
            )
            return Waiting(reason="ImagePullBackOff", message=words)
        case PodFault.UNHEALTHY:
            return None
