"""SIGINT, SIGTERM and SIGHUP: the first one stops a run in good order, the second one leaves at once.

A signal that was ignored when the process began stays ignored, as by `nohup` and as in any Go program.
"""

import signal
from types import FrameType
from typing import Any, Self

from kubectl_safe.decide.giving_up import INTERRUPTED

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """Listens for signals while its context lasts; for the main thread only."""

    def __init__(self) -> None:
        self._is_armed = False
        self._by = ""
        self._again = ""
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in SIGNALS:
            before = signal.getsignal(number)
            if before is not signal.SIG_IGN:
                self._before[number] = before
                signal.signal(number, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    @property
    def stop(self) -> str:
        """Why the run is to be stopped; empty before the first signal."""
        if self._again:
            return f"{INTERRUPTED} twice ({self._by}, {self._again})"
        return f"{INTERRUPTED} ({self._by})" if self._by else ""

    @property
    def is_armed(self) -> bool:
        """Whether something may have been begun that a signal is to end in good order."""
        return self._is_armed

    @property
    def is_urgent(self) -> bool:
        """Whether there was a second signal: nothing more is to be written or waited for."""
        return bool(self._again)

    def arm(self) -> None:
        """Let the first signal from now on only stop the run: before, there is nothing to be ended in good order."""
        self._is_armed = True

    def _take(self, number: int, _: FrameType | None) -> None:
        # Nothing but a name is set: whatever takes a lock here may wait for the very thread that it interrupts.
        name = signal.Signals(number).name
        if self._by:
            self._again = name
            raise KeyboardInterrupt
        if not self._is_armed:
            raise KeyboardInterrupt
        self._by = name
