"""What must hold of every run, by the rig's own account and by the audit log, never by what the tool says."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from kubectl_safe.sandbox.capacity import PodHistory
from kubectl_safe.sandbox.targets import CALLER as CONTROLLER
from tests.support.audit import Write, unlisted_at
from tests.support.stage import Counted, Stage

OURS = "kubectl-safe/"
PROTECTIONS = {"karpenter.sh/do-not-disrupt", "cluster-autoscaler.kubernetes.io/safe-to-evict"}
MOST_WRITES_TO_A_POD = 4
CLOCK_SECONDS = 0.1
"""The rig learns of a change from its watch, a moment after it."""

POLL_SECONDS = 5.0


def assert_every_handoff_was_under_load(stage: Stage) -> None:
    """Every pod that was handed over had requests in flight when it was withdrawn."""
    withdrawn = [pod for pod in _all_pods(stage) if pod.withdrawn is not None]
    assert withdrawn
    idle = [pod.name for pod in withdrawn if not pod.in_flight_at_withdrawal]
    assert not idle, f"{idle} had nothing in flight: the run proves nothing about them"


def assert_the_floor_held(stage: Stage, *spans: Counted) -> None:
    """No application ever had fewer pods in service than replicas (I1)."""
    for span in spans:
        for application in stage.applications:
            assert stage.lowest(application, span) >= application.replicas


def assert_audited(stage: Stage, *, settle_seconds: float) -> None:
    """Order, number and kind of all writes are what the design allows (I2, I4, I11), and AWS was left alone."""
    assert_written_as_designed(stage, settle_seconds=settle_seconds)
    _assert_aws_was_only_read(stage)


def assert_written_as_designed(stage: Stage, *, settle_seconds: float) -> None:
    """Order, number and kind of all writes are what the design allows, by however many runs they were made."""
    real = [write for write in stage.writes() if not write.is_dry_run]
    assert_evicted_only_when_out(stage, settle_seconds=settle_seconds)
    _assert_few_writes_to_a_pod(stage, real)
    assert_in_the_table_of_writes(real)


def assert_evicted_only_when_out(stage: Stage, *, settle_seconds: float) -> None:
    """Each eviction came after `settle_seconds` outside every slice, and after `Target.NotRegistered` (I2, I4)."""
    pods = {(pod.namespace, pod.name): pod for pod in _all_pods(stage)}
    evictions = stage.evictions()
    assert evictions
    assert max(Counter((e.namespace, e.name) for e in evictions).values()) == 1, "a pod was evicted twice"
    balanced = {a.name for a in stage.applications if a.is_load_balanced}
    unlisted = unlisted_at(stage.rig.control_plane.audit_log)
    for eviction in evictions:
        pod = pods[eviction.namespace, eviction.name]
        assert pod.unlisted is not None
        since = min(pod.unlisted, unlisted.get(pod.uid, pod.unlisted))
        assert eviction.at >= since + settle_seconds - CLOCK_SECONDS, f"{pod.name} had not settled"
        if pod.labels["app"] in balanced:
            assert pod.not_registered is not None
            assert eviction.at >= pod.not_registered, f"{pod.name} was still draining"


def assert_nothing_left(stage: Stage, namespace: str = "") -> None:
    """No pod, ReplicaSet, Deployment or binding has a mark of ours, and no Lease is held (I6), anywhere or there."""
    for path in (
        "/api/v1/pods",
        "/apis/apps/v1/replicasets",
        "/apis/apps/v1/deployments",
        "/apis/elbv2.k8s.aws/v1beta1/targetgroupbindings",
    ):
        for item in _in(namespace, stage.loop.call(stage.rig.api.get(path))["items"]):
            marks = _marks(item["metadata"])
            assert not marks, f"{item['metadata']['name']} still has {marks}"
    leases = _in(namespace, stage.loop.call(stage.rig.api.get("/apis/coordination.k8s.io/v1/leases"))["items"])
    assert not [lease["metadata"]["name"] for lease in leases if "kubectl-safe" in lease["metadata"]["name"]]


def _in(namespace: str, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item for item in items if namespace in {"", item["metadata"]["namespace"]}]


def _marks(metadata: dict[str, Any]) -> set[str]:
    keys = {*metadata.get("labels", {}), *metadata.get("annotations", {})}
    return {key for key in keys if key.startswith(OURS)}


def _all_pods(stage: Stage) -> list[PodHistory]:
    return [pod for application in stage.applications for pod in stage.pods(application)]


def _assert_few_writes_to_a_pod(stage: Stage, real: list[Write]) -> None:
    handed_over = {(e.namespace, e.name) for e in stage.evictions()}
    counts = Counter((w.namespace, w.name) for w in real if w.resource.startswith("pods"))
    many = {pod: count for pod, count in counts.items() if pod in handed_over and count > MOST_WRITES_TO_A_POD}
    assert not many


def assert_in_the_table_of_writes(real: Sequence[Write]) -> None:
    """Fail for any write, or any field of one, that the design's table of writes doesn't name.

    A label is only ever set where it was taken off before: a pod that is given back gets it again.
    """
    dropped: dict[tuple[str, str], set[str]] = defaultdict(set)
    for write in real:
        labels = write.body.get("metadata", {}).get("labels") or {}
        taken = dropped[write.namespace, write.name]
        taken |= {key for key, value in labels.items() if value is None}
        _assert_in_the_table_of_writes(write, taken)


def _assert_in_the_table_of_writes(write: Write, dropped: set[str]) -> None:
    metadata = dict(write.body.get("metadata", {}))
    fields = set(write.body) - {"metadata", "apiVersion", "kind"}
    keys = {*metadata.pop("annotations", {}), *(metadata.get("labels") or {})}
    foreign = {key for key in keys if not key.startswith(OURS)} - PROTECTIONS
    match write.resource:
        case "pods":
            assert foreign - dropped == set(), write
            assert fields == set(), write
            assert set(metadata) <= {"labels", "resourceVersion", "ownerReferences", "uid"}, write
            assert all(not owner.get("controller") for owner in metadata.get("ownerReferences", [])), write
        case "pods/eviction":
            assert write.verb == "create"
        case "nodes":
            assert write.body["spec"] in ({"unschedulable": True}, {"unschedulable": None}), write
            assert foreign == set(), write
        case "replicasets" | "targetgroupbindings":
            assert fields == set(), write
            assert foreign == set(), write
            assert set(metadata) <= {"resourceVersion", "uid"}, write
        case "leases":
            foreign -= {"app.kubernetes.io/managed-by"}
            assert (write.name or metadata["name"]).startswith("kubectl-safe."), write
            assert foreign == set(), write
            assert fields <= {"spec", "preconditions"}, write
        case _:
            raise AssertionError(f"the table of writes doesn't name it: {write}")


def _assert_aws_was_only_read(stage: Stage) -> None:
    """Nothing is written to AWS, and no group is asked for its health more often than once in `POLL_SECONDS`."""
    asked = defaultdict(list)
    for call in stage.rig.elbv2.journal:
        if call.caller == CONTROLLER:
            continue
        assert call.action.startswith("Describe"), call
        if call.action == "DescribeTargetHealth":
            asked[call.group].append(call.time)
    for group, times in asked.items():
        tightest = min((later - earlier for earlier, later in pairwise(times)), default=POLL_SECONDS)
        assert tightest >= POLL_SECONDS - CLOCK_SECONDS, f"{group} was asked after {tightest:.1f} s"
