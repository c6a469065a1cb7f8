"""What is registered with target groups: pods that their load balancer doesn't reach, and what is no pod.

Source of states and reasons: Elastic Load Balancing API reference, version 2015-12-01, TargetHealth.
"""

from collections.abc import Iterator
from functools import partial

from kubectl_safe.decide.check import node_targets
from kubectl_safe.decide.check.alike import Alike
from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.finding import Finding, Rule, Severity
from kubectl_safe.decide.check.groups import Bound, bound
from kubectl_safe.decide.check.remedies import health_check
from kubectl_safe.decide.check.words import counted
from kubectl_safe.decide.target_words import reason_of
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.target import CONTROLLER_API, State, Target, TargetHealth
from kubectl_safe.model.workload import resolve

LIMIT = 1000
"""Targets of a group, where nobody had AWS raise the quota (Elastic Load Balancing, Quotas)."""
_SHOWN = 3
_FLAG = "--max-targets-per-target-group"
_QUOTA = (
    "aws service-quotas list-service-quotas --service-code elasticloadbalancing "
    "--query \"Quotas[?contains(QuotaName, 'Targets per Target Group')]\""
)


def _port_mismatch(facts: Facts) -> Iterator[Finding]:
    """Tell of ports that no container tells of, unless one answers there all the same: it doesn't have to tell."""
    for its in bound(facts):
        if its.is_of_nodes:
            yield from node_targets.without_node_port(its, facts)
            continue
        for some in its.alike:
            targets = [target for pod in some.pods if (target := facts.snapshot.target_in(its.binding, pod))]
            declared = {port.number for port in some.first.ports}
            if not declared or any(facts.is_healthy(target) for target in targets):
                continue
            wanted = {"traffic-port": targets[0].port} if targets else {}
            if its.group.details.check.port.isdecimal():
                wanted["health check port"] = int(its.group.details.check.port)
            yield from (_mismatch(its, some, what, port) for what, port in wanted.items() if port not in declared)


def _mismatch(its: Bound, some: Alike, what: str, port: int) -> Finding:
    ports = ", ".join(str(number) for number in sorted({port.number for port in some.first.ports}))
    is_traffic = what == "traffic-port"
    told = f"requests of target group {its.name} go" if is_traffic else f"health checks of target group {its.name} go"
    remedy = (
        f"kubectl edit service {its.binding.service} -n {its.binding.namespace}  # targetPort is {port}, not {ports}"
        if is_traffic
        else health_check(its.group, {"port": "traffic-port"})
    )
    return Finding(
        code="port-mismatch",
        subject=its.subject,
        fact=f"{told} to port {port}, and containers of {some.subject} have {ports} only",
        remedy=remedy,
    )


def _unhealthy(facts: Facts) -> Iterator[Finding]:
    for its in bound(facts):
        if its.is_of_nodes:
            yield from node_targets.unhealthy(its, facts)
            continue
        found: list[tuple[Target, Pod, TargetHealth]] = []
        for pod in its.pods:
            target = facts.snapshot.target_in(its.binding, pod)
            health = facts.snapshot.health.get(target) if target else None
            if target and health and health.state is State.UNHEALTHY and pod.has_ready_containers:
                found.append((target, pod, health))
        if found:
            yield _told_unhealthy(its, found)


def _told_unhealthy(its: Bound, found: list[tuple[Target, Pod, TargetHealth]]) -> Finding:
    told = [f"{target.at} of {pod.name}: {reason_of(health, its.group)}" for target, pod, health in found[:_SHOWN]]
    rest = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    pod = found[0][1]
    return Finding(
        code="target-unhealthy",
        subject=its.subject,
        fact=f"{len(found)} of {counted(len(its.pods), 'target')} of checked pods in target group {its.name} "
        f"{'is' if len(found) == 1 else 'are'} unhealthy, while containers are ready: {', '.join(told)}{rest}",
        remedy=f"kubectl logs {pod.name} -n {pod.namespace} --all-containers --tail=50\n"
        f"aws elbv2 describe-target-health --target-group-arn {its.group.arn}",
    )


def _without_pod(facts: Facts) -> Iterator[Finding]:
    """Tell of targets that nobody deregisters; one that is draining is on its way out."""
    lasting = {State.HEALTHY, State.UNHEALTHY, State.UNUSED}
    for its in bound(facts):
        if its.binding.is_shared:
            continue
        healths = facts.healths.get(its.group.arn, {})
        found = node_targets.strange(its, facts) if its.is_of_nodes else _of_no_pod(its, facts)
        strange = sorted(t for t in found if healths[t].state in lasting and not healths[t].is_gone)
        if strange:
            told = ", ".join(target.at for target in strange[:_SHOWN])
            rest = f" and {len(strange) - _SHOWN} more" if len(strange) > _SHOWN else ""
            first = strange[0]
            yield Finding(
                code="target-without-pod",
                subject=its.subject,
                fact=f"{counted(len(strange), 'target')} of target group {its.name} "
                f"{'belongs' if len(strange) == 1 else 'belong'} to no {its.of}: {told}{rest}",
                remedy=f"aws elbv2 deregister-targets --target-group-arn {its.group.arn} "
                f"--targets Id={first.ip},Port={first.port}",
            )


