"""The kinds that are watched: where each is found, and what makes values of its objects."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from kubectl_safe.kube import bindings, parse
from kubectl_safe.kube.policies import network_policy
from kubectl_safe.model.target import AUTO_MODE_API, CONTROLLER_API

PODS: Final = "pods"
SERVICES: Final = "services"
SLICES: Final = "endpointslices"
REPLICA_SETS: Final = "replicasets"
DEPLOYMENTS: Final = "deployments"
STATEFUL_SETS: Final = "statefulsets"
DAEMON_SETS: Final = "daemonsets"
REPLICATION_CONTROLLERS: Final = "replicationcontrollers"
CLAIMS: Final = "persistentvolumeclaims"
BUDGETS: Final = "poddisruptionbudgets"
NODES: Final = "nodes"
NETWORK_POLICIES: Final = "networkpolicies"
BINDINGS: Final = bindings.RESOURCE
AUTO_MODE_BINDINGS: Final = f"{bindings.RESOURCE}.{AUTO_MODE_API}"

BINDING_KINDS: Mapping[str, str] = {CONTROLLER_API: BINDINGS, AUTO_MODE_API: AUTO_MODE_BINDINGS}
"""By API group."""

SOURCES: Mapping[str, tuple[str, parse.Parse]] = {
    PODS: ("/api/v1", parse.pod),
    SERVICES: ("/api/v1", parse.service),
    SLICES: ("/apis/discovery.k8s.io/v1", parse.endpoints),
    REPLICA_SETS: ("/apis/apps/v1", parse.replica_set),
    DEPLOYMENTS: ("/apis/apps/v1", parse.deployment),
    STATEFUL_SETS: ("/apis/apps/v1", parse.stateful_set),
    DAEMON_SETS: ("/apis/apps/v1", parse.daemon_set),
    REPLICATION_CONTROLLERS: ("/api/v1", parse.replication_controller),
    CLAIMS: ("/api/v1", parse.claim),
    BUDGETS: ("/apis/policy/v1", parse.budget),
    NODES: ("/api/v1", parse.node),
    **{kind: (bindings.BINDING_APIS[api], partial(parse.binding, api=api)) for api, kind in BINDING_KINDS.items()},
    NETWORK_POLICIES: ("/apis/networking.k8s.io/v1", network_policy),
}
"""The path of the API of each kind, and its parser."""

NOT_ALWAYS: Final = frozenset({NODES, STATEFUL_SETS, DAEMON_SETS, REPLICATION_CONTROLLERS, CLAIMS})
"""Kinds that not every command looks at."""
IF_SERVED: Final = frozenset(BINDING_KINDS.values())
"""Kinds that not every cluster has, whoever would look at them."""
