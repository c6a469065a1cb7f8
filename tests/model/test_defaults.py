"""What nothing is said of is what Kubernetes takes it for, or nothing."""

from dataclasses import MISSING, fields
from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.model.autoscaler import Autoscaler
from kubectl_safe.model.budget import Budget
from kubectl_safe.model.container import Container, Hook, Probe
from kubectl_safe.model.group_details import GroupDetails, HealthCheck
from kubectl_safe.model.lease import Holder, Lease
from kubectl_safe.model.marks import Handoff
from kubectl_safe.model.network import Network
from kubectl_safe.model.pod import Condition, OwnerReference, Pod
from kubectl_safe.model.policy import NetworkPolicy, Part, Peer, Policies
from kubectl_safe.model.port import ContainerPort
from kubectl_safe.model.selector import LabelSelector, Requirement
from kubectl_safe.model.service import Endpoint, Service, ServicePort
from kubectl_safe.model.snapshot import EvictionAnswer, Snapshot
from kubectl_safe.model.target import GroupName, Role, TargetGroup, TargetGroupBinding, TargetHealth
from kubectl_safe.model.trace import AWS_TRACE, Exchange
from kubectl_safe.model.workload import Node, ReplicaSet, Workload

NONE: frozenset[str] = frozenset()

ROWS = [
    (OwnerReference, {"is_controller": False}),
    (Condition, {"is_unknown": False, "since": None, "reason": "", "message": ""}),
    (ContainerPort, {"protocol": "TCP"}),
    (ServicePort, {"protocol": "TCP", "app_protocol": "", "node_port": None}),
    (
        Service,
        {
            "ports": (),
            "ip_families": (),
            "is_headless": False,
            "keeps_clients": False,
            "publishes_unready": False,
            "local_policies": frozenset(),
            "is_in_endpoint_group": False,
        },
    ),
    (
        Endpoint,
        {
            "address_type": "",
            "is_serving": True,
            "is_terminating": False,
            "zone": "",
            "manager": "endpointslice-controller.k8s.io",
            "is_exported": False,
        },
    ),
    (Network, {"has_cilium": False, "exported": NONE, "unlisted_exports": ""}),
    (Budget, {"min_available": None, "max_unavailable": None, "expected_pods": 0, "disrupted": NONE}),
    (LabelSelector, {"match_expressions": ()}),
    (Peer, {"namespaces": None}),
    (Part, {"rule": None, "peer": None}),
    (NetworkPolicy, {"rules": ()}),
    (Requirement, {"values": NONE}),
    (Handoff, {"annotations": {}, "targets": (), "is_alone": False}),
    (Holder, {"since": None}),
    (Lease, {"transitions": 0, "nodes": ()}),
    (TargetHealth, {"reason": "", "description": "", "lost_at": None}),
    (Role, {"external_id": ""}),
    (GroupName, {"role": None}),
    (
        TargetGroup,
        {
            "minimum_count": 1,
            "minimum_percentage": 0,
            "is_zonal": False,
            "zones_unknown": "",
            "details": GroupDetails(),
            "keeps_flows": False,
        },
    ),
    (HealthCheck, {"protocol": "HTTP", "path": "", "port": "traffic-port", "unhealthy_threshold": 2}),
    (
        GroupDetails,
        {
            "protocol": "HTTP",
            "version": "",
            "check": HealthCheck(),
            "slow_start": timedelta(0),
            "stickiness": "",
            "balancers": None,
        },
    ),
    (Autoscaler, {"minimum": 1, "current": 0, "is_limited": False}),
    (Probe, {"period": timedelta(seconds=10), "failures": 3}),
    (Hook, {"command": (), "is_pause": False}),
    (Container, {"ports": (), "readiness": None, "liveness": None, "pre_stop": None, "is_sidecar": False}),
    (
        TargetGroupBinding,
        {
            "api": "elbv2.k8s.aws",
            "role": None,
            "is_ipv6": False,
            "node_selector": None,
            "is_shared": False,
            "is_nudged": False,
            "created": None,
        },
    ),
    (EvictionAnswer, {"is_untried": False, "message": ""}),
    (Exchange, {"asked_headers": {}, "asked_body": None, "answered_headers": {}, "answered_body": None}),
    (Node, {"is_unschedulable": False, "labels": {}, "annotations": {}, "instance_id": ""}),
    (
        ReplicaSet,
        {
            "kind": "ReplicaSet",
            "annotations": {},
            "template_labels": None,
            "owner": None,
            "min_ready": timedelta(0),
            "claims": (),
            "is_terminating": False,
            "failure": "",
        },
    ),
    (
        Pod,
        {
            "annotations": {},
            "owners": (),
            "node": None,
            "ips": (),
            "phase": "Running",
            "created": None,
            "is_terminating": False,
            "deletion_timestamp": None,
            "conditions": {},
            "readiness_gates": (),
            "ports": (),
            "containers": (),
            "grace_period_seconds": 30,
            "waiting_reason": "",
            "waiting_message": "",
            "mesh": "",
            "has_empty_dir": False,
            "is_mirror": False,
        },
    ),
    (
        Workload,
        {
            "owner": None,
            "labels": {},
            "kind": "Deployment",
            "template_labels": None,
            "resource_version": "",
            "annotations": {},
            "claims": (),
            "exclusive_volume": "",
            "governing_service": "",
            "first_ordinal": 0,
            "partition": 0,
            "current_revision": "",
            "update_revision": "",
            "strategy": "RollingUpdate",
            "max_surge": "25%",
            "max_unavailable": "25%",
            "min_ready": timedelta(0),
            "progress_deadline": timedelta(minutes=10),
            "is_paused": False,
            "is_terminating": False,
            "generation": 1,
            "observed_generation": 1,
            "updated_replicas": 0,
            "status_replicas": 0,
            "current_replicas": 0,
            "ready_replicas": 0,
            "available_replicas": 0,
            "progress": "",
            "is_partitioned": False,
        },
    ),
    (
        Snapshot,
        {
            "pods": {},
            "replica_sets": {},
            "workloads": {},
            "nodes": {},
            "services": (),
            "endpoints": (),
            "budgets": (),
            "policies": Policies(),
            "bindings": (),
            "groups": {},
            "health": {},
            "roles": {},
            "stale": NONE,
            "stale_health": {},
            "unseen": NONE,
            "kept_slices": NONE,
            "network": Network(),
            "began": None,
            "absent_since": {},
            "withdrawn_since": {},
            "excluded_since": {},
            "ready_since": {},
            "answers": {},
            "nudged_at": {},
            "touched_at": {},
            "woken_at": {},
            "warnings": {},
            "taken": {},
            "health_max_age": timedelta(seconds=15),
        },
    ),
]


@pytest.mark.parametrize(("kind", "expected"), ROWS, ids=lambda it: getattr(it, "__name__", ""))
def test_what_is_not_said_of(kind: type[Any], expected: dict[str, Any]) -> None:
    found = {it.name: it.default for it in fields(kind) if it.default is not MISSING}
    found |= {it.name: it.default_factory() for it in fields(kind) if callable(it.default_factory)}
    assert found == expected


def test_nobody_sees_what_is_asked_of_aws_unless_told_to() -> None:
    assert AWS_TRACE.get() is None
    assert AWS_TRACE.name == "AWS_TRACE"
