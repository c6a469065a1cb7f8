"""Does what was decided, one write at a time, and tells what became of it.

It must not decide: before an eviction, or a give-back, it only makes sure that the pods still are what was decided on.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from kubectl_safe.decide.actions import (
    Action,
    AskEviction,
    Cordon,
    Evict,
    ExcludeNode,
    IncludeNode,
    Nudge,
    Record,
    Release,
    RemoveNudge,
    RemoveRecord,
    RemoveTouch,
    RemoveWake,
    Touch,
    Uncordon,
    Undo,
    Wake,
    Withdraw,
)
from kubectl_safe.kube import kinds, parse
from kubectl_safe.kube.client import Client
from kubectl_safe.kube.errors import ApiError
from kubectl_safe.kube.outcome import (
    RETRY_SECONDS,
    Busy,
    Conflict,
    Denied,
    Done,
    Gone,
    Refused,
    Result,
    Undone,
    Untried,
    result_of,
)
from kubectl_safe.kube.patches import dry, pod_path, request_for
from kubectl_safe.kube.watch import UNREADABLE
from kubectl_safe.model import marks
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.target import EXCLUDE_LABEL

__all__ = ["Actuator", "Busy", "Conflict", "Denied", "Done", "Gone", "Refused", "Result", "Undone", "Untried"]


class Caches(Protocol):
    """What is known of the cluster; `Cluster` is that."""

    def put(self, kind: str, raw: Mapping[str, Any]) -> None:
        """Take an object that a write or a read returned."""

    def forget(self, kind: str, uid: str) -> None:
        """Take it that an object is gone."""


class Actuator:
    """Writes to a cluster.

    Args:
        client: the API server's client.
        cluster: whose caches see each written object at once.
        now: reads the clock.
        fence: returns why nothing may be written at this instant, or raises where nothing ever may; dry runs may.
        grace_period: seconds for an evicted pod to stop; None leaves it to the pod.
        field_manager: who we are, in `managedFields`.
    """

    def __init__(
        self,
        client: Client,
        cluster: Caches,
        *,
        now: Callable[[], datetime],
        fence: Callable[[], Busy | None] = lambda: None,
        grace_period: int | None = None,
        field_manager: str = "kubectl-safe",
    ) -> None:
        self._client = client
        self._cluster = cluster
        self._now = now
        self._fence = fence
        self._grace_period = grace_period
        self._field_manager = field_manager

    def act(self, action: Action, *, dry_run: bool = False) -> Result:
        """Do it, or try it as a server dry run, which changes neither the cluster nor what is known of it."""
        if (verdict := self._look_again(action)) is not None:
            return verdict
        at = self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        request = request_for(action, at=at, grace_period=self._grace_period)
        request = dry(request) if dry_run else request
        # Here, and not before the pod was read: that may have taken long, as a process may be stopped at any moment.
        if not dry_run and (obstacle := self._fence()) is not None:
            return obstacle
        try:
            returned = self._client.request(
                request.method,
                request.path,
                query={**request.query, "fieldManager": self._field_manager},
                body=request.body,
                content_type=request.content_type,
            )
        except ApiError as error:
            return self._refused(action, error, is_dry_run=dry_run)
        if isinstance(action, Evict | AskEviction):
            return Done()
        if not dry_run:
            self._cluster.put(_kind(action), returned)
        missing = _missing(action, returned)
        return Undone(message=missing) if missing else Done()

    def _refused(self, action: Action, error: ApiError, *, is_dry_run: bool) -> Result:
        # Asking for an eviction is a dry run in any case.
        result = result_of(error, is_dry_run=is_dry_run or isinstance(action, AskEviction))
        pod = _pod(action)
        if pod is None:
            return result
        if isinstance(result, Conflict):
            # The cache may be older than what the server compared with: deciding on it again would conflict again.
            fresh = self._fresh(pod)
            return result if isinstance(fresh, Pod) else fresh
        if isinstance(result, Gone):
            self._cluster.forget(kinds.PODS, pod.uid)
        return result

    def _look_again(self, action: Action) -> Result | None:
        """Return what stands against an action by the server's newest word; None where nothing does."""
        match action:
            case Evict():
                return self._look_at_evicted(action)
            case Undo(idle=idle):
                verdicts = (self._look_at_idle(pod) for pod in idle)
                return next((verdict for verdict in verdicts if verdict is not None), None)
            case _:
                return None

    def _look_at_idle(self, pod: Pod) -> Result | None:
        """Return why a pod is not there for its controller to delete; None while it is, and not Ready."""
        fresh = self._fresh(pod)
        if not isinstance(fresh, Pod):
            return Conflict() if isinstance(fresh, Gone) else fresh
        return Conflict() if fresh.is_ready or fresh.is_terminating else None

    def _look_at_evicted(self, action: Evict) -> Result | None:
        """Return what stands against an eviction, or None.

        - Gone, or another pod by that name.
        - Already terminating: a second eviction would charge the budget again.
        - Its labels or its handoff changed: it may be in a Service again.
        """
        pod = action.pod
        fresh = self._fresh(pod)
        if not isinstance(fresh, Pod):
            return fresh
        if fresh.is_terminating:
            return Done()
        is_as_decided = (
            fresh.labels == pod.labels
            and fresh.annotations.get(marks.HANDOFF) == pod.annotations.get(marks.HANDOFF)
            and (not action.pins_resource_version or fresh.resource_version == pod.resource_version)
        )
        return None if is_as_decided else Conflict()

    def _fresh(self, pod: Pod) -> Pod | Result:
        """Read a pod from a quorum (no resourceVersion is sent) into the cache."""
        try:
            raw = self._client.request("GET", pod_path(pod))
            fresh = parse.pod(raw)
        except ApiError as error:
            result = result_of(error, is_dry_run=False)
            if isinstance(result, Gone):
                self._cluster.forget(kinds.PODS, pod.uid)
            return result
        except UNREADABLE as error:
            return Busy(message=f"pod {pod} can't be read: {error!r}", retry_after=RETRY_SECONDS)
        if fresh.uid != pod.uid:
            self._cluster.forget(kinds.PODS, pod.uid)
            return Gone()
        self._cluster.put(kinds.PODS, raw)
        return fresh


