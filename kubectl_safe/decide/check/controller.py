"""The AWS Load Balancer Controller, on which every handoff behind a target group waits: it registers and deregisters.

On EKS Auto Mode AWS runs it, and nobody can look at it: what is said here is of the `elbv2.k8s.aws` API only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.finding import Finding, Rule, Severity, Subject
from kubectl_safe.decide.check.gates import injection_label
from kubectl_safe.decide.check.words import counted
from kubectl_safe.decide.settings import go_duration
from kubectl_safe.model.setup import Controller, Webhook
from kubectl_safe.model.target import CONTROLLER_API, TargetGroupBinding

NAME = "aws-load-balancer-controller"
_REPLICAS = 2
_Version = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is known to be wrong with every version before one."""

    before: _Version
    what: str
    source: str


FAULTS = (
    Fault(
        before=(2, 5, 4),
        what="it doesn't look again at what did not change, so it never repairs targets that somebody else changed",
        source="https://github.com/kubernetes-sigs/aws-load-balancer-controller/pull/3280",
    ),
    Fault(
        before=(2, 6, 0),
        what="it may overlook a new pod and never register it, so that its readiness gate is never set",
        source="https://github.com/kubernetes-sigs/aws-load-balancer-controller/pull/3305",
    ),
)
"""Each is fixed in the version that it names, by the change in `source`."""


def bindings_of(facts: Facts) -> list[TargetGroupBinding]:
    """Return the bindings of the checked pods that the controller in the cluster acts for."""
    known = {its.key: its for bindings in facts.bindings.values() for its in bindings if its.api == CONTROLLER_API}
    return [known[key] for key in sorted(known)]


def version_of(text: str) -> _Version | None:
    """Return the numbers of a version such as `v2.13.4`; None for what has none, as a digest or `latest`."""
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def _subject(controller: Controller) -> Subject:
    return Subject(kind="deployment.apps", name=controller.name, namespace=controller.namespace)


def _missing(facts: Facts) -> Iterator[Finding]:
    """Tell that nobody acts for bindings; a webhook that is answered is answered by a controller with another label."""
    bindings = bindings_of(facts)
    is_answered = any(its.ready_endpoints for its in facts.setup.webhooks or ())
    if bindings and facts.setup.controllers == () and not is_answered:
        first = bindings[0]
        yield Finding(
            code="controller-missing",
            subject=Subject(kind=f"targetgroupbinding.{first.api}", name=first.name, namespace=first.namespace),
            fact=f"there is no Deployment with the label app.kubernetes.io/name={NAME}, and "
            f"{counted(len(bindings), 'TargetGroupBinding')} of the checked pods",
            remedy=f"helm repo add eks https://aws.github.io/eks-charts\n"
            f"helm upgrade --install {NAME} eks/{NAME} -n kube-system --set clusterName=CLUSTER --set replicaCount=2",
        )


def _of_use(facts: Facts) -> tuple[Controller, ...]:
    """Return the controllers, where there is something for them to do."""
    return (facts.setup.controllers or ()) if bindings_of(facts) else ()


def _not_ready(facts: Facts) -> Iterator[Finding]:
    for its in _of_use(facts):
        if its.ready == 0:
            yield Finding(
                code="controller-not-ready",
                subject=_subject(its),
                fact=f"0 of its {counted(its.replicas, 'replica')} are ready",
                remedy=f"kubectl rollout status deployment/{its.name} -n {its.namespace}\n"
                f"kubectl logs deployment/{its.name} -n {its.namespace} --tail=50",
            )


def _alone(facts: Facts) -> Iterator[Finding]:
    for its in _of_use(facts):
        if its.ready == 1:
            yield Finding(
                code="controller-alone",
                subject=_subject(its),
                fact=f"1 of its {counted(its.replicas, 'replica')} is ready",
                remedy=f"kubectl scale deployment/{its.name} -n {its.namespace} --replicas={_REPLICAS}"
                if its.replicas < _REPLICAS
                else f"kubectl describe pods -n {its.namespace} -l app.kubernetes.io/name={NAME}",
            )


def _outdated(facts: Facts) -> Iterator[Finding]:
    for its in _of_use(facts):
        version = version_of(its.version)
        faults = [fault for fault in FAULTS if version and version < fault.before]
        if faults:
            newest = ".".join(map(str, max(fault.before for fault in faults)))
            yield Finding(
                code="controller-outdated",
                subject=_subject(its),
                fact=f"its version {its.version} is older than v{newest}: "
                + "; ".join(f"{fault.what} ({fault.source})" for fault in faults),
                remedy=f"helm upgrade {NAME} eks/{NAME} -n {its.namespace} --reuse-values",
            )


def _is_asked_for(facts: Facts) -> bool:
    """Tell whether a namespace of the checked pods wants gates for its pods."""
    label, known = injection_label(CONTROLLER_API), facts.setup.namespaces or {}
    wanted = {binding.namespace for binding in bindings_of(facts) if binding.target_type == "ip"}
    return any(known[name].labels.get(label) == "enabled" for name in wanted & known.keys())


