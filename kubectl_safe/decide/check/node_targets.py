"""What is registered with target groups of nodes, each of which leads requests to pods by the node port of a Service.

A pod that comes or goes changes nothing there. Source: AWS Load Balancer Controller, TargetGroupBinding, `instance`.
"""

from collections.abc import Iterator

from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.finding import Finding
from kubectl_safe.decide.check.groups import Bound
from kubectl_safe.decide.check.words import counted
from kubectl_safe.decide.target_words import reason_of
from kubectl_safe.model.service import TRAFFIC_POLICIES
from kubectl_safe.model.target import State, Target

_SHOWN = 3
_EXTERNAL, _ = TRAFFIC_POLICIES
_INSTANCES = "kubectl get nodes -o custom-columns=NAME:.metadata.name,INSTANCE:.spec.providerID"


def without_node_port(its: Bound, facts: Facts) -> Iterator[Finding]:
    """Tell of a Service by which no node is reached."""
    service = facts.snapshot.service(its.binding.namespace, its.binding.service)
    port = service.port(its.binding.service_port) if service else None
    if service and port and port.node_port is None:
        patch = '{"spec":{"type":"NodePort"}}'
        yield Finding(
            code="port-mismatch",
            subject=its.subject,
            fact=f"target group {its.name} registers nodes, and port {port.port} of service {service.name} has no node "
            "port: no node is registered",
            remedy=f"kubectl patch service {service.name} -n {service.namespace} -p '{patch}'",
        )


def unhealthy(its: Bound, facts: Facts) -> Iterator[Finding]:
    """Tell of nodes that don't lead requests to pods which are ready.

    Of a Service with externalTrafficPolicy Local, those without a pod of it are to be unhealthy.
    """
    service = facts.snapshot.service(its.binding.namespace, its.binding.service)
    known = facts.healths.get(its.group.arn, {})
    bad = {target: health for target, health in sorted(known.items()) if health.state is State.UNHEALTHY}
    is_local = service is None or _EXTERNAL in service.local_policies
    if not bad or is_local or not any(pod.has_ready_containers for pod in its.pods):
        return
    told = [f"{target.at}: {reason_of(health, its.group)}" for target, health in list(bad.items())[:_SHOWN]]
    rest = f", and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    registered = sum(not health.is_gone for health in known.values())
    yield Finding(
        code="target-unhealthy",
        subject=its.subject,
        fact=f"{len(bad)} of {counted(registered, 'node')} in target group {its.name} "
        f"{'is' if len(bad) == 1 else 'are'} unhealthy, while containers are ready: {', '.join(told)}{rest}",
        remedy=f"{_INSTANCES}\naws elbv2 describe-target-health --target-group-arn {its.group.arn}",
    )


def strange(its: Bound, facts: Facts) -> list[Target]:
    """Return what is registered, and is no node at its node port; nothing where the nodes are not known."""
    nodes, port = facts.snapshot.nodes.values(), facts.snapshot.node_port_of(its.binding)
    ids = {node.instance_id for node in nodes}
    if not ids or "" in ids or port is None:
        return []
    return [target for target in facts.healths.get(its.group.arn, {}) if target.ip not in ids or target.port != port]
