"""`rollout status`: a rollout is watched until it is finished, and not only by what its controller says."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from kubectl_safe.decide.native_rollout import Complete, Failed
from kubectl_safe.decide.overview import Overview, overview
from kubectl_safe.decide.restart import recorded
from kubectl_safe.decide.rollout_status import Waiting, not_gone, rollout_status
from kubectl_safe.model.errors import KubectlSafeError, NotFoundError
from kubectl_safe.model.lease import Lease
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.selector import LabelSelector
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import Target
from kubectl_safe.model.workload import Workload
from kubectl_safe.render.durations import short
from kubectl_safe.run.scope import called

BETWEEN = timedelta(seconds=3)
"""The least time between a line and what its controller leaves out: a wait that is shorter needs no reason."""

LOOK_AGAIN = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutStatus:
    """Whose rollouts to watch, and for how long."""

    kinds: tuple[str, ...] = ("Deployment",)
    namespace: str
    named: tuple[tuple[str, str], ...] = ()
    """By kind and name."""
    selector: LabelSelector | None = None
    """All of the kinds, without names and a selector."""
    revision: int = 0
    """Of a Deployment; 0 for the newest."""
    is_watched: bool = True
    """Whether to wait until they are finished, or to tell how far they are."""
    timeout: timedelta | None = None
    """For each of them."""


class View(Protocol):
    """What looks at the cluster and its target groups; `Onlooker` is that."""

    def look(self, choose: Callable[[Snapshot], Iterable[Pod]] = ..., *, targets: Iterable[Target] = ...) -> Snapshot:
        """Return what is known now, with the health of the targets of the pods that are chosen, and of these."""

    def wait(self, longest: timedelta) -> None:
        """Return once something changed, or after that long."""


class Leases(Protocol):
    """Which runs are at work; `SeenLeases` is that."""

    def overview(self, look: Callable[[tuple[Lease, ...] | None, datetime], Overview]) -> Overview:
        """Return what is seen with the Leases of now, and the time of the server."""


@dataclass(kw_only=True)
class Telling:
    """Prints what changes of a rollout, a line at a time."""

    say: Callable[[str], None]
    warn: Callable[[str], None]
    leases: Leases
    _line: str = field(init=False, default="")
    _lacks: str = field(init=False, default="")
    _said_at: datetime | None = field(init=False, default=None)
    _told: set[str] = field(init=False, default_factory=set)
    """Who is at work, and what dead runs left."""

    def tell(self, status: Waiting, at: datetime, *, is_last: bool) -> None:
        """Tell what a rollout waits for where that is new."""
        if status.line != self._line:
            self._line = status.line
            self._say(status.line, at)
        is_soon = self._said_at is not None and at - self._said_at < BETWEEN
        if status.lacks != self._lacks and (is_last or not is_soon):
            self._lacks = status.lacks
            self._say(status.lacks, at)

    def tell_runs(self, workload: Workload, snapshot: Snapshot) -> None:
        """Tell who is at work on a workload's pods, and what nobody goes on with, each once."""
        seen = _runs(workload, snapshot, self.leases)
        if seen is None:
            return
        for run in seen.runs:
            who = f"{run.holder.about or 'a run'}, by {run.holder.who},"
            self._once(self.say, f"{who} is at work on {workload.named}")
            if run.is_silent and run.unheard is not None:
                told = f"{who} was last heard of {short(run.unheard)} ago; it is taken for dead after a minute"
                self._once(self.say, told, about=f"{who} is silent")
        for found in seen.left:
            remedy = "".join(f"\n  {line}" for line in found.remedy.split("\n"))
            self._once(self.warn, f"Warning: {found.subject} in namespace {workload.namespace}: {found.fact}{remedy}")

    def _once(self, tell: Callable[[str], None], words: str, *, about: str = "") -> None:
        if (about or words) not in self._told:
            self._told.add(about or words)
            tell(words)

    def _say(self, line: str, at: datetime) -> None:
        if line:
            self._said_at = at
            self.say(line)


def follow(
    request: RolloutStatus,
    view: View,
    *,
    say: Callable[[str], None],
    warn: Callable[[str], None],
    now: Callable[[], datetime],
    leases: Leases,
) -> None:
    """Watch rollouts, one after the other, until all are finished.

    Raises:
        KubectlSafeError: a workload is not there, or its rollout has failed or took too long; the others are watched.
    """
    workloads = _chosen(request, view.look())
    there = {(its.kind, its.name) for its in workloads}
    missing = [called(*named) for named in dict.fromkeys(request.named) if named not in there]
    if not workloads and not missing:
        warn(f"No resources found in {request.namespace} namespace.")
    failures: list[KubectlSafeError] = []
    for workload in workloads:
        try:
            _follow(workload, request, view, telling=Telling(say=say, warn=warn, leases=leases), now=now)
        except KubectlSafeError as error:
            failures.append(error)
    if missing:
        absent = NotFoundError(*missing)
        if not failures:
            raise absent
        failures.append(absent)
    if failures:
        raise KubectlSafeError("\n".join(map(str, failures))) from failures[0]


def _follow(
    workload: Workload, request: RolloutStatus, view: View, *, telling: Telling, now: Callable[[], datetime]
) -> None:
    until = now() + request.timeout if request.timeout else None
    seen = frozenset[Target]()
    while True:
        snapshot = view.look(lambda known: known.pods_of(workload), targets=seen)
        its = snapshot.workloads.get(workload.uid)
        if its is None:
            # Another one of its name would be another rollout.
            raise KubectlSafeError("object has been deleted")
        seen = not_gone(its, snapshot, seen=seen)
        left = until - now() if until else LOOK_AGAIN
        is_over = left <= timedelta(0)
        match rollout_status(its, snapshot, revision=request.revision, seen=seen):
            case Failed(why=why):
                raise KubectlSafeError(why)
            case Complete(line=line):
                telling.say(line)
                return
            case Waiting() as waiting:
                telling.tell_runs(its, snapshot)
                telling.tell(waiting, snapshot.at, is_last=is_over or not request.is_watched)
        if not request.is_watched:
            return
        if is_over:
            raise KubectlSafeError("timed out waiting for the condition")
        view.wait(min(LOOK_AGAIN, left))


def _runs(workload: Workload, snapshot: Snapshot, leases: Leases) -> Overview | None:
    """Return who is at work on a workload, or was; None where its pods bear no marks, so that nobody need be asked."""
    pods = snapshot.pods_of(workload)
    if recorded(workload, snapshot) is None and not any(pod.is_released for pod in pods):
        return None
    return leases.overview(
        lambda known, at: overview(snapshot, pods=pods, workloads=(workload,), nodes=(), leases=known, server_time=at)
    )


def _chosen(request: RolloutStatus, snapshot: Snapshot) -> list[Workload]:
    """Return those that are there, in the order of the arguments, or by kind and name."""
    known = {(w.kind, w.name): w for w in snapshot.workloads.values() if w.namespace == request.namespace}
    if request.named:
        return [known[named] for named in dict.fromkeys(request.named) if named in known]
    of_kinds = (w for w in known.values() if w.kind in request.kinds)
    wanted = (w for w in of_kinds if request.selector is None or request.selector.matches(w.labels))
    return sorted(wanted, key=lambda w: (request.kinds.index(w.kind), w.name))
