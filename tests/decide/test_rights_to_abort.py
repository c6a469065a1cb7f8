"""Which rights an abort needs: those of what it ends, and none to nudge."""

from dataclasses import replace

from kubectl_safe.decide.rights import Needs, Right, on_pods, to_abort, to_drain, to_restart
from tests.support.builders import a_pod, an_owner

VOLUMES = "each volume is taken for one that two pods can't share: its pod goes first"
WAKE = "StatefulSets can't be woken, and may take minutes to create a pod anew"
SWEEP = "the Leases of dead drains stay behind, run out"
EVENTS = "failures can't be told in the words of their events"


def as_abort(needs: Needs) -> Needs:
    return replace(needs, tried={}, command="abort")


def test_to_end_restarts_is_to_restart() -> None:
    assert to_abort([], ["Deployment"], "shop") == as_abort(to_restart("shop", writes=True, nudges=False))


def test_to_end_drains_is_to_drain() -> None:
    assert to_abort(iter(["node-1"]), [], "shop") == as_abort(to_drain(["node-1"], writes=True, nudges=False))


def test_to_end_both_needs_each_right_once() -> None:
    drain, restart = to_drain(["node-1"], writes=True, nudges=False), to_restart("shop", writes=True, nudges=False)
    both = to_abort(["node-1"], ["Deployment"], "shop")
    assert both.required == (*drain.required, *restart.required)
    assert (both.of_pods, both.optional, both.nodes) == (drain.of_pods, drain.optional, ("node-1",))
    in_leases = to_abort(["node-1"], ["Deployment"], "kube-node-lease")
    assert len(in_leases.required) == len(set(in_leases.required)) == len(both.required) - 4


def test_a_stateful_set_bears_the_record_of_its_restart_itself() -> None:
    needs = to_restart("shop", kind="StatefulSet", writes=True, nudges=False).required
    of_sets = {right.verb for right in needs if right.resource == "statefulsets"}
    assert of_sets == {"list", "watch", "patch"}
    assert not [right for right in needs if (right.verb, right.resource) == ("patch", "replicasets")]
    both = to_abort([], ["Deployment", "StatefulSet"], "shop").required
    assert {right.resource for right in both if right.verb == "patch"} == {"pods", "replicasets", "statefulsets"}


def test_to_end_nothing_needs_nothing() -> None:
    nothing = to_abort([], [], "shop")
    assert nothing == Needs(required=(), command="abort")
    assert (nothing.of_pods, nothing.optional, nothing.nodes) == ((), {}, ())


def test_what_is_lost_without_an_optional_right_is_told() -> None:
    nudges = "bindings can't be nudged, which costs up to 15s a batch"
    for needs, more in (
        (to_restart("shop", writes=True, nudges=True), {"targetgroupbindings": nudges}),
        (to_restart("shop", writes=False, nudges=True), {}),
        (to_drain(["node-1"], writes=True, nudges=False), {"statefulsets": WAKE, "leases": SWEEP}),
        (to_drain(["node-1"], writes=False, nudges=False), {}),
    ):
        lost = {"events": EVENTS, "persistentvolumeclaims": VOLUMES, **more}
        assert {right.resource: words for right, words in needs.optional.items()} == lost


def test_a_drain_writes_where_a_bare_pod_is_and_where_a_job_s_is() -> None:
    pods = [a_pod(owners=(), namespace="bare"), a_pod(controller=an_owner("Job", "j", "batch/v1"), namespace="jobs")]
    patches = [right for right in on_pods(pods) if right.verb == "patch"]
    assert patches == [Right(verb="patch", resource="pods", namespace=where) for where in ("bare", "jobs")]
