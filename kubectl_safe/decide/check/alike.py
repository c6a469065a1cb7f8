"""Pods that are set up in the same way: what is found of one is found of all, and told once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from kubectl_safe.decide.check.subject import Subject, of_pod
from kubectl_safe.decide.check.words import counted, named
from kubectl_safe.model.container import Container
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.service import Service
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import TargetGroup, TargetGroupBinding

_Bindings = tuple[TargetGroupBinding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """Pods of one workload that have the same containers and are behind the same Services and target groups."""

    subject: Subject
    pods: tuple[Pod, ...]
    """By name; there is one at least."""
    services: tuple[Service, ...]
    bindings: tuple[TargetGroupBinding, ...]
    """Those of which the pods themselves are targets."""
    groups: tuple[TargetGroup, ...]
    """Of these bindings, as far as AWS told of them."""
    through_nodes: tuple[TargetGroupBinding, ...] = ()
    """Those of which nodes are targets, each of which leads requests to the pods."""

    def __str__(self) -> str:
        return f"{counted(len(self.pods), 'pod')}: {named(self.pods)}"

    @property
    def first(self) -> Pod:
        """One for all."""
        return self.pods[0]

    @property
    def serving(self) -> tuple[Container, ...]:
        """The containers that answer requests: those with a port that a Service leads to, or all where none says so."""
        numbers = {port.number_in(self.first) for service in self.services for port in service.ports}
        named = [c for c in self.first.containers if any(port.number in numbers for port in c.ports)]
        return tuple(named or (c for c in self.first.containers if not c.is_sidecar))

    @property
    def grace(self) -> timedelta:
        """How long a pod has to stop."""
        return timedelta(seconds=self.first.grace_period_seconds)

    @property
    def has_hook(self) -> bool:
        """Whether anything is done before SIGTERM in what answers requests."""
        return any(container.pre_stop for container in self.serving)

    @property
    def pause(self) -> timedelta | None:
        """How long what answers requests goes on before SIGTERM, at least; None where hooks don't tell."""
        hooks = [container.pre_stop for container in self.serving if container.pre_stop]
        known = [hook.duration for hook in hooks if hook.duration is not None]
        return max(known) if known and len(known) == len(hooks) else None

    @property
    def delay(self) -> timedelta:
        """The longest deregistration delay of its groups; nothing without any."""
        return max((group.deregistration_delay for group in self.groups), default=timedelta(0))

    @property
    def until_healthy(self) -> timedelta:
        """How long a pod that comes may be Ready before its target is healthy: nothing where gates wait for that."""
        gateless = {b.group for b in self.bindings if b.gate_in(self.first.readiness_gates) is None}
        waits = (g.health_check_interval * g.healthy_threshold for g in self.groups if g.arn in gateless)
        return max(waits, default=timedelta(0))


def alike(
    snapshot: Snapshot, pods: Iterable[Pod], bindings: Mapping[str, tuple[TargetGroupBinding, ...]]
) -> tuple[Alike, ...]:
    """Return pods, those together that are set up in the same way; static pods are set up by nobody in the cluster."""
    found: dict[object, list[Pod]] = {}
    of: dict[object, tuple[Subject, tuple[Service, ...], tuple[_Bindings, _Bindings]]] = {}
    for pod in pods:
        if pod.is_mirror:
            continue
        subject, services = of_pod(pod, snapshot), snapshot.services_of(pod)
        known = bindings.get(pod.uid, ())
        its = tuple(b for b in known if b.target_type == "ip"), tuple(b for b in known if b.is_of_nodes)
        names = tuple(service.name for service in services)
        key = (
            subject,
            pod.containers,
            pod.grace_period_seconds,
            pod.readiness_gates,
            names,
            tuple(b.key for some in its for b in some),
        )
        found.setdefault(key, []).append(pod)
        of[key] = subject, services, its
    return tuple(_alike(found[key], *of[key], snapshot) for key in found)


def _alike(
    pods: list[Pod],
    subject: Subject,
    services: tuple[Service, ...],
    bindings: tuple[_Bindings, _Bindings],
    snapshot: Snapshot,
) -> Alike:
    of_pods, through_nodes = bindings
    groups = {b.group: group for b in of_pods if (group := snapshot.groups.get(b.group))}
    return Alike(
        subject=subject,
        pods=tuple(pods),
        services=services,
        bindings=of_pods,
        groups=tuple(groups.values()),
        through_nodes=through_nodes,
    )
