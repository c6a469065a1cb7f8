"""The API server's JSON as values of `model`: the only place that knows the field names of what is read.

What a field's absence means is said where it is not what one would guess.
"""

from collections.abc import Callable
from typing import Any

from kubectl_safe.kube.parse.autoscalers import autoscaler
from kubectl_safe.kube.parse.capacity import budget, claim, node
from kubectl_safe.kube.parse.common import Json, check_name, instant, selector
from kubectl_safe.kube.parse.pods import pod
from kubectl_safe.kube.parse.services import binding, endpoints, service
from kubectl_safe.kube.parse.workloads import (
    daemon_set,
    deployment,
    replica_set,
    replication_controller,
    stateful_set,
)

Parse = Callable[[Json], Any]
"""What makes a value of an object."""

__all__ = [
    "Json",
    "Parse",
    "autoscaler",
    "binding",
    "budget",
    "check_name",
    "claim",
    "daemon_set",
    "deployment",
    "endpoints",
    "instant",
    "node",
    "pod",
    "replica_set",
    "replication_controller",
    "selector",
    "service",
    "stateful_set",
]
