"""What must hold of whatever runs there were, by the sandbox's own account and by what the API server was asked."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from math import inf
from typing import Any

from kubectl_safe.decide.ending import Standing
from kubectl_safe.decide.leasing import DURATION
from kubectl_safe.sandbox.capacity import PodHistory
from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.requests import Request
from kubectl_safe.sandbox.elbv2 import NOT_REGISTERED
from kubectl_safe.sandbox.endpoints import EXCLUDE_LABEL
from kubectl_safe.sandbox.traffic import Loss, TrafficReport
from tests.conformance.account import same_anywhere
from tests.support.virtual.api_server import Asked
from tests.support.virtual.aws import CALLER
from tests.support.virtual.calls import CALL_SECONDS
from tests.support.virtual.stage import Running, VirtualStage
from tests.virtual.acts import Expected
from tests.virtual.scenario import NAMESPACE, Scenario, has_no_surge

OURS = "kubectl-safe"
LISTING_SECONDS = 0.02
"""The rig learns of a change of a slice from its own watch, a moment after the tool may have."""
POLL_SECONDS = 4.999
ENDING_SECONDS = 10.0
"""From a pod's deletion until the last kube-proxy knows of it: what the pods of scenarios take to stop, and its lag."""
UNSEEN_SECONDS = 3 * CALL_SECONDS[1]
"""A pod that came into service so shortly before its ReplicaSet deleted it was seen to do so by nobody in time.

The tool reads it right before it gives another one back: that answer is on its way meanwhile, and then the write.
"""
_WRITES = {
    *(
        ("PATCH", kind)
        for kind in ("pods", "nodes", "replicasets", "statefulsets", "daemonsets", "targetgroupbindings")
    ),
    ("POST", "pods/eviction"),
    ("DELETE", "pods"),
    *((method, "leases") for method in ("POST", "PUT", "DELETE")),
}
_WHERE = ("nodeName", "podIP", "hostIP", "topology.kubernetes.io/zone", "topology.kubernetes.io/region")


def assert_the_floor_held(stage: VirtualStage, scenario: Scenario, began: float, expected: Expected) -> None:
    """I1, but for what others take away themselves: that is of the first application."""
    for number, app in enumerate(scenario.applications):
        lowest = stage.rig.capacity.lowest(NAMESPACE, app.labels, began)
        if number == 0 and expected.takes is None:
            assert lowest >= expected.least, f"I1: {app.name} had {lowest} of {expected.least} in service"
            continue
        # Withdraw-first takes what it is allowed.
        unavailable = int(scenario.settings.max_unavailable or (1 if has_no_surge(app) else 0))
        allowed = unavailable + (expected.takes or 0 if number == 0 else 0)
        assert lowest >= app.replicas - allowed, f"I1: {app.name} had {lowest} of {app.replicas} in service"


def assert_nothing_was_lost(stage: VirtualStage, report: TrafficReport, expected: Expected) -> None:
    """I7 and I9, but for what others take away themselves: pods that they delete, and ways in that they close."""
    ours = {_pod_of(eviction, stage).uid for eviction in evicted(stage)}
    deleted = [p for p in stage.rig.capacity.pods.values() if p.terminating is not None and p.uid not in ours]
    served = [pod.name for pod in deleted if _served_at_its_end(pod) or pod.was_healthy]
    assert expected.takes is None or len(served) <= expected.takes, f"I7: {served} got requests, and are deleted"
    dead = [pod for pod in stage.rig.capacity.pods.values() if pod.node in expected.dead]
    lost = [loss for loss in report.losses if not expected.closes and not _is_theirs(loss, [*deleted, *dead], stage)]
    assert not lost, f"I9: {len(lost)} lost, such as {lost[0]}"


def _is_theirs(loss: Loss, deleted: list[PodHistory], stage: VirtualStage) -> bool:
    """Tell whether a request was lost that went to a pod which others deleted.

    Of one that came in by a node nobody knows to which pod it went; by a node that is taken away it went to none.
    """
    where = loss.pod.partition(":")[0]
    staying = {stage.rig.nodes.instance(name) for name in stage.rig.nodes.names if not is_excluded(stage, name)}
    if where not in staying:
        return any(where in (pod.name, pod.ip) for pod in deleted)
    return any(pod.terminating is not None and 0 <= loss.moment - pod.terminating <= ENDING_SECONDS for pod in deleted)


