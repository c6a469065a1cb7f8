"""Asks target groups for who only looks: each once, and one that can't be asked is told of and gone without."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from kubectl_safe.decide.allow import UNSEEN_TARGETS
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.decide.preflight import by_group, groups_of_nodes, sought_by, targets_of
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import GroupName, Target, group_name
from kubectl_safe.run.asking import Asking
from kubectl_safe.run.observer import Observer
from kubectl_safe.run.target_groups import UnseenTargetsError

TOGETHER = 10
"""Target groups that are asked before a word is said: AWS is asked twice a second, and each takes two questions."""

_ALLOW = frozenset({UNSEEN_TARGETS})

K = TypeVar("K", str, GroupName)
V = TypeVar("V")


@dataclass(kw_only=True)
class BestEffort:
    """Asks what it can, and says what it can't."""

    asking: Asking
    observer: Observer
    warn: Callable[[str], None]
    without: str
    """What becomes of the targets of a group that can't be asked."""
    progress: Callable[[str], None]
    """Is told how many groups have answered."""
    now: Callable[[], datetime]
    takes_unseen: bool = True
    """Whether a group that doesn't answer is taken for one that may not be asked."""
    asks_on: bool = False
    """Whether one that has not answered so far is asked on, and its answer taken whenever it comes."""
    _tried: set[str | GroupName] = field(init=False, default_factory=set)
    """Target groups that were asked for, by ARN, or by what a binding names them."""
    _told: set[str] = field(init=False, default_factory=set)
    """Why groups are gone without, as was told."""
    _has_given_up: bool = field(init=False, default=False)
    """Whether no further group is waited for: AWS has not answered for as long as anybody waits."""

    def find(self, pods: Iterable[Pod], snapshot: Snapshot) -> bool:
        """Ask what the target groups of pods are that bindings only name; tell whether any had to be asked for."""
        sought = sought_by(_all_of(pods, snapshot), snapshot)
        return self._in_batches(sought, lambda some: self.asking.begin().await_names(some, snapshot))

    def ask(self, pods: Iterable[Pod], snapshot: Snapshot, *, also: Iterable[Target] = ()) -> bool:
        """Have each target group of pods, and of targets, answer that was not asked before; tell if there was one.

        Where all targets of a group are told, groups of nodes are asked without naming any.
        """
        intent, roles = _all_of(pods, snapshot), snapshot.roles_by_group
        of_nodes = groups_of_nodes(intent, snapshot) if self.asking.has_others else ()
        wanted = {**dict.fromkeys(of_nodes, frozenset[Target]()), **targets_of(intent, snapshot), **by_group(also)}
        return self._in_batches(wanted, lambda some: self.asking.begin().await_all(some, roles=roles, allow=_ALLOW))

    def _in_batches(self, wanted: Mapping[K, V], ask: Callable[[Mapping[K, V]], None]) -> bool:
        new = [(group, wanted[group]) for group in sorted(wanted, key=str) if group not in self._tried]
        left = 0
        for start in range(0, len(new), TOGETHER):
            self.progress(f"asking AWS: {start} of {len(new)} target groups have answered")
            left += self._ask(dict(new[start : start + TOGETHER]), ask)
        if left:
            they_are = "target groups are" if left > 1 else "target group is"
            self.warn(f"Warning: AWS gives no answer: {left} more {they_are} not waited for")
        self._tried.update(group for group, _ in new)
        return bool(new)

    def _ask(self, groups: Mapping[K, V], ask: Callable[[Mapping[K, V]], None]) -> int:
        """Ask for several groups at once, which AWS tells of if it does of each; else for each by itself.

        Returns:
            How many are not waited for; an answer is taken whenever it comes.
        """
        if self._has_given_up:
            return len(groups)
        began = self.now()
        try:
            ask(groups)
        except UnseenTargetsError as error:
            self._has_given_up = self.now() - began >= self.asking.patience
            if len(groups) > 1 and not self._has_given_up:
                return sum(self._ask({group: its}, ask) for group, its in groups.items())
            self._go_without(str(error))
            if self.takes_unseen and not (self._has_given_up and self.asks_on):
                self.observer.unseen |= {_known_as(group) for group in groups} - self._answered
        else:
            for refused in sorted(self.observer.unseen.intersection(map(_known_as, groups))):
                self._go_without(self._errors[refused])
        return 0

    @property
    def _errors(self) -> Mapping[str, str]:
        return self.observer.target_health.errors if self.observer.target_health else {}

    @property
    def _answered(self) -> frozenset[str]:
        heard = self.observer.target_health.heard if self.observer.target_health else {}
        return frozenset(group for group, error in heard.items() if error is None)

    def _go_without(self, why: str) -> None:
        if why not in self._told:
            self._told.add(why)
            self.warn(f"Warning: {why}; {self.without}")


def _known_as(group: str | GroupName) -> str:
    """Return what targets of a group that is named so tell as theirs."""
    return group_name(group.group) if isinstance(group, GroupName) else group


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
