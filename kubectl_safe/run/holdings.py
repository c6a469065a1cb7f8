"""What a run holds of its nodes and workloads: a Lease each, without which nothing is written to their pods."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Protocol

from kubectl_safe.decide.intent import Planned
from kubectl_safe.kube.outcome import RETRY_SECONDS, Busy
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.lease import Holder, LeaseName, lease_of_workload


class Leases(Protocol):
    """What keeps Leases in the background; `run.leases.Leases` is that."""

    @property
    def held(self) -> frozenset[LeaseName]:
        """Those under which something may be done now."""

    @property
    def holders(self) -> Mapping[LeaseName, Holder]:
        """Who has one that we want."""

    @property
    def lost(self) -> object | None:
        """One that another took from us, in words; nothing may be written any more."""

    @property
    def is_valid(self) -> bool:
        """Whether all that are held were renewed lately."""

    @property
    def trouble(self) -> str | None:
        """Why they can't be taken or renewed."""

    def want(self, names: Iterable[LeaseName]) -> None:
        """Want these one by one, and no others."""

    def want_together(self, names: Iterable[LeaseName]) -> None:
        """Want these all or none, apart from those that are wanted one by one."""

    def watch(self, names: Iterable[LeaseName]) -> None:
        """Only look at these, to know for how long they don't change."""

    def take_over(self, names: Iterable[LeaseName]) -> None:
        """Want these one by one, and push out whoever holds them."""

    def sweep(self) -> None:
        """Delete what dead drains of the same nodes held."""


class Signal(Protocol):
    """What tells that something changed."""

    def wait(self, timeout: float) -> bool:
        """Return once something changed, or after `timeout` seconds."""


class Holdings:
    """The Leases of a run, by the nodes and workloads that they are for.

    Args:
        leases: what keeps them.
        signal: is set when they change.
        now: reads the clock.
        tell: says to the reader who has what is waited for.
    """

    def __init__(
        self, leases: Leases, *, signal: Signal, now: Callable[[], datetime], tell: Callable[[str], None]
    ) -> None:
        self._leases = leases
        self._signal = signal
        self._now = now
        self._tell = tell
        self._fixed: frozenset[LeaseName] = frozenset()
        self._is_by_force = False
        self._workloads: Mapping[str, tuple[LeaseName, str]] = {}
        self._wanted: frozenset[LeaseName] = frozenset()

    def hold(
        self,
        subjects: Mapping[LeaseName, str],
        *,
        until: datetime | None = None,
        is_by_force: bool = False,
        before: Iterable[Planned] = (),
    ) -> None:
        """Wait until all of these are ours, which are then kept until the end of the run.

        Args:
            subjects: what each Lease is for, as people call it.
            until: when to give up.
            is_by_force: push out whoever has them; they notice, and write nothing more.
            before: pods that are moved after that, whose workloads a dead run may hold as well.

        Raises:
            KubectlSafeError: one can't be had, for want of rights or until then.
        """
        self._fixed, self._is_by_force = frozenset(subjects), is_by_force
        (self._leases.take_over if is_by_force else self._leases.want_together)(self._fixed)
        self._leases.watch(_workload_leases(before).keys() - self._fixed)
        told: set[str] = set()
        while not self._fixed <= self._leases.held:
            self.check()
            for line in self._obstacles(subjects, is_by_force=is_by_force):
                if line not in told:
                    told.add(line)
                    self._tell(line)
            if until is not None and self._now() >= until:
                why = "; ".join(self._obstacles(subjects, is_by_force=False)) or "the leases were not to be had"
                raise KubectlSafeError(f"global timeout reached: {why}; nothing was changed")
            self._signal.wait(1.0)

    def sweep(self) -> None:
        """Take away the Leases that dead drains of the same nodes left, also of workloads that are none of ours."""
        if self.is_valid:
            self._leases.sweep()

    def begin(self, pods: Iterable[Planned]) -> None:
        """From now on these pods may be moved by whoever has the Leases of their workloads."""
        self._workloads = {uid: (name, subject) for name, (uid, subject) in _workload_leases(pods).items()}
        self.keep(self._workloads)
        self._leases.watch(())

    def keep(self, workloads: Iterable[str]) -> None:
        """Want the Leases of these workloads (by UID), one by one; those of the others are given back."""
        wanted = frozenset(self._workloads[uid][0] for uid in workloads)
        if self._is_by_force:
            wanted |= self._fixed
        else:
            wanted -= self._fixed
        if wanted != self._wanted:
            self._wanted = wanted
            self._leases.want(wanted)

    @property
    def taken(self) -> Mapping[str, str]:
        """The workloads (by UID) that are not ours now, and in words who has them."""
        held, holders = self._leases.held, self._leases.holders
        return {
            uid: _who_has(subject, holders.get(name), self._leases.trouble)
            for uid, (name, subject) in self._workloads.items()
            if name not in held
        }

    @property
    def is_valid(self) -> bool:
        """Whether something may be written at this instant."""
        return self._leases.is_valid and self._fixed <= self._leases.held

    @property
    def is_current(self) -> bool:
        """Whether everything that is held until the end was renewed lately.

        Raises:
            KubectlSafeError: another run has taken what was ours.
        """
        self.check()
        return self.is_valid

    def check(self) -> None:
        """See that nothing was lost.

        Raises:
            KubectlSafeError: another run has taken what was ours; nothing may be written any more.
        """
        lost = self._leases.lost
        if lost is not None:
            raise KubectlSafeError(str(lost))

    def fence(self) -> Busy | None:
        """Return why nothing may be written at this instant; to be asked right before each write.

        Raises:
            KubectlSafeError: nothing may be written ever again.
        """
        self.check()
        if self.is_valid:
            return None
        return Busy(message="the leases of this run could not be renewed in time", retry_after=RETRY_SECONDS)

    def _obstacles(self, subjects: Mapping[LeaseName, str], *, is_by_force: bool) -> list[str]:
        found = [
            f"{_who_has(subjects[name], holder, None)}{'; it is pushed out, which takes 30s' if is_by_force else ''}"
            for name, holder in self._leases.holders.items()
            if name in subjects
        ]
        return found or ([self._leases.trouble] if self._leases.trouble else [])


def _workload_leases(pods: Iterable[Planned]) -> dict[LeaseName, tuple[str, str]]:
    """Return the Leases of the workloads of pods, each with the workload's UID and what people call it."""
    return {
        lease_of_workload(planned.workload.kind, planned.namespace, planned.workload.name): (
            planned.workload.uid,
            f"{planned.workload.kind.lower()} {planned.namespace}/{planned.workload.name}",
        )
        for planned in pods
        if planned.workload
    }


def _who_has(subject: str, holder: Holder | None, trouble: str | None) -> str:
    if holder is None:
        return f"{subject} waits for its lease{f': {trouble}' if trouble else ''}"
    since = f" since {holder.since.astimezone():%H:%M:%S}" if holder.since else ""
    return f"{subject} is in the hands of {holder.who}{since} ({holder.about})"
