"""The request for each action, and nothing that is not among them."""

from dataclasses import replace
from typing import Any, get_args

import pytest

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
from kubectl_safe.kube.patches import MERGE, STRATEGIC, dry, request_for
from kubectl_safe.model import marks
from kubectl_safe.model.budget import Budget
from kubectl_safe.model.marks import Handoff, Operation
from kubectl_safe.model.target import EXCLUDE_LABEL, Target
from tests.kube.objects import ARN, HASH, OWNER, PLAIN_OWNER, a_binding, a_node, a_pod, a_replica_set, a_stateful_set

AT = "2026-01-02T03:04:05.678Z"
KARPENTER, AUTOSCALER = marks.PROTECTIONS
NO_PROTECTIONS = dict.fromkeys(marks.PROTECTIONS)
POD = "/api/v1/namespaces/default/pods/a"
BUDGET = Budget(
    namespace="default", name="web", selector=None, disruptions_allowed=0, current_healthy=0, desired_healthy=0
)
OPERATION = Operation(id="1", started=AT, options="", pods=frozenset())


def metadata(action: Action) -> dict[str, Any]:
    found: dict[str, Any] = request_for(action, at=AT).body["metadata"]
    return found


def a_withdrawal(**changes: Any) -> Withdraw:
    fields: dict[str, Any] = {
        "pod": a_pod(),
        "drop": frozenset({"app"}),
        "targets": (),
        "owner": OWNER,
        "in_service": 3,
    }
    return Withdraw(**{**fields, **changes})


def a_released_pod(handoff: Handoff) -> Any:
    return a_pod(labels={"app": "web", "tier": "front"}, annotations={marks.HANDOFF: handoff.dumps()})


def test_a_release_drops_one_label_and_keeps_the_workload_as_plain_owner() -> None:
    request = request_for(Release(pod=a_pod(), drop=HASH, owner=OWNER, targets=(), in_service=3), at=AT)
    handoff = Handoff(dropped={HASH: "1"}, in_service=3, annotations=NO_PROTECTIONS)
    assert (request.method, request.path, request.content_type, request.query) == ("PATCH", POD, STRATEGIC, {})
    assert request.body == {
        "metadata": {
            "uid": "uid-a",
            "resourceVersion": "7",
            "labels": {HASH: None},
            "annotations": {marks.HANDOFF: handoff.dumps(), KARPENTER: "true", AUTOSCALER: "false"},
            "ownerReferences": [PLAIN_OWNER],
        }
    }


def test_a_release_notes_what_the_pod_is_in_target_groups() -> None:
    action = Release(pod=a_pod(), drop=HASH, owner=OWNER, targets=(a_target(),), in_service=3)
    assert Handoff.loads(metadata(action)["annotations"][marks.HANDOFF]).targets == (f"{ARN}=8080",)


def test_a_release_keeps_the_annotations_that_it_replaces() -> None:
    pod = a_pod(annotations={AUTOSCALER: "true", "other": "x"})
    annotations = metadata(Release(pod=pod, drop=HASH, owner=OWNER, targets=(), in_service=3))["annotations"]
    assert Handoff.loads(annotations[marks.HANDOFF]).annotations == {KARPENTER: None, AUTOSCALER: "true"}


def test_a_withdrawal_adds_to_what_the_release_dropped() -> None:
    before = Handoff(dropped={HASH: "1"}, in_service=5, annotations={KARPENTER: "false"})
    action = a_withdrawal(pod=a_released_pod(before), drop=frozenset({"app", "tier"}), targets=(a_target(),))
    written = metadata(action)
    assert set(written) == {"uid", "resourceVersion", "labels", "annotations"}
    assert written["labels"] == {"app": None, "tier": None, marks.WITHDRAWN: ""}
    assert set(written["annotations"]) == {marks.HANDOFF}
    assert Handoff.loads(written["annotations"][marks.HANDOFF]) == Handoff(
        dropped={HASH: "1", "app": "web", "tier": "front"},
        in_service=5,
        annotations={KARPENTER: "false"},
        targets=(f"{ARN}=8080",),
    )


def a_target() -> Target:
    return Target(group=ARN, ip="10.0.0.1", port=8080)