def is_excluded(stage: VirtualStage, node: str) -> bool:
    """Tell whether a node bears the label by which it is excluded from load balancers."""
    return EXCLUDE_LABEL in stage.control_plane.model.get(kinds.NODES, "", node)["metadata"]["labels"]


def _served_at_its_end(pod: PodHistory) -> bool:
    """Tell whether a pod was in service, and known to be, when it began to terminate."""
    assert pod.terminating is not None
    if (pod.terminating, False) not in pod.service:
        return False
    since, _ = pod.service[pod.service.index((pod.terminating, False)) - 1]
    return pod.terminating - since > UNSEEN_SECONDS


def assert_only_holders_wrote(stage: VirtualStage) -> None:
    """I5: whoever wrote had renewed a Lease lately, but for what was sent before it was stopped.

    Nobody else trusts that Lease before it has run out, not even who pushes its holder out.
    """
    renewed: dict[tuple[object, str], float] = {}
    for asked in stage.door.writes():
        path, method = asked.request.path, asked.request.method
        if asked.answer.status >= 300:
            continue
        if "/leases" not in path:
            lately = [at for (process, _), at in renewed.items() if process is asked.process]
            is_held_up = asked.at - asked.sent > 2 * CALL_SECONDS[1]
            is_ours = is_held_up or asked.at - max(lately, default=-inf) < DURATION.total_seconds()
            assert is_ours, f"I5: {method} {path} without a Lease"
        elif method == "DELETE":
            renewed.pop((asked.process, path), None)
        else:
            path = path if method == "PUT" else f"{path}/{asked.request.body['metadata']['name']}"
            renewed[asked.process, path] = asked.at


def assert_evicted_when_out(stage: VirtualStage, scenario: Scenario, expected: Expected) -> None:
    """I2."""
    for eviction in evicted(stage):
        _assert_out(_pod_of(eviction, stage), _wall(stage, eviction.at), scenario, expected)


def assert_nodes_left_first(stage: VirtualStage, scenario: Scenario, expected: Expected) -> None:
    """I2: a drained node is in no group of nodes when a drain touches one of its pods, whichever process it is."""
    groups = [its.group for its in stage.rig.deployed.values() if its.group and its.application.targets == "instance"]
    if scenario.command != "drain" or expected.closes:
        return
    drained = {stage.rig.nodes.instance(name) for name in scenario.drained}
    told = [its for its in stage.rig.elbv2.transitions if its.target.id in drained]
    for asked in stage.door.writes():
        node = _node_of(asked, stage)
        assert isinstance(asked.process, Running)
        if asked.process.about == "drain" and asked.answer.status < 300 and node in scenario.drained:
            instance, at = stage.rig.nodes.instance(node), _wall(stage, asked.at)
            for group in groups:
                its = [t.health for t in told if (t.group, t.target.id) == (group.arn, instance) and t.time <= at]
                assert its[-1] == NOT_REGISTERED, f"I2: {node} was {its[-1].state} in {group.name}"


def _node_of(asked: Asked, stage: VirtualStage) -> str:
    """Return the node of the pod that a write is about; empty for any other write."""
    parts = asked.request.path.split("/")
    if len(parts) < 7 or parts[5] != "pods":
        return ""
    return _pod_of(asked, stage).node


def assert_only_planned_were_evicted(stage: VirtualStage, scenario: Scenario) -> None:
    """I4: each once; a drain's pods are on its nodes, a restart's were there before its first write."""
    evictions = evicted(stage)
    pods = Counter(_pod_of(eviction, stage).uid for eviction in evictions)
    twice = [stage.rig.capacity.pods[uid].name for uid, count in pods.items() if count > 1]
    assert not twice, f"I4: {twice} were evicted twice"
    for eviction in evictions:
        pod, process = _pod_of(eviction, stage), eviction.process
        assert isinstance(process, Running)
        if process.about == "drain":
            assert pod.node in scenario.drained, f"I4: {pod.name} is on {pod.node}, which is not drained"
        else:
            planned = _wall(stage, next(its.sent for its in stage.door.writes() if its.process is process))
            assert pod.first_seen <= planned, f"I4: {pod.name} came after the restart was planned"


