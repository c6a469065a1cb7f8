"""What must hold of whatever runs there were, by the sandbox's own account and by what the API server was asked."""

from collections import Counter
from itertools import pairwise
from typing import Any

from kubectl_safe.sandbox.capacity import PodHistory
from kubectl_safe.sandbox.traffic import TrafficReport
from tests.conformance.account import same_anywhere
from tests.support.virtual.aws import CALLER
from tests.support.virtual.stage import VirtualStage
from tests.virtual.scenario import NAMESPACE, Scenario

OURS = "kubectl-safe"
LISTING_SECONDS = 0.02
"""The rig learns of a change of a slice from its own watch, a moment after the tool may have."""
POLL_SECONDS = 4.999
_WRITES = {
    *(("PATCH", kind) for kind in ("pods", "nodes", "replicasets", "targetgroupbindings")),
    ("POST", "pods/eviction"),
    *((method, "leases") for method in ("POST", "PUT", "DELETE")),
    # A review is a question.
    ("POST", "selfsubjectaccessreviews"),
}
_WHERE = ("nodeName", "podIP", "hostIP", "topology.kubernetes.io/zone", "topology.kubernetes.io/region")


def assert_the_floor_held(stage: VirtualStage, scenario: Scenario, began: float) -> None:
    """I1: others take nothing away."""
    for app in scenario.applications:
        lowest = stage.rig.capacity.lowest(NAMESPACE, app.labels, began)
        # Every Deployment has a surge: its own, 25% rounded up, is never 0. Withdraw-first takes what it is allowed.
        allowed = int(scenario.settings.max_unavailable or 0)
        assert lowest >= app.replicas - allowed, f"I1: {app.name} had {lowest} of {app.replicas} in service"


def assert_evicted_when_out(stage: VirtualStage, scenario: Scenario) -> None:
    """I2 and I4."""
    pods = {(pod.namespace, pod.name): pod for pod in stage.rig.capacity.pods.values()}
    evictions = evicted(stage)
    twice = [name for name, count in Counter(name for _, _, name in evictions).items() if count > 1]
    assert not twice, f"I4: {twice} were evicted twice"
    for at, namespace, name in evictions:
        _assert_out(pods[namespace, name], at + stage.loop.wall() - stage.loop.time(), scenario)


def assert_nothing_lost(report: TrafficReport) -> None:
    """I9, of all requests that there were."""
    assert report.losses == (), f"I9: {dict(report.lost_by_reason)} lost of {report.total} requests"


def assert_written_as_designed(stage: VirtualStage) -> None:
    """I11: nothing is written but what the design names, and no target group is asked twice in five seconds."""
    for _, request, _ in stage.door.writes():
        route = stage.control_plane.model.resources.route(request.path)
        assert route is not None
        resource = "/".join(filter(None, [route.resource.plural, route.subresource]))
        assert (request.method, resource) in _WRITES, f"I11: {request.method} {request.path} is not ours to write"
    for group in stage.rig.elbv2.groups:
        calls = [call for call in stage.rig.elbv2.journal if call.caller == CALLER and call.group == group]
        times = [call.time for call in calls if call.action == "DescribeTargetHealth"]
        for first, second in pairwise(times):
            # The next process doesn't know when the one before it asked.
            is_next = any(first < start <= second for start in stage.starts)
            assert second - first >= POLL_SECONDS or is_next, f"I11: {group} was asked after {second - first:.2f} s"


def evicted(stage: VirtualStage) -> list[tuple[float, str, str]]:
    """Return what evictions were accepted: when (on the loop's clock), and the pod's namespace and name."""
    return [
        (at, request.path.split("/")[4], request.path.split("/")[6])
        for at, request, answer in stage.door.writes()
        if request.path.endswith("/eviction") and answer.status < 300
    ]


def assert_nothing_left(stage: VirtualStage) -> None:
    """I6: but for the cordon and its mark."""
    model = stage.control_plane.model
    for resource in model.resources:
        if resource.plural in ("nodes", "events"):
            continue
        for subject in model.all(resource):
            metadata = subject["metadata"]
            left = {m for m in (*metadata.get("labels", {}), *metadata.get("annotations", {})) if m.startswith(OURS)}
            assert not left, f"I6: {resource.plural} {metadata['name']} still has {left}"
            assert not metadata["name"].startswith(OURS), f"I6: {resource.plural} {metadata['name']} is still there"


def state_of(stage: VirtualStage) -> dict[str, Any]:
    """Return all objects, but for what is never the same, and for where pods came to."""
    model = stage.control_plane.model
    state: dict[str, Any] = {}
    for resource in model.resources:
        if resource.plural in ("events", "leases", "endpointslices", "customresourcedefinitions"):
            continue
        subjects = [_placeless(same_anywhere(subject)) for subject in model.all(resource)]
        state[resource.plural] = sorted(subjects, key=repr)
    return state


def _placeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _placeless(its) for key, its in sorted(value.items()) if key not in (*_WHERE, "generation")}
    return [_placeless(its) for its in value] if isinstance(value, list) else value


def _assert_out(pod: PodHistory, at: float, scenario: Scenario) -> None:
    settle = scenario.settle.total_seconds()
    assert pod.unlisted is not None, f"I2: {pod.name} was evicted while it was listed"
    assert at >= pod.unlisted + settle - LISTING_SECONDS, f"I2: {pod.name} had settled for {at - pod.unlisted:.3f} s"
    [app] = [its for its in scenario.applications if its.labels.items() <= pod.labels.items()]
    if app.is_load_balanced:
        assert pod.not_registered is not None, f"I2: {pod.name} was evicted while it was registered"
        assert at >= pod.not_registered, f"I2: {pod.name} was evicted while it was draining"
