"""Network policies that would take a pod for something else once its handoff has changed its labels.

A pod that stops being somebody's peer is cut off from it while it finishes its requests; one that comes under a policy,
or out of one, is isolated or opened.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from kubectl_safe.decide.allow import POLICY_CHANGE
from kubectl_safe.decide.alone import leaves
from kubectl_safe.decide.decision import Blocked, Step
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.labels import HASH, labels_to_withdraw, withdrawn, without
from kubectl_safe.decide.settings import Settings
from kubectl_safe.decide.step import release_label, step_of
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.policy import ForeignPolicy, NetworkPolicy, Part, Policy, changed
from kubectl_safe.model.selector import Labels
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Workload

ALLOW = f"or answer for it with --allow {POLICY_CHANGE}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """What one step of its handoff makes of a pod's labels."""

    pod: Pod
    by: str
    before: Labels
    after: Labels

    def of(self, keys: frozenset[str]) -> str:
        """Return in words what becomes of labels."""
        does = "takes off" if self.after.keys().isdisjoint(keys) else "changes"
        does = "puts on" if self.before.keys().isdisjoint(keys) else does
        named = f"{'labels' if len(keys) > 1 else 'label'} {' and '.join(sorted(keys))}"
        return f"{named} of pod {self.pod}, which its {self.by} {does}"


def policy_changes(intent: Intent, snapshot: Snapshot) -> Iterator[Blocked]:
    """Refuse what a policy would notice, or may, telling one pod of each workload."""
    if POLICY_CHANGE in intent.settings.allow:
        return
    told: set[tuple[str, str, str]] = set()
    for planned in intent.pods:
        pod = snapshot.pods.get(planned.uid)
        workload = snapshot.workloads.get(planned.workload.uid) if planned.workload else None
        for change in _changes(pod, workload, intent.settings, snapshot) if pod else ():
            for subject, blocked in _noticed(change, snapshot):
                about = workload.uid if workload else planned.uid, subject, change.by
                if about not in told:
                    told.add(about)
                    yield blocked


def policy_change(pod: Pod, workload: Workload | None, settings: Settings, snapshot: Snapshot) -> Blocked | None:
    """Return why a pod is not to be begun, as somebody may have made a policy since the plan was; None if it may be."""
    if POLICY_CHANGE in settings.allow:
        return None
    changes = _changes(pod, workload, settings, snapshot)
    return next((blocked for change in changes for _, blocked in _noticed(change, snapshot)), None)


def _changes(pod: Pod, workload: Workload | None, settings: Settings, snapshot: Snapshot) -> Iterator[_Change]:
    """Return what is still to become of a pod's labels, step by step; one that can't be withdrawn keeps them."""
    drop, labels = labels_to_withdraw(pod, snapshot), pod.labels
    if drop is None or pod.is_withdrawn or pod.is_terminating or pod.is_finished:
        return
    is_released = workload and step_of(pod) is Step.QUEUED and settings.surge_of(workload) > 0
    if is_released and (label := release_label(pod, snapshot)):
        labels = without(pod.labels, {label})
        yield _Change(pod=pod, by="release", before=pod.labels, after=labels)
    if (drop or snapshot.targets_of(pod)) if workload else leaves(pod, snapshot):
        yield _Change(pod=pod, by="withdrawal", before=labels, after=withdrawn(labels, drop))


def _noticed(change: _Change, snapshot: Snapshot) -> Iterator[tuple[str, Blocked]]:
    """Return who would notice a change, or may, each with a refusal."""
    keys = changed(change.before, change.after)
    for policy in snapshot.policies.telling_apart(change.pod.namespace, change.before, change.after):
        why = f"{policy.subject} looks at {change.of(keys & policy.keys)}, and {_effect(policy, change)}"
        yield policy.subject, Blocked(reason=POLICY_CHANGE, why=f"{why}; {_remedy(change)}, {ALLOW}")
    # A hash is nothing that anybody writes into a policy.
    for kind in sorted(snapshot.policies.unseen) if (keys := keys - {HASH}) else ():
        why = (
            f"the cluster has {kind}, which can't be listed: whether one of them looks at {change.of(keys)}, can't be "
            f"told; have list and watch of them allowed (kubectl auth can-i list {kind} -A), {ALLOW}"
        )
        yield kind, Blocked(reason=POLICY_CHANGE, why=why)


def _remedy(change: _Change) -> str:
    if change.by == "release":
        return "give it --max-surge 0, which releases none"
    return "let its Services select it by a label that no policy looks at"


def _effect(policy: Policy, change: _Change) -> str:
    match policy:
        case NetworkPolicy():
            namespace = change.pod.namespace
            before, after = policy.parts(namespace, change.before), policy.parts(namespace, change.after)
            lost, gained = before - after, after - before
            would = "would" if all(part.peer is None for part in lost | gained) else "may"
            return (
                f"{would} {' and '.join([*_in_words(lost, 'no longer '), *_in_words(gained, '')])}: what the pod may "
                f"reach, and what may reach it, {would} change while it finishes its requests"
            )
        case ForeignPolicy():
            return "what it takes the pod for then, can't be told here"
        case _:
            assert_never(policy)


def _in_words(parts: frozenset[Part], now: str) -> Iterator[str]:
    if any(part.rule is None for part in parts):
        yield f"{now}apply to it"
    if any(part.rule is not None for part in parts):
        yield f"{now}name it as a peer"
