"""Looks at workloads, their pods and their target groups, over and over; nothing is ever written."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Self

from kubectl_safe.decide.allow import UNSEEN_TARGETS
from kubectl_safe.decide.health import wishes_to_watch
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.decide.preflight import sought_by, targets_of
from kubectl_safe.decide.rights import Needs
from kubectl_safe.kube.cache import Signal
from kubectl_safe.kube.client import Client
from kubectl_safe.kube.cluster import BINDING_KINDS, BUDGETS, DEPLOYMENTS, NETWORK_POLICIES, Cluster
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import Target, group_name
from kubectl_safe.model.workload import Workload
from kubectl_safe.run.asking import Asking
from kubectl_safe.run.observer import Observer
from kubectl_safe.run.rights import check_rights
from kubectl_safe.run.target_groups import UnseenTargetsError
from kubectl_safe.run.terms import Terms

UNNEEDED = frozenset({BUDGETS, NETWORK_POLICIES})
"""They have to do with what is to be begun, and not with how far it is."""

GATES_ONLY = "until then its targets are told by their readiness gates alone, and old ones are not waited for"


@dataclass(kw_only=True)
class Onlooker:
    """The connections of one command that only looks; a context manager that closes them."""

    client: Client
    namespace: str
    needs: Needs
    terms: Terms
    """The AWS profile and region of them."""
    warn: Callable[[str], None]
    now: Callable[[], datetime]
    observer: Observer = field(init=False)
    _tried: set[str] = field(init=False, default_factory=set)
    """Target groups that were asked for once, by ARN or by name."""
    _signal: Signal = field(init=False, default_factory=Signal)
    _open: ExitStack = field(init=False, default_factory=ExitStack)

    def __enter__(self) -> Self:
        """Start to watch.

        Raises:
            KubectlSafeError: a right is missing, or the API server can't be reached.
        """
        lacking = {BINDING_KINDS[right.group] for right in check_rights(self.client, self.needs, self)}
        also = {right.resource for right in self.needs.required}
        without = {*UNNEEDED, *lacking, *({DEPLOYMENTS} - also)}
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
        snapshot = self.observer.look()
        if workload is None:
            return snapshot
        self._ask_first(workload, snapshot)
        snapshot = self.observer.look()
        its = {target for pod in snapshot.pods_of(workload) for target in snapshot.targets_of(pod)}
        self.observer.want(wishes_to_watch(its | set(targets), snapshot))
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

    def _ask_first(self, workload: Workload, snapshot: Snapshot) -> None:
        intent = _all_of(workload, snapshot)
        for name, binding in sought_by(intent, snapshot).items():
            ask = partial(self._asking.begin().await_names, {name: binding}, snapshot)
            self._try(group_name(name.group), ask)
        snapshot = self.observer.look()
        roles, allow = snapshot.roles_by_group, frozenset({UNSEEN_TARGETS})
        for arn, targets in targets_of(intent, snapshot).items():
            self._try(arn, partial(self._asking.begin().await_all, {arn: targets}, roles=roles, allow=allow))

    def _try(self, group: str, ask: Callable[[], None]) -> None:
        """Ask for one target group, once; where that can't be, say so and go without it."""
        if group in self._tried:
            return
        self._tried.add(group)
        why = ""
        try:
            ask()
        except UnseenTargetsError as error:
            why = str(error)
            self.observer.unseen |= {group}
        if group in self.observer.unseen:
            heard = self.observer.target_health.errors if self.observer.target_health else {}
            self.warn(f"Warning: {why or heard[group]}; {GATES_ONLY}")


def _all_of(workload: Workload, snapshot: Snapshot) -> Intent:
    """Return a workload's pods in the form in which their target groups are told."""
    owner = reference_to(workload)
    return Intent(
        pods=tuple(
            Planned(uid=pod.uid, namespace=pod.namespace, name=pod.name, node=pod.node or "", workload=owner)
            for pod in snapshot.pods_of(workload)
        )
    )
