"""A cluster in miniature and in virtual time, that does what it is told and what clusters do by themselves.

It is made of the model's own values, of which only those that change are made anew, and it lives from one change to the
next. It knows the truth (which slices and target groups still lead to a pod) beside what it shows. It shares no rule
with what decides.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from random import Random

from kubectl_safe.decide.owners import reference_to
from kubectl_safe.kube.observed import Observed
from kubectl_safe.model.marks import HANDOFF, WITHDRAWN, Handoff
from kubectl_safe.model.pod import Condition, OwnerReference, Pod
from kubectl_safe.model.service import Endpoint
from kubectl_safe.model.target import State, Target, TargetHealth
from tests.support.builders import (
    LABELS,
    NOT_REGISTERED,
    NOW,
    a_binding,
    a_deployment,
    a_pod,
    a_replica_set,
    a_service,
    a_target,
    an_endpoint,
    an_owner,
)

DEPLOYMENT, REPLICA_SET = a_deployment(), a_replica_set()
SERVICES, BINDINGS = (a_service(),), (a_binding(),)
CONTROLLER, OWNER = an_owner(), reference_to(DEPLOYMENT)
HEALTH_CHECKS = timedelta(seconds=4)
"""What a new target takes to become healthy."""

# No run has more pods; each is made once, to be changed from there.
PODS = tuple(a_pod(f"web-{n}", gates={}) for n in range(1, 100))
PLACES = {pod.uid: {ready: an_endpoint(pod, ready=ready) for ready in (True, False)} for pod in PODS}
TARGETS = {pod.uid: a_target(pod.name) for pod in PODS}


@dataclass(slots=True, kw_only=True)
class Way:
    """What leads requests to a pod in truth; instants are None where they have not come."""

    registered_at: datetime | None = None
    left_slices_at: datetime | None = None
    left_group_at: datetime | None = None
    """When it is `unused` again."""


@dataclass(kw_only=True)
class Miniature:
    """The pods of one Deployment behind one Service and one target group."""

    replicas: int
    surge: int
    delay: timedelta
    """The group's deregistration delay."""
    starting: int
    """How many of the first pods are not up yet."""
    random: Random
    at: datetime = NOW
    pods: dict[str, Pod] = field(default_factory=dict)
    """By UID, as are all."""
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    ways: dict[str, Way] = field(default_factory=dict)
    has_lost: bool = False
    """Whether fewer than wanted were up for a while, for which nobody here is to blame."""
    _agenda: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)
    _created: int = 0

    def __post_init__(self) -> None:
        self._deployments = {DEPLOYMENT.uid: replace(DEPLOYMENT, replicas=self.replicas, max_surge=self.surge)}
        self._replica_sets = {REPLICA_SET.uid: replace(REPLICA_SET, replicas=self.replicas)}
        self.has_lost = self.starting > 0
        for _ in range(self.starting):
            self._create()
        for pod in PODS[self.starting : self.replicas]:
            self.pods[pod.uid], self.endpoints[pod.uid] = pod, PLACES[pod.uid][True]
            self.ways[pod.uid] = Way(registered_at=self.at - timedelta(hours=1))
        self._created = self.replicas

    def observe(self) -> Observed:
        """Return what watches see now."""
        return Observed(
            pods=dict(self.pods),
            replica_sets=self._replica_sets,
            workloads=self._deployments,
            nodes={},
            services=SERVICES,
            endpoints=tuple(self.endpoints.values()),
            budgets=(),
            bindings=BINDINGS,
            stale=frozenset(),
        )

    def ask(self) -> dict[Target, TargetHealth]:
        """Return what DescribeTargetHealth says now of every target."""
        return {TARGETS[uid]: self._health(uid, way) for uid, way in self.ways.items()}

    def serves(self, uid: str) -> bool:
        """Tell whether new requests reach a pod by every way, and are answered."""
        pod = self.pods[uid]
        is_leaving = pod.is_withdrawn or pod.is_terminating
        return pod.is_ready and not is_leaving and uid in self.endpoints and self._is_healthy(uid, self.ways[uid])

    def left_slices_at(self, uid: str) -> datetime | None:
        """Return when a pod left its slices; None while it is in one."""
        return self.ways[uid].left_slices_at

    def is_registered(self, uid: str) -> bool:
        """Tell whether the target group knows a pod, be it that it drains."""
        way = self.ways[uid]
        return way.registered_at is not None and (way.left_group_at is None or self.at < way.left_group_at)

    @property
    def next_change(self) -> datetime | None:
        """When something happens by itself; None where nothing will."""
        return self._agenda[0][0] if self._agenda else None

    def live_until(self, at: datetime) -> None:
        """Let the controllers, the load balancer and the kubelets do what they do by themselves."""
        while self._agenda and self._agenda[0][0] <= at:
            self.at, _, happens = heappop(self._agenda)
            happens()
        self.at = at

    def release(self, uid: str, *, drop: str, in_service: int) -> None:
        """Take a label off a pod; its controller sees that a moment later."""
        pod = self.pods[uid]
        handoff = Handoff(dropped={drop: pod.labels[drop]}, in_service=in_service)
        self._mark(pod, handoff, owners=(*pod.owners, OWNER))
        self._later(0, 1, lambda: self._let_go(uid))

    def undo(self, uid: str) -> None:
        """Give a pod back; its controller has it at once."""
        self.pods[uid] = replace(self.pods[uid], labels=LABELS, annotations={}, owners=(CONTROLLER,))
        self._reconcile()

    def withdraw(self, uid: str, *, drop: frozenset[str], in_service: int) -> None:
        """Take labels off a pod; the slices follow, and after them the target group."""
        pod = self.pods[uid]
        known = pod.handoff or Handoff(dropped={}, in_service=in_service)
        handoff = replace(known, dropped={**known.dropped, **{key: pod.labels[key] for key in drop}})
        self._mark(pod, handoff, owners=(OWNER,), extra={WITHDRAWN: ""})
        if uid in self.endpoints:
            self._later(0, 3, lambda: self._leave(uid))
        else:
            self._leave(uid)
        self._reconcile()

    def evict(self, uid: str) -> None:
        """Terminate a pod, which watches tell of a moment later."""
        self._later(0, 1, lambda: self._stop(uid))

    def crash(self) -> None:
        """Have a pod fail its probe for a while."""
        uid = self.random.choice(list(self.pods))
        self.has_lost = True
        self._set_ready(uid, is_ready=False)
        self._later(2, 40, lambda: self._set_ready(uid, is_ready=True))

    def _mark(
        self, pod: Pod, handoff: Handoff, *, owners: tuple[OwnerReference, ...], extra: Mapping[str, str] = {}
    ) -> None:
        labels = {key: value for key, value in pod.labels.items() if key not in handoff.dropped}
        self.pods[pod.uid] = replace(
            pod, labels={**labels, **extra}, annotations={HANDOFF: handoff.dumps()}, owners=owners
        )

    def _later(self, least: int, most: int, happens: Callable[[], None], *, after: timedelta = timedelta(0)) -> None:
        at = self.at + after + timedelta(seconds=self.random.randint(least, most))
        heappush(self._agenda, (at, next(self._numbers), happens))

    def _let_go(self, uid: str) -> None:
        pod = self.pods.get(uid)
        if pod and pod.is_released:
            self.pods[uid] = replace(pod, owners=(OWNER,))
            self._reconcile()

    def _reconcile(self) -> None:
        """Do as a ReplicaSet does: create what is missing, and delete what is too much, the least useful first.

        Claim I7: never does that cost a pod that is Ready, as nobody scales anything here.
        """
        ours = [p for p in self.pods.values() if p.controller and LABELS.items() <= p.labels.items()]
        ours = [pod for pod in ours if not pod.is_terminating]
        for _ in range(self.replicas - len(ours)):
            self._create()
        for pod in sorted(ours, key=lambda p: p.is_ready)[: max(0, len(ours) - self.replicas)]:
            assert not pod.is_ready, f"pod {pod} is Ready, and deleted for one that was given back"
            self._stop(pod.uid)

    def _stop(self, uid: str) -> None:
        self.pods[uid] = replace(self.pods[uid], is_terminating=True)
        self._later(0, 10, lambda: self._end(uid))

    def _create(self) -> None:
        pod = PODS[self._created]
        self._created += 1
        down = Condition(is_true=False, since=self.at)
        self.pods[pod.uid] = replace(pod, created=self.at, conditions={"ContainersReady": down, "Ready": down})
        self.ways[pod.uid] = Way()
        self._later(0, 20, lambda: self._set_ready(pod.uid, is_ready=True))

    def _set_ready(self, uid: str, *, is_ready: bool) -> None:
        pod = self.pods.get(uid)
        if pod is None or pod.is_ready is is_ready:
            return
        now = Condition(is_true=is_ready, since=self.at)
        self.pods[uid] = replace(pod, conditions={"ContainersReady": now, "Ready": now})
        if uid in self.endpoints:
            self.endpoints[uid] = PLACES[uid][is_ready]
        elif is_ready:
            self._later(0, 2, lambda: self._list(uid))

    def _list(self, uid: str) -> None:
        pod = self.pods.get(uid)
        if pod and not pod.is_withdrawn and not pod.is_terminating:
            self.endpoints[uid] = PLACES[uid][pod.is_ready]
            self._later(0, 2, lambda: self._register(uid))

    def _register(self, uid: str) -> None:
        if uid in self.endpoints and self.ways[uid].registered_at is None:
            self.ways[uid].registered_at = self.at

    def _leave(self, uid: str) -> None:
        self.endpoints.pop(uid, None)
        way = self.ways[uid]
        way.left_slices_at = self.at
        way.left_group_at = self.at + self.delay + timedelta(seconds=self.random.randint(0, 4))

    def _end(self, uid: str) -> None:
        del self.pods[uid]
        self.endpoints.pop(uid, None)
        self.ways[uid].left_group_at = self.ways[uid].left_group_at or self.at

    def _is_healthy(self, uid: str, way: Way) -> bool:
        pod = self.pods.get(uid)
        is_up = pod is not None and pod.is_ready
        return is_up and way.registered_at is not None and way.registered_at + HEALTH_CHECKS <= self.at

    def _health(self, uid: str, way: Way) -> TargetHealth:
        state, reason = State.UNUSED, NOT_REGISTERED
        if way.registered_at and way.left_group_at:
            if self.at < way.left_group_at:
                state, reason = State.DRAINING, "Target.DeregistrationInProgress"
        elif way.registered_at:
            state, reason = (State.HEALTHY if self._is_healthy(uid, way) else State.INITIAL), ""
        return TargetHealth(state=state, reason=reason, asked_at=self.at)
