"""On a drain, a node leaves the target groups that register nodes before the first pod is begun."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from kubectl_safe.decide import node_first
from kubectl_safe.decide.actions import ExcludeNode
from kubectl_safe.decide.decision import Act, Wait
from kubectl_safe.decide.estimate import estimate
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.preflight import blockers, sought_by, targets_of
from kubectl_safe.decide.rehearsal import rehearsals
from kubectl_safe.decide.settings import Settings
from kubectl_safe.model.marks import EXCLUDED
from kubectl_safe.model.selector import LabelSelector
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import EXCLUDE_LABEL, Role, Target, TargetHealth
from kubectl_safe.model.workload import Node
from tests.support.builders import (
    NOT_REGISTERED,
    NOW,
    a_binding,
    a_cluster,
    a_group,
    a_service,
    ago,
    an_intent,
    arn,
    health,
    in_words,
)

BINDING = a_binding("nodes", target_type="instance", service="web")
PORT = 30080
LATELY = ago(20)
GONE = health("unused", NOT_REGISTERED)
ALLOWED = {"allow": frozenset({"unseen-load-balancer"})}


def a_node(number: int = 1, **changes: Any) -> Node:
    """Return a node that is an EC2 instance."""
    known = Node(name=f"node-{number}", resource_version="1", instance_id=f"i-{number}")
    return replace(known, **changes)


def excluded(number: int = 1, *, by_us: bool = True, **changes: Any) -> Node:
    """Return a node that is excluded from load balancers, by us or by somebody else."""
    annotations = {EXCLUDED: "now"} if by_us else {}
    return a_node(number, labels={EXCLUDE_LABEL: "true"}, annotations=annotations, **changes)


def a_node_target(number: int = 1) -> Target:
    """Return what a node is in the group of nodes."""
    return Target(group=arn("nodes"), ip=f"i-{number}", port=PORT)


def with_nodes(
    *nodes: Node, told: dict[int, TargetHealth | None] | None = None, since: datetime | None = LATELY, **overrides: Any
) -> Snapshot:
    """Return a cluster with three nodes, all of them healthy, or what is told of them; these in place of theirs."""
    known = {f"node-{number}": a_node(number) for number in (1, 2, 3)} | {node.name: node for node in nodes}
    port = replace(a_service().ports[0], node_port=PORT)
    answers = {number: health() for number in (1, 2, 3)} | (told or {})
    groups = {arn("nodes"): a_group("nodes", delay=60)}
    values: dict[str, Any] = {
        "nodes": known,
        "services": (a_service(ports=(port,)),),
        "bindings": (BINDING,),
        "groups": groups,
        "health": {a_node_target(number): answer for number, answer in answers.items() if answer},
        "excluded_since": {node.name: since for node in known.values() if node.is_excluded and since},
    }
    return a_cluster(**values | overrides)


def an_intent_of(*names: str, **flags: Any) -> Intent:
    """Return a plan by which these nodes come first, node-1 by default."""
    return Intent(pods=(), settings=Settings(**flags), nodes=names or ("node-1",))


def decided(snapshot: Snapshot, *names: str, **flags: Any) -> dict[str, str]:
    """Return what is decided on nodes, as tables write it; nothing on those that are out."""
    return {name: in_words(step) for name, step in node_first.steps(an_intent_of(*names, **flags), snapshot).items()}


def why(snapshot: Snapshot, **flags: Any) -> str:
    """Return why node-1 waits."""
    step = node_first.steps(an_intent_of(**flags), snapshot)["node-1"]
    assert isinstance(step, Wait)
    return step.why


EXCLUDE, WAIT = "ExcludeNode", "wait for node"
SELECTOR = LabelSelector(match_labels={"pool": "web"})

NEEDS_TWO = with_nodes(groups={arn("nodes"): replace(a_group("nodes", delay=60), minimum_count=2)})
UNHEALTHY = {1: health(), 2: health(), 3: health("unhealthy")}

ROWS = [
    pytest.param(NEEDS_TWO, EXCLUDE, id="as many others are healthy as the group needs"),
    pytest.param(
        replace(NEEDS_TWO, health={a_node_target(number): its for number, its in UNHEALTHY.items()}),
        WAIT,
        id="fewer others are healthy than the group needs",
    ),
    pytest.param(with_nodes(groups={}), EXCLUDE, id="a group whose settings are not known"),
    pytest.param(
        with_nodes(excluded(), bindings=(replace(BINDING, group="nodes"),), since=ago(60)),
        WAIT,
        id="a group that came meanwhile and is only named",
    ),
    pytest.param(with_nodes(), EXCLUDE, id="a node that is in service is excluded first"),
    pytest.param(with_nodes(bindings=()), "", id="without a binding of nodes nothing is done"),
    pytest.param(with_nodes(bindings=(a_binding(),)), "", id="a binding of pods has no nodes to leave it"),
    pytest.param(
        with_nodes(bindings=(replace(BINDING, node_selector=SELECTOR),)), "", id="a binding that selects other nodes"
    ),
    pytest.param(with_nodes(services=(a_service(),)), "", id="a Service without a node port"),
    pytest.param(with_nodes(services=()), "", id="a Service that is not there"),
    pytest.param(with_nodes(told={2: None, 3: None}), WAIT, id="nobody knows how the others are"),
    pytest.param(
        with_nodes(told={2: health("unhealthy"), 3: health("initial")}), WAIT, id="no other healthy node in the group"
    ),
    pytest.param(with_nodes(told={2: health(asked=60), 3: None}), WAIT, id="another was healthy by an old answer"),
    pytest.param(with_nodes(excluded(2), excluded(3)), WAIT, id="the others are on their way out"),
    pytest.param(
        with_nodes(a_node(2, instance_id=""), told={3: None}), WAIT, id="nobody can tell what another is in the group"
    ),
    pytest.param(
        with_nodes(told={1: health("unhealthy"), 2: None, 3: None}), EXCLUDE, id="a node that gets no requests may go"
    ),
    pytest.param(with_nodes(told={1: GONE, 2: None, 3: None}), EXCLUDE, id="a node that was never registered may go"),
    pytest.param(
        with_nodes(told={1: health("unavailable"), 2: None, 3: None}), WAIT, id="a node of which nothing is known"
    ),
    pytest.param(
        with_nodes(told={1: health("unhealthy", asked=60), 2: None, 3: None}), WAIT, id="unhealthy by an old answer"
    ),
    pytest.param(with_nodes(excluded()), WAIT, id="excluded, and still healthy"),
    pytest.param(with_nodes(excluded(), told={1: health("draining")}), WAIT, id="excluded, and draining"),
    pytest.param(with_nodes(excluded(), told={1: None}), WAIT, id="excluded, and not asked for"),
    pytest.param(with_nodes(excluded(), told={1: GONE}), "", id="excluded, and gone"),
    pytest.param(
        with_nodes(excluded(), told={1: health("unused", "Target.NotInUse")}), WAIT, id="in a group without a balancer"
    ),
    pytest.param(with_nodes(excluded(by_us=False), told={1: GONE}), "", id="excluded by somebody else, and gone"),
    pytest.param(with_nodes(excluded(by_us=False)), WAIT, id="excluded by somebody else, and not gone"),
    pytest.param(
        with_nodes(excluded(), told={1: health("unused", NOT_REGISTERED, asked=30)}, since=ago(20)),
        WAIT,
        id="gone by an answer from before it was excluded",
    ),
    pytest.param(
        with_nodes(excluded(), told={1: health("unused", NOT_REGISTERED, asked=16)}), WAIT, id="gone by an old answer"
    ),
    pytest.param(with_nodes(excluded(), told={1: GONE}, since=None), WAIT, id="nobody saw it excluded"),
    pytest.param(with_nodes(stale=frozenset({"nodes"})), "wait for cache", id="the watch on nodes is interrupted"),
]


@pytest.mark.parametrize(("snapshot", "expected"), ROWS)
def test_a_node_that_is_drained(snapshot: Snapshot, expected: str) -> None:
    assert decided(snapshot) == ({"node-1": expected} if expected else {})


def test_of_several_nodes_a_group_keeps_a_healthy_one() -> None:
    snapshot = with_nodes(told={3: health("unhealthy")})
    assert decided(snapshot, "node-1", "node-2") == {"node-1": EXCLUDE, "node-2": WAIT}
    assert decided(snapshot, "node-1", "node-2", allow=frozenset({"downtime"})) == {
        "node-1": EXCLUDE,
        "node-2": EXCLUDE,
    }
    assert decided(with_nodes(), "node-1", "node-2") == {"node-1": EXCLUDE, "node-2": EXCLUDE}


def test_a_node_that_is_gone_is_out() -> None:
    assert decided(with_nodes(), "node-7") == {}


def test_a_node_is_out_of_every_group_before_its_pods_begin() -> None:
    other = replace(BINDING, name="other", group=arn("other"))
    snapshot = with_nodes(excluded(), told={1: GONE}, bindings=(BINDING, other))
    assert decided(snapshot) == {"node-1": WAIT}


def test_waits_are_told_with_the_target_and_what_aws_says_of_it() -> None:
    assert why(with_nodes(excluded(), told={1: None})) == (
        "target i-1:30080 in nodes was not asked for since node node-1 was excluded"
    )
    assert why(with_nodes(excluded(), told={1: health("draining")})) == (
        "target i-1:30080 in nodes is draining (deregistration delay of nodes: 60s)"
    )
    left = "0 of 1 other nodes are healthy in target group nodes"
    assert why(with_nodes(told={2: None, 3: None})) == left
    assert why(with_nodes(told={2: None, 3: None}, stale_health={arn("nodes"): "Throttling"})) == f"{left}: Throttling"


UNSEEN: dict[str, Any] = {"unseen": frozenset({arn("nodes")})}


@pytest.mark.parametrize(
    ("snapshot", "flags", "expected"),
    [
        pytest.param(with_nodes(told={2: None, 3: None}, **UNSEEN), {}, EXCLUDE, id="not asked for the others"),
        pytest.param(with_nodes(excluded(), **UNSEEN), {"drain_wait": timedelta(seconds=30)}, WAIT, id="drain wait"),
        pytest.param(with_nodes(excluded(), **UNSEEN), {"drain_wait": timedelta(seconds=20)}, "", id="drained"),
        pytest.param(with_nodes(a_node(instance_id="")), ALLOWED, EXCLUDE, id="no instance"),
        pytest.param(
            with_nodes(excluded(instance_id=""), since=ago(14)), ALLOWED, WAIT, id="no instance, not settled yet"
        ),
        pytest.param(with_nodes(excluded(instance_id=""), since=None), ALLOWED, WAIT, id="no instance, not seen yet"),
        pytest.param(with_nodes(excluded(instance_id=""), since=ago(15)), ALLOWED, "", id="no instance, settled"),
        pytest.param(
            with_nodes(excluded(), bindings=(replace(BINDING, group=""),), since=ago(14)), ALLOWED, WAIT, id="no group"
        ),
    ],
)
def test_a_node_that_can_not_be_asked_for_goes_by_time(
    snapshot: Snapshot, flags: dict[str, Any], expected: str
) -> None:
    assert decided(snapshot, **flags) == ({"node-1": expected} if expected else {})


def test_a_wait_for_time_says_until_when() -> None:
    snapshot = with_nodes(excluded(instance_id=""), since=ago(14))
    step = node_first.steps(an_intent_of(**ALLOWED), snapshot)["node-1"]
    assert isinstance(step, Wait)
    assert step.until == NOW + timedelta(seconds=1)
    assert step.why == "targetgroupbinding shop/nodes can't be asked for node node-1; settling for 15s"


def refused(snapshot: Snapshot, *names: str, **flags: Any) -> list[str]:
    """Return for which reasons a drain of nodes is not begun, each with its text."""
    return [f"{its.reason}: {its.why}" for its in blockers(an_intent_of(*names, **flags), snapshot)]


def test_a_node_that_nobody_can_see_leave() -> None:
    asked = "whether node node-1 has left its target group can't be asked; answer for it, with a time that it takes, by"
    remedy = f"{asked} --allow unseen-load-balancer --settle 5m"
    nameless = with_nodes(a_node(instance_id=""))
    why = "registers nodes by their EC2 instances, and the providerID of node node-1 names none"
    assert refused(nameless) == [f"unseen-load-balancer: targetgroupbinding shop/nodes {why}: {remedy}"]
    unnamed = with_nodes(bindings=(replace(BINDING, group=""),))
    assert refused(unnamed) == [
        f"unseen-load-balancer: targetgroupbinding shop/nodes has neither targetGroupARN nor targetGroupName: {remedy}"
    ]
    assert refused(nameless, **ALLOWED) == []
    assert refused(unnamed, **ALLOWED) == []
    assert refused(with_nodes(a_node(instance_id=""), bindings=())) == []
    assert refused(nameless, "node-2") == []


def test_a_group_that_would_be_left_without_a_node() -> None:
    every = ("node-1", "node-2", "node-3")
    group = "downtime: target group nodes (targetgroupbinding shop/nodes) would be left with"
    remedy = "add nodes, drain fewer of them at once, or answer for it with --allow downtime"
    assert refused(with_nodes(), *every) == [f"{group} no node: {remedy}"]
    assert refused(NEEDS_TWO, "node-1", "node-2") == [f"{group} 1 of the 2 nodes that it needs: {remedy}"]
    assert refused(NEEDS_TWO, "node-1") == []
    assert refused(with_nodes(), *every, allow=frozenset({"downtime"})) == []
    assert refused(with_nodes(), "node-1", "node-2") == []
    assert len(refused(with_nodes(a_node(3, labels={EXCLUDE_LABEL: ""})), "node-1", "node-2")) == 1
    # A run that died has excluded them; the same command goes on.
    assert refused(with_nodes(*(excluded(number) for number in (1, 2, 3))), *every) == []
    assert len(refused(with_nodes(bindings=(BINDING, replace(BINDING, name="again"))), *every)) == 1


def test_pods_behind_a_group_of_nodes_are_none_of_its_targets_and_are_handed_over_all_the_same() -> None:
    snapshot = with_nodes()
    assert blockers(an_intent(snapshot), snapshot) == []
    unasked = with_nodes(unseen=frozenset({arn("nodes")}))
    assert blockers(an_intent(unasked), unasked) == []


def test_a_drain_wait_that_ends_before_a_group_of_nodes_has_drained() -> None:
    snapshot = with_nodes(unseen=frozenset({arn("nodes")}))
    [found] = refused(snapshot, drain_wait=timedelta(seconds=59))
    assert found.startswith("unseen-targets: target group nodes drains for 1m (deregistration delay), longer than")
    assert refused(snapshot, drain_wait=timedelta(seconds=60)) == []


def test_it_is_tried_beforehand_where_it_will_be_written() -> None:
    def tried(snapshot: Snapshot) -> list[str]:
        return [type(action).__name__ for action in rehearsals(an_intent_of(), snapshot)]

    assert tried(with_nodes()) == ["ExcludeNode"]
    assert tried(with_nodes(excluded())) == []
    assert tried(with_nodes(bindings=())) == []


def test_all_nodes_of_a_group_are_asked_for_before_the_first_write() -> None:
    known = frozenset(a_node_target(number) for number in (1, 2, 3))
    assert targets_of(an_intent_of(), with_nodes()) == {arn("nodes"): known}
    assert targets_of(an_intent_of(), with_nodes(excluded())) == {arn("nodes"): known}
    assert targets_of(an_intent_of(), with_nodes(a_node(instance_id=""))) == {}
    assert targets_of(an_intent_of("node-7"), with_nodes()) == {}


def test_until_a_node_is_excluded_its_group_is_asked_for_all_of_its_nodes() -> None:
    snapshot = with_nodes(told={1: health(asked=3), 2: health(asked=2), 3: health(asked=1)})
    (wish,) = node_first.wishes(an_intent_of(), snapshot).values()
    assert wish.targets == {a_node_target(number) for number in (1, 2, 3)}
    assert wish.not_before == NOW + timedelta(seconds=2)
    (wish,) = node_first.wishes(an_intent_of(), with_nodes(told={1: None})).values()
    assert wish.not_before <= NOW


def test_a_node_that_drains_is_not_asked_for_before_its_delay_is_over() -> None:
    (wish,) = node_first.wishes(an_intent_of(), with_nodes(excluded(), told={1: health(asked=30)})).values()
    assert wish.targets == {a_node_target()}
    assert wish.not_before == ago(20) + timedelta(seconds=60.3)


def test_a_group_is_asked_for_with_the_role_of_its_binding() -> None:
    role = Role(arn="arn:aws:iam::210987654321:role/targets")
    binding = replace(BINDING, role=role)
    for snapshot in (with_nodes(bindings=(binding,)), with_nodes(excluded(), bindings=(binding,))):
        (wish,) = node_first.wishes(an_intent_of(), snapshot).values()
        assert wish.role == role


def test_a_group_that_is_only_named_is_asked_for_by_its_name() -> None:
    named = replace(BINDING, group="nodes")
    snapshot = with_nodes(bindings=(named, a_binding()))
    assert sought_by(an_intent_of(), snapshot) == {named.sought: named}
    assert refused(snapshot) == []
    assert targets_of(an_intent_of(), snapshot) == {}


def test_two_nodes_of_a_group_are_asked_for_together() -> None:
    (wish,) = node_first.wishes(an_intent_of("node-1", "node-2"), with_nodes(excluded(1), excluded(2))).values()
    assert wish.targets == {a_node_target(1), a_node_target(2)}


def test_what_can_not_be_asked_is_not() -> None:
    assert node_first.wishes(an_intent_of(), with_nodes(a_node(instance_id=""))) == {}
    assert node_first.wishes(an_intent_of(), with_nodes(unseen=frozenset({arn("nodes")}))) == {}


def test_a_node_is_waited_for_as_long_as_its_groups_drain_and_two_minutes() -> None:
    minutes = timedelta(minutes=2)
    assert node_first.patience(an_intent_of(), with_nodes()) == timedelta(seconds=60) + minutes
    assert node_first.patience(an_intent_of(), with_nodes(groups={})) == timedelta(minutes=5) + minutes
    waited = an_intent_of(drain_wait=timedelta(minutes=9))
    assert node_first.patience(waited, with_nodes()) == timedelta(minutes=9) + minutes
    settled = an_intent_of(settle=timedelta(minutes=7))
    assert node_first.patience(settled, with_nodes(a_node(instance_id=""))) == timedelta(minutes=7) + minutes


def test_the_estimate_has_what_the_nodes_take() -> None:
    first = "60s until the nodes have left target group nodes"
    assert estimate(an_intent_of(), with_nodes()).why == first
    assert estimate(an_intent_of(), with_nodes()).total == timedelta(seconds=60.3)
    pods = an_intent(with_nodes())
    both = estimate(replace(pods, nodes=("node-1",)), with_nodes())
    assert both.why == f"{first} + {estimate(pods, with_nodes()).why}"
    assert both.total == estimate(pods, with_nodes()).total + timedelta(seconds=60.3)
    assert estimate(an_intent_of(), with_nodes(excluded())).total == timedelta(0)


def test_the_write_is_of_the_node_as_it_was_seen() -> None:
    step = node_first.steps(an_intent_of(), with_nodes())["node-1"]
    assert isinstance(step, Act)
    assert step.action == ExcludeNode(node=a_node())
