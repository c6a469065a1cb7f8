"""Each kind of write is sent as a server dry run first, so that nothing is begun that can't be finished."""

from collections.abc import Iterable
from typing import Protocol

from kubectl_safe.decide.actions import Action, Nudge
from kubectl_safe.kube.outcome import Denied, Undone, Untried
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.run.holdings import Hands


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
                warnings[f"Warning: could not be tried beforehand: {message}"] = None
            case Denied(message=message) if isinstance(action, Nudge):
                if may_nudge:
                    warnings[f"Warning: bindings can't be nudged, which costs up to 15s a batch: {message}"] = None
            case Denied(message=message) | Undone(message=message):
                raise KubectlSafeError(f"nothing was changed: {message}")
            case _:
                # Gone, changed meanwhile, or refused by a budget that the replacement may satisfy: no verdict.
                continue
    for warning in warnings:
        listener.warn(warning)
