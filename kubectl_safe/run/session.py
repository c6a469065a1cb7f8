"""One run from its plan to its closing line: what drains and restarts have in common."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Protocol, Self

from kubectl_safe.decide.actions import Action
from kubectl_safe.decide.data_plane import cautions
from kubectl_safe.decide.deadline import PATIENCE
from kubectl_safe.decide.ending import Ending, cut_short
from kubectl_safe.decide.estimate import estimate
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.preflight import blockers
from kubectl_safe.decide.progress import Progress
from kubectl_safe.decide.rehearsal import rehearsals
from kubectl_safe.decide.rights import Needs, Right
from kubectl_safe.decide.selectorless import slices_to_bear
from kubectl_safe.kube.actuator import Actuator
from kubectl_safe.kube.cache import Signal
from kubectl_safe.kube.client import Client
from kubectl_safe.kube.cluster import Cluster
from kubectl_safe.kube.events import last_warning
from kubectl_safe.kube.leases import LeaseApi
from kubectl_safe.kube.network import network_of
from kubectl_safe.model.errors import Interrupted, KubectlSafeError
from kubectl_safe.model.lease import LeaseName
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.render.ending import explained
from kubectl_safe.run import clock
from kubectl_safe.run.asking import Asking
from kubectl_safe.run.audience import Audience
from kubectl_safe.run.holdings import Holdings
from kubectl_safe.run.interruption import Interruption
from kubectl_safe.run.leases import Leases
from kubectl_safe.run.loop import Hands, Loop
from kubectl_safe.run.observer import Observer
from kubectl_safe.run.rehearsal import rehearse
from kubectl_safe.run.rights import check_rights
from kubectl_safe.run.target_groups import UnseenTargetsError
from kubectl_safe.run.terms import DryRun, Terms
from kubectl_safe.run.warnings import Warnings
from kubectl_safe.run.writing import write


class Prober(Protocol):
    """What `--probe` asks, and what came of it."""

    @property
    def failure(self) -> str | None:
        """The first request that was lost, in words."""


@dataclass(kw_only=True)
class Session:
    """The connections of one run; a context manager that closes them."""

    client: Client
    namespace: str | None
    """None watches all namespaces, and nodes."""
    terms: Terms
    audience: Audience
    now: Callable[[], datetime]
    elapsed: Callable[[], float] = clock.elapsed
    """Seconds that go on while the machine sleeps."""
    interruption: Interruption = field(default_factory=Interruption)
    probe: Prober | None = None
    """What asks through the real load balancer all along; set before the first pod is begun."""
    needs: Needs | None = None
    """The rights to see to before anything is watched."""
    lacking: frozenset[Right] = field(init=False, default=frozenset())
    """The rights that it goes on without, as was told."""
    observer: Observer = field(init=False)
    hands: Hands = field(init=False)
    holdings: Holdings | None = field(init=False, default=None)
    """The Leases of the run; a dry run has none, as it writes nothing."""
    _signal: Signal = field(init=False, default_factory=Signal)
    _open: ExitStack = field(init=False, default_factory=ExitStack)

    def __enter__(self) -> Self:
        if self.needs:
            self.lacking = check_rights(self.client, self.needs, self.audience)
        rights = (*self.needs.required, *self.needs.optional) if self.needs else ()
        lacking = {right.resource for right in self.lacking if right.verb in {"list", "watch"}}
        also = {right.resource for right in rights if right.verb == "watch"} - lacking
        cluster = Cluster(self.client, namespace=self.namespace, signal=self._signal, also=also, page=self.terms.page)
        self._open.enter_context(cluster)
        for kind in sorted(cluster.narrowed):
            self.audience.warn(
                f"Warning: without the right to list and watch {kind} in all namespaces, those of other namespaces "
                f"can't be seen that name pods of {self.namespace} as peers"
            )
        self.observer = Observer(cluster, now=self.now)
        self.observer.network = network_of(self.client, cluster.served, self.namespace)
        self.observer.begin_to_ask = self.asking.begin
        actuator = partial(Actuator, self.client, cluster, now=self.now, grace_period=self.terms.grace_period)
        if self.terms.dry_run is DryRun.NONE:
            leases = Leases(
                LeaseApi(self.client),
                about=self.terms.about,
                signal=self._signal,
                nodes=self.terms.nodes,
                elapsed=self.elapsed,
                now=self.now,
            )
            self._open.enter_context(leases)
            self.holdings = Holdings(leases, signal=self._signal, now=self.now, tell=self.audience.warn)
            self.observer.holdings = self.holdings
            self.hands = actuator(fence=self.holdings.fence)
        else:
            self.hands = actuator()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @cached_property
    def asking(self) -> Asking:
        """What asks the target groups of the run."""
        return Asking(
            terms=self.terms,
            observer=self.observer,
            signal=self._signal,
            warn=self.audience.warn,
            now=self.now,
            resources=self._open,
        )

    @property
    def stop(self) -> str:
        """Why no further pod is to be begun; empty while there is no reason.

        Raises:
            KubectlSafeError: the run has lost a Lease, and may write nothing more.
        """
        if self.holdings:
            self.holdings.check()
        return self.interruption.stop or (self.probe.failure if self.probe and self.probe.failure else "")

    def hold(
        self,
        subjects: Mapping[LeaseName, str],
        *,
        began: datetime,
        before: Iterable[Planned] = (),
        is_by_force: bool = False,
    ) -> None:
        """Wait until these Leases are ours; `subjects` says what each is for, and `before` what is moved after that.

        Raises:
            KubectlSafeError: they were not to be had before the end of `--timeout`.
        """
        timeout = self.terms.limits.timeout
        if self.holdings:
            until = began + timeout if timeout else None
            self.holdings.hold(subjects, until=until, is_by_force=is_by_force, before=before)

    def prepare(self, intent: Intent, first: Iterable[Action]) -> None:
        """See that everything can be done, and tell the plan; nothing is written.

        `first` is what will be written before the first pod is touched; it is rehearsed with the rest.

        Raises:
            KubectlSafeError: something can't be done.
        """
        try:
            self.check(intent)
        except UnseenTargetsError as error:
            raise KubectlSafeError(f"nothing was changed: {error}") from error
        snapshot = self.observer.look()
        for caution in cautions(intent, snapshot):
            self.audience.warn(f"Warning: {caution}")
        if self.terms.dry_run is not DryRun.CLIENT:
            actions = [*first, *rehearsals(intent, snapshot)]
            rehearse(actions, self.hands, self.audience, may_nudge=not self._lacks_nudges)
        self.audience.planned(intent, snapshot, estimate(intent, snapshot))

    def check(self, intent: Intent) -> None:
        """See that nothing forbids to hand over these pods, and that each of their target groups answers.

        Raises:
            KubectlSafeError: something does, or a target group can't be asked.
        """
        self.asking.find(intent)
        self._refuse_blocked(intent)
        self.asking.ask(intent)
        self._refuse_blocked(intent)
        self.observer.kept_slices |= slices_to_bear(intent, self.observer.look())

    def _refuse_blocked(self, intent: Intent) -> None:
        found = blockers(intent, self.observer.look())
        if found:
            raise KubectlSafeError("\n".join(f"Blocked({b.reason}): {b.why}" for b in found))

    @property
    def _lacks_nudges(self) -> bool:
        """Whether the reader was told that bindings can't be nudged."""
        return any(right.is_of_bindings for right in self.lacking)

    def carry_out(self, intent: Intent, *, began: datetime) -> Ending:
        """Hand over all pods, but for those that are given up; the closing line is told in any case.

        Raises:
            KubectlSafeError: it can't go on, or may not write any more.
        """
        if self._lacks_nudges:
            intent = replace(intent, settings=replace(intent.settings, nudge=False))
        progress = Progress(intent=intent, began=began)
        if self.holdings:
            self.holdings.begin(intent.pods)
        self.interruption.arm()
        loop = Loop(
            observer=self.observer,
            hands=self.hands,
            signal=self._signal,
            reporter=self.audience,
            now=self.now,
            limits=self.terms.limits,
            brake=self,
            warnings=Warnings(read=lambda subject: last_warning(self.client, subject, self.now())),
        )
        try:
            return self._sure_of(loop.run(intent, progress))
        except KeyboardInterrupt:
            if not self.interruption.is_urgent:
                raise
            return cut_short(intent, self.observer.look(), stop=self.interruption.stop)
        finally:
            self.audience.ended(progress, self.now())

    def _sure_of(self, ending: Ending) -> Ending:
        """Return an ending; that all is done is only said where nobody took over meanwhile.

        Whoever was frozen may wake up to find everything done, and not by itself.

        Raises:
            KubectlSafeError: somebody did, or that can't be known.
        """
        until = self.now() + PATIENCE
        while self.holdings and not ending.left and not self.holdings.is_current:
            if self.now() >= until:
                raise KubectlSafeError(
                    "all pods are handed over, and the leases of this run could not be renewed: "
                    "another one may be under way; run the same command again to see"
                )
            self._signal.wait(1.0)
        return ending

    def watch_targets(self, intent: Intent) -> None:
        """Begin to ask the target groups of these pods; where that can't be, say so and go on without."""
        try:
            self.asking.ask(intent)
        except KubectlSafeError as error:
            self.audience.warn(f"Warning: {error}")

    def failure(
        self, ending: Ending, *, subject: str = "", has_record: bool = False, can_go_on: bool = True
    ) -> KubectlSafeError | None:
        """Return the error of an ending that left pods, which `kubectl safe abort SUBJECT` would end; or None.

        An abort, which has no subject, leaves on purpose what serves with its controller.
        """
        if not (ending.left if subject else ending.under_way):
            return None
        text = explained(ending, subject=subject, has_record=has_record, can_go_on=can_go_on)
        return Interrupted(text) if self.interruption.stop else KubectlSafeError(text)

    def write(self, choose: Callable[[Snapshot], Action | None]) -> None:
        """Carry out one action outside the loop, chosen anew where its object has changed meanwhile.

        Raises:
            KubectlSafeError: it was not carried out.
        """
        write(choose, observer=self.observer, hands=self.hands, audience=self.audience, pause=self._pause)

    def wait(self, longest: timedelta) -> None:
        """Return once something changed, or after that long."""
        self._signal.wait(longest.total_seconds())

    def _pause(self, duration: timedelta) -> None:
        """Let time pass, whatever changes meanwhile: in a busy cluster something always does."""
        until = self.now() + duration
        while (left := until - self.now()) > timedelta(0):
            self._signal.wait(left.total_seconds())
