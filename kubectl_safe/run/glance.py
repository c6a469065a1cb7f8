"""One look at a cluster and its target groups, for commands that only look: nothing is ever written, nothing held."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Self

from kubectl_safe.decide.allow import UNSEEN_TARGETS
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.decide.rights import Needs
from kubectl_safe.decide.settings import Settings
from kubectl_safe.kube.cache import Signal
from kubectl_safe.kube.client import Client
from kubectl_safe.kube.cluster import Cluster
from kubectl_safe.kube.network import network_of
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.run.asking import Asking
from kubectl_safe.run.observer import Observer
from kubectl_safe.run.rights import check_rights
from kubectl_safe.run.target_groups import PATIENCE
from kubectl_safe.run.terms import Terms

_TOGETHER = 10
"""Target groups that are asked before a word is said: AWS is asked twice a second, and each takes two questions."""


@dataclass(kw_only=True)
class Glance:
    """The connections of a look; a context manager that closes them."""

    client: Client
    namespace: str | None
    """None looks at all namespaces, and at nodes."""
    needs: Needs
    terms: Terms
    """The AWS profile and region of them."""
    warn: Callable[[str], None]
    progress: Callable[[str], None]
    now: Callable[[], datetime]
    observer: Observer = field(init=False)
    _signal: Signal = field(init=False, default_factory=Signal)
    _open: ExitStack = field(init=False, default_factory=ExitStack)

    def __enter__(self) -> Self:
        """Read the cluster.

        Raises:
            KubectlSafeError: a right is missing, or the API server can't be reached.
        """
        lacking = check_rights(self.client, self.needs, self)
        rights = {*self.needs.required, *self.needs.optional} - lacking
        also = {right.resource for right in rights if right.verb == "watch"}
        cluster = Cluster(self.client, namespace=self.namespace, signal=self._signal, also=also)
        self._open.enter_context(cluster)
        self.observer = Observer(cluster, now=self.now)
        self.observer.network = network_of(self.client, cluster.served, self.namespace)
        self.observer.begin_to_ask = self._asking.begin
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def look(self, pods: Iterable[Pod]) -> Snapshot:
        """Return what is known, with the target groups of these pods; what can't be asked is told, and gone without."""
        by_group = self._by_group(pods)
        names = sorted(by_group)
        for start in range(0, len(names), _TOGETHER):
            self.progress(f"asking AWS: {start} of {len(names)} target groups have answered")
            self._ask([by_group[name] for name in names[start : start + _TOGETHER]])
        self._tell_unseen()
        return self.observer.look()

    def _ask(self, groups: list[list[Pod]]) -> None:
        """Ask the target groups of pods, listed by their groups; where one fails for good, the others by themselves."""
        began = self.now()
        try:
            self._asking.ask(self._intent(pod for pods in groups for pod in pods))
        except KubectlSafeError as error:
            if len(groups) > 1 and self.now() - began < PATIENCE:
                for pods in groups:
                    self._ask([pods])
            else:
                self.warn(f"Warning: {error}")

    def _by_group(self, pods: Iterable[Pod]) -> dict[str, list[Pod]]:
        """Return the pods behind target groups, by the group; one of several is asked of with its first."""
        snapshot = self.observer.look()
        found: dict[str, list[Pod]] = {}
        for pod in pods:
            if bindings := snapshot.bindings_of(pod):
                found.setdefault(min(binding.group for binding in bindings), []).append(pod)
        return found

    def _intent(self, pods: Iterable[Pod]) -> Intent:
        snapshot = self.observer.look()
        planned = tuple(
            Planned(
                uid=pod.uid,
                namespace=pod.namespace,
                name=pod.name,
                node=pod.node or "",
                workload=reference_to(workload) if (workload := snapshot.workload_of(pod)) else None,
            )
            for pod in pods
        )
        return Intent(pods=planned, settings=Settings(allow=frozenset({UNSEEN_TARGETS})))

    def _tell_unseen(self) -> None:
        health = self.observer.target_health
        why = {str(error) for error in health.heard.values() if error} if health else set()
        for text in sorted(why) if self.observer.unseen else ():
            self.warn(f"Warning: {text}; what is said of its targets is left out")

    @cached_property
    def _asking(self) -> Asking:
        return Asking(
            terms=self.terms,
            observer=self.observer,
            signal=self._signal,
            warn=self.warn,
            now=self.now,
            resources=self._open,
            has_others=True,
        )
