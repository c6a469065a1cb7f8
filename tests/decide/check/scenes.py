"""What a check looks at, with overrides: the cluster of the builders, well set up in every respect."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from kubectl_safe.decide.check import RULES
from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.finding import Finding
from kubectl_safe.model.container import Container, Hook, Probe
from kubectl_safe.model.group_details import GroupDetails, HealthCheck
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.port import ContainerPort
from kubectl_safe.model.setup import Controller, Namespace, Setup, Webhook
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import TargetGroup
from kubectl_safe.model.workload import Node, Workload
from tests.support.builders import NOW, REPLICAS, a_budget, a_cluster, a_deployment, a_group, a_pod, arn, uid

LABEL = "elbv2.k8s.aws/pod-readiness-gate-inject"


def a_namespace(name: str = "shop", *, value: str | None = "enabled", labelled: datetime | None = None) -> Namespace:
    """Return a namespace in which gates are injected, or not."""
    return Namespace(
        name=name,
        labels={} if value is None else {LABEL: value},
        labelled={} if labelled is None else {LABEL: labelled},
    )


def a_controller(*, replicas: int = 2, ready: int = 2, version: str = "v2.13.4", most_targets: int = 0) -> Controller:
    """Return a load balancer controller that has what it needs."""
    return Controller(
        namespace="kube-system",
        name="aws-load-balancer-controller",
        replicas=replicas,
        ready=ready,
        version=version,
        most_targets=most_targets,
    )


def a_webhook(**changes: Any) -> Webhook:
    """Return the webhook as the chart installs it, with two pods that answer it."""
    known: dict[str, Any] = {
        "configuration": "aws-load-balancer-webhook",
        "name": "mpod.elbv2.k8s.aws",
        "failure_policy": "Ignore",
        "service": ("kube-system", "aws-load-balancer-webhook-service"),
        "ready_endpoints": 2,
    }
    return Webhook(**known | changes)


def a_setup(**changes: Any) -> Setup:
    """Return a set-up in which there is nothing to find."""
    known: dict[str, Any] = {
        "at": NOW,
        "namespaces": {"shop": a_namespace()},
        "controllers": (a_controller(),),
        "webhooks": (a_webhook(),),
        "complaints": (),
        "leases": (),
    }
    return Setup(**known | changes)


def a_container(name: str = "app", **changes: Any) -> Container:
    """Return a container that tells when it serves, and goes on for 30 s before it stops."""
    known = Container(
        name=name,
        ports=(ContainerPort(name="http", number=8080),),
        readiness=Probe(asks="GET http/healthz", period=timedelta(seconds=5)),
        liveness=Probe(asks="GET http/livez"),
        pre_stop=Hook(duration=timedelta(seconds=30), is_pause=True),
    )
    return replace(known, **changes)


def a_good_pod(name: str = "web-1", *containers: Container, **changes: Any) -> Pod:
    """Return a pod of several on three nodes, with these containers or one that is set up well."""
    its = containers or (a_container(),)
    known: dict[str, Any] = {
        "containers": its,
        "ports": tuple(port for container in its for port in container.ports),
        "grace_period_seconds": 60,
        "node": f"node-{int(name[-1]) % 3 + 1}",
    }
    return a_pod(name, **known | changes)


def good_pods(*containers: Container, **changes: Any) -> list[Pod]:
    """Return all pods of the workload, with these containers or one that is set up well."""
    return [a_good_pod(f"web-{n}", *containers, **changes) for n in range(1, REPLICAS + 1)]


def a_good_deployment(name: str = "web", **changes: Any) -> Workload:
    """Return a Deployment whose rollouts take nothing away first."""
    return a_deployment(name, **{"max_unavailable": 0} | changes)


def a_good_group(name: str = "web", *, delay: float = 20, **changes: Any) -> TargetGroup:
    """Return a target group that drains no longer than its pods go on."""
    details: dict[str, Any] = {"check": HealthCheck(path="/healthz"), "version": "HTTP1", "balancers": ("arn:aws:web",)}
    its = {key: changes.pop(key) for key in list(changes) if key in GroupDetails.__slots__}
    return replace(a_group(name, delay=delay), details=GroupDetails(**details | its), **changes)


def a_good_cluster(*changed: Pod, **overrides: Any) -> Snapshot:
    """Return a cluster in which there is nothing to find, with pods put in the place of those with their names."""
    pods = {pod.name: pod for pod in (*good_pods(), *changed) if pod.name not in overrides.get("without", ())}
    known: dict[str, Any] = {
        "workloads": {uid("web"): a_good_deployment()},
        "budgets": (a_budget(max_unavailable=1, expected_pods=REPLICAS),),
        "groups": {arn(): a_good_group()},
        "nodes": {name: Node(name=name, resource_version="1") for name in ("node-1", "node-2", "node-3")},
    }
    return a_cluster(*pods.values(), **known | overrides)


def facts(snapshot: Snapshot | None = None, *, setup: Setup | None = None, **changes: Any) -> Facts:
    """Return what there is to look at in a cluster: all of its workloads and pods."""
    seen = snapshot or a_good_cluster()
    known: dict[str, Any] = {
        "snapshot": seen,
        "workloads": tuple(seen.workloads.values()),
        "pods": tuple(seen.pods.values()),
        "setup": setup or a_setup(),
    }
    return Facts(**known | changes)


def found(code: str, seen: Facts) -> list[Finding]:
    """Return what one rule finds."""
    findings = list(RULES[code].find(seen))
    assert {its.code for its in findings} <= {code}
    return findings


def told(findings: Iterable[Finding]) -> list[str]:
    """Return findings in a line each: the object, the fact, and the remedy."""
    return [f"{its.subject}: {its.fact} -> {its.remedy}" for its in findings]