def _pod(action: Action) -> Pod | None:
    match action:
        case Release(pod=pod) | Undo(pod=pod) | Withdraw(pod=pod) | AskEviction(pod=pod) | Evict(pod=pod):
            return pod
        case Touch(pod=pod) | RemoveTouch(pod=pod):
            return pod
        case Nudge() | RemoveNudge() | Wake() | RemoveWake():
            return None
        case Cordon() | Uncordon() | ExcludeNode() | IncludeNode() | Record() | RemoveRecord():
            return None


def _kind(action: Action) -> str:
    match action:
        case Nudge(binding=binding) | RemoveNudge(binding=binding):
            return kinds.BINDING_KINDS[binding.api]
        case Wake() | RemoveWake():
            return kinds.STATEFUL_SETS
        case Cordon() | Uncordon() | ExcludeNode() | IncludeNode():
            return kinds.NODES
        case Record(bearer=bearer) | RemoveRecord(bearer=bearer):
            return f"{bearer.kind.lower()}s"
        case Release() | Undo() | Withdraw() | AskEviction() | Evict() | Touch() | RemoveTouch():
            return kinds.PODS


def _missing(action: Action, returned: Mapping[str, Any]) -> str | None:
    """Return what the object that came back lacks of what was asked: a mutating policy may have put it back."""
    meta = returned.get("metadata") or {}
    labels, annotations = meta.get("labels") or {}, meta.get("annotations") or {}
    kept: frozenset[str] = frozenset()
    why = "a mutating policy or webhook changes it back"
    match action:
        case Release(pod=pod, drop=drop):
            kept = frozenset({drop}) & labels.keys()
            wanted = marks.HANDOFF in annotations
        case Withdraw(pod=pod, drop=drops):
            kept = drops & labels.keys()
            wanted = marks.HANDOFF in annotations and marks.WITHDRAWN in labels
        case Undo(pod=pod):
            dropped = pod.handoff.dropped if pod.handoff else {}
            kept = frozenset(dropped.keys() - labels.keys())
            if kept or marks.HANDOFF in annotations:
                return f"pod {pod} doesn't get back what its release took ({', '.join(sorted(kept))}): {why}"
            return None
        case Cordon() | ExcludeNode():
            lacks = _missing_on_node(action, returned)
            return f"node {action.node.name} {lacks}: {why}" if lacks else None
        case _:
            return None
    if kept:
        return f"pod {pod} keeps its label {', '.join(sorted(kept))}: {why}"
    return None if wanted else f"pod {pod} doesn't keep the marks of its handoff: {why}"


def _missing_on_node(action: Cordon | ExcludeNode, returned: Mapping[str, Any]) -> str:
    match action:
        case Cordon():
            return "" if (returned.get("spec") or {}).get("unschedulable") else "stays schedulable"
        case ExcludeNode():
            labels = (returned.get("metadata") or {}).get("labels") or {}
            return "" if EXCLUDE_LABEL in labels else f"doesn't get label {EXCLUDE_LABEL}"
