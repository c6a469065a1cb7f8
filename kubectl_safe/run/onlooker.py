"""Looks at workloads, their pods and their target groups, over and over; nothing is ever written."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Self

from kubectl_safe.decide.allow import UNSEEN_TARGETS
from kubectl_safe.decide.check.leftovers import mark_trouble
from kubectl_safe.decide.health import wishes_to_watch
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.decide.preflight import sought_by, targets_of
from kubectl_safe.decide.rights import Needs, Right
from kubectl_safe.kube.cache import Signal
from kubectl_safe.kube.client import Client
from kubectl_safe.kube.cluster import Cluster
from kubectl_safe.kube.kinds import BINDING_KINDS, BUDGETS, DEPLOYMENTS, NETWORK_POLICIES
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import Role, Target, group_name
from kubectl_safe.model.workload import Workload
from kubectl_safe.run.asking import Asking
from kubectl_safe.run.observer import Observer
from kubectl_safe.run.rights import check_rights
from kubectl_safe.run.scope import readable
from kubectl_safe.run.target_groups import PATIENCE, UnseenTargetsError
from kubectl_safe.run.terms import Terms

NOT_ALWAYS = frozenset({BUDGETS, DEPLOYMENTS, NETWORK_POLICIES})
"""Kinds that a command that acts always watches, and one that looks on only where it needs them.

Policies have to do with what is to be begun, and not with how far it is.
"""

TOGETHER = 10
"""Target groups that are asked before a word is said: AWS is asked twice a second, and each takes two questions."""


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
    """Whether pods whose marks can't be read are told of, and left out."""
    progress: Callable[[str], None]
    """Is told what is under way that may take long."""
    now: Callable[[], datetime]
    observer: Observer = field(init=False)
    _tried: set[str] = field(init=False, default_factory=set)
    """Target groups that were asked for once, by ARN or by name, and pods that were told of, by UID."""
    _told: set[str] = field(init=False, default_factory=set)
    """Why groups are gone without, as was told."""
    _has_given_up: bool = field(init=False, default=False)
    """Whether no further group is waited for: AWS has not answered for as long as anybody waits."""
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
        self._open.enter_context(cluster)
        self.observer = Observer(cluster, now=self.now)
        self.observer.begin_to_ask = self._asking.begin
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def look(self, workload: Workload | None = None, *, targets: Iterable[Target] = ()) -> Snapshot:
        """Return what is known now, with the health of a workload's targets and of these.

        The first answer of each target group is waited for. One that can't be asked is told of, once, and gone without.
        """
        return self.look_at(lambda snapshot: snapshot.pods_of(workload) if workload else (), targets=targets)

    def look_at(self, choose: Callable[[Snapshot], Iterable[Pod]], *, targets: Iterable[Target] = ()) -> Snapshot:
        """Do the same for the pods that are chosen."""
        snapshot = self._look()
        if pods := tuple(choose(snapshot)):
            self._ask_first(pods, snapshot)
            snapshot = self._look()
        its = {target for pod in choose(snapshot) for target in snapshot.targets_of(pod)}
        self.observer.want(wishes_to_watch(its | set(targets), snapshot))
        return snapshot

    def _look(self) -> Snapshot:
        snapshot = self.observer.look()
        if not self.leaves_out:
            return snapshot
        snapshot, strange = readable(snapshot)
        for pod in strange:
            if pod.uid not in self._tried:
                self._tried.add(pod.uid)
                self.warn(f"Warning: {mark_trouble(pod)}; it is left out until then")
        return snapshot

    def wait(self, longest: timedelta) -> None:
        """Return once something changed, or after that long."""
        self._signal.wait(longest.total_seconds())

    @cached_property
    def _asking(self) -> Asking:
        return Asking(
            terms=self.terms,
            observer=self.observer,
            signal=self._signal,
            warn=self.warn,
            now=self.now,
            resources=self._open,
        )

    def _ask_first(self, pods: Iterable[Pod], snapshot: Snapshot) -> None:
        """Have each target group answer that was not asked before; AWS tells of many at once, if of each of them."""
        intent = _all_of(pods, snapshot)
        for name, binding in sought_by(intent, snapshot).items():
            ask = partial(self._asking.begin().await_names, {name: binding}, snapshot)
            self._try([group_name(name.group)], ask)
        snapshot = self._look()
        roles = snapshot.roles_by_group
        new = [its for its in sorted(targets_of(intent, snapshot).items()) if its[0] not in self._tried]
        for start in range(0, len(new), TOGETHER):
            self.progress(f"asking AWS: {start} of {len(new)} target groups have answered")
            self._ask_together(dict(new[start : start + TOGETHER]), roles)

    def _ask_together(self, groups: Mapping[str, frozenset[Target]], roles: Mapping[str, Role]) -> None:
        allow = frozenset({UNSEEN_TARGETS})
        ask = partial(self._asking.begin().await_all, groups, roles=roles, allow=allow)
        if not self._try(list(groups), ask):
            for arn, targets in groups.items():
                self._ask_together({arn: targets}, roles)

    def _try(self, groups: Sequence[str], ask: Callable[[], None]) -> bool:
        """Ask for target groups, once; where that can't be, say so and go without them.

        Returns:
            False where one of several can't be asked: each has to be asked for by itself then.
        """
        if self._has_given_up or all(group in self._tried for group in groups):
            # An answer is taken whenever it comes.
            self._tried |= set(groups)
            return True
        began = self.now()
        try:
            ask()
        except UnseenTargetsError as error:
            self._has_given_up = self.now() - began >= PATIENCE
            if len(groups) > 1 and not self._has_given_up:
                return False
            missing = [group for group in groups if not self._has_answered(group)]
            self.observer.unseen |= frozenset(missing)
            self._go_without(str(error))
        else:
            errors = self.observer.target_health.errors if self.observer.target_health else {}
            for group in groups:
                if group in self.observer.unseen:
                    self._go_without(errors[group])
        self._tried |= set(groups)
        return True

    def _has_answered(self, group: str) -> bool:
        heard = self.observer.target_health.heard if self.observer.target_health else {}
        return group in heard and heard[group] is None

    def _go_without(self, why: str) -> None:
        if why not in self._told:
            self._told.add(why)
            self.warn(f"Warning: {why}; {self.without}")


def _kind_of(right: Right) -> str:
    return BINDING_KINDS[right.group] if right.is_of_bindings else right.resource


def _all_of(pods: Iterable[Pod], snapshot: Snapshot) -> Intent:
    """Return pods in the form in which their target groups are told."""
    return Intent(
        pods=tuple(
            Planned(
                uid=pod.uid,
                namespace=pod.namespace,
                name=pod.name,
                node=pod.node or "",
                workload=reference_to(workload) if (workload := snapshot.workload_of(pod)) else None,
            )
            for pod in pods
        )
    )
