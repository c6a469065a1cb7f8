"""One pod's changes over time, as they are kept while a run goes on."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from kubectl_safe.model.target import Target
from kubectl_safe.render.timeline import Health, Interval, Phase, PodLine, Span

MOST_CHANGES = 200
"""A pod that changes more often is shown with its last state from there on."""

State = TypeVar("State")


@dataclass(slots=True)
class Changes(Generic[State]):
    """Values with the instants from which on they held."""

    known: list[tuple[datetime, State | None]] = field(default_factory=list)
    is_cut: bool = False

    @property
    def last(self) -> State | None:
        """The value that holds."""
        return self.known[-1][1] if self.known else None

    def set(self, at: datetime, value: State | None) -> None:
        """Take up a value, where it is another one than before."""
        if value == self.last:
            return
        if len(self.known) >= MOST_CHANGES:
            self.is_cut = True
            self.known[-1] = (self.known[-1][0], value)
        else:
            self.known.append((at, value))

    def since(self, *values: State) -> datetime | None:
        """Return when one of these values was first taken up."""
        return next((at for at, value in self.known if value in values), None)

    def until(self, end: datetime) -> list[tuple[datetime, datetime, State]]:
        """Return each value with the instants from which and to which it held; the last one holds until `end`."""
        ends = [at for at, _ in self.known[1:]] + [max(end, self.known[-1][0])] if self.known else []
        return [(at, to, value) for (at, value), to in zip(self.known, ends, strict=True) if value is not None]


@dataclass(slots=True, kw_only=True)
class Track:
    """A pod, and what it went through since it was first looked at."""

    uid: str
    namespace: str
    name: str
    workload: str
    """The UID of its Deployment; empty where it has none."""
    is_new: bool
    """Whether it came after the first look."""
    first_seen: datetime
    node: str = ""
    is_planned: bool = False
    targets: tuple[Target, ...] = ()
    gone: datetime | None = None
    phases: Changes[Phase] = field(default_factory=Changes)
    listed: Changes[bool] = field(default_factory=Changes)
    health: Changes[Health] = field(default_factory=Changes)

    @property
    def left(self) -> datetime | None:
        """When it began to leave: released, withdrawn or stopped."""
        return self.phases.since(Phase.RELEASED, Phase.WITHDRAWN, Phase.CUT_OFF, Phase.STOPPING)

    @property
    def is_unchanged(self) -> bool:
        """Whether it was in service all along, and is no pod that a row has to be shown for."""
        return not self.is_planned and not self.is_new and [phase for _, phase in self.phases.known] == [Phase.SERVING]

    def line(self, end: datetime, *, workload: str, replaces: str) -> PodLine:
        """Return its row, up to an instant."""
        return PodLine(
            uid=self.uid,
            namespace=self.namespace,
            name=self.name,
            node=self.node,
            workload=workload,
            is_planned=self.is_planned,
            replaces=replaces,
            phases=tuple(Interval(since=a, until=b, state=phase) for a, b, phase in self.phases.until(end)),
            listed=tuple(Span(since=a, until=b) for a, b, is_in in self.listed.until(end) if is_in),
            targets=tuple(Interval(since=a, until=b, state=health) for a, b, health in self.health.until(end)),
            gone=self.gone,
            is_cut=self.phases.is_cut or self.listed.is_cut or self.health.is_cut,
        )
