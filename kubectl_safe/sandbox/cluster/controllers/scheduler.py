"""The scheduler: binds a pod to a node, or says in its own words why it can't."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.controllers.base import Controller
from kubectl_safe.sandbox.cluster.controllers.fitting import FULL, INSUFFICIENT, PORT_TAKEN, why_unfit
from kubectl_safe.sandbox.cluster.controllers.preempting import Victims, priority_of, victims_on, why_ineligible
from kubectl_safe.sandbox.cluster.controllers.spreading import UNEVEN, why_uneven
from kubectl_safe.sandbox.cluster.deletion import DeleteOptions
from kubectl_safe.sandbox.cluster.eviction import disrupt
from kubectl_safe.sandbox.cluster.objects import (
    Json,
    Key,
    condition,
    is_finished,
    is_terminating,
    key_of,
    labels_of,
    stamp,
    uid_of,
)
from kubectl_safe.sandbox.cluster.refusals import RefusalError
from kubectl_safe.sandbox.cluster.selectors import of_selector
from kubectl_safe.sandbox.cluster.store import Change
from kubectl_safe.sandbox.cluster.subresources import bind

if TYPE_CHECKING:
    from collections.abc import Callable

_COMPONENT = "default-scheduler"
_REPELS = "node(s) didn't match pod anti-affinity rules"
_REPELLED = "node(s) didn't satisfy existing pods anti-affinity rules"
_CLAIM_IN_USE = (
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod"
)
_RESOLVABLE = frozenset({FULL, PORT_TAKEN, UNEVEN, _REPELS, _REPELLED})
_PREEMPTING = "default-scheduler: preempting to accommodate a higher priority pod"


class Scheduler(Controller):
    """Binds pods that have no node."""

    watches = (kinds.PODS, kinds.NODES)

    def changed(self, change: Change) -> None:
        """Enqueue a pod that has no node, and all such pods where room may have come free."""
        if change.resource is kinds.PODS and change.type != "DELETED":
            if self._is_pending(change.object) and (change.before is None or _spec_changed(change)):
                self.queue.add(key_of(change.object))
            elif change.before is not None and labels_of(change.before) != labels_of(change.object):
                self._enqueue_pending()
        elif change.resource is kinds.NODES or "nodeName" in change.object["spec"]:
            self._enqueue_pending()

    def sync(self, key: Key) -> None:
        """Schedule one pod."""
        pod = self.model.find(kinds.PODS, *key)
        if pod is None or not self._is_pending(pod):
            return
        nodes = self.model.all(kinds.NODES)
        placed = self._placed(pod)
        reasons = {node["metadata"]["name"]: self._why_not(pod, node, placed) for node in nodes}
        fits = [node for node in nodes if not reasons[node["metadata"]["name"]]]
        if not fits:
            self._make_room(pod, nodes, placed, reasons)
            return
        on_node = Counter(other["spec"]["nodeName"] for other in placed if _is_alike(other, pod))
        total = Counter(other["spec"]["nodeName"] for other in placed)

        def score(node: Json) -> tuple[float, ...]:
            name = node["metadata"]["name"]
            return on_node[name], total[name], self.context.random.random()

        bind(self.model, *key, min(fits, key=score)["metadata"]["name"])

    def _placed(self, pod: Json) -> list[Json]:
        """Return the pods that have a node, and those that wait for the room that others make for them there."""
        placed = []
        for other in self.model.all(kinds.PODS):
            nominated = other["status"].get("nominatedNodeName")
            if is_finished(other) or uid_of(other) == uid_of(pod):
                continue
            if other["spec"].get("nodeName"):
                placed.append(other)
            elif nominated and priority_of(other) >= priority_of(pod):
                placed.append({**other, "spec": {**other["spec"], "nodeName": nominated}})
        return placed

    def _make_room(self, pod: Json, nodes: list[Json], placed: list[Json], reasons: Mapping[str, str]) -> None:
        """Have less important pods go for one that fits nowhere, or tell that none do."""
        counted = Counter(reasons.values())
        if why := why_ineligible(pod, placed):
            self._tell(pod, f"{_told(len(nodes), counted)} preemption: {why}")
            return
        budgets = self.model.all(kinds.BUDGETS)
        found = [
            victims
            for node in nodes
            if _is_resolvable(reasons[node["metadata"]["name"]])
            and (victims := self._victims(pod, node, placed, budgets))
        ]
        if not found:
            self._tell(pod, _message(len(nodes), counted))
            return
        best = min(found, key=lambda victims: (*victims.cost, victims.node))
        for victim in best.pods:
            disrupt(self.model, victim, "PreemptionByScheduler", _PREEMPTING, DeleteOptions())
            self.context.event(
                victim,
                "Normal",
                "Preempted",
                f"Preempted by pod {uid_of(pod)} on node {best.node}",
                component=_COMPONENT,
            )
        self._tell(pod, _told(len(nodes), counted), nominated=best.node)

    def _victims(self, pod: Json, node: Json, placed: list[Json], budgets: list[Json]) -> Victims | None:
        def fits(left: list[Json]) -> bool:
            return not self._why_not(pod, node, left)

        return victims_on(node["metadata"]["name"], pod, placed, fits, budgets)

    def _is_pending(self, pod: Json) -> bool:
        return (
            not pod["spec"].get("nodeName")
            and not is_terminating(pod)
            and not is_finished(pod)
            and not pod["spec"].get("schedulingGates")
            and pod["spec"].get("schedulerName", _COMPONENT) == _COMPONENT
        )

    def _enqueue_pending(self) -> None:
        for pod in self.model.all(kinds.PODS):
            if self._is_pending(pod):
                self.queue.add(key_of(pod))

    def _why_not(self, pod: Json, node: Json, placed: list[Json]) -> str:
        """Return why a pod can't run on a node, in the order in which the scheduler's filters are asked."""
        here = [other for other in placed if other["spec"]["nodeName"] == node["metadata"]["name"]]
        return (
            why_unfit(pod, node, here)
            or self._volumes(pod, placed)
            or why_uneven(pod, node, self.model.all(kinds.NODES), placed)
            or self._anti_affinity(pod, node, placed)
        )

    def _volumes(self, pod: Json, placed: list[Json]) -> str:
        """Return that another pod uses a claim that is for one at a time (plugins/volumerestrictions)."""
        ours, namespace = set(_claims(pod)), pod["metadata"]["namespace"]
        theirs = (o for o in placed if o["metadata"]["namespace"] == namespace)
        for name in ours & {claim for other in theirs for claim in _claims(other)}:
            claim = self.model.find(kinds.CLAIMS, namespace, name)
            if claim and "ReadWriteOncePod" in claim["spec"]["accessModes"]:
                return _CLAIM_IN_USE
        return ""

    def _anti_affinity(self, pod: Json, node: Json, placed: list[Json]) -> str:
        nodes = {its["metadata"]["name"]: labels_of(its) for its in self.model.all(kinds.NODES)}
        if any(
            _repels(term, pod, other) and _shares(term, node, nodes.get(other["spec"]["nodeName"], {}))
            for term in _terms(pod)
            for other in placed
        ):
            return _REPELS
        if any(
            _repels(term, other, pod) and _shares(term, node, nodes.get(other["spec"]["nodeName"], {}))
            for other in placed
            for term in _terms(other)
        ):
            return _REPELLED
        return ""

    def _tell(self, pod: Json, message: str, nominated: str = "") -> None:
        known = condition(pod, "PodScheduled")
        self.context.event(pod, "Warning", "FailedScheduling", message, component=_COMPONENT)
        if known is not None and known.get("message") == message and not nominated:
            return
        verdict = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": message,
            "lastTransitionTime": (known or {}).get("lastTransitionTime", stamp(self.model.now())),
        }
        others = [its for its in pod["status"].get("conditions") or [] if its["type"] != "PodScheduled"]
        try:
            status = {**pod["status"], "conditions": [*others, verdict]}
            self.model.set_status(
                kinds.PODS, pod, {**status, **({"nominatedNodeName": nominated} if nominated else {})}
            )
        except RefusalError as refusal:
            if refusal.code != 404:
                raise


def _claims(pod: Json) -> list[str]:
    volumes = pod["spec"].get("volumes") or ()
    return [its["claimName"] for volume in volumes if (its := volume.get("persistentVolumeClaim"))]


def _spec_changed(change: Change) -> bool:
    before = change.before or {"spec": {}, "metadata": {}}
    return before["spec"] != change.object["spec"] or labels_of(before) != labels_of(change.object)


def _terms(pod: Json) -> list[Json]:
    affinity = pod["spec"].get("affinity") or {}
    terms: list[Json] = (affinity.get("podAntiAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    ) or []
    return terms


def _repels(term: Json, whose: Json, other: Json) -> bool:
    """Tell whether a pod's anti-affinity term is about another pod."""
    namespaces = term.get("namespaces") or [whose["metadata"]["namespace"]]
    matches: Callable[[dict[str, str]], bool] = of_selector(term.get("labelSelector"))
    return other["metadata"]["namespace"] in namespaces and matches(labels_of(other))


