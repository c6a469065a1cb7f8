"""What a check looks at, with overrides: the cluster of the builders, well set up in every respect."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from kubectl_safe.decide.check import RULES
from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.finding import Finding
from kubectl_safe.model.setup import Controller, Namespace, Setup, Webhook
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import NOW, a_cluster

LABEL = "elbv2.k8s.aws/pod-readiness-gate-inject"


def a_namespace(name: str = "shop", *, value: str | None = "enabled", labelled: datetime | None = None) -> Namespace:
    """Return a namespace in which gates are injected, or not."""
    return Namespace(
        name=name,
        labels={} if value is None else {LABEL: value},
        labelled={} if labelled is None else {LABEL: labelled},
    )


def a_controller(*, replicas: int = 2, ready: int = 2, version: str = "v2.13.4") -> Controller:
    """Return a load balancer controller that has what it needs."""
    return Controller(
        namespace="kube-system",
        name="aws-load-balancer-controller",
        replicas=replicas,
        ready=ready,
        version=version,
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


def facts(snapshot: Snapshot | None = None, *, setup: Setup | None = None, **changes: Any) -> Facts:
    """Return what there is to look at in a cluster: all of its workloads and pods."""
    seen = snapshot or a_cluster()
    known: dict[str, Any] = {
        "snapshot": seen,
        "workloads": tuple(seen.workloads.values()),
        "pods": tuple(seen.pods.values()),
        "setup": setup or a_setup(),
    }
    return Facts(**known | changes)


def found(code: str, seen: Facts) -> list[Finding]:
    """Return what one rule finds."""
    return list(RULES[code].find(seen))


def told(findings: Iterable[Finding]) -> list[str]:
    """Return findings in a line each: the object, the fact, and the remedy."""
    return [f"{its.subject}: {its.fact} -> {its.remedy}" for its in findings]
