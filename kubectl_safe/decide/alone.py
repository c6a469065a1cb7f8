"""Pods to which no replacement is owed: bare ones, those of Jobs, and, where that is allowed, of unknown controllers.

They are evicted as `kubectl drain` does, but not while they get requests: they leave their Services first.
"""

from datetime import timedelta

from kubectl_safe.decide.actions import AskEviction, Evict, Withdraw
from kubectl_safe.decide.decision import Act, Decision
from kubectl_safe.decide.labels import labels_to_withdraw
from kubectl_safe.decide.settings import Settings
from kubectl_safe.decide.withdrawal import evict, finish, wait_after_answer
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot

ANSWER_MAX_AGE = timedelta(seconds=10)
"""An older leave of the Eviction API is asked for again."""


def decide_alone(pod: Pod, snapshot: Snapshot, settings: Settings) -> Decision:
    """Decide on a pod to which no replacement is owed, and that doesn't terminate yet."""
    if pod.is_withdrawn:
        return finish(pod, snapshot, settings, owner=None)
    leaving = leaves(pod, snapshot)
    if leaving is None and settings.disable_eviction:
        return evict(pod, snapshot, settings)
    if leaving is None:
        return wait_after_answer(pod, snapshot) or Act(action=Evict(pod=pod, pins_resource_version=False))
    if settings.disable_eviction:
        return Act(action=leaving)
    answer = snapshot.answers.get(pod.uid)
    if answer and answer.is_dry_run and answer.is_allowed and snapshot.at - answer.at < ANSWER_MAX_AGE:
        return Act(action=leaving)
    # There is no way back from a withdrawal: a budget is asked before.
    return wait_after_answer(pod, snapshot) or Act(action=AskEviction(pod=pod))


def leaves(pod: Pod, snapshot: Snapshot) -> Withdraw | None:
    """Return what takes a pod out of its Services; None for one that gets no requests by any, or can't leave them."""
    targets = snapshot.targets_of(pod)
    is_listed = bool(snapshot.endpoints_by_pod.get(pod.uid))
    drop = labels_to_withdraw(pod, snapshot)
    if pod.is_finished or not drop or not (is_listed or targets):
        return None
    return Withdraw(pod=pod, drop=drop, targets=targets, owner=None, in_service=0)
