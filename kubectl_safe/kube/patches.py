"""The request for each action: pure functions, and the only place that knows how a write looks on the wire.

Nothing is written that no function here makes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, assert_never

from kubectl_safe.decide.actions import (
    Action,
    AskEviction,
    Cordon,
    Evict,
    ExcludeNode,
    IncludeNode,
    Nudge,
    Record,
    Release,
    RemoveNudge,
    RemoveRecord,
    RemoveTouch,
    RemoveWake,
    Touch,
    Uncordon,
    Undo,
    Wake,
    Withdraw,
)
from kubectl_safe.kube.bindings import BINDING_APIS
from kubectl_safe.model import marks
from kubectl_safe.model.pod import OwnerReference, Pod
from kubectl_safe.model.target import EXCLUDE_LABEL, Target, TargetGroupBinding, is_arn
from kubectl_safe.model.workload import ReplicaSet, Workload

STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"
JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A write, as it goes over the wire."""

    method: str
    path: str
    body: Mapping[str, Any]
    content_type: str
    query: Mapping[str, str] = field(default_factory=dict)


def request_for(action: Action, *, at: str, grace_period: int | None = None) -> Request:
    """Return the request for an action.

    Args:
        action: what to do.
        at: the time, which makes each nudge and touch a change.
        grace_period: seconds for an evicted pod to stop; None leaves it to the pod.
    """
    match action:
        case AskEviction() | Evict():
            return _stop(action, grace_period)
        case Release() | Undo() | Withdraw() | Touch() | RemoveTouch():
            return _on_pod(action, at)
        case Nudge() | RemoveNudge() | Wake() | RemoveWake():
            return _mark(action, at)
        case Cordon() | Uncordon() | ExcludeNode() | IncludeNode():
            return _patch_node(action, at)
        case Record() | RemoveRecord():
            return _record(action)
        case _:
            assert_never(action)


def pod_path(pod: Pod) -> str:
    """Return the path of a pod."""
    return f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}"


def dry(request: Request) -> Request:
    """Return the request as a server dry run."""
    # A deletion that has a body goes by that alone (apiserver, endpoints/handlers/delete.go): it would be done.
    body = {**request.body, "dryRun": ["All"]} if request.method == "DELETE" else request.body
    return Request(
        method=request.method,
        path=request.path,
        body=body,
        content_type=request.content_type,
        query={**request.query, "dryRun": "All"},
    )


def _on_pod(action: Release | Undo | Withdraw | Touch | RemoveTouch, at: str) -> Request:
    """Return the patch of a pod."""
    match action:
        case Release(pod=pod):
            return _patch_pod(pod, _release(action), pins=True)
        case Undo(pod=pod):
            return _patch_pod(pod, _undo(action), pins=True)
        case Withdraw(pod=pod):
            return _patch_pod(pod, _withdraw(action), pins=True)
        case Touch(pod=pod):
            # As with a nudge: it must not come after another run has taken such marks away.
            return _patch_pod(pod, {"annotations": {marks.TOUCH: at}}, pins=True)
        case RemoveTouch(pod=pod):
            return _patch_pod(pod, {"annotations": {marks.TOUCH: None}}, pins=False)
        case _:
            assert_never(action)


def _mark(action: Nudge | RemoveNudge | Wake | RemoveWake, at: str) -> Request:
    """Return the patch that makes a controller look at an object at once, or takes its mark away."""
    match action:
        case Nudge(binding=binding):
            return _annotate_binding(binding, at, version=binding.resource_version)
        case RemoveNudge(binding=binding):
            return _annotate_binding(binding, None, version=None)
        case Wake(workload=workload):
            return _annotate(workload, marks.WAKE, at, version=workload.resource_version)
        case RemoveWake(workload=workload):
            return _annotate(workload, marks.WAKE, None, version=None)
        case _:
            assert_never(action)


def _patch_node(action: Cordon | Uncordon | ExcludeNode | IncludeNode, at: str) -> Request:
    """Return the patch of a node."""
    node = action.node
    pinned = {"resourceVersion": node.resource_version}
    body: dict[str, Any]
    match action:
        case Cordon():
            body = {"metadata": {"annotations": {marks.CORDONED: at}}, "spec": {"unschedulable": True}}
        case Uncordon():
            # Who cordons it anew at this moment, cordons it for a reason of their own.
            meta = {**pinned, "annotations": {marks.CORDONED: None}}
            body = {"metadata": meta, "spec": {"unschedulable": None}}
        case ExcludeNode():
            # Where somebody sets the label at this moment, it is theirs, and is not to be noted as ours.
            meta = {**pinned, "labels": {EXCLUDE_LABEL: "true"}, "annotations": {marks.EXCLUDED: at}}
            body = {"metadata": meta}
        case IncludeNode():
            body = {"metadata": {**pinned, "labels": {EXCLUDE_LABEL: None}, "annotations": {marks.EXCLUDED: None}}}
        case _:
            assert_never(action)
    return Request(method="PATCH", path=f"/api/v1/nodes/{node.name}", body=body, content_type=STRATEGIC)


def _record(action: Record | RemoveRecord) -> Request:
    """Return the patch of what carries the record of a restart."""
    match action:
        case Record(bearer=bearer, operation=operation):
            # Two that begin at the same moment: the second must see the first's record.
            return _annotate(bearer, marks.OPERATION, operation.dumps(), version=bearer.resource_version)
        case RemoveRecord(bearer=bearer):
            return _annotate(bearer, marks.OPERATION, None, version=None)
        case _:
            assert_never(action)