def test_a_withdrawal_of_a_pod_that_was_not_released_does_the_releases_part_too() -> None:
    written = metadata(a_withdrawal(targets=(a_target(),)))
    handoff = Handoff(dropped={"app": "web"}, in_service=3, annotations=NO_PROTECTIONS, targets=(f"{ARN}=8080",))
    assert written == {
        "uid": "uid-a",
        "resourceVersion": "7",
        "labels": {"app": None, marks.WITHDRAWN: ""},
        "annotations": {marks.HANDOFF: handoff.dumps(), KARPENTER: "true", AUTOSCALER: "false"},
        "ownerReferences": [PLAIN_OWNER],
    }


def test_a_withdrawal_again_keeps_the_targets_that_were_noted() -> None:
    before = Handoff(dropped={}, in_service=5, targets=("arn:other=1", f"{ARN}=8080"))
    written = metadata(a_withdrawal(pod=a_released_pod(before), targets=(a_target(),)))
    assert Handoff.loads(written["annotations"][marks.HANDOFF]).targets == ("arn:other=1", f"{ARN}=8080")


def test_a_label_that_is_not_there_is_not_noted_as_dropped() -> None:
    written = metadata(a_withdrawal(drop=frozenset({"app", "gone"})))
    assert Handoff.loads(written["annotations"][marks.HANDOFF]).dropped == {"app": "web"}


@pytest.mark.parametrize(
    ("action", "grace_period", "options", "query"),
    [
        (
            Evict(pod=a_pod(), pins_resource_version=True),
            None,
            {"preconditions": {"uid": "uid-a", "resourceVersion": "7"}},
            {},
        ),
        (Evict(pod=a_pod(), pins_resource_version=False), None, {"preconditions": {"uid": "uid-a"}}, {}),
        (
            Evict(pod=a_pod(), pins_resource_version=False),
            0,
            {"preconditions": {"uid": "uid-a"}, "gracePeriodSeconds": 0},
            {},
        ),
        (
            AskEviction(pod=a_pod()),
            None,
            {"preconditions": {"uid": "uid-a"}, "dryRun": ["All"]},
            {"dryRun": "All"},
        ),
    ],
    ids=["pinned", "not pinned", "with a grace period of 0", "asked"],
)
def test_an_eviction(action: Action, grace_period: int | None, options: dict[str, Any], query: dict[str, str]) -> None:
    request = request_for(action, at=AT, grace_period=grace_period)
    assert (request.method, request.path, request.query) == ("POST", f"{POD}/eviction", query)
    assert request.body["kind"] == "Eviction"
    assert request.body["metadata"] == {"namespace": "default", "name": "a"}
    assert request.body["deleteOptions"] == options


UID = {"uid": a_pod().uid}
PINNED = {**UID, "resourceVersion": a_pod().resource_version}


@pytest.mark.parametrize(
    ("action", "grace_period", "options"),
    [
        (Evict(pod=a_pod(), pins_resource_version=True, is_deletion=True), None, {"preconditions": PINNED}),
        (
            Evict(pod=a_pod(), pins_resource_version=True, is_deletion=True),
            0,
            {"preconditions": PINNED, "gracePeriodSeconds": 0},
        ),
        (AskEviction(pod=a_pod(), is_deletion=True), None, {"preconditions": UID, "dryRun": ["All"]}),
    ],
    ids=["pinned", "with a grace period of 0", "asked"],
)
def test_a_deletion(action: Action, grace_period: int | None, options: dict[str, Any]) -> None:
    request = request_for(action, at=AT, grace_period=grace_period)
    assert (request.method, request.path) == ("DELETE", POD)
    assert request.body == {"apiVersion": "v1", "kind": "DeleteOptions", **options}
    assert request.query == ({"dryRun": "All"} if "dryRun" in options else {})


def test_a_dry_run_of_a_deletion_says_so_in_its_body_which_is_all_that_counts() -> None:
    tried = dry(request_for(Evict(pod=a_pod(), pins_resource_version=True, is_deletion=True), at=AT))
    assert (tried.body["dryRun"], tried.query) == (["All"], {"dryRun": "All"})
    assert tried.body["preconditions"] == PINNED


