"""One write outside the loop: of a cordon, a record, or what takes them back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol, assert_never

from kubectl_safe.decide.actions import Action, subject_of
from kubectl_safe.kube.outcome import Busy, Conflict, Denied, Done, Gone, Refused, Undone, Untried
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.run.loop import Hands
from kubectl_safe.run.observer import Observer

TRIES = 10
RETRY = timedelta(milliseconds=500)


class Listener(Protocol):
    """Who is told of what was done."""

    def acted(self, action: Action) -> None:
        """An action was carried out."""


def write(
    choose: Callable[[Snapshot], Action | None],
    *,
    observer: Observer,
    hands: Hands,
    audience: Listener,
    pause: Callable[[timedelta], None],
) -> None:
    """Carry out one action, chosen anew where its object has changed meanwhile.

    Raises:
        KubectlSafeError: it was not carried out.
    """
    trouble = ""
    for _ in range(TRIES):
        action = choose(observer.look())
        if action is None:
            return
        match hands.act(action):
            case Done():
                audience.acted(action)
                return
            case Gone():
                return
            case Conflict():
                trouble = f"{subject_of(action)} changes too often to be written to"
                pause(RETRY)
            case Busy(message=message, retry_after=seconds):
                trouble = f"{subject_of(action)} could not be written to: {message}"
                pause(timedelta(seconds=seconds))
            case Refused(message=why) | Denied(message=why) | Undone(message=why) | Untried(message=why):
                raise KubectlSafeError(why)
            case _ as result:
                assert_never(result)
    raise KubectlSafeError(f"{trouble}; run the same command again")
