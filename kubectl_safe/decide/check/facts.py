"""What a check looks at: the snapshot that decides, and what else is known of the set-up around it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from kubectl_safe.decide.check.alike import Alike, alike
from kubectl_safe.decide.check.refused import Refusal, refused
from kubectl_safe.decide.rights import Lack
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.setup import Setup
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import Target, TargetGroupBinding, TargetHealth
from kubectl_safe.model.workload import Workload


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything that rules are about; what could not be read is left out, and its rules find nothing."""

    snapshot: Snapshot
    workloads: tuple[Workload, ...] = ()
    """Those that are checked."""
    pods: tuple[Pod, ...] = ()
    """Those that are checked: of the workloads, and others that were asked for."""
    nodes: tuple[str, ...] = ()
    """The names of those that are checked."""
    setup: Setup = field(default_factory=Setup)
    denied: Mapping[str, Lack] = field(default_factory=dict)
    """By command (`drain`): the rights for it that we don't have."""
    shadows: Mapping[str, str] = field(default_factory=dict)
    """By command line (`kubectl safe drain`): the file on the PATH that kubectl runs for it, which is not ours."""
    unreadable: tuple[Pod, ...] = ()
    """Pods whose mark of a handoff somebody else wrote; they are nowhere else in here."""
    whole: frozenset[str] = frozenset()
    """Namespaces of which everything is checked."""
    unseen: frozenset[str] = frozenset()
    """Addresses of pods that AWS may tell of and the snapshot doesn't: they went meanwhile, or can't be read."""

    @cached_property
    def live_pods(self) -> tuple[Pod, ...]:
        """Those of the checked pods that serve, or are to."""
        return tuple(filter(is_live, self.pods))

    @cached_property
    def bindings(self) -> Mapping[str, tuple[TargetGroupBinding, ...]]:
        """The bindings of each pod that serves, by its UID."""
        return {pod.uid: self.snapshot.bindings_of(pod) for pod in self.live_pods}

    @cached_property
    def healths(self) -> Mapping[str, Mapping[Target, TargetHealth]]:
        """What AWS says of the targets of each group, by its ARN."""
        found: dict[str, dict[Target, TargetHealth]] = {}
        for target, health in self.snapshot.health.items():
            found.setdefault(target.group, {})[target] = health
        return found

    def is_healthy(self, target: Target) -> bool:
        """Tell whether a target's load balancer gets answers from it, as far as AWS told."""
        health = self.snapshot.health.get(target)
        return health is not None and health.is_healthy

    @cached_property
    def alike(self) -> tuple[Alike, ...]:
        """The pods that serve, those together that are set up in the same way."""
        return alike(self.snapshot, self.live_pods, self.bindings)

    @cached_property
    def served(self) -> tuple[Alike, ...]:
        """Those of them that Services lead requests to."""
        return tuple(its for its in self.alike if its.services)

    @cached_property
    def refused(self) -> tuple[Refusal, ...]:
        """What handoffs of the checked pods would refuse; each reason is a rule, and they are found together."""
        return refused(self.snapshot, self.workloads, self.pods, self.nodes)


def is_live(pod: Pod) -> bool:
    """Tell whether a pod serves, or is to."""
    return not (pod.is_finished or pod.is_terminating or pod.is_withdrawn)
