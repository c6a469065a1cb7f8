"""Whether a pod is in service: the one question that every confirmation and every floor rests on."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from kubectl_safe.decide.stateful import is_wanted
from kubectl_safe.decide.target_words import state_of
from kubectl_safe.decide.unseen import gate_of, unconfirmed
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.service import Service
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import State, Target
from kubectl_safe.model.workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class InService:
    """It gets requests by every way that leads to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfService:
    """It was seen not to get requests by at least one way."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """It can't be told now; nothing may advance on it."""

    why: str


Verdict = InService | OutOfService | Unknown

BLIP = timedelta(seconds=30)
"""A pod that is not Ready for less may be back at any moment, as all pods are that wait for the same database.

So may one that its load balancer finds unhealthy.
"""


def verdict(pod: Pod, workload: Workload, snapshot: Snapshot) -> Verdict:
    """Tell whether a pod of a workload is in service.

    In service is a pod that

    - is not terminating and not withdrawn, nor about to be deleted,
    - is Ready, with every readiness gate True, for `minReadySeconds`,
    - is selected by every Service that selected it before its release,
    - is `ready` in every EndpointSlice of every Service that selects it, and in at least one of each, for each IP
      family that both have,
    - is `healthy` in every target group bound to those, by an answer that is not too old; or by its readiness gate,
      in a group that can't be asked and that the reader goes on without.
    """
    return _verdict(pod, workload, snapshot, snapshot.targets_of(pod))


def verdict_of_seen(pod: Pod, workload: Workload, snapshot: Snapshot) -> Verdict:
    """Tell whether a pod is in service as far as can be seen: by its gates, if any, in groups that can't be asked."""
    return _verdict(pod, workload, snapshot, (t for t in snapshot.targets_of(pod) if t.group not in snapshot.unseen))


def is_changing(pod: Pod, workload: Workload, snapshot: Snapshot) -> bool:
    """Tell whether a pod became Ready, or stopped to be, so lately that it may be in service at any moment.

    So may one whose target was healthy a moment ago: all of them are not, where health checks fail for a moment.
    """
    ready = pod.conditions.get("Ready")
    if ready is None or ready.since is None or pod.is_terminating or pod.is_withdrawn or pod.is_finished:
        return False
    if snapshot.at - ready.since <= max(BLIP, workload.min_ready):
        return True
    found = (snapshot.fresh_health(target) for target in snapshot.targets_of(pod))
    return any(health and health.lost_at and snapshot.at - health.lost_at <= BLIP for health in found)


def is_out_for_long(pod: Pod, snapshot: Snapshot) -> bool:
    """Tell whether a pod was never Ready, or has not been for longer than a `BLIP`: nothing is lost with it."""
    ready = pod.conditions.get("Ready")
    if ready is None or pod.is_finished:
        return True
    return not ready.is_true and ready.since is not None and snapshot.at - ready.since > BLIP


def _verdict(pod: Pod, workload: Workload, snapshot: Snapshot, targets: Iterable[Target]) -> Verdict:
    out = _out_by_itself(pod, workload, snapshot) or _out_of_slices(pod, snapshot)
    if out:
        return OutOfService(why=out)
    for target in targets:
        found = _target_verdict(pod, target, snapshot)
        if not isinstance(found, InService):
            return found
    return InService()


def _out_by_itself(pod: Pod, workload: Workload, snapshot: Snapshot) -> str:
    return _out_for_good(pod, workload) or _out_by_conditions(pod, snapshot) or _out_by_age(pod, workload, snapshot)


def _out_for_good(pod: Pod, workload: Workload) -> str:
    if pod.is_terminating:
        return f"pod {pod} is terminating"
    if pod.is_withdrawn:
        return f"pod {pod} is withdrawn"
    if not is_wanted(pod, workload):
        return f"pod {pod} is to be deleted, as {workload.subject} was scaled down to {workload.replicas}"
    return f"pod {pod} ran to its end ({pod.phase})" if pod.is_finished else ""