RS = "/apis/apps/v1/namespaces/default/replicasets/web-1"
TGB = "/apis/elbv2.k8s.aws/v1beta1/namespaces/default/targetgroupbindings/web"
OTHERS: list[tuple[Action, str, str, dict[str, Any]]] = [
    (
        Nudge(binding=a_binding()),
        TGB,
        MERGE,
        {"metadata": {"resourceVersion": "7", "annotations": {marks.NUDGE: AT}}},
    ),
    (
        Nudge(binding=replace(a_binding(), api="eks.amazonaws.com")),
        TGB.replace("elbv2.k8s.aws/v1beta1", "eks.amazonaws.com/v1"),
        MERGE,
        {"metadata": {"resourceVersion": "7", "annotations": {marks.NUDGE: AT}}},
    ),
    (RemoveNudge(binding=a_binding()), TGB, MERGE, {"metadata": {"annotations": {marks.NUDGE: None}}}),
    (
        Touch(pod=a_pod(), budget=BUDGET),
        POD,
        STRATEGIC,
        {"metadata": {"uid": "uid-a", "resourceVersion": "7", "annotations": {marks.TOUCH: AT}}},
    ),
    (
        RemoveTouch(pod=a_pod()),
        POD,
        STRATEGIC,
        {"metadata": {"uid": "uid-a", "annotations": {marks.TOUCH: None}}},
    ),
    (
        Cordon(node=a_node()),
        "/api/v1/nodes/node-a",
        STRATEGIC,
        {"metadata": {"annotations": {marks.CORDONED: AT}}, "spec": {"unschedulable": True}},
    ),
    (
        Uncordon(node=a_node()),
        "/api/v1/nodes/node-a",
        STRATEGIC,
        {
            "metadata": {"resourceVersion": "7", "annotations": {marks.CORDONED: None}},
            "spec": {"unschedulable": None},
        },
    ),
    (
        ExcludeNode(node=a_node()),
        "/api/v1/nodes/node-a",
        STRATEGIC,
        {
            "metadata": {
                "resourceVersion": "7",
                "labels": {EXCLUDE_LABEL: "true"},
                "annotations": {marks.EXCLUDED: AT},
            }
        },
    ),
    (
        IncludeNode(node=a_node()),
        "/api/v1/nodes/node-a",
        STRATEGIC,
        {
            "metadata": {
                "resourceVersion": "7",
                "labels": {EXCLUDE_LABEL: None},
                "annotations": {marks.EXCLUDED: None},
            }
        },
    ),
    (
        Undo(
            pod=a_pod(
                labels={"app": "web"},
                annotations={
                    marks.HANDOFF: Handoff(
                        dropped={HASH: "1"}, in_service=3, annotations={KARPENTER: None, AUTOSCALER: "true"}
                    ).dumps()
                },
            ),
            owner=OWNER,
        ),
        POD,
        STRATEGIC,
        {
            "metadata": {
                "uid": "uid-a",
                "resourceVersion": "7",
                "labels": {HASH: "1"},
                "annotations": {marks.HANDOFF: None, KARPENTER: None, AUTOSCALER: "true"},
                "ownerReferences": [{"$patch": "delete", "uid": "uid-web"}],
            }
        },
    ),
    (
        Record(bearer=a_replica_set(), operation=OPERATION),
        RS,
        MERGE,
        {
            "metadata": {
                "uid": "uid-web-1",
                "resourceVersion": "7",
                "annotations": {marks.OPERATION: OPERATION.dumps()},
            }
        },
    ),
    (
        Wake(workload=a_stateful_set()),
        "/apis/apps/v1/namespaces/default/statefulsets/db",
        MERGE,
        {"metadata": {"uid": "uid-db", "resourceVersion": "7", "annotations": {marks.WAKE: AT}}},
    ),
    (
        RemoveWake(workload=a_stateful_set()),
        "/apis/apps/v1/namespaces/default/statefulsets/db",
        MERGE,
        {"metadata": {"uid": "uid-db", "annotations": {marks.WAKE: None}}},
    ),
    (
        RemoveRecord(bearer=a_replica_set()),
        RS,
        MERGE,
        {"metadata": {"uid": "uid-web-1", "annotations": {marks.OPERATION: None}}},
    ),
]


@pytest.mark.parametrize(
    ("action", "path", "content_type", "body"), OTHERS, ids=[type(action).__name__ for action, *_ in OTHERS]
)
def test_another_patch(action: Action, path: str, content_type: str, body: dict[str, Any]) -> None:
    request = request_for(action, at=AT)
    assert (request.method, request.path, request.content_type) == ("PATCH", path, content_type)
    assert request.body == body


def test_every_action_is_claimed_here() -> None:
    claimed = {type(action) for action, *_ in OTHERS} | {Release, Withdraw, Evict, AskEviction}
    assert claimed == set(get_args(Action))


def test_a_dry_run_is_the_same_request_but_for_its_query() -> None:
    request = request_for(Cordon(node=a_node()), at=AT)
    tried = dry(request)
    assert tried.query == {"dryRun": "All"}
    assert (tried.path, tried.body) == (request.path, request.body)
