"""The load balancer controller and its webhook: what is found of them, and what isn't."""

from typing import Any

import pytest

from kubectl_safe.decide.check.controller import FAULTS, version_of
from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.model.event import Subject
from kubectl_safe.model.setup import Complaint
from tests.decide.check.scenes import a_controller, a_namespace, a_setup, a_webhook, facts, found
from tests.support.builders import a_binding, a_cluster, ago


def of(*, bindings: tuple[object, ...] = (a_binding(),), **setup: Any) -> Facts:
    return facts(a_cluster(bindings=bindings), setup=a_setup(**setup))


AUTO_MODE = (a_binding(api="eks.amazonaws.com"),)
UNLABELLED = {"shop": a_namespace(value=None)}


def a_complaint(name: str = "web", *, seconds: float = 60, message: str = "AccessDenied") -> Complaint:
    subject = Subject(kind="TargetGroupBinding", namespace="shop", name=name)
    return Complaint(subject=subject, reason="FailedDeregister", message=message, at=ago(seconds))


ROWS = [
    pytest.param("controller-missing", of(), "", id="a controller"),
    pytest.param("controller-missing", of(controllers=None), "", id="not known whether there is one"),
    pytest.param("controller-missing", of(controllers=()), "", id="one with another label, whose webhook is answered"),
    pytest.param("controller-missing", of(controllers=(), bindings=()), "", id="nothing for it to do"),
    pytest.param("controller-missing", of(controllers=(), bindings=AUTO_MODE), "", id="AWS runs it"),
    pytest.param(
        "controller-missing",
        of(controllers=(), webhooks=(a_webhook(ready_endpoints=0),)),
        "there is no Deployment with the label app.kubernetes.io/name=aws-load-balancer-controller, and 1 "
        "TargetGroupBinding of the checked pods",
        id="none",
    ),
    pytest.param("controller-not-ready", of(controllers=(a_controller(ready=1),)), "", id="one of two is ready"),
    pytest.param(
        "controller-not-ready",
        of(controllers=(a_controller(ready=0),)),
        "0 of its 2 replicas are ready",
        id="none is ready",
    ),
    pytest.param("controller-not-ready", of(controllers=(a_controller(ready=0),), bindings=()), "", id="who cares"),
    pytest.param("controller-alone", of(), "", id="two replicas"),
    pytest.param("controller-alone", of(controllers=(a_controller(ready=0),)), "", id="none is another fault"),
    pytest.param(
        "controller-alone",
        of(controllers=(a_controller(replicas=1, ready=1),)),
        "1 of its 1 replica is ready",
        id="one replica",
    ),
    pytest.param(
        "controller-alone",
        of(controllers=(a_controller(ready=1),)),
        "1 of its 2 replicas is ready",
        id="one replica that is ready",
    ),
    pytest.param("controller-outdated", of(), "", id="a new one"),
    pytest.param(
        "controller-outdated", of(controllers=(a_controller(version="v2.6.0"),)), "", id="where it was mended"
    ),
    pytest.param("controller-outdated", of(controllers=(a_controller(version="latest"),)), "", id="nobody can tell"),
    pytest.param(
        "controller-outdated",
        of(controllers=(a_controller(version="v2.5.4"),)),
        "its version v2.5.4 is older than v2.6.0: it may overlook a new pod and never register it, so that its "
        "readiness gate is never set (https://github.com/kubernetes-sigs/aws-load-balancer-controller/pull/3305)",
        id="one fault",
    ),
    pytest.param("webhook-missing", of(), "", id="a webhook"),
    pytest.param("webhook-missing", of(webhooks=None), "", id="not known whether there is one"),
    pytest.param("webhook-missing", of(webhooks=(), namespaces=UNLABELLED), "", id="nobody wants gates"),
    pytest.param(
        "webhook-missing",
        of(webhooks=()),
        "no MutatingWebhookConfiguration has the webhook mpod.elbv2.k8s.aws, and namespaces of the checked pods have "
        "the label elbv2.k8s.aws/pod-readiness-gate-inject",
        id="no webhook",
    ),
    pytest.param("webhook-unserved", of(), "", id="two endpoints"),
    pytest.param("webhook-unserved", of(webhooks=(a_webhook(ready_endpoints=None),)), "", id="not known"),
    pytest.param("webhook-unserved", of(webhooks=(a_webhook(service=None, ready_endpoints=None),)), "", id="by a URL"),
    pytest.param(
        "webhook-unserved",
        of(webhooks=(a_webhook(ready_endpoints=0),)),
        "service kube-system/aws-load-balancer-webhook-service of its webhook mpod.elbv2.k8s.aws has no ready "
        "endpoint, and failurePolicy is Ignore: pods come without readiness gates",
        id="nobody answers, and it is passed over",
    ),
    pytest.param(
        "webhook-unserved",
        of(webhooks=(a_webhook(ready_endpoints=0, failure_policy="Fail"),)),
        "service kube-system/aws-load-balancer-webhook-service of its webhook mpod.elbv2.k8s.aws has no ready "
        "endpoint, and failurePolicy is Fail: no pod can be created",
        id="nobody answers, and no pod is created",
    ),
    pytest.param("webhook-ignored", of(), "", id="the default, with two that answer"),
    pytest.param(
        "webhook-ignored", of(webhooks=(a_webhook(ready_endpoints=1, failure_policy="Fail"),)), "", id="Fail tells"
    ),
    pytest.param(
        "webhook-ignored",
        of(webhooks=(a_webhook(ready_endpoints=1),)),
        "failurePolicy of its webhook mpod.elbv2.k8s.aws is Ignore, and 1 endpoint answers it",
        id="one that answers, and is passed over",
    ),
    pytest.param("binding-failing", of(), "", id="no complaint"),
    pytest.param("binding-failing", of(complaints=(a_complaint("other"),)), "", id="of another binding"),
    pytest.param(
        "binding-failing",
        of(complaints=(a_complaint(seconds=30), a_complaint(seconds=90, message="Throttling"))),
        "FailedDeregister 30s ago: AccessDenied",
        id="the last complaint",
    ),
]


@pytest.mark.parametrize(("code", "seen", "fact"), ROWS)
def test_what_is_found_of_the_controller(code: str, seen: Facts, fact: str) -> None:
    assert [its.fact for its in found(code, seen)] == ([fact] if fact else [])


def test_of_an_old_version_all_is_told_that_was_mended_since() -> None:
    [its] = found("controller-outdated", of(controllers=(a_controller(version="v2.4.2"),)))
    assert "older than v2.6.0" in its.fact
    assert all(fault.source in its.fact for fault in FAULTS)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v2.13.4", (2, 13, 4)),
        ("3.5.0", (3, 5, 0)),
        ("v2.6.0-linux_amd64", (2, 6, 0)),
        ("sha256:ab12", None),
        ("", None),
    ],
)
def test_versions_are_read_off_image_tags(text: str, version: tuple[int, int, int] | None) -> None:
    assert version_of(text) == version


@pytest.mark.parametrize(
    ("replicas", "remedy"),
    [
        (1, "kubectl scale deployment/aws-load-balancer-controller -n kube-system --replicas=2"),
        (2, "kubectl describe pods -n kube-system -l app.kubernetes.io/name=aws-load-balancer-controller"),
    ],
)
def test_one_replica_is_scaled_and_of_several_the_others_are_looked_at(replicas: int, remedy: str) -> None:
    seen = of(controllers=(a_controller(replicas=replicas, ready=1),))
    assert [its.remedy for its in found("controller-alone", seen)] == [remedy]