def _out_by_conditions(pod: Pod, snapshot: Snapshot) -> str:
    if not pod.has_ready_containers:
        # A pod that no node takes has only the scheduler's word for it.
        why = _why_waiting(pod) or _why(pod, "PodScheduled") or _why(pod, "ContainersReady") or pod.phase
        return f"pod {pod} is not ready: {why}"
    if pod.unmet_gates:
        gate = pod.unmet_gates[0]
        return f"pod {pod} waits for its readiness gate {gate}{_why_unmet(pod, gate, snapshot)}"
    return "" if pod.is_ready else f"pod {pod} is not ready: {_why(pod, 'Ready') or pod.phase}"


def _out_by_age(pod: Pod, workload: Workload, snapshot: Snapshot) -> str:
    since = pod.conditions["Ready"].since
    if workload.min_ready and (since is None or snapshot.at - since < workload.min_ready):
        return f"pod {pod} is ready, but not for minReadySeconds ({workload.min_ready.total_seconds():.0f}s) yet"
    return ""


def _out_of_slices(pod: Pod, snapshot: Snapshot) -> str:
    places = snapshot.endpoints_by_pod.get(pod.uid, ())
    for service in snapshot.original_services_of(pod):
        if not service.selects(pod.namespace, pod.labels):
            # It was changed meanwhile to select what the release has taken off.
            return f"service {service.name} does not select pod {pod} any more"
        here = [e for e in places if e.service == service.name]
        if not here:
            return f"pod {pod} is in no EndpointSlice of service {service.name} yet"
        missing = next((f for f in _families(pod, service) if all(e.address_type != f for e in here)), None)
        if missing:
            return f"pod {pod} is in no {missing} EndpointSlice of service {service.name} yet"
        if not all(e.is_ready for e in here):
            return f"pod {pod} is not ready in an EndpointSlice of service {service.name} yet"
    return ""


def _families(pod: Pod, service: Service) -> list[str]:
    """Return the IP families by which a Service leads to a pod: each has slices of its own, written one by one."""
    return [family for family in service.ip_families if family in pod.ip_families]


def _target_verdict(pod: Pod, target: Target, snapshot: Snapshot) -> Verdict:
    if target.group in snapshot.unseen:
        why = unconfirmed(pod, target, snapshot)
        return Unknown(why=why) if why else InService()
    health = snapshot.fresh_health(target)
    if health is None:
        trouble = snapshot.stale_health.get(target.group)
        return Unknown(why=f"target {target} has no fresh health{f': {trouble}' if trouble else ' yet'}")
    if health.is_healthy:
        return InService()
    if health.state is State.UNAVAILABLE:
        return Unknown(why=f"target {target} is {health}")
    state = state_of(health, snapshot.groups.get(target.group))
    return OutOfService(why=f"pod {pod} is Ready, but its target {target} is {state}")


def _why_unmet(pod: Pod, gate: str, snapshot: Snapshot) -> str:
    """Return what keeps a gate: AWS's word on its target, which is newer, or what its controller wrote into it."""
    for binding in snapshot.bindings_of(pod):
        target = snapshot.target_in(binding, pod) if gate_of(pod, binding) == gate else None
        health = snapshot.fresh_health(target) if target else None
        if target and health and not health.is_healthy:
            return f": target {target} is {state_of(health, snapshot.groups.get(target.group))}"
    condition = pod.conditions.get(gate)
    if condition is None:
        return ", which nobody has set yet"
    return "".join(f": {words}" for words in (condition.reason, condition.message) if words)


def _why_waiting(pod: Pod) -> str:
    return ": ".join(words for words in (pod.waiting_reason, pod.waiting_message) if words)


def _why(pod: Pod, condition: str) -> str:
    known = pod.conditions.get(condition)
    return (known.message or known.reason) if known else ""
