"""Target groups: how they send requests to pods that come, and stop to send them to pods that go.

Source of attributes and defaults: Elastic Load Balancing API reference, version 2015-12-01, TargetGroupAttribute.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from kubectl_safe.decide.check.alike import Alike
from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.finding import Finding, Rule, Severity
from kubectl_safe.decide.check.remedies import attribute, health_check, whole_seconds
from kubectl_safe.decide.check.shutdown import DELAY
from kubectl_safe.decide.check.subject import Subject
from kubectl_safe.decide.check.words import counted
from kubectl_safe.decide.settings import go_duration
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.target import TargetGroup, TargetGroupBinding, group_name

_SLOW_TO_FAIL = timedelta(seconds=30)
_SLOW_TO_PASS = timedelta(seconds=60)
_TO_END = timedelta(seconds=10)
_QUICK = {"interval-seconds": 10, "timeout-seconds": 5, "unhealthy-threshold-count": 2, "healthy-threshold-count": 2}
_TERMINATION = "deregistration_delay.connection_termination.enabled"
_OF_CONNECTIONS = {"TCP", "TLS", "TCP_UDP"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A target group of the checked pods, and the binding that has them registered."""

    binding: TargetGroupBinding
    group: TargetGroup
    alike: tuple[Alike, ...]
    """The pods behind it."""

    @property
    def pods(self) -> tuple[Pod, ...]:
        """All of them."""
        return tuple(pod for its in self.alike for pod in its.pods)

    @property
    def subject(self) -> Subject:
        """What findings call it."""
        kind = f"targetgroupbinding.{self.binding.api}"
        return Subject(kind=kind, name=self.binding.name, namespace=self.binding.namespace)

    @property
    def name(self) -> str:
        """That of the target group."""
        return group_name(self.group.arn)

    @property
    def is_of_nodes(self) -> bool:
        """Whether nodes are its targets, and not the pods: what a pod does when it stops is nothing to it."""
        return self.binding.is_of_nodes

    @property
    def of(self) -> str:
        """What its targets are: `node` or `pod`."""
        return "node" if self.is_of_nodes else "pod"


def bound(facts: Facts) -> list[Bound]:
    """Return the groups of which the checked pods, or nodes for them, are targets, as far as AWS told of them."""
    behind: dict[tuple[str, str, str], list[Alike]] = {}
    bindings: dict[tuple[str, str, str], TargetGroupBinding] = {}
    for its in facts.alike:
        for binding in (*its.bindings, *its.through_nodes):
            behind.setdefault(binding.key, []).append(its)
            bindings[binding.key] = binding
    return [
        Bound(binding=binding, group=group, alike=tuple(behind[key]))
        for key, binding in sorted(bindings.items())
        if (group := facts.snapshot.groups.get(binding.group))
    ]


def _delay_zero(facts: Facts) -> Iterator[Finding]:
    for its in bound(facts):
        if its.group.deregistration_delay <= timedelta(0):
            yield Finding(
                code="deregistration-delay-zero",
                subject=its.subject,
                fact=f"the deregistration delay of target group {its.name} is 0s",
                remedy=attribute(its.group, DELAY, 30),
            )


def _delay_long(facts: Facts) -> Iterator[Finding]:
    """Tell of pods that pause before they stop; where they don't, that is what is to be remedied first."""
    for its in bound(facts):
        delay, pausing = its.group.deregistration_delay, [some for some in its.alike if some.has_hook]
        if its.is_of_nodes:
            continue
        grace = min((some.grace for some in pausing), default=delay)
        if delay <= grace:
            continue
        # As long as the pods pause, where that is long enough for anything: then nothing else has to change.
        pauses = [some.pause for some in pausing if some.pause and some.pause >= _TO_END]
        yield Finding(
            code="deregistration-delay-long",
            subject=its.subject,
            fact=f"target group {its.name} lets targets drain for up to {go_duration(delay)}, and its pods are killed "
            f"{go_duration(grace)} after their deletion",
            remedy=attribute(its.group, DELAY, whole_seconds(min([max(grace - _TO_END, grace / 2), *pauses]))),
        )