def _webhook_missing(facts: Facts) -> Iterator[Finding]:
    if facts.setup.webhooks == () and _is_asked_for(facts):
        yield Finding(
            code="webhook-missing",
            subject=Subject(kind="mutatingwebhookconfiguration", name="aws-load-balancer-webhook"),
            fact=f"no MutatingWebhookConfiguration has the webhook mpod.{CONTROLLER_API}, and namespaces of the "
            f"checked pods have the label {injection_label(CONTROLLER_API)}",
            remedy=f"helm upgrade {NAME} eks/{NAME} -n kube-system --reuse-values",
        )


def _webhooks(facts: Facts) -> Iterator[tuple[Webhook, Subject]]:
    for its in (facts.setup.webhooks or ()) if _is_asked_for(facts) else ():
        yield its, Subject(kind="mutatingwebhookconfiguration", name=its.configuration)


def _webhook_unserved(facts: Facts) -> Iterator[Finding]:
    for its, subject in _webhooks(facts):
        if its.service and its.ready_endpoints == 0:
            namespace, name = its.service
            then = "no pod can be created" if its.failure_policy == "Fail" else "pods come without readiness gates"
            yield Finding(
                code="webhook-unserved",
                subject=subject,
                fact=f"service {namespace}/{name} of its webhook {its.name} has no ready endpoint, and failurePolicy "
                f"is {its.failure_policy}: {then}",
                remedy=f"kubectl get endpointslices -n {namespace} -l kubernetes.io/service-name={name}",
            )


def _webhook_ignored(facts: Facts) -> Iterator[Finding]:
    """Tell of a policy that is the chart's default only where one failure is enough for it to matter."""
    for its, subject in _webhooks(facts):
        if its.failure_policy == "Ignore" and its.ready_endpoints == 1:
            yield Finding(
                code="webhook-ignored",
                subject=subject,
                fact=f"failurePolicy of its webhook {its.name} is Ignore, and 1 endpoint answers it",
                remedy=f"helm upgrade {NAME} eks/{NAME} -n kube-system --reuse-values "
                "--set replicaCount=2 --set podMutatorWebhookConfig.failurePolicy=Fail",
            )


def _failing(facts: Facts) -> Iterator[Finding]:
    """Tell the last complaint about each binding."""
    checked = {(its.namespace, its.name): its for bindings in facts.bindings.values() for its in bindings}
    told = sorted(facts.setup.complaints or (), key=lambda its: its.at)
    last = {(its.subject.namespace, its.subject.name): its for its in told}
    for key in sorted(last.keys() & checked.keys()):
        binding, its = checked[key], last[key]
        age = f" {go_duration(facts.setup.at - its.at)} ago" if facts.setup.at and facts.setup.at > its.at else ""
        yield Finding(
            code="binding-failing",
            subject=Subject(kind=f"targetgroupbinding.{binding.api}", name=binding.name, namespace=binding.namespace),
            fact=f"{its.reason}{age}: {its.message}",
            remedy=f"kubectl describe {binding.named} -n {binding.namespace}",
        )


RULES = (
    Rule(
        code="controller-missing",
        severity=Severity.ERROR,
        title="TargetGroupBindings without a controller",
        why="Nobody registers new pods and deregisters old ones: a pod that goes keeps getting requests until its "
        "health checks fail, and the one that comes gets none.",
        find=_missing,
    ),
    Rule(
        code="controller-not-ready",
        severity=Severity.ERROR,
        title="A load balancer controller that is down",
        why="Nobody registers new pods and deregisters old ones while it is down; gates stay as they were, which says "
        "nothing any more.",
        find=_not_ready,
    ),
    Rule(
        code="binding-failing",
        severity=Severity.ERROR,
        title="A TargetGroupBinding that can't be reconciled",
        why="Its controller deregisters and registers in one go: where one fails, the other isn't done either, and it "
        "pauses for up to 17 minutes before it tries again. Pods that go keep getting requests.",
        find=_failing,
    ),
    Rule(
        code="webhook-unserved",
        severity=Severity.ERROR,
        title="A webhook for readiness gates that nobody answers",
        why="With failurePolicy Ignore pods are created without gates, and no rollout waits for their targets; with "
        "Fail no pod is created, and nothing replaces one that goes.",
        find=_webhook_unserved,
    ),
    Rule(
        code="webhook-missing",
        severity=Severity.ERROR,
        title="No webhook that injects readiness gates",
        why="The label of the namespace does nothing by itself: without the webhook pods come without gates, and a "
        "rollout doesn't wait for their targets.",
        find=_webhook_missing,
    ),
    Rule(
        code="controller-alone",
        severity=Severity.WARNING,
        title="A load balancer controller with one replica",
        why="While its only pod is replaced, as by the drain of its node, nobody registers and deregisters targets, "
        "and the webhook answers nobody. With two, another one leads within 18 seconds.",
        find=_alone,
    ),
    Rule(
        code="controller-outdated",
        severity=Severity.WARNING,
        title="A load balancer controller with faults that are mended since",
        why="Targets are registered too late or not at all, for reasons that newer versions don't have.",
        find=_outdated,
    ),
    Rule(
        code="webhook-ignored",
        severity=Severity.WARNING,
        title="A webhook for readiness gates that may be passed over",
        why="While the only pod that answers it is away, pods are created without gates, and nobody is told: a "
        "rollout goes on before their targets are healthy.",
        find=_webhook_ignored,
    ),
)