def _of_no_pod(its: Bound, facts: Facts) -> list[Target]:
    known = {target for _, target in facts.snapshot.pods_in_group(its.group.arn)}
    return [t for t in facts.healths.get(its.group.arn, {}) if t not in known and t.ip not in facts.unseen]


def _without_balancer(facts: Facts) -> Iterator[Finding]:
    for its in bound(facts):
        healths = facts.healths.get(its.group.arn, {})
        targets = filter(None, (facts.snapshot.target_in(its.binding, pod) for pod in its.pods))
        known = [health for target in (healths if its.is_of_nodes else targets) if (health := healths.get(target))]
        is_unused = bool(known) and all(health.reason == "Target.NotInUse" for health in known)
        if its.group.details.balancers == () or is_unused:
            yield Finding(
                code="group-without-balancer",
                subject=its.subject,
                fact=f"no load balancer sends requests to target group {its.name}"
                + (": its targets are unused (Target.NotInUse)" if is_unused else ""),
                remedy=f"aws elbv2 describe-target-groups --target-group-arns {its.group.arn}\n"
                f"kubectl delete {its.binding.named} -n {its.binding.namespace}  # where nobody needs it any more",
            )


def _at_limit(facts: Facts) -> Iterator[Finding]:
    for its in bound(facts):
        registered = sum(not health.is_gone for health in facts.healths.get(its.group.arn, {}).values())
        surge = 1 if its.is_of_nodes else _surge(its, facts)
        limit, why, remedy = _limit(its, facts)
        if registered + surge > limit:
            yield Finding(
                code="group-at-limit",
                subject=its.subject,
                fact=f"target group {its.name} has {counted(registered, 'target')}, and {surge} more would come "
                f"{'with another node' if its.is_of_nodes else 'in a rollout'}; {why}",
                remedy=remedy,
            )


def _limit(its: Bound, facts: Facts) -> tuple[int, str, str]:
    """Return how many targets a group takes, who says so, and how to have it otherwise."""
    for controller in (facts.setup.controllers or ()) if its.binding.api == CONTROLLER_API else ():
        if 0 < controller.most_targets < LIMIT:
            where = f"deployment/{controller.name} -n {controller.namespace}"
            told = f"the load balancer controller registers {controller.most_targets}"
            return controller.most_targets, f"{told} ({_FLAG})", f"kubectl edit {where}  # {_FLAG}"
    return LIMIT, f"AWS takes {LIMIT}, where nobody had it raised", _QUOTA


def _surge(its: Bound, facts: Facts) -> int:
    """Return how many targets more there are in the middle of a rollout, one at least: those that go drain."""
    workloads = {w.uid: w for some in its.alike if (w := facts.snapshot.workload_of(some.first))}
    return sum(max(1, resolve(w.max_surge, w.replicas)) for w in workloads.values()) or 1


_rule = partial(Rule, severity=Severity.WARNING)

RULES = (
    Rule(
        code="group-without-balancer",
        severity=Severity.ERROR,
        title="A target group that no load balancer uses",
        why="Its targets are never checked, and so never healthy: readiness gates stay False, and every rollout and "
        "handoff waits for them in vain. Source: AWS, TargetHealth, Target.NotInUse.",
        find=_without_balancer,
    ),
    _rule(
        code="target-unhealthy",
        title="Pods that their load balancer finds unhealthy",
        why="The containers are ready, and the load balancer sends them no requests: the others carry their share, and "
        "a handoff does not count them as in service. Where all are unhealthy, it sends requests to all of them. "
        "Source: AWS, Health checks for target groups.",
        find=_unhealthy,
    ),
    _rule(
        code="target-without-pod",
        title="Targets that belong to no pod or node",
        why="Requests that the load balancer sends them are lost until its health checks fail; where another pod gets "
        "the address, it gets requests that are not for it. The load balancer controller failed to deregister them, or "
        "somebody else registered them. Source: AWS Load Balancer Controller, TargetGroupBinding.",
        find=_without_pod,
    ),
    _rule(
        code="port-mismatch",
        title="A target group that leads to a port which nothing has",
        why="Nobody answers there unless a container listens on a port that it doesn't tell of: requests fail, or "
        "health checks do and no target becomes healthy. Nodes are registered only where the Service has a node port. "
        "Source: AWS Load Balancer Controller, TargetGroupBinding.",
        find=_port_mismatch,
    ),
    _rule(
        code="group-at-limit",
        title="A target group without room for new targets",
        why="Targets that drain count until they are gone. At the limit new ones can't be registered, and the load "
        "balancer controller deregisters and registers in one go: pods that come get no requests. Source: AWS, Quotas "
        "for your load balancers.",
        find=_at_limit,
    ),
)
