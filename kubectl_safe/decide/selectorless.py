"""EndpointSlices that no label takes a pod out of: somebody else keeps them, or their Service has no selector.

Kubernetes' own controller keeps the slices of Services with a selector, and no others; whoever else makes some marks
them as his own (Kubernetes documentation, EndpointSlices, "Management"). That of Multi-Cluster Services follows the
slices of the Service that is exported.
"""

from collections.abc import Iterator

from kubectl_safe.decide.allow import SELECTORLESS_SERVICE
from kubectl_safe.decide.decision import Blocked
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.ways_in import planned_pods
from kubectl_safe.model.governing import is_governing
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.service import SLICE_CONTROLLER, Endpoint
from kubectl_safe.model.snapshot import Snapshot


def selectorless_services(intent: Intent, snapshot: Snapshot) -> Iterator[Blocked]:
    """Refuse to wait for a pod to leave slices that it can't be taken out of, telling one pod of each slice."""
    if SELECTORLESS_SERVICE in intent.settings.allow:
        return
    told: set[tuple[str, str]] = set()
    for pod in planned_pods(intent, snapshot):
        for place in _kept_places(pod, snapshot):
            if (place.namespace, place.slice) not in told:
                told.add((place.namespace, place.slice))
                yield Blocked(
                    reason=SELECTORLESS_SERVICE,
                    why=f"pod {pod} is in {described(place, snapshot)}, and no label takes it out: have whoever keeps "
                    f"that slice take the pod out, or answer for it with --allow {SELECTORLESS_SERVICE}",
                )


def slices_to_bear(intent: Intent, snapshot: Snapshot) -> frozenset[tuple[str, str]]:
    """Return the slices (namespace and name) that planned pods may stay in, as the reader answers for it."""
    if SELECTORLESS_SERVICE not in intent.settings.allow:
        return frozenset()
    pods = (pod for uid in intent.uids if (pod := snapshot.pods.get(uid)))
    return frozenset((place.namespace, place.slice) for pod in pods for place in _kept_places(pod, snapshot))


def described(place: Endpoint, snapshot: Snapshot) -> str:
    """Return a slice in words, with what it is of; where no label takes a pod out of it, why that is so."""
    name = f"EndpointSlice {place.slice}"
    if not _is_kept(place, snapshot):
        return name
    service = snapshot.service(place.namespace, place.service)
    if service is not None and not service.selector:
        return f"{name} of service {place.namespace}/{place.service}, which has no selector"
    of = f" of service {place.namespace}/{place.service}" if service else ", of no service"
    return f"{name}{of}, which {place.manager or 'somebody'} keeps"


def _kept_places(pod: Pod, snapshot: Snapshot) -> list[Endpoint]:
    places = snapshot.endpoints_by_pod.get(pod.uid, ())
    return [its for its in places if _is_kept(its, snapshot) and not is_governing(its, pod, snapshot.workloads)]


def _is_kept(place: Endpoint, snapshot: Snapshot) -> bool:
    if place.is_exported:
        return False
    service = snapshot.service(place.namespace, place.service)
    has_no_selector = service is not None and not service.selector
    return has_no_selector or place.manager != SLICE_CONTROLLER
