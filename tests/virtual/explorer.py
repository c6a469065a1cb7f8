"""Enumerates what can befall a run: at each of its calls the process forks, once for each thing that can befall it.

A child lives through that one thing, and goes on to the end; what came before is the same for all, and is run once.
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from difflib import unified_diff
from pathlib import Path
from typing import Any, TypeVar

from kubectl_safe.sandbox.cluster.requests import Request
from tests.support.virtual.api_server import is_write
from tests.support.virtual.calls import Befalling, Call, Fault, Question, Told
from tests.support.virtual.process import Process
from tests.support.virtual.stage import VirtualStage
from tests.virtual.acts import Act, Expected, Scene
from tests.virtual.faults import CRASHES, aws_faults_of, faults_of, watch_faults_of
from tests.virtual.interruptions import INTERRUPTIONS
from tests.virtual.others import WORKLOAD_ACTS
from tests.virtual.others_marks import MARK_ACTS
from tests.virtual.others_ways_in import WAY_IN_ACTS
from tests.virtual.play import Result, play
from tests.virtual.scenario import Scenario
from tests.virtual.scenarios import SCENARIOS
from tests.virtual.time_acts import TIME_ACTS

T = TypeVar("T")
_ACTS: Mapping[str, Mapping[str, Act]] = {
    "others-workloads": WORKLOAD_ACTS,
    "others-ways-in": WAY_IN_ACTS,
    "others-marks": MARK_ACTS,
    "time": TIME_ACTS,
    "interruptions": INTERRUPTIONS,
}
FAMILIES = ("crashes", "api", "aws", "watches", *_ACTS)
CHILD_SECONDS = 120
"""Of real time; a child that computes for longer is ended."""


@dataclass(kw_only=True)
class Found:
    """What came of an exploration."""

    explored: Counter[str] = field(default_factory=Counter)
    """How often each family was lived through."""
    ended: Counter[str] = field(default_factory=Counter)
    """How the first command ended."""
    later: float = 0.0
    """Virtual seconds that the worst fault cost."""
    failures: dict[str, str] = field(default_factory=dict)
    """Why an invariant is broken, by the point at which something befell the run."""

    def __str__(self) -> str:
        explored = ", ".join(f"{count} {family}" for family, count in sorted(self.explored.items()))
        ended = ", ".join(f"{count} {how}" for how, count in sorted(self.ended.items()))
        return (
            f"{explored}; the first command ended {ended}; "
            f"at most {self.later:.0f} s later than undisturbed; {len(self.failures)} failures"
        )


@dataclass(kw_only=True)
class Explorer:
    """Forks at each point of a run."""

    families: tuple[str, ...]
    scenario: Scenario
    only: str = ""
    """The one point to live through, without forking."""
    jobs: int = 1
    directory: Path
    blind_to: str = ""
    """A kind whose final state need not be that of the undisturbed run."""
    expected: Expected = field(default_factory=Expected)
    point: str = ""
    """What befell this process; empty in the one that forks."""
    children: dict[int, str] = field(default_factory=dict)
    points: list[str] = field(default_factory=list)
    _stage: VirtualStage = field(init=False)

    def prepare(self, stage: VirtualStage) -> None:
        """Watch over the calls of what is started on a stage from now on."""
        self._stage = stage
        stage.door.befalling = Befalling(call=self._call, question=self._question, told=self._told, looked=self._looked)

    def finish(self) -> None:
        """Wait for all children."""
        while self.children:
            self._await_one()

    def _call(self, call: Call) -> Fault | None:
        fault = self._choose("api", call.number, _brief(call.request), faults_of(call))
        if fault is None and is_write(call.request):
            fault = self._choose("crashes", call.number, _brief(call.request), CRASHES)
            self._act(call.process, call.number, _brief(call.request))
        return fault

    def _question(self, question: Question) -> Fault | None:
        return self._choose("aws", question.number, question.operation, aws_faults_of(question))

    def _told(self, told: Told) -> Fault | None:
        fault = self._choose("watches", told.number, f"{told.event['type']} {told.kind}", watch_faults_of(told))
        # A watch that says nothing is found out after a minute: a run may be over by then, that did not know that a
        # budget counted a pod too many.
        self.blind_to = told.kind if fault and told.kind == "poddisruptionbudgets" else self.blind_to
        return fault

    def _looked(self, process: Process, number: int) -> None:
        kill = self._choose("crashes", number, "look", {"killed": process.kill})
        if kill:
            kill()
        self._act(process, number, "look")

    def _act(self, process: Process, number: int, what: str) -> None:
        """Have somebody do something at this moment, before the process goes on."""
        scene = Scene(stage=self._stage, scenario=self.scenario, process=process)
        for family, acts in _ACTS.items():
            if not self.point and family in self.families:
                possible = {name: act for name, act in acts.items() if act.is_possible(scene)}
                if act := self._choose(family, number, what, possible):
                    self.expected = act.expected.beside(self.scenario.expected)
                    act.do(scene)

    def _choose(self, family: str, number: int, what: str, faults: Mapping[str, T]) -> T | None:
        """Return what befalls this process here."""
        if self.point or family not in self.families:
            return None
        for name, fault in faults.items():
            point = f"{number}:{name}"
            if (self.only == point) if self.only else self._branch(family, point, what):
                self.point = point
                return fault
        return None

    def _branch(self, family: str, point: str, what: str) -> bool:
        """Fork; tell whether this is the child."""
        while len(self.children) >= self.jobs:
            self._await_one()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            self.children.clear()
            # asyncio takes a loop for running in the process only that began to run it.
            asyncio._set_running_loop(self._stage.loop)
            signal.alarm(CHILD_SECONDS)
            return True
        self.children[pid] = f"{family} {point} {what}"
        self.points.append(self.children[pid])
        return False

    def _await_one(self) -> None:
        pid, status = os.wait()
        label = self.children.pop(pid)
        if status:
            failure = f"the process ended with {os.waitstatus_to_exitcode(status)}"
            (self.directory / label.split()[1]).write_text(json.dumps({"failure": failure}), encoding="utf-8")


def scenario_of(name: str) -> Scenario:
    """Return the scenario of a name, or of a name and a seed (`restart-balanced/7`): the same in another order."""
    known, _, seed = name.partition("/")
    return replace(SCENARIOS[known], seed=int(seed or 1))


def explore(name: str, families: tuple[str, ...] = FAMILIES, *, jobs: int = 1, only: str = "") -> Found:
    """Live through everything that can befall a scenario; only the process without children returns.

    Args:
        name: of the scenario, perhaps with a seed.
        families: which kinds of things.
        jobs: how many children at a time.
        only: the one point, such as `37:reset`, for a replay; its failure is raised.
    """
    scenario = scenario_of(name)
    with tempfile.TemporaryDirectory() as kept:
        explorer = Explorer(families=families, scenario=scenario, only=only, jobs=jobs, directory=Path(kept))
        explorer.expected = scenario.expected or explorer.expected
        baseline = Result(**_in_child(lambda: asdict(play(scenario)), explorer.directory))
        try:
            result = play(scenario, prepare=explorer.prepare, expect=lambda: explorer.expected)
            told = verdict(result, baseline, explorer)
        except BaseException:
            if not explorer.point or only:
                raise
            told = {"failure": traceback.format_exc()}
        if explorer.point and not only:
            (explorer.directory / explorer.point).write_text(json.dumps(told), encoding="utf-8")
            os._exit(0)
        explorer.finish()
        if only and told.get("failure"):
            raise AssertionError(told["failure"])
        return _found(explorer)


def _in_child(work: Callable[[], dict[str, Any]], directory: Path) -> dict[str, Any]:
    """Do something in a process of its own, so that it leaves nothing in this one."""
    file = directory / "baseline"
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            file.write_text(json.dumps(work()), encoding="utf-8")
            code = 0
        except BaseException:  # noqa: BLE001 - it ends here
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    if status:
        raise AssertionError("the undisturbed run failed")
    told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return told


def verdict(result: Result, baseline: Result, explorer: Explorer) -> dict[str, object]:
    """Compare a run that something befell with the one that nothing befell (I3, I8)."""
    later, expected = result.seconds - baseline.seconds, explorer.expected
    failure = ""
    owed = baseline.evicted * (2 if result.is_twice else 1)
    if expected.evicts is not None and result.evicted not in (owed, expected.evicts * owed):
        failure = f"I3: {result.evicted} pods were evicted instead of {owed}"
    elif expected.is_same and (difference := _difference(baseline.state, result.state, explorer.blind_to)):
        failure = f"I3: another final state: {difference}"
    elif later > expected.later:
        failure = f"I8: it took {later:.0f} s longer"
    return {"failure": failure, "ended": result.runs[0], "later": later, "runs": result.runs}


def _difference(before: dict[str, Any], after: dict[str, Any], blind_to: str) -> str:
    """Return in words what two states differ in."""
    told = []
    for kind in before.keys() - {blind_to}:
        old, new = (json.dumps(state[kind], indent=1, sort_keys=True).splitlines() for state in (before, after))
        told += [line for line in unified_diff(old, new, kind, kind, lineterm="", n=0) if not line.startswith("@@")]
    return "\n".join(told)


def _found(explorer: Explorer) -> Found:
    found = Found()
    for label in explorer.points:
        family, point, _ = label.split(" ", 2)
        told = json.loads((explorer.directory / point).read_text(encoding="utf-8"))
        found.explored[family] += 1
        if told["failure"]:
            found.failures[label] = told["failure"]
        else:
            found.ended["well" if not told["ended"] else "killed" if told["ended"] == "killed" else "with 1"] += 1
            found.later = max(found.later, told["later"])
    return found


def _brief(request: Request) -> str:
    dry = " (dry run)" if request.is_dry_run else ""
    return f"{'WATCH' if request.is_watch else request.method} {'/'.join(request.path.split('/')[4:])}{dry}"
