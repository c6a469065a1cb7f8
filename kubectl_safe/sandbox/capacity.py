"""The rig's own account of pods: which were in service when, and in which order each one left.

It counts from what it watches itself and from the target groups' own state, never from what a tool reports.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kubectl_safe.sandbox import moment, targetgroupbinding
from kubectl_safe.sandbox.controller import SERVICE_LABEL, Controller
from kubectl_safe.sandbox.elbv2 import HEALTHY, NOT_REGISTERED, Elbv2, Target, Transition
from kubectl_safe.sandbox.endpoints import is_true
from kubectl_safe.sandbox.informer import Object
from kubectl_safe.sandbox.network import PodNetwork, twin

WITHDRAWN_LABEL = "kubectl-safe/withdrawn"
SKEW_SECONDS = 0.5
"""By so much, in real time, one of the watches may be behind another; no pod is replaced as fast as that."""


@dataclass(slots=True, kw_only=True)
class PodHistory:
    """What one pod went through; all moments are `time.time()`.

    Its labels are those it had when it was first seen: one that is dropped later doesn't hide whose pod it is.
    `ready` is when it first was Ready, `unlisted` since when no EndpointSlice of a Service that leads requests to it
    has it, `not_registered` when its last target had drained; `was_healthy` is whether a load balancer sent it
    requests when it began to terminate.
    """

    uid: str
    namespace: str
    name: str
    labels: Mapping[str, str]
    first_seen: float
    ip: str = ""
    node: str = ""
    ready: float | None = None
    service: list[tuple[float, bool]] = field(default_factory=list)
    is_listed: bool = False
    withdrawn: float | None = None
    in_flight_at_withdrawal: int | None = None
    unlisted: float | None = None
    not_registered: float | None = None
    terminating: float | None = None
    was_healthy: bool = False
    gone: float | None = None

    def is_at(self, address: str) -> bool:
        """Tell whether an address of either IP family is its own."""
        return bool(self.ip) and address in (self.ip, twin(self.ip))

    def belongs(self, namespace: str, labels: Mapping[str, str]) -> bool:
        """Tell whether it is a pod of the workload with these labels."""
        return self.namespace == namespace and labels.items() <= self.labels.items()


class Capacity:
    """Follows all pods of a cluster, from the moment that it is made."""

    def __init__(self, controller: Controller, elbv2: Elbv2, network: PodNetwork) -> None:
        self.pods: dict[str, PodHistory] = {}
        self.governing: set[tuple[str, str]] = set()
        """Services (namespace, name) by which the pods of a StatefulSet find each other: none leaves its own."""
        self._watched = controller
        self._elbv2 = elbv2
        self._network = network
        controller.pods.handlers.append(self._pod_changed)
        for informer in (controller.slices, controller.services):
            informer.handlers.append(self._listing_changed)
        controller.bindings.listen(self._listing_changed)
        elbv2.listeners.append(self._target_changed)

    def of(self, namespace: str, labels: Mapping[str, str]) -> list[PodHistory]:
        """Return all pods that the workload with these labels ever had, in the order of their coming."""
        return [pod for pod in self.pods.values() if pod.belongs(namespace, labels)]

    def series(self, namespace: str, labels: Mapping[str, str]) -> list[tuple[float, int]]:
        """Return how many pods of a workload were in service, from each moment on at which that changed."""
        changes: Counter[float] = Counter()
        for pod in self.of(namespace, labels):
            for at, is_in_service in pod.service:
                changes[at] += 1 if is_in_service else -1
        count = 0
        series = []
        for at in sorted(changes):
            count += changes[at]
            series.append((at, count))
        return series

    def now(self, namespace: str, labels: Mapping[str, str]) -> int:
        """Return how many pods of a workload are in service."""
        series = self.series(namespace, labels)
        return series[-1][1] if series else 0

    def lowest(
        self,
        namespace: str,
        labels: Mapping[str, str],
        since: float,
        until: float | None = None,
        *,
        shortest: float = 0.0,
    ) -> int:
        """Return the lowest number of pods of a workload that were in service between two moments.

        It is the lowest that was not exceeded for `shortest` seconds on end.
        """
        end = moment.time() if until is None else until
        series = self.series(namespace, labels)
        before = next((count for at, count in reversed(series) if at <= since), 0)
        within = [(since, before), *((at, count) for at, count in series if since < at <= end)]
        levels = sorted({count for _, count in within})
        return next((its for its in levels if _longest(within, end, its) >= shortest), levels[-1])

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and (new is None or new["metadata"]["uid"] != old["metadata"]["uid"]):
            history = self.pods[old["metadata"]["uid"]]
            history.gone = moment.time()
            self._note(history, is_in_service=False)
        if new is None:
            return
        metadata = new["metadata"]
        history = self.pods.get(metadata["uid"]) or PodHistory(
            uid=metadata["uid"],
            namespace=metadata["namespace"],
            name=metadata["name"],
            labels=metadata.get("labels") or {},
            first_seen=moment.time(),
        )
        self.pods[history.uid] = history
        history.ip = new.get("status", {}).get("podIP", history.ip)
        history.node = new["spec"].get("nodeName", history.node)
        if history.ready is None and is_true(new, "Ready"):
            history.ready = moment.time()
        if history.terminating is None and "deletionTimestamp" in metadata:
            history.terminating = moment.time()
            history.was_healthy = any(
                history.is_at(target.id) and registration.health == HEALTHY
                for group in self._elbv2.groups.values()
                for target, registration in group.targets.items()
            )
        if history.withdrawn is None and WITHDRAWN_LABEL in (metadata.get("labels") or {}):
            server = self._network.server_of(history.uid)
            history.withdrawn = moment.time()
            history.in_flight_at_withdrawal = server.in_flight if server else None
        self._count(history)

    def _listing_changed(self, old: Object | None, new: Object | None) -> None:
        if changed := new or old:
            self._count_all(changed["metadata"]["namespace"])

    def _target_changed(self, transition: Transition) -> None:
        for pod in reversed(self.pods.values()):
            if pod.is_at(transition.target.id):
                if transition.health == NOT_REGISTERED:
                    pod.not_registered = transition.time
                self._count(pod)
                return

    def _count_all(self, namespace: str) -> None:
        for history in self.pods.values():
            # One whose object is gone may still be listed for a moment.
            if history.namespace == namespace and (history.gone is None or history.is_listed):
                self._count(history)

    def _count(self, history: PodHistory) -> None:
        """Note whether a pod is in service now, and whether any EndpointSlice has it."""
        listed = self._listed(history)
        is_listed = any((history.namespace, service) not in self.governing for service, _ in listed)
        if history.is_listed and not is_listed:
            history.unlisted = moment.time()
        elif is_listed:
            history.unlisted = None
        history.is_listed = is_listed
        subject = self._watched.pods.objects.get((history.namespace, history.name))
        is_there = subject is not None and subject["metadata"]["uid"] == history.uid
        self._note(history, is_in_service=is_there and self._is_in_service(subject or {}, history, listed))

    def _is_in_service(self, subject: Object, history: PodHistory, listed: Mapping[tuple[str, str], bool]) -> bool:
        """Tell whether a pod serves on every way in that it had when it was first seen.

        - It is not terminating, and Ready.
        - Every Service that selected its first labels lists it as ready, wherever it lists it, and in each IP family.
        - It is healthy in every target group that is bound to one of those.
        """
        ways = [
            (service["metadata"]["name"], family)
            for service in self._watched.services.of(history.namespace)
            if (selector := service["spec"].get("selector")) and selector.items() <= history.labels.items()
            for family in service["spec"]["ipFamilies"]
        ]
        return (
            "deletionTimestamp" not in subject["metadata"]
            and is_true(subject, "Ready")
            and all(listed.get(way, False) for way in ways)
            and all(self._is_healthy(history, service) for service, _ in ways)
        )

    def _is_healthy(self, history: PodHistory, service: str) -> bool:
        for subject in self._watched.bindings.of(history.namespace):
            binding = targetgroupbinding.parse(subject)
            arn = binding.arn or self._elbv2.arn_of(binding.group_name)
            if binding.target_type == "ip" and binding.service == service and arn in self._elbv2.groups:
                group = self._elbv2.groups[arn]
                ip = twin(history.ip) if binding.is_ipv6 else history.ip
                registration = group.targets.get(Target(ip, group.port))
                if registration is None or registration.health != HEALTHY:
                    return False
        return True

    def _listed(self, history: PodHistory) -> dict[tuple[str, str], bool]:
        """Return the Services, and their IP families, whose EndpointSlices list a pod, and whether all as ready."""
        listed: dict[tuple[str, str], bool] = {}
        for listing in self._watched.slices.of(history.namespace):
            way = listing["metadata"].get("labels", {}).get(SERVICE_LABEL, ""), listing["addressType"]
            for endpoint in listing.get("endpoints") or []:
                if endpoint.get("targetRef", {}).get("uid") == history.uid:
                    is_ready = endpoint.get("conditions", {}).get("ready") is not False
                    listed[way] = listed.get(way, True) and is_ready
        return listed

    def _note(self, history: PodHistory, *, is_in_service: bool) -> None:
        if is_in_service != bool(history.service and history.service[-1][1]):
            history.service.append((moment.time(), is_in_service))


def _longest(series: Sequence[tuple[float, int]], end: float, level: int) -> float:
    """Return for how many seconds on end a number was at most a level, at the longest."""
    longest, since = 0.0, None
    for at, count in [*series, (end, level + 1)]:
        if count > level:
            longest = longest if since is None else max(longest, at - since)
            since = None
        elif since is None:
            since = at
    return longest
