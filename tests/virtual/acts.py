"""What others do in the middle of a run, or what befalls its machine: what is done, and what holds all the same."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from kubectl_safe.decide.rights import Needs, to_abort
from kubectl_safe.run.abort import Abort, abort
from kubectl_safe.run.session import Session
from kubectl_safe.sandbox.cluster.objects import Json
from kubectl_safe.sandbox.cluster.requests import Answer, Request
from tests.support.virtual.process import Process
from tests.support.virtual.stage import Running, VirtualStage
from tests.virtual.scenario import NAMESPACE, Scenario

LATER_AT_MOST = 300.0
"""Virtual seconds that one thing may cost. The longest is what a watch left out: it is listed anew within 280 s."""
MERGE = "application/merge-patch+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What has to hold where something befell a run; by default everything that holds where nothing does."""

    later: float = LATER_AT_MOST
    """Virtual seconds that it may take longer."""
    is_same: bool = True
    """Whether the final state is that of an undisturbed run."""
    is_whole: bool = True
    """Whether all pods are in service in the end."""
    evicts: int | None = 1
    """How many times the undisturbed run's pods it may evict instead; None for any number."""
    takes: int | None = 0
    """How many pods in service it takes away itself; None for any number."""
    least: int = 0
    """How many pods of the first application are in service all the same, where it takes any number."""
    dead: frozenset[str] = frozenset()
    """Nodes whose pods answer nobody any more."""
    closes: bool = False
    """Whether it closes a way in, so that requests are lost there."""
    is_done_beside: bool = False
    """Whether others may have done the restart, so that the same command would be another one."""
    is_over: Callable[[str], bool] = lambda _: False
    """Tells by its error whether a command that failed has nothing left to go on with."""
    remedy: Callable[["Scene", Sequence[str]], object] = lambda _scene, _runs: None
    """Does what is told by how the commands ended."""

    def beside(self, other: "Expected | None") -> "Expected":
        """Return what holds where both befell a run."""
        if other is None:
            return self
        return self.but(
            later=max(self.later, other.later),
            is_same=self.is_same and other.is_same,
            is_whole=self.is_whole and other.is_whole,
            evicts=None if other.evicts is None else self.evicts,
            takes=None if other.takes is None else self.takes,
            least=0,
            dead=self.dead | other.dead,
            closes=self.closes or other.closes,
            is_over=lambda error: self.is_over(error) or other.is_over(error),
        )

    def but(self, **changes: Any) -> "Expected":
        """Return it with changes."""
        return replace(self, **changes)


@dataclass(kw_only=True, eq=False)
class Scene:
    """Where somebody acts: at a moment of a process."""

    stage: VirtualStage
    scenario: Scenario
    process: Process

    def ask(self, method: str, path: str, body: Json | None = None, **query: str) -> Answer:
        """Ask the API server something as an administrator, right now."""
        content_type = MERGE if method == "PATCH" else "application/json"
        request = Request(method=method, path=path, query=query, body=body, content_type=content_type)
        answer = self.stage.door.server.answer(request)
        assert answer.status < 400, f"{method} {path}: {answer.body}"
        return answer

    def read(self, path: str) -> Json:
        """Return an object, or a list."""
        body = self.ask("GET", path).body
        assert isinstance(body, dict)
        return body

    def pods(self, *, old: bool, has: Callable[[Json], bool] = lambda _: True) -> list[Json]:
        """Return the living pods of the first application: those that were there at the beginning, or the others."""
        app = self.scenario.applications[0]
        known = {pod.uid: pod for pod in self.stage.rig.capacity.of(NAMESPACE, app.labels)}
        first = set(list(known)[: app.replicas])
        return [
            pod
            for pod in self.read(f"/api/v1/namespaces/{NAMESPACE}/pods")["items"]
            if "deletionTimestamp" not in pod["metadata"]
            and pod["metadata"]["uid"] in known
            and (pod["metadata"]["uid"] in first) is old
            and has(pod)
        ]

    def later(self, seconds: float, then: Callable[..., object], *arguments: Any) -> None:
        """Do something once so much time has passed, whether this process is still there or not."""
        self.stage.loop.call_later(seconds, then, *arguments)

    def start(self, command: Callable[[Session], None], *, needs: Needs, namespace: str | None, about: str) -> None:
        """Start another command beside the first."""

        # Not here: it belongs to the event loop, and not to the process that runs.
        def begin() -> None:
            started: Running = self.stage.start(command, needs=needs, namespace=namespace, about=about)
            self.stage.beside.append(started)

        self.later(0, begin)

    def start_the_same(self) -> None:
        """Start the same command beside the first."""
        its = self.scenario
        self.start(its.run, needs=its.needs, namespace=its.namespace, about=its.command)

    def start_an_abort(self) -> None:
        """Start what ends the command, beside it."""
        self.start(**self._aborting)

    def abort(self) -> None:
        """End the command after it has failed, as it says."""
        process = self.stage.start(**self._aborting)
        self.stage.finish(process)
        assert process.error is None, f"I7: it can't be aborted: {process.error}"

    @property
    def _aborting(self) -> Mapping[str, Any]:
        its = self.scenario
        if its.command == "drain":
            request, needs = Abort(nodes=its.drained), to_abort(its.drained, (), NAMESPACE)
        else:
            names = tuple(app.name for app in its.applications)
            request = Abort(namespace=NAMESPACE, workloads={its.kind: names})
            needs = to_abort((), (its.kind,), NAMESPACE)
        command = partial(abort, request)
        return {"command": command, "needs": needs, "namespace": its.namespace, "about": "abort"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something that is done once."""

    do: Callable[[Scene], object]
    expected: Expected = field(default_factory=Expected)
    is_possible: Callable[[Scene], bool] = lambda _: True
