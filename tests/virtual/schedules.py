"""Random schedules: scenarios from seeds, and a handful of things that befall their runs at random moments.

`python -m tests.virtual.schedule SEED` runs one; `tests.virtual.nightly` and the tests run many.
"""

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from tests.support.virtual.api_server import is_write
from tests.support.virtual.calls import Befalling, Call, Fault, Question, Told
from tests.support.virtual.process import Process
from tests.support.virtual.stage import VirtualStage
from tests.virtual.faults import CRASHES, aws_faults_of, faults_of, watch_faults_of
from tests.virtual.interruptions import interrupt
from tests.virtual.play import AGAIN_AT_MOST, Result, play
from tests.virtual.runs import a_scenario
from tests.virtual.scenario import Scenario

KINDS = ("call", "call", "question", "told", "kill", "interrupt", "freeze", "jump")
LATEST = 250
"""Runs have about as many calls, answers, events and looks."""
PER_DISTURBANCE = 300.0
"""Virtual seconds that each may cost."""
PER_POD = 60.0
"""Virtual seconds that a handoff takes beside start, settle and deregistration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """What befalls a run, at the first thing of its kind from a number on."""

    kind: str
    at: int
    choice: float
    """Which of the things that can befall it there, between 0 and 1."""


def disturbances(seed: int) -> tuple[Disturbance, ...]:
    """Return what befalls the run of a seed."""
    random = Random(f"disturbances {seed}")
    return tuple(
        Disturbance(kind=random.choice(KINDS), at=random.randint(1, LATEST), choice=random.random())
        for _ in range(random.choice((0, 1, 2, 3, 4, 6)))
    )


def run(seed: int, chosen: Sequence[Disturbance] | None = None) -> Result:
    """Play the schedule of a seed, or what is left of it.

    Raises:
        AssertionError: an invariant is broken.
    """
    scenario, befalls = a_scenario(seed), disturbances(seed) if chosen is None else chosen
    result = play(
        scenario,
        prepare=lambda stage: _Schedule(stage, befalls).begin(),
        again=AGAIN_AT_MOST * (1 + len(befalls)),
    )
    bound = _longest(scenario) + PER_DISTURBANCE * len(befalls)
    assert result.seconds <= bound, f"I8: it took {result.seconds:.0f} s of at most {bound:.0f}"
    return result


def shrunk(seed: int) -> tuple[list[int], str]:
    """Return the numbers of the fewest disturbances that still break an invariant, and which one."""
    everything = disturbances(seed)
    kept, failure = list(range(len(everything))), ""
    for number in range(len(everything)):
        fewer = [its for its in kept if its != number]
        if found := failure_of(seed, [everything[its] for its in fewer]):
            kept, failure = fewer, found
    return kept, failure or failure_of(seed, [everything[its] for its in kept])


def failure_of(seed: int, chosen: Sequence[Disturbance]) -> str:
    """Return which invariant a schedule breaks; empty where it breaks none."""
    try:
        run(seed, chosen)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        return repr(error)
    return ""


def _longest(scenario: Scenario) -> float:
    """Return how long the run of a scenario takes at most: twice, where it was over when it was killed."""
    return 2 * sum(
        app.replicas
        * (
            scenario.settle_of(app).total_seconds()
            + PER_POD
            + app.start_delay
            + app.deregistration_delay
            + app.grace_period
            + app.pre_stop
        )
        for app in scenario.applications
    )


class _Schedule:
    """Lets disturbances befall the commands of a stage, each once."""

    def __init__(self, stage: VirtualStage, befalls: Sequence[Disturbance]) -> None:
        self._stage = stage
        self._due = sorted(befalls, key=lambda its: its.at)

    def begin(self) -> None:
        self._stage.door.befalling = Befalling(
            call=self._call, question=self._question, told=self._told, looked=self._looked
        )

    def _take(self, number: int, *kinds: str) -> Disturbance | None:
        found = next((its for its in self._due if its.kind in kinds and its.at <= number), None)
        if found is not None:
            self._due.remove(found)
        return found

    def _call(self, call: Call) -> Fault | None:
        found = self._take(call.number, "call", *(("kill",) if is_write(call.request) else ()))
        if found is None:
            return None
        faults = list((CRASHES if found.kind == "kill" else faults_of(call)).values())
        return faults[int(found.choice * len(faults))]

    def _question(self, question: Question) -> Fault | None:
        found = self._take(question.number, "question")
        faults = list(aws_faults_of(question).values())
        return faults[int(found.choice * len(faults))] if found else None

    def _told(self, told: Told) -> Fault | None:
        found = self._take(told.number, "told")
        faults = list(watch_faults_of(told).values())
        return faults[int(found.choice * len(faults))] if found else None

    def _looked(self, process: Process, number: int) -> None:
        found = self._take(number, "interrupt", "freeze", "jump")
        if found is not None:
            _BY_SYSTEM[found.kind](self._stage, process, found.choice)


def _interrupt(_: VirtualStage, process: Process, choice: float) -> None:
    """Somebody presses Ctrl-C, or the terminal is closed."""
    interrupt(process, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)[int(choice * 3)])


def _freeze(stage: VirtualStage, process: Process, choice: float) -> None:
    """It is stopped for a while, perhaps for longer than its Leases last."""
    process.freeze()
    stage.loop.call_later(60 * choice, process.thaw)


def _jump(_: VirtualStage, process: Process, choice: float) -> None:
    """Its clock is set, up to a minute back or forth."""
    process.clock_error += timedelta(seconds=120 * choice - 60)


_BY_SYSTEM: dict[str, Callable[[VirtualStage, Process, float], None]] = {
    "interrupt": _interrupt,
    "freeze": _freeze,
    "jump": _jump,
}
