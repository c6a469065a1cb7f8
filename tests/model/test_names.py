"""Names that stay on objects of a cluster, which another version has to know again."""

import re
from datetime import timedelta

from kubectl_safe.model import marks
from kubectl_safe.model.lease import Holder, Lease, lease_of_node, lease_of_workload

A = lease_of_node("node-a")


def a_lease(since: str) -> Lease:
    """Return somebody's Lease."""
    return Lease(
        name=A,
        uid="uid",
        resource_version="1",
        holder="bob",
        about="",
        since=since,
        renewed=since,
        duration=timedelta(seconds=30),
    )


def test_marks_are_as_a_dead_run_left_them() -> None:
    ours = (marks.HANDOFF, marks.WITHDRAWN, marks.OPERATION, marks.CORDONED, marks.EXCLUDED, marks.NUDGE, marks.TOUCH)
    names = ("handoff", "withdrawn", "operation", "cordoned", "excluded", "nudge", "touch", "run", "nodes")
    assert (*ours, marks.RUN, marks.NODES) == tuple(f"kubectl-safe/{name}" for name in names)
    assert marks.MANAGED_BY == ("app.kubernetes.io/managed-by", "kubectl-safe")


def test_autoscalers_are_kept_off_by_the_annotations_that_they_know() -> None:
    assert marks.PROTECTIONS == {
        "karpenter.sh/do-not-disrupt": "true",
        "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
    }


def test_a_handoff_is_written_alike_whatever_order_its_labels_came_in() -> None:
    for dropped in ({"b": "2", "a": "1"}, {"a": "1", "b": "2"}):
        assert marks.Handoff(dropped=dropped, in_service=3).dumps() == (
            '{"annotations":{},"dropped":{"a":"1","b":"2"},"inService":3,"targets":[]}'
        )


def test_an_operation_is_written_alike_whatever_order_its_pods_came_in() -> None:
    names = frozenset({"b", "a", "c"})
    operation = marks.Operation(id="i", started="s", options="o", pods=names, deployments=names)
    assert operation.dumps() == (
        '{"id":"i","started":"s","options":"o","pods":["a","b","c"],"deployments":["a","b","c"]}'
    )


def test_the_longest_name_is_left_as_it_is_and_a_longer_one_ends_with_eight_digits() -> None:
    prefix = len(lease_of_workload("Deployment", "shop", "").name)
    longest = lease_of_workload("Deployment", "shop", "x" * (253 - prefix)).name
    assert longest == f"kubectl-safe.deployment.{'x' * (253 - prefix)}"
    longer = lease_of_workload("Deployment", "shop", "x" * (254 - prefix)).name
    assert re.fullmatch(r"kubectl-safe\.deployment\.x+-[0-9a-f]{8}", longer)
    assert len(longer) == 253
    dotted = lease_of_node("x" * 228 + "-." * 15 + "y").name
    assert re.fullmatch(r"kubectl-safe\.x{228}-[0-9a-f]{8}", dotted)


def test_a_holder_that_says_nothing_of_what_it_does_is_told_alone() -> None:
    assert str(Holder(identity="bob", about="")) == "bob"


def test_a_time_without_a_zone_is_no_instant() -> None:
    assert a_lease("2026-11-23T12:00:00").held_by.since is None
    assert a_lease("yesterday").held_by.since is None
    assert a_lease("2026-11-23T12:00:00Z").held_by.since is not None
