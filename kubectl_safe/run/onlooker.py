"""Looks at pods and their target groups, once or over and over; nothing is ever written, nothing held."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Self

from kubectl_safe.decide.check.leftovers import mark_trouble
from kubectl_safe.decide.health import Wish, wishes_to_watch
from kubectl_safe.decide.node_targets import asked_for, lacks_nodes
from kubectl_safe.decide.rights import Needs, Right
from kubectl_safe.kube.cache import Signal
from kubectl_safe.kube.client import Client
from kubectl_safe.kube.cluster import Cluster
from kubectl_safe.kube.errors import ApiError
from kubectl_safe.kube.kinds import BINDING_KINDS, BUDGETS, DEPLOYMENTS, NETWORK_POLICIES, NODES
from kubectl_safe.kube.network import network_of
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import Target
from kubectl_safe.run.asking import Asking
from kubectl_safe.run.best_effort import BestEffort
from kubectl_safe.run.observer import Observer
from kubectl_safe.run.rights import check_rights
from kubectl_safe.run.scope import readable
from kubectl_safe.run.target_groups import PATIENCE
from kubectl_safe.run.terms import Terms

NOT_ALWAYS = frozenset({BUDGETS, DEPLOYMENTS, NETWORK_POLICIES})
"""Kinds that a command that acts always watches, and one that looks on only where it needs them.

Policies have to do with what is to be begun, and not with how far it is.
"""


def nobody(_: Snapshot) -> Iterable[Pod]:
    """Choose no pod."""
    return ()


@dataclass(kw_only=True)
class Onlooker:
    """The connections of one command that only looks; a context manager that closes them."""

    client: Client
    namespace: str | None
    """None watches all namespaces, and nodes."""
    needs: Needs
    terms: Terms
    """The AWS profile and region of them."""
    warn: Callable[[str], None]
    without: str
    """What becomes of the targets of a group that can't be asked."""
    leaves_out: bool = False
    """Whether pods whose marks can't be read are left out, and told of."""
    is_thorough: bool = False
    """Whether it is for somebody who looks for faults: in the network, among targets of no pod, and in marks too."""
    patience: timedelta = PATIENCE
    """How long AWS is waited for."""
    asks_on: bool = False
    """Whether groups that have not answered by then are asked on; otherwise they are gone without."""
    progress: Callable[[str], None]
    """Is told what is under way that may take long."""
    now: Callable[[], datetime]
    observer: Observer = field(init=False)
    left_out: tuple[Pod, ...] = field(init=False, default=())
    """Pods that the last look left out."""
    _wishes: Mapping[str, Wish] = field(init=False, default_factory=dict)
    """What to ask target groups for until the next look."""
    _told: set[str] = field(init=False, default_factory=set)
    """Pods that were told of, by UID."""
    _cluster: Cluster = field(init=False)
    _has_tried_nodes: bool = field(init=False, default=False)
    _signal: Signal = field(init=False, default_factory=Signal)
    _open: ExitStack = field(init=False, default_factory=ExitStack)

    def __enter__(self) -> Self:
        """Start to watch.

        Raises:
            KubectlSafeError: a right is missing, or the API server can't be reached.
        """
        lacking = {_kind_of(right) for right in check_rights(self.client, self.needs, self)}
        also = {_kind_of(right) for right in (*self.needs.required, *self.needs.optional)} - lacking
        without = {*(NOT_ALWAYS - also), *lacking}
        cluster = Cluster(self.client, namespace=self.namespace, signal=self._signal, also=also, without=without)
        self._cluster = self._open.enter_context(cluster)
        self.observer = Observer(cluster, now=self.now)
        self.observer.begin_to_ask = self._asking.begin
        if self.is_thorough:
            self.observer.network = network_of(self.client, cluster.served, self.namespace)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def look(self, choose: Callable[[Snapshot], Iterable[Pod]] = nobody, *, targets: Iterable[Target] = ()) -> Snapshot:
        """Return what is known now, with the health of the targets of the pods that are chosen.

        The first answer of each target group is waited for. One that can't be asked is told of, once, and gone without.

        Args:
            choose: chooses pods of a snapshot.
            targets: others to ask for from now on.
        """
        snapshot = self._look()
        if self._groups.find(choose(snapshot), snapshot):
            snapshot = self._look()
        if self._watches_nodes(choose(snapshot), snapshot):
            snapshot = self._look()
        if self._groups.ask(choose(snapshot), snapshot, also=self._nodes_of(choose(snapshot), snapshot)):
            snapshot = self._look()
        pods = tuple(choose(snapshot))
        its = {target for pod in pods for target in snapshot.targets_of(pod)} | self._nodes_of(pods, snapshot)
        self._wishes = wishes_to_watch(its | set(targets), snapshot)
        return snapshot

    def wait(self, longest: timedelta) -> None:
        """Return once something changed, or after that long; what was looked at is asked for again meanwhile."""
        self.observer.want(self._wishes)
        self._signal.wait(longest.total_seconds())

    def _nodes_of(self, pods: Iterable[Pod], snapshot: Snapshot) -> frozenset[Target]:
        return frozenset() if self.is_thorough else asked_for(pods, snapshot)

    def _watches_nodes(self, pods: Iterable[Pod], snapshot: Snapshot) -> bool:
        """Begin to watch nodes where they turn out to be targets; where they may not be read, say so once."""
        if self.is_thorough or self._has_tried_nodes or not lacks_nodes(pods, snapshot):
            return False
        self._has_tried_nodes = True
        try:
            self._cluster.watch_also(NODES)
        except ApiError as error:
            self.warn(f"Warning: {error}; targets that are nodes are not known")
            return False
        return True

    def _look(self) -> Snapshot:
        snapshot = self.observer.look()
        if not self.leaves_out:
            return snapshot
        snapshot, self.left_out = readable(snapshot)
        # Who looks for faults finds them in the marks.
        for pod in () if self.is_thorough else self.left_out:
            if pod.uid not in self._told:
                self._told.add(pod.uid)
                self.warn(f"Warning: {mark_trouble(pod)}; it is left out until then")
        return snapshot

    @cached_property
    def _asking(self) -> Asking:
        return Asking(
            terms=self.terms,
            observer=self.observer,
            signal=self._signal,
            warn=self.warn,
            now=self.now,
            resources=self._open,
            has_others=self.is_thorough,
            patience=self.patience,
        )

    @cached_property
    def _groups(self) -> BestEffort:
        return BestEffort(
            asking=self._asking,
            observer=self.observer,
            warn=self.warn,
            without=self.without,
            progress=self.progress,
            now=self.now,
            takes_unseen=not self.is_thorough,
            asks_on=self.asks_on,
        )


def _kind_of(right: Right) -> str:
    return BINDING_KINDS[right.group] if right.is_of_bindings else right.resource
