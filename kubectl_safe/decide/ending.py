"""How a run ended: what was given up, where it stands now, and why."""

from dataclasses import dataclass
from enum import Enum

from kubectl_safe.decide.decision import Left, Step
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.next import Outcome
from kubectl_safe.decide.step import step_of
from kubectl_safe.model.snapshot import Snapshot


class Standing(Enum):
    """Where a pod stands that was given up; the values are what people read."""

    NOT_BEGUN = "not begun, serves on"
    GIVEN_BACK = "given back, serves on as before"
    RELEASED = "released, serves on without its controller"
    WITHDRAWN = "withdrawn, runs on and gets no new requests"
    STOPPING = "evicted, still stopping"


_UNDER_WAY = {
    Step.RELEASED: Standing.RELEASED,
    Step.WITHDRAWN: Standing.WITHDRAWN,
    Step.TERMINATING: Standing.STOPPING,
}
UNDER_WAY = frozenset(_UNDER_WAY.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftPod:
    """A pod that was given up."""

    pod: Planned
    standing: Standing
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ended; with nothing left it did all that it set out to do."""

    planned: int
    left: tuple[LeftPod, ...] = ()
    stop: str = ""
    """Why it was stopped; empty where nobody did."""

    @property
    def under_way(self) -> tuple[LeftPod, ...]:
        """The pods that were given up in the middle of their handoff."""
        return tuple(entry for entry in self.left if entry.standing in UNDER_WAY)


def ending_of(intent: Intent, outcome: Outcome, *, given_back: frozenset[str], stop: str) -> Ending:
    """Return how a run ended whose last look led to `outcome`; `given_back` are UIDs."""
    return Ending(
        planned=len(intent.pods),
        left=tuple(
            LeftPod(pod=planned, standing=_standing(planned, outcome, given_back), why=decision.why)
            for planned in intent.pods
            if isinstance(decision := outcome.decisions[planned.uid], Left)
        ),
        stop=stop,
    )


def cut_short(intent: Intent, snapshot: Snapshot, *, stop: str) -> Ending:
    """Return how a run ended that was left at once: every pod that is still there is left, wherever it stands."""
    return Ending(
        planned=len(intent.pods),
        left=tuple(
            LeftPod(pod=planned, standing=_UNDER_WAY.get(step_of(pod), Standing.NOT_BEGUN), why=stop)
            for planned in intent.pods
            if (pod := snapshot.pods.get(planned.uid))
        ),
        stop=stop,
    )


def _standing(planned: Planned, outcome: Outcome, given_back: frozenset[str]) -> Standing:
    as_it_was = Standing.GIVEN_BACK if planned.uid in given_back else Standing.NOT_BEGUN
    return _UNDER_WAY.get(outcome.steps[planned.uid], as_it_was)