def _shares(term: Json, node: Json, other: dict[str, str]) -> bool:
    key = term["topologyKey"]
    return key in labels_of(node) and labels_of(node)[key] == other.get(key)


def _is_alike(pod: Json, other: Json) -> bool:
    return pod["metadata"]["namespace"] == other["metadata"]["namespace"] and labels_of(pod) == labels_of(other)


def _is_resolvable(why: str) -> bool:
    """Tell whether preemption could help against a reason; all others it can't change."""
    return why in _RESOLVABLE or why.startswith(INSUFFICIENT)


def _told(nodes: int, reasons: Counter[str]) -> str:
    told = ", ".join(sorted(f"{count} {why}" for why, count in reasons.items()))
    return f"0/{nodes} nodes are available: {told}."


def _message(nodes: int, reasons: Counter[str]) -> str:
    """Return what the scheduler says of a pod that fits nowhere, and for which nothing goes."""
    if not nodes:
        return "no nodes available to schedule pods"
    helpless = sum(count for why, count in reasons.items() if not _is_resolvable(why))
    victimless = nodes - helpless
    parts = []
    if victimless:
        parts.append(f"{victimless} No preemption victims found for incoming pod")
    if helpless:
        parts.append(f"{helpless} Preemption is not helpful for scheduling")
    whole = ", ".join(sorted(parts))
    return f"{_told(nodes, reasons)} preemption: 0/{nodes} nodes are available: {whole}."
