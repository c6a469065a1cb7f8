"""What a run looked like over time: plain values, from which a page is drawn.

Nothing here knows how it was observed, and nothing is decided by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from types import MappingProxyType

NO_LOSS: Mapping[str, int] = MappingProxyType({})


class Phase(Enum):
    """What a pod is to its clients; the values are what people read."""

    STARTING = "starting"
    ARRIVING = "ready, not yet in service"
    SERVING = "in service"
    RELEASED = "released, in service until replaced"
    FAILING = "out of service"
    WITHDRAWN = "withdrawn: gets nothing new, finishes what it has"
    STOPPING = "stopping, out of use"
    CUT_OFF = "stopped while in use"
    ORPHANED = "gone, still a target"


IN_SERVICE = frozenset({Phase.SERVING, Phase.RELEASED})


class Health(Enum):
    """A pod's health in its target groups, the worst of them; the values are what people read."""

    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    DRAINING = "draining"
    LEAVING = "leaving, not asked since"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A pod was in one phase, or its targets in one health, from an instant to another."""

    since: datetime
    until: datetime
    state: Phase | Health


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A pod was listed as ready in an EndpointSlice."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PodLine:
    """One pod's row. What is not covered by an interval, it did not exist in."""

    uid: str
    namespace: str
    name: str
    node: str
    workload: str
    """`deployment shop/web`; empty for a pod that has none."""
    is_planned: bool
    replaces: str = ""
    """The name of the pod that it came for, where that can be told."""
    phases: tuple[Interval, ...]
    listed: tuple[Span, ...] = ()
    targets: tuple[Interval, ...] = ()
    gone: datetime | None = None
    """When its object was seen to be gone."""
    is_cut: bool = False
    """Whether it changed more often than was kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """From an instant on, so many pods of those wanted were in service."""

    at: datetime
    in_service: int
    wanted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """A workload's pods in service over time."""

    workload: str
    levels: tuple[Level, ...]
    unchanged: int = 0
    """How many more pods it has that were in service all along; they have no row."""

    @property
    def lowest(self) -> Level | None:
        """The level that lacked most of what was wanted."""
        return min(self.levels, key=lambda level: level.in_service - level.wanted, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Requests in a stretch of time, a second mostly."""

    at: datetime
    """When it begins."""
    sent: int
    lost: Mapping[str, int] = field(default_factory=lambda: NO_LOSS)
    """By reason."""
    lasted: timedelta = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened at an instant: a cordon, Ctrl-C, a deadline."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """One run, or one way to do it."""

    title: str
    """What was run: `kubectl safe drain node-a`."""
    began: datetime
    ended: datetime
    command: str = ""
    """The whole command line, without credentials."""
    error: str = ""
    """Why it failed; empty where it didn't."""
    pods: tuple[PodLine, ...] = ()
    """In the order of their rows: those of a workload together."""
    capacity: tuple[Capacity, ...] = ()
    traffic: tuple[Traffic, ...] = ()
    """Empty where nobody counted."""
    counted: str = "requests"
    """What `traffic` counts."""
    marks: tuple[Mark, ...] = ()
    planned: int = 0
    """How many pods were to be moved."""

    @property
    def sent(self) -> int:
        """How many requests were counted."""
        return sum(bucket.sent for bucket in self.traffic)

    @property
    def lost(self) -> Mapping[str, int]:
        """How many requests were lost, by reason, most first."""
        found: dict[str, int] = {}
        for bucket in self.traffic:
            for reason, count in bucket.lost.items():
                found[reason] = found.get(reason, 0) + count
        return dict(sorted(found.items(), key=lambda entry: (-entry[1], entry[0])))

    @property
    def moved(self) -> int:
        """How many of the planned pods are gone."""
        return sum(pod.is_planned and pod.gone is not None for pod in self.pods)
