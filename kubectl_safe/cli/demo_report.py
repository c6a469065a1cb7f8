"""The report of a demonstration: both ways are read off the sandbox as a run reads a cluster, and drawn as runs are."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubectl_safe.decide.intent import Planned
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.kube import parse
from kubectl_safe.kube.observed import Observed
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.target import State, Target, TargetHealth
from kubectl_safe.render import report
from kubectl_safe.render.recorder import Recorder
from kubectl_safe.render.whole import write_whole
from kubectl_safe.run.clock import now
from kubectl_safe.run.observer import Observer

if TYPE_CHECKING:
    from kubectl_safe.aws.errors import AwsError
    from kubectl_safe.decide.health import Wish
    from kubectl_safe.model.snapshot import Snapshot
    from kubectl_safe.render.timeline import Timeline
    from kubectl_safe.sandbox.demo.stage import Stage
    from kubectl_safe.sandbox.demo.trial import Trial

SUMMARY = "Two equal clusters in Python under the same traffic: see kubectl-safe demo --help"


class DemoReport:
    """Follows trials, and makes a page of them."""

    def __init__(self) -> None:
        self._followed: dict[int, _Followed] = {}
        self._timelines: list[Timeline] = []
        self._trouble = ""

    async def look(self, trial: "Trial") -> None:
        """Take up how a trial stands now; what goes wrong with that is told once the demonstration is over."""
        try:
            followed = self._followed.get(id(trial)) or _Followed(trial)
            self._followed[id(trial)] = followed
            followed.look(await trial.stage.objects())
        except Exception as error:  # noqa: BLE001 - a picture of a demonstration never ends it
            self._trouble = f"{type(error).__name__}: {error}"

    def over(self, trial: "Trial") -> None:
        """Keep what a trial has been, from its tool's beginning on."""
        if followed := self._followed.get(id(trial)):
            self._timelines.append(followed.timeline())

    def write(self, path: Path) -> None:
        """Write the page.

        Raises:
            KubectlSafeError: the file can't be written, or something is missing on the page that was written.
        """
        try:
            write_whole(path, report.page(self._timelines, title="kubectl and kubectl safe", summary=SUMMARY))
        except OSError as error:
            raise KubectlSafeError(f"report {path} could not be written: {error.strerror or error}") from error
        if self._trouble:
            raise KubectlSafeError(f"report {path} is not whole: {self._trouble}")


class _Followed:
    """One trial as the tool itself would see it, the target groups' state at each look included."""

    def __init__(self, trial: "Trial") -> None:
        self._trial = trial
        self._view = _StageView()
        self._health = _StageHealth(trial.stage)
        self._observer = Observer(self._view, now=now)
        self._observer.target_health = self._health
        self._recorder = Recorder(title=trial.title)
        self._recorder.counts = lambda: (trial.report.total, trial.report.lost_by_reason)
        self._is_planned = False

    def look(self, objects: Mapping[str, Iterable[dict[str, Any]]]) -> None:
        self._view.objects = objects
        self._health.ask()
        snapshot = self._observer.look()
        if not self._is_planned:
            self._is_planned = True
            self._recorder.follow(_planned(snapshot, self._trial.node))
        self._recorder.look(snapshot)

    def timeline(self) -> "Timeline":
        ended = self._trial.ended
        return self._recorder.timeline(datetime.fromtimestamp(ended, UTC) if ended else now())


class _StageView:
    """The cluster view of objects that were read from a stage."""

    def __init__(self) -> None:
        self.objects: Mapping[str, Iterable[dict[str, Any]]] = {}

    def observe(self) -> Observed:
        its = self.objects
        pods = [parse.pod(raw) for raw in its["pods"]]
        replica_sets = [parse.replica_set(raw) for raw in its["replicasets"]]
        deployments = [parse.deployment(raw) for raw in its["deployments"]]
        return Observed(
            pods={pod.uid: pod for pod in pods},
            replica_sets={replica_set.uid: replica_set for replica_set in replica_sets},
            workloads={deployment.uid: deployment for deployment in deployments},
            nodes={raw["metadata"]["name"]: parse.node(raw) for raw in its["nodes"]},
            services=tuple(parse.service(raw) for raw in its["services"]),
            endpoints=tuple(endpoint for raw in its["endpointslices"] for endpoint in parse.endpoints(raw)),
            budgets=(),
            bindings=tuple(parse.binding(raw) for raw in its["targetgroupbindings"]),
            stale=frozenset(),
        )


class _StageHealth:
    """The target groups of a stage, looked into without a call that would count against their rate."""

    def __init__(self, stage: "Stage") -> None:
        self.health: Mapping[Target, TargetHealth] = {}
        self.errors: Mapping[str, str] = {}
        self.heard: Mapping[str, AwsError | None] = {}
        self._stage = stage

    def ask(self) -> None:
        """Look into them now; what was known before and isn't there any more is not registered."""
        at = now()
        gone = TargetHealth(state=State.UNUSED, reason="Target.NotRegistered", asked_at=at)
        known = {
            Target(group=arn, ip=ip, port=port): TargetHealth(state=State(state), reason=reason, asked_at=at)
            for arn, ip, port, state, reason in self._stage.targets()
        }
        self.health = dict.fromkeys(self.health, gone) | known

    def want(self, wishes: "Mapping[str, Wish]") -> None:
        """Nothing has to be asked for."""


def _planned(snapshot: "Snapshot", node: str) -> list[Planned]:
    """Return the pods that a tool will move: those of a node, or all where none is named."""
    return [
        Planned(
            uid=pod.uid, namespace=pod.namespace, name=pod.name, node=pod.node or "", workload=reference_to(deployment)
        )
        for deployment in snapshot.workloads.values()
        for pod in snapshot.pods_of(deployment)
        if node in {"", pod.node}
    ]
