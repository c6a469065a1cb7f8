"""A thread that keeps the health of targets fresh: it asks what is wished for, as the schedule lets it."""

import threading
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Protocol, Self

from kubectl_safe.aws.errors import AwsError
from kubectl_safe.aws.schedule import Ask, Schedule
from kubectl_safe.decide.health import Wish
from kubectl_safe.model.target import Role, Target, TargetHealth

_JOIN_SECONDS = 20
"""A call takes at most its connect and its read timeout."""


class Signal(Protocol):
    """What wakes the run loop."""

    def set(self) -> None:
        """Tell that something changed."""


class HealthApi(Protocol):
    """What is asked."""

    def ask(self, group: str, targets: Collection[Target], role: Role | None) -> Mapping[Target, TargetHealth]:
        """Return the health of targets of one group, asked for with a role.

        Raises:
            AwsError: there is no answer.
        """

    def close(self) -> None:
        """Close all connections."""


class Poller:
    """Asks in the background while its context lasts.

    Args:
        api: what is asked; closed at the end.
        signal: is set after each answer or error.
        now: reads the clock.
    """

    def __init__(self, api: HealthApi, *, signal: Signal, now: Callable[[], datetime]) -> None:
        self._api = api
        self._signal = signal
        self._now = now
        self._schedule = Schedule()
        self._changed = threading.Condition()
        self._is_stopping = False
        self._health: Mapping[Target, TargetHealth] = {}
        self._heard: Mapping[str, AwsError | None] = {}
        self._thread = threading.Thread(target=self._run, name="target health", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._is_stopping = True
            self._changed.notify()
        self._thread.join(_JOIN_SECONDS)
        self._api.close()

    @property
    def health(self) -> Mapping[Target, TargetHealth]:
        """The latest answer for each target; never changed in place."""
        return self._health

    @property
    def errors(self) -> Mapping[str, str]:
        """Why a group (by ARN) had no answer when it was last asked."""
        return {group: str(error) for group, error in self._heard.items() if error}

    @property
    def heard(self) -> Mapping[str, AwsError | None]:
        """What came of the last question to each group (by ARN), None for an answer; never changed in place."""
        return self._heard

    def asked_at(self, group: str) -> datetime | None:
        """Return when a group was last asked."""
        with self._changed:
            return self._schedule.asked_at(group)

    def want(self, wishes: Mapping[str, Wish]) -> None:
        """Replace what is asked from now on, by ARN.

        Raises:
            ValueError: a group is not an ARN.
        """
        with self._changed:
            self._schedule.want(wishes)
            self._changed.notify()

    def _run(self) -> None:
        while (ask := self._next()) is not None:
            try:
                answer = self._api.ask(ask.group, ask.targets, ask.role)
            except AwsError as error:
                self._take_error(ask.group, error)
            else:
                self._take(ask, answer)
            self._signal.set()

    def _next(self) -> Ask | None:
        """Wait for the next question's time; None at the end."""
        with self._changed:
            while not self._is_stopping:
                now = self._now()
                step = self._schedule.next(now)
                if isinstance(step, Ask):
                    return step
                self._changed.wait(None if step.until is None else (step.until - now).total_seconds())
        return None

    def _take(self, ask: Ask, answer: Mapping[Target, TargetHealth]) -> None:
        with self._changed:
            self._schedule.arrived(ask.group, self._now())
            self._schedule.answered(ask.group)
        # What was asked for and is not in the answer is unknown from now on, whatever was said of it before.
        kept = {target: health for target, health in self._health.items() if target not in ask.targets}
        self._health = {**kept, **{target: its.after(self._health.get(target)) for target, its in answer.items()}}
        self._heard = {**self._heard, ask.group: None}

    def _take_error(self, group: str, error: AwsError) -> None:
        now = self._now()
        with self._changed:
            self._schedule.arrived(group, now)
            if error.is_throttled:
                self._schedule.throttled(group, now)
            else:
                self._schedule.answered(group)
        self._heard = {**self._heard, group: error}
