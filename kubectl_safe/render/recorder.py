"""Follows a run for its report: it keeps what changed and when, of the planned workloads only, and decides nothing.

Its memory is bounded: by the pods of planned workloads and by how often each may change.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from kubectl_safe.decide.intent import Planned
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.render.counting import Counting
from kubectl_safe.render.phases import health_of, is_listed, is_still_a_target, phase_of
from kubectl_safe.render.rows import in_rows
from kubectl_safe.render.timeline import (
    IN_SERVICE,
    Capacity,
    Level,
    Mark,
    Phase,
    Timeline,
)
from kubectl_safe.render.track import Track

MOST_MARKS = 100
MOST_LEVELS = 2000


class Recorder:
    """Makes a timeline of the snapshots that it is shown.

    Args:
        title: what was run.
        began: the timeline's first instant; otherwise that of the first look.
        command: the whole command line, without credentials.
    """

    def __init__(self, *, title: str, began: datetime | None = None, command: str = "") -> None:
        self.title = title
        self.began = began
        self.command = command
        self.counts: Callable[[], tuple[int, Mapping[str, int]]] | None = None
        """Tells how many requests were sent and lost until now, by reason; read at each look, and at the end."""
        self.counted = "requests"
        """What is counted."""
        self._planned: dict[str, Planned] = {}
        self._workloads: dict[str, str] = {}
        self._tracks: dict[str, Track] = {}
        self._levels: dict[str, list[Level]] = {}
        self._marks: list[Mark] = []
        self._counting = Counting()
        self._looked = False

    def follow(self, pods: Iterable[Planned]) -> None:
        """Follow these pods, and all others of their workloads; those of earlier calls too."""
        for planned in pods:
            if planned.uid in self._planned:
                continue
            self._planned[planned.uid] = planned
            if planned.workload:
                kind = planned.workload.kind.lower()
                self._workloads.setdefault(planned.workload.uid, f"{kind} {planned.namespace}/{planned.workload.name}")
            if track := self._tracks.get(planned.uid):
                track.is_planned = True

    def look(self, snapshot: Snapshot) -> None:
        """Keep what has changed since the last look."""
        self.began = self.began or snapshot.at
        for uid in self._workloads:
            workload = snapshot.workloads.get(uid)
            for pod in snapshot.pods_of(workload) if workload else ():
                self._see(pod, uid, snapshot)
        for planned in self._planned.values():
            uid = planned.workload.uid if planned.workload else ""
            if uid not in snapshot.workloads and planned.uid in snapshot.pods:
                self._see(snapshot.pods[planned.uid], uid, snapshot)
        self._see_gone(snapshot)
        self._count_capacity(snapshot)
        if self.counts is not None:
            self.count(snapshot.at, *self.counts())
        self._looked = True

    def count(self, at: datetime, sent: int, lost: Mapping[str, int]) -> None:
        """Take up how many requests were sent, and how many lost by reason, until now, in all.

        The first totals are those at the beginning: what they hold is not counted.
        """
        self._counting.take(at, sent, lost)

    def mark(self, at: datetime, text: str) -> None:
        """Note what happened at an instant; of too many marks the first ones are kept."""
        if len(self._marks) < MOST_MARKS:
            self._marks.append(Mark(at=at, text=text))

    def timeline(self, ended: datetime, *, error: str = "") -> Timeline:
        """Return all that was kept, up to an instant."""
        began = self.began or ended
        end = max(ended, began)
        if self.counts is not None:
            self.count(end, *self.counts())
        lines = []
        for workload, name in [*self._workloads.items(), ("", "")]:
            tracks = [track for track in self._tracks.values() if track.workload == workload and not track.is_unchanged]
            lines += [track.line(end, workload=name, replaces=replaced) for track, replaced in in_rows(tracks)]
        return Timeline(
            title=self.title,
            command=self.command,
            began=began,
            ended=end,
            error=error,
            pods=tuple(lines),
            capacity=tuple(self._capacity(uid, name) for uid, name in self._workloads.items() if uid in self._levels),
            traffic=self._counting.buckets(),
            counted=self.counted,
            marks=tuple(self._marks),
            planned=len(self._planned),
        )

    def _see(self, pod: Pod, uid: str, snapshot: Snapshot) -> None:
        track = self._tracks.get(pod.uid) or self._begin(pod, uid, snapshot.at)
        track.node = pod.node or track.node
        track.targets = snapshot.targets_of(pod) or track.targets
        workload = snapshot.workloads.get(uid)
        phase = phase_of(pod, workload, snapshot, track.phases.last, is_old=not track.is_new)
        track.phases.set(snapshot.at, phase)
        track.listed.set(snapshot.at, is_listed(pod, snapshot))
        track.health.set(snapshot.at, health_of(track.targets, snapshot, pod=pod))

    def _begin(self, pod: Pod, workload: str, at: datetime) -> Track:
        track = self._tracks[pod.uid] = Track(
            uid=pod.uid,
            namespace=pod.namespace,
            name=pod.name,
            workload=workload,
            is_new=self._looked,
            first_seen=at,
            is_planned=pod.uid in self._planned,
        )
        return track

    def _see_gone(self, snapshot: Snapshot) -> None:
        """Keep which pods are gone, and for how long a load balancer still has the addresses of those."""
        at = snapshot.at
        for track in self._tracks.values():
            if track.uid in snapshot.pods or (track.gone and track.phases.last is None and track.health.last is None):
                continue
            track.gone = track.gone or at
            is_target = is_still_a_target(track.targets, snapshot, gone=track.gone)
            track.phases.set(at, Phase.ORPHANED if is_target else None)
            track.health.set(at, health_of(track.targets, snapshot, pod=None) if is_target else None)
            track.listed.set(at, None)

    def _count_capacity(self, snapshot: Snapshot) -> None:
        serving = dict.fromkeys(self._workloads, 0)
        for track in self._tracks.values():
            if track.workload and track.phases.last in IN_SERVICE:
                serving[track.workload] += 1
        for uid, count in serving.items():
            workload = snapshot.workloads.get(uid)
            levels = self._levels.setdefault(uid, [])
            wanted = workload.replicas if workload else 0
            if levels and (levels[-1].in_service, levels[-1].wanted) == (count, wanted):
                continue
            del levels[MOST_LEVELS:]
            levels.append(Level(at=snapshot.at, in_service=count, wanted=wanted))

    def _capacity(self, uid: str, name: str) -> Capacity:
        unchanged = sum(track.workload == uid and track.is_unchanged for track in self._tracks.values())
        return Capacity(workload=name, levels=tuple(self._levels[uid]), unchanged=unchanged)
