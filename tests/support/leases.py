"""Leases as an API server keeps them, in virtual time: versions, conflicts, refusals, and answers that are lost."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from itertools import count
from typing import Any, TypeVar

from kubectl_safe.kube.leases import Absent, Found, Taken
from kubectl_safe.kube.outcome import Busy, Conflict, Denied
from kubectl_safe.model.lease import Lease, LeaseName

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
T = TypeVar("T")


class Fault(Enum):
    """What becomes of a request."""

    NONE = "none"
    NOT_DONE = "there is no answer, and it was not done"
    NO_ANSWER = "it was done, and the answer is lost"
    DENIED = "denied"


@dataclass
class Time:
    """Seconds that pass where a test lets them."""

    at: float = 1000.0

    def __call__(self) -> float:
        return self.at


def nothing() -> None:
    """Let nothing happen."""


@dataclass
class LeaseServer:
    """What is kept, and who is told of each request."""

    leases: dict[LeaseName, Lease] = field(default_factory=dict)
    deleted: list[Lease] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: count(1))

    def next(self) -> str:
        return str(next(self._numbers))

    def put(self, lease: Lease) -> Lease:
        """Write a lease as nobody's client would: whatever was there before."""
        self.leases[lease.name] = replace(lease, uid=lease.uid or f"uid-{self.next()}", resource_version=self.next())
        return self.leases[lease.name]


@dataclass
class FakeLeases:
    """One client of it, which implements what `LeaseApi` does."""

    server: LeaseServer
    fault: Callable[[str], Fault] = lambda _: Fault.NONE
    before: Callable[[], None] = nothing
    """Happens while a request is on its way."""
    after: Callable[[], None] = nothing
    """Happens while its answer is."""
    asked: list[tuple[str, LeaseName]] = field(default_factory=list)

    def read(self, name: LeaseName) -> Found | Absent | Busy | Denied:
        def found() -> Found | Absent:
            lease = self.server.leases.get(name)
            return Found(lease=lease) if lease else Absent()

        return self._do("get", name, found)

    def create(self, lease: Lease) -> Taken | Conflict | Busy | Denied:
        def done() -> Taken | Conflict:
            if lease.name in self.server.leases:
                return Conflict()
            return Taken(lease=self.server.put(lease))

        return self._do("create", lease.name, done)

    def update(self, lease: Lease) -> Taken | Conflict | Busy | Denied:
        return self._do(
            "update",
            lease.name,
            lambda: Taken(lease=self.server.put(lease)) if self._is_current(lease) else Conflict(),
        )

    def delete(self, lease: Lease) -> Absent | Conflict | Busy | Denied:
        def done() -> Absent | Conflict:
            if lease.name not in self.server.leases:
                return Absent()
            if not self._is_current(lease):
                return Conflict()
            self.server.deleted.append(self.server.leases.pop(lease.name))
            return Absent()

        return self._do("delete", lease.name, done)

    def ours(self) -> tuple[Lease, ...] | Busy | Denied:
        return tuple(self.server.leases.values())

    def _is_current(self, lease: Lease) -> bool:
        known = self.server.leases.get(lease.name)
        return known is not None and (known.uid, known.resource_version) == (lease.uid, lease.resource_version)

    def _do(self, verb: str, name: LeaseName, act: Callable[[], T]) -> T | Busy | Denied:
        self.asked.append((verb, name))
        fault = self.fault(verb)
        self.before()
        try:
            match fault:
                case Fault.NONE:
                    return act()
                case Fault.NO_ANSWER:
                    act()
                    return Busy(message=fault.value, retry_after=1)
                case Fault.NOT_DONE:
                    return Busy(message=fault.value, retry_after=1)
                case Fault.DENIED:
                    return Denied(message=f"{verb} of lease {name} failed: forbidden")
        finally:
            self.after()


A, B, C = (LeaseName("shop", f"kubectl-safe.deployment.{name}") for name in "abc")


def a_lease(name: LeaseName = A, **changes: Any) -> Lease:
    """Return a lease that bob holds."""
    known = Lease(
        name=name,
        uid="uid",
        resource_version="7",
        holder="bob@desk pid 12 0badcafe",
        about="restart web",
        since="2026-11-23T11:00:00.000000Z",
        renewed="2026-11-23T11:59:50.000000Z",
        duration=timedelta(seconds=30),
    )
    return replace(known, **changes)