def _release(action: Release) -> dict[str, Any]:
    pod = action.pod
    handoff = marks.Handoff(
        dropped={action.drop: pod.labels[action.drop]},
        in_service=action.in_service,
        annotations=_protected(pod),
        targets=_noted(action.targets),
    )
    return {
        "labels": {action.drop: None},
        "annotations": {marks.HANDOFF: handoff.dumps(), **marks.PROTECTIONS},
        "ownerReferences": [_plain_owner(action.owner)],
    }


def _undo(action: Undo) -> dict[str, Any]:
    handoff = action.pod.handoff
    assert handoff is not None, "only what was released is given back"
    return {
        "labels": dict(handoff.dropped),
        "annotations": {marks.HANDOFF: None, **handoff.annotations},
        "ownerReferences": [{"$patch": "delete", "uid": action.owner.uid}],
    }


def _noted(targets: Iterable[Target]) -> tuple[str, ...]:
    # What is known by its name only is looked up anew as long as there is a binding, and is of no use after that.
    return tuple(target.note for target in targets if is_arn(target.group))


def _withdraw(action: Withdraw) -> dict[str, Any]:
    pod = action.pod
    before = pod.handoff
    dropped = {key: pod.labels[key] for key in sorted(action.drop) if key in pod.labels}
    targets = _noted(action.targets)
    labels: dict[str, str | None] = {**dict.fromkeys(sorted(action.drop)), marks.WITHDRAWN: ""}
    if before is None:
        handoff = marks.Handoff(
            dropped=dropped,
            in_service=action.in_service,
            annotations=_protected(pod),
            targets=targets,
            is_alone=action.owner is None,
        )
        return {
            "labels": labels,
            "annotations": {marks.HANDOFF: handoff.dumps(), **marks.PROTECTIONS},
            **({"ownerReferences": [_plain_owner(action.owner)]} if action.owner else {}),
        }
    handoff = marks.Handoff(
        dropped={**before.dropped, **dropped},
        in_service=before.in_service,
        annotations=before.annotations,
        targets=tuple(dict.fromkeys((*before.targets, *targets))),
        is_alone=before.is_alone,
    )
    return {"labels": labels, "annotations": {marks.HANDOFF: handoff.dumps()}}


def _protected(pod: Pod) -> dict[str, str | None]:
    return {key: pod.annotations.get(key) for key in marks.PROTECTIONS}


def _plain_owner(owner: OwnerReference) -> dict[str, Any]:
    """Return a reference that garbage collection follows and no controller does; the merge key is `uid`."""
    return {
        "apiVersion": owner.api_version,
        "kind": owner.kind,
        "name": owner.name,
        "uid": owner.uid,
        "controller": False,
        "blockOwnerDeletion": False,
    }


def _patch_pod(pod: Pod, metadata: Mapping[str, Any], *, pins: bool) -> Request:
    # The UID makes the API server refuse the write where another pod has the name by now.
    identity = {"uid": pod.uid, **({"resourceVersion": pod.resource_version} if pins else {})}
    body = {"metadata": {**identity, **metadata}}
    return Request(method="PATCH", path=pod_path(pod), body=body, content_type=STRATEGIC)


def _stop(action: AskEviction | Evict, grace_period: int | None) -> Request:
    """Return the eviction or the deletion of a pod, or the question whether it would be done."""
    pod, is_dry_run = action.pod, isinstance(action, AskEviction)
    pins = isinstance(action, Evict) and action.pins_resource_version
    preconditions = {"uid": pod.uid, **({"resourceVersion": pod.resource_version} if pins else {})}
    options: dict[str, Any] = {"preconditions": preconditions}
    if grace_period is not None:
        options["gracePeriodSeconds"] = grace_period
    if is_dry_run:
        options["dryRun"] = ["All"]
    if action.is_deletion:
        body: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", **options}
        request = Request(method="DELETE", path=pod_path(pod), body=body, content_type=JSON)
        return dry(request) if is_dry_run else request
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"namespace": pod.namespace, "name": pod.name},
        "deleteOptions": options,
    }
    request = Request(method="POST", path=f"{pod_path(pod)}/eviction", body=body, content_type=JSON)
    # Admission webhooks look at the query, the eviction itself at its options.
    return dry(request) if is_dry_run else request


def _annotate_binding(binding: TargetGroupBinding, value: str | None, *, version: str | None) -> Request:
    # A mark that is long on its way must not come after another run has taken such marks away.
    pinned = {"resourceVersion": version} if version else {}
    # Custom resources know no strategic merge.
    return Request(
        method="PATCH",
        path=f"{BINDING_APIS[binding.api]}/namespaces/{binding.namespace}/targetgroupbindings/{binding.name}",
        body={"metadata": {**pinned, "annotations": {marks.NUDGE: value}}},
        content_type=MERGE,
    )


def _annotate(owner: ReplicaSet | Workload, mark: str, value: str | None, *, version: str | None) -> Request:
    pinned = {"resourceVersion": version} if version else {}
    return Request(
        method="PATCH",
        path=f"/apis/apps/v1/namespaces/{owner.namespace}/{owner.kind.lower()}s/{owner.name}",
        body={"metadata": {"uid": owner.uid, **pinned, "annotations": {mark: value}}},
        content_type=MERGE,
    )
