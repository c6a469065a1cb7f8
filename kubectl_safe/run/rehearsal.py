"""Each kind of write is sent as a server dry run first, so that nothing is begun that can't be finished."""

from collections.abc import Iterable
from typing import Protocol

from kubectl_safe.decide.actions import Action, AskEviction, Cordon, ExcludeNode, Nudge, Record, Release, Withdraw
from kubectl_safe.kube.outcome import Denied, Undone, Untried
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.target import EXCLUDE_LABEL
from kubectl_safe.run.loop import Hands


class Listener(Protocol):
    """Who is told what could not be tried."""

    def warn(self, message: str) -> None:
        """Something needs the reader's eye, and the run goes on."""


def rehearse(actions: Iterable[Action], hands: Hands, listener: Listener, *, may_nudge: bool) -> None:
    """Try actions; without the right to nudge, which was told already, a nudge that is denied is no news.

    Raises:
        KubectlSafeError: one of them can't be done.
    """
    warnings: dict[str, None] = {}
    for action in actions:
        result = hands.act(action, dry_run=True)
        match result:
            case Untried(message=message):
                counts = isinstance(action, AskEviction) and not action.is_deletion
                way = "; whether a pod may leave is read off its disruption budgets" if counts else ""
                warnings[f"Warning: could not be tried beforehand: {message}{way}"] = None
            case Denied(message=message) if isinstance(action, Nudge):
                if may_nudge:
                    warnings[f"Warning: bindings can't be nudged, which costs up to 15s a batch: {message}"] = None
            case Denied(message=message) | Undone(message=message):
                raise KubectlSafeError("\n".join([f"nothing was changed: {message}", *_remedy(action)]))
            case _:
                # Gone, changed meanwhile, or refused by a budget that the replacement may satisfy: no verdict.
                continue
    for warning in warnings:
        listener.warn(warning)


def _remedy(action: Action) -> Iterable[str]:
    """Return what a write that was refused would have been for, and who can help."""
    match action:
        case Release(drop=drop):
            yield f"the release was tried: it takes label {drop} off a pod, so that it is replaced while it serves on"
        case Withdraw(drop=drop):
            labels = f"label{'' if len(drop) == 1 else 's'} {', '.join(sorted(drop))}"
            yield f"the withdrawal was tried: it takes {labels} off a pod, so that it gets no new requests"
        case AskEviction(is_deletion=True):
            yield "the deletion was tried: it is what stops a pod in the end"
        case AskEviction():
            yield "the eviction was tried: it is what stops a pod in the end"
        case ExcludeNode():
            yield f"label {EXCLUDE_LABEL} was tried: it takes a node out of the target groups that register nodes"
        case Cordon() | Record():
            yield "this would have been the first write"
        case _:
            return
    yield "whoever is in charge of what refuses it can make an exception; then run the same command again"
