"""Network policies, as far as what they make of a pod hangs on its labels."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from kubectl_safe.model.selector import Labels, LabelSelector

NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""The label of each namespace with its name, which the API server sets and keeps (NamespaceDefaultLabelName)."""

_CALICO = ("networkpolicies", "globalnetworkpolicies")
POLICY_KINDS: Mapping[str, tuple[str, ...]] = {
    "cilium.io": ("ciliumnetworkpolicies", "ciliumclusterwidenetworkpolicies"),
    "crd.projectcalico.org": _CALICO,
    "projectcalico.org": _CALICO,
    "policy.networking.k8s.io": ("adminnetworkpolicies", "baselineadminnetworkpolicies", "clusternetworkpolicies"),
    "networking.k8s.aws": ("applicationnetworkpolicies", "clusternetworkpolicies"),
}
"""Policies that look at labels of pods, by group: of Cilium, Calico, SIG Network, and Amazon EKS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One entry of a rule's `from` or `to` that names pods."""

    pods: LabelSelector
    namespaces: LabelSelector | None = None
    """None for the policy's own namespace."""

    @property
    def is_sure(self) -> bool:
        """Whether it can be told which namespaces it means: of their labels, only their names are known."""
        return self.namespaces is None or self.namespaces.keys <= {NAMESPACE_NAME}

    def may_name(self, namespace: str, labels: Labels, *, home: str) -> bool:
        """Tell whether it may name a pod of a namespace with these labels; `home` is the policy's namespace."""
        if self.namespaces is None:
            is_meant = namespace == home
        else:
            is_meant = self.namespaces.about(NAMESPACE_NAME).matches({NAMESPACE_NAME: namespace})
        return is_meant and self.pods.matches(labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a policy takes a pod for: its subject, or a peer."""

    rule: int | None = None
    """Of which rule it is a peer; None for a subject."""
    peer: int | None = None
    """By which entry, where that is not sure to mean its namespace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPolicy:
    """A NetworkPolicy (networking.k8s.io/v1)."""

    namespace: str
    name: str
    subjects: LabelSelector
    rules: tuple[tuple[Peer, ...], ...] = ()
    """The peers of each rule, be it of ingress or of egress: one of them is enough. Addresses know no labels."""

    @property
    def subject(self) -> str:
        """How people name it."""
        return f"networkpolicy {self.namespace}/{self.name}"

    @property
    def keys(self) -> frozenset[str]:
        """The labels of pods that it looks at."""
        return self.subjects.keys.union(*(peer.pods.keys for peers in self.rules for peer in peers))

    def parts(self, namespace: str, labels: Labels) -> frozenset[Part]:
        """Return what it takes a pod of a namespace with these labels for."""
        return frozenset(self._parts(namespace, labels))

    def _parts(self, namespace: str, labels: Labels) -> Iterator[Part]:
        if namespace == self.namespace and self.subjects.matches(labels):
            yield Part()
        for rule, peers in enumerate(self.rules):
            named = [n for n, peer in enumerate(peers) if peer.may_name(namespace, labels, home=self.namespace)]
            if any(peers[number].is_sure for number in named):
                yield Part(rule=rule)
            else:
                yield from (Part(rule=rule, peer=number) for number in named)

    def tells_apart(self, namespace: str, before: Labels, after: Labels) -> bool:
        """Tell whether it takes a pod for something else once its labels have changed."""
        return self.parts(namespace, before) != self.parts(namespace, after)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignPolicy:
    """A policy of another kind, of which is known only which labels its selectors look at."""

    kind: str
    """As kubectl takes it: `ciliumnetworkpolicies.cilium.io`."""
    namespace: str
    """Empty for one of the cluster."""
    name: str
    scope: str | None
    """The only namespace whose pods it may mean; None for any."""
    keys: frozenset[str]
    """The labels that it looks at."""

    @property
    def subject(self) -> str:
        """How people name it."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    def tells_apart(self, namespace: str, before: Labels, after: Labels) -> bool:
        """Tell whether it may take a pod for something else once its labels have changed."""
        return self.scope in {None, namespace} and not self.keys.isdisjoint(changed(before, after))


Policy = NetworkPolicy | ForeignPolicy


@dataclass(frozen=True, kw_only=True)
class Policies:
    """All policies that are known, and what of them is not.

    It remembers what it was asked: thousands of pods differ only in labels that no policy looks at.
    """

    known: tuple[Policy, ...] = ()
    unseen: frozenset[str] = frozenset()
    """Kinds that the cluster serves and that can't be listed."""
    _answers: dict[tuple[object, ...], tuple[Policy, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def telling_apart(self, namespace: str, before: Labels, after: Labels) -> tuple[Policy, ...]:
        """Return the policies that take a pod for something else once its labels have changed."""
        question = namespace, self._looked_at(before), self._looked_at(after)
        if question not in self._answers:
            self._answers[question] = tuple(its for its in self.known if its.tells_apart(namespace, before, after))
        return self._answers[question]

    @cached_property
    def _keys(self) -> frozenset[str]:
        return frozenset[str]().union(*(policy.keys for policy in self.known))

    def _looked_at(self, labels: Labels) -> frozenset[tuple[str, str]]:
        return frozenset((key, labels[key]) for key in self._keys & labels.keys())


def changed(before: Labels, after: Labels) -> frozenset[str]:
    """Return the keys of the labels that were taken off, put on or changed."""
    return frozenset(key for key, _ in before.items() ^ after.items())
