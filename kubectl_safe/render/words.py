"""What each action is called when it is done."""

from typing import assert_never

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
from kubectl_safe.decide.settings import RETRY


def words_for(action: Action) -> str:
    """Return the line that tells of an action; empty for one that no reader has to know of."""
    match action:
        case Release(pod=pod):
            return f"pod/{pod.name} released: it serves on until its replacement does"
        case Undo(pod=pod):
            return f"pod/{pod.name} given back to its controller: it serves on as before"
        case Withdraw(pod=pod):
            return f"pod/{pod.name} withdrawn: no new requests, it answers those it has"
        case Evict(pod=pod, is_deletion=deletes):
            return f"{'deleting' if deletes else 'evicting'} pod {pod}"
        case Nudge() | Wake() | ExcludeNode() | IncludeNode():
            return _words_elsewhere(action)
        case Touch() | AskEviction() | Cordon() | Uncordon() | Record():
            pass
        case RemoveRecord() | RemoveNudge() | RemoveTouch() | RemoveWake():
            pass
        case _:
            assert_never(action)
    return ""


def _words_elsewhere(action: Nudge | Wake | ExcludeNode | IncludeNode) -> str:
    match action:
        case Nudge(binding=binding):
            return f"{binding.named} nudged: its target is healthy, its gate not yet True"
        case Wake(workload=workload):
            return f"statefulset.apps/{workload.name} woken: the name of a pod that it is to create is free"
        case ExcludeNode(node=node):
            return f"node/{node.name} excluded from load balancers: it leaves the target groups that register nodes"
        case IncludeNode(node=node):
            return f"node/{node.name} included again: load balancers may send it requests"
        case _:
            assert_never(action)


def refused_line(action: AskEviction | Evict, message: str, *, is_tried_again: bool) -> str:
    """Return what kubectl prints of an eviction that is refused, with the server's message."""
    verb, pod = "deleting" if action.is_deletion else "evicting", action.pod
    outlook = f" (will retry after {RETRY.total_seconds():.0f}s)" if is_tried_again else ""
    return f'error when {verb} pods/"{pod.name}" -n "{pod.namespace}"{outlook}: {message}'
