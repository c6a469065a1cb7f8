"""How far a run is: how long each pod is in its wait, and the figures of the closing line."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from kubectl_safe.decide.actions import AskEviction, Evict
from kubectl_safe.decide.decision import Act, Decision, For, Skipped, Step, Wait
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.next import Outcome
from kubectl_safe.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Longest:
    """The longest wait of a run."""

    pod: Planned
    on: For
    lasted: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowest:
    """The fewest pods of a workload that were seen in service, of those wanted."""

    workload: str
    in_service: int
    wanted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waited:
    """How long a pod waited for one thing: all its waits for that together, as some come back every few seconds."""

    on: For
    since: datetime
    """When the first one began."""
    times: int
    total: timedelta
    longest: timedelta

    def again(self, lasted: timedelta) -> "Waited":
        """Return it with one more wait."""
        longest = max(self.longest, lasted)
        return replace(self, times=self.times + 1, total=self.total + lasted, longest=longest)


ASLEEP = timedelta(seconds=30)
"""A run looks every second: where so long went by between two looks, its process was stopped, or its machine slept."""


@dataclass(kw_only=True)
class Progress:
    """Counts along with a run, from what each look led to."""

    intent: Intent
    began: datetime
    steps: dict[str, Step] = field(default_factory=dict)
    waits: dict[str, tuple[For, datetime]] = field(default_factory=dict)
    unknown: dict[str, datetime] = field(default_factory=dict)
    """By UID: since when it is not known whether a pod's wait goes on; that time does not count, and ends no wait."""
    longest: Longest | None = None
    lowest: dict[str, Lowest] = field(default_factory=dict)
    reached: dict[str, dict[Step, datetime]] = field(default_factory=dict)
    """By UID: when a pod was first seen in each step, in that order."""
    looked: datetime | None = None
    """When it was looked last."""
    waited: dict[str, dict[For, Waited]] = field(default_factory=dict)
    """By UID: the waits that are over."""
    skipped: set[str] = field(default_factory=set)
    """UIDs of the pods that are not waited for, and that is no failure."""

    def count(self, snapshot: Snapshot, outcome: Outcome) -> tuple[Planned, ...]:
        """Take one look into account; return the pods that were found gone by it."""
        gone = []
        self._leave_out_sleep(snapshot.at)
        for planned in self.intent.pods:
            decision = outcome.decisions[planned.uid]
            if not _asks_again(decision):
                self._count_wait(planned, decision if isinstance(decision, Wait) else None, snapshot.at)
            self.reached.setdefault(planned.uid, {}).setdefault(outcome.steps[planned.uid], snapshot.at)
            if outcome.steps[planned.uid] is Step.GONE and self.steps.get(planned.uid) is not Step.GONE:
                gone.append(planned)
        self.steps = dict(outcome.steps)
        self._count_capacity(snapshot, outcome.in_service)
        return tuple(gone)

    def skip(self, outcome: Outcome) -> tuple[str, ...]:
        """Take into account which pods are not waited for; return kubectl's line of each that is new among them."""
        found = {uid: d.why for uid, d in outcome.decisions.items() if isinstance(d, Skipped)}
        new = tuple(why for uid, why in found.items() if uid not in self.skipped)
        self.skipped |= found.keys()
        return new

    def waiting_since(self, planned: Planned) -> datetime | None:
        """Return when a pod's present wait began."""
        if planned.uid in self.unknown:
            return self.unknown[planned.uid]
        known = self.waits.get(planned.uid)
        return known[1] if known else None

    def waits_of(self, planned: Planned, at: datetime) -> tuple[Waited, ...]:
        """Return what a pod waited for until now, its present wait included."""
        found = dict(self.waited.get(planned.uid, {}))
        if known := self.waits.get(planned.uid):
            found[known[0]] = _added(found, known, at)
        return tuple(found.values())

    @property
    def left(self) -> tuple[Planned, ...]:
        """The pods that are not gone."""
        return tuple(p for p in self.intent.pods if self.steps.get(p.uid) is not Step.GONE)

    def _leave_out_sleep(self, at: datetime) -> None:
        """Have time in which nobody looked not count: what was awaited may long be there, and be seen in a moment."""
        gap = at - self.looked if self.looked else timedelta(0)
        self.looked = at
        if gap > ASLEEP:
            self.waits = {
                uid: (on, since if uid in self.unknown else since + gap) for uid, (on, since) in self.waits.items()
            }

    def _count_wait(self, planned: Planned, wait: Wait | None, at: datetime) -> None:
        known = self.waits.get(planned.uid)
        if known and wait and wait.on is For.CACHE and known[0] is not For.CACHE:
            # Each answer about a target's health gets old for a moment before the next one comes.
            self.unknown.setdefault(planned.uid, at)
            return
        if known and (since := self.unknown.pop(planned.uid, None)):
            known = self.waits[planned.uid] = (known[0], known[1] + (at - since))
        if known and (wait is None or wait.on is not known[0]):
            lasted = at - known[1]
            # Standing in the queue is no wait of the handoff's own.
            if known[0] is not For.SURGE and (self.longest is None or lasted > self.longest.lasted):
                self.longest = Longest(pod=planned, on=known[0], lasted=lasted)
            over = self.waited.setdefault(planned.uid, {})
            over[known[0]] = _added(over, known, at)
            del self.waits[planned.uid]
        if wait:
            self.waits.setdefault(planned.uid, (wait.on, at))

    def _count_capacity(self, snapshot: Snapshot, in_service: Mapping[str, int]) -> None:
        for uid, count in in_service.items():
            workload = snapshot.workloads[uid]
            found = Lowest(workload=workload.name, in_service=count, wanted=workload.replicas)
            known = self.lowest.get(uid)
            if known is None or count - found.wanted < known.in_service - known.wanted:
                self.lowest[uid] = found


def _asks_again(decision: Decision) -> bool:
    """Tell whether the Eviction API is asked now: a wait for its leave goes on until it gives it."""
    return isinstance(decision, Act) and isinstance(decision.action, AskEviction | Evict)


def _added(waited: Mapping[For, Waited], wait: tuple[For, datetime], at: datetime) -> Waited:
    on, since = wait
    none = Waited(on=on, since=since, times=0, total=timedelta(0), longest=timedelta(0))
    return waited.get(on, none).again(at - since)