def assert_written_as_designed(stage: VirtualStage, scenario: Scenario) -> None:
    """I11: nothing is written but what the design names, and no target group is asked twice in five seconds."""
    ours = _WRITES if scenario.settings.disable_eviction else _WRITES - {("DELETE", "pods")}
    for request in (asked.request for asked in stage.door.writes()):
        route = stage.control_plane.model.resources.route(request.path)
        assert route is not None
        resource = "/".join(filter(None, [route.resource.plural, route.subresource]))
        assert (request.method, resource) in ours, f"I11: {request.method} {request.path} is not ours to write"
    # Those of another command beside it are not told apart.
    for group in () if stage.beside else stage.rig.elbv2.groups:
        calls = [call for call in stage.rig.elbv2.journal if call.caller == CALLER and call.group == group]
        times = [call.time for call in calls if call.action == "DescribeTargetHealth"]
        for first, second in pairwise(times):
            # The next process doesn't know when the one before it asked.
            is_next = any(first < process.began <= second for process in stage.started)
            assert second - first >= POLL_SECONDS or is_next, f"I11: {group} was asked after {second - first:.2f} s"


def evicted(stage: VirtualStage) -> list[Asked]:
    """Return the evictions that were accepted, and the deletions of pods."""
    return [its for its in stage.door.writes() if _stops_a_pod(its.request) and its.answer.status < 300]


def _stops_a_pod(request: Request) -> bool:
    parts = request.path.split("/")
    return parts[-1] == "eviction" or (request.method == "DELETE" and parts[-2] == "pods")


def assert_nothing_left(stage: VirtualStage, beside: Iterable[str] = ()) -> None:
    """I6: but for the cordon and its mark, and for pods that a command of others named as left when it failed."""
    model = stage.control_plane.model
    named = [line for words in beside for line in words.splitlines() if Standing.RELEASED.value in line]
    for resource in model.resources:
        if resource.plural in ("nodes", "events"):
            continue
        for subject in model.all(resource):
            metadata = subject["metadata"]
            left = {m for m in (*metadata.get("labels", {}), *metadata.get("annotations", {})) if m.startswith(OURS)}
            if resource is kinds.PODS and any(f"{metadata['namespace']}/{metadata['name']}" in line for line in named):
                continue
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


def _pod_of(eviction: Asked, stage: VirtualStage) -> PodHistory:
    """Return the pod that was evicted; of several that had its name, the one that was there."""
    _, _, _, _, namespace, _, name, *_ = eviction.request.path.split("/")
    at = _wall(stage, eviction.at)
    its = [p for p in stage.rig.capacity.pods.values() if (p.namespace, p.name) == (namespace, name)]
    return max((pod for pod in its if pod.first_seen <= at), key=lambda pod: pod.first_seen)


def _wall(stage: VirtualStage, at: float) -> float:
    """Return a moment of the loop's clock in seconds since the Unix epoch."""
    return at + stage.loop.wall() - stage.loop.time()


def _assert_out(pod: PodHistory, at: float, scenario: Scenario, expected: Expected) -> None:
    [app] = [its for its in scenario.applications if its.labels.items() <= pod.labels.items()]
    settle = scenario.settle_of(app).total_seconds()
    if app.is_served:
        assert pod.unlisted is not None, f"I2: {pod.name} was evicted while it was listed"
        settled = at - pod.unlisted
        assert settled >= settle - LISTING_SECONDS, f"I2: {pod.name} had settled for {settled:.3f} s"
    # What others close is not waited for: a pod that is bound to nothing any more may be draining still.
    if app.is_load_balanced and app.targets == "ip" and not expected.closes:
        assert pod.not_registered is not None, f"I2: {pod.name} was evicted while it was registered"
        assert at >= pod.not_registered, f"I2: {pod.name} was evicted while it was draining"