def _check_slow(facts: Facts) -> Iterator[Finding]:
    for its in bound(facts):
        interval, down = its.group.health_check_interval, its.group.details.check.unhealthy_threshold
        to_fail, to_pass = interval * down, interval * its.group.healthy_threshold
        if to_fail <= _SLOW_TO_FAIL and to_pass <= _SLOW_TO_PASS:
            continue
        yield Finding(
            code="health-check-slow",
            subject=its.subject,
            fact=f"target group {its.name} is asked every {go_duration(interval)}: a target that fails is left after "
            f"{go_duration(to_fail)} ({counted(down, 'check')}), one that comes is healthy after up to "
            f"{go_duration(to_pass)} ({counted(its.group.healthy_threshold, 'check')})",
            remedy=health_check(its.group, _QUICK),
        )


def _slow_start(facts: Facts) -> Iterator[Finding]:
    for its in bound(facts):
        if its.group.details.slow_start > timedelta(0):
            yield Finding(
                code="slow-start",
                subject=its.subject,
                fact=f"a new target of target group {its.name} gets fewer requests than others for "
                f"{go_duration(its.group.details.slow_start)}",
                remedy=attribute(its.group, "slow_start.duration_seconds", 0),
            )


def _keeps_flows(facts: Facts) -> Iterator[Finding]:
    for its in bound(facts):
        if its.group.keeps_flows and its.group.details.protocol in _OF_CONNECTIONS:
            yield Finding(
                code="connection-termination-off",
                subject=its.subject,
                fact=f"connections through target group {its.name} ({its.group.details.protocol}) outlive its "
                f"deregistration delay of {go_duration(its.group.deregistration_delay)}",
                remedy=attribute(its.group, _TERMINATION, "true"),
            )


_rule = partial(Rule, severity=Severity.WARNING)

RULES = (
    Rule(
        code="deregistration-delay-zero",
        severity=Severity.ERROR,
        title="Targets that are cut off as soon as they are deregistered",
        why="Without a deregistration delay the load balancer closes its connections to a target at once: requests "
        "that "
        "are being answered are lost, however gently the pod is taken away. Source: AWS, Deregistration delay.",
        find=_delay_zero,
    ),
    _rule(
        code="deregistration-delay-long",
        title="A deregistration delay longer than pods have to stop",
        why="Where others than kubectl safe take a pod away, it is killed before the delay is over, and requests that "
        "it still answers then are lost; its target takes up room until the end. Pods that kubectl safe moves are "
        "waited for, and each handoff takes so long. Source: AWS, Deregistration delay.",
        find=_delay_long,
    ),
    _rule(
        code="connection-termination-off",
        title="Connections that a Network Load Balancer doesn't end",
        why="After the deregistration delay clients may go on sending requests over connections that they have, until "
        "the pod stops and they are reset. With connection termination they are ended while the pod still serves, and "
        "clients connect anew, to another one. Source: AWS, Target groups for your Network Load Balancers.",
        find=_keeps_flows,
    ),
    _rule(
        code="health-check-slow",
        title="Health checks that take long to tell",
        why="Where a pod or its node fails, requests are sent to it until so many checks have failed; and every "
        "rollout "
        "and handoff waits until a new target is healthy. Source: AWS, Health checks for target groups.",
        find=_check_slow,
    ),
    Rule(
        code="slow-start",
        severity=Severity.NOTE,
        title="New targets that get fewer requests at first",
        why="A pod that comes carries little for so long, though it is healthy, and the others carry the rest: with "
        "several at once capacity is missing. kubectl safe --max-surge 1 moves one at a time. Source: AWS, Slow start "
        "mode.",
        find=_slow_start,
    ),
)
