"""`drain`: a node is out of the target groups that register nodes before the first of its pods is begun."""

import signal
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from kubectl_safe.decide.actions import Action, ExcludeNode, Release
from kubectl_safe.decide.decision import For, Wait
from kubectl_safe.decide.drain import Options
from kubectl_safe.decide.giving_up import Limits
from kubectl_safe.decide.health import Wish
from kubectl_safe.decide.settings import Settings
from kubectl_safe.kube.outcome import Denied
from kubectl_safe.model.errors import Interrupted, KubectlSafeError
from kubectl_safe.model.marks import EXCLUDED
from kubectl_safe.model.target import EXCLUDE_LABEL, State, Target, TargetHealth
from kubectl_safe.model.workload import Node
from kubectl_safe.run.drain import Drain, drain
from kubectl_safe.run.session import Session
from kubectl_safe.run.terms import DryRun
from tests.run.aws import Aws, connect
from tests.run.conftest import OpenSession
from tests.run.world import Heard, World, a_world, unused
from tests.support.builders import NOW, a_binding, a_service

DELAY = 30
LIMIT = DELAY + 120
ENTIRELY = ["Release web-1", "Withdraw web-1", "Evict web-1"]


@dataclass
class NodeAws(Aws):
    """A group of nodes, which drain once they are excluded."""

    delay: float = DELAY
    is_stuck: bool = False
    """Whether nobody deregisters them."""
    unhealthy: set[str] = field(default_factory=set)
    """Instances that answer no health check."""
    _left: dict[str, datetime] = field(default_factory=dict)

    def _answer(self, arn: str, wish: Wish) -> None:
        super()._answer(arn, wish)
        self.health |= {target: self._of(target) for target in wish.targets}

    def _of(self, target: Target) -> TargetHealth:
        now = self.world.at
        node = next(node for node in self.world.nodes.values() if node.instance_id == target.ip)
        if target.ip in self.unhealthy:
            return TargetHealth(state=State.UNHEALTHY, asked_at=now)
        if self.is_stuck or not node.is_excluded:
            return TargetHealth(state=State.HEALTHY, asked_at=now)
        since = self._left.setdefault(target.ip, now)
        is_gone = now - since >= timedelta(seconds=self.delay)
        return unused(now) if is_gone else TargetHealth(state=State.DRAINING, asked_at=now)


def a_node(number: int, **changes: Any) -> Node:
    """Return a node that is an EC2 instance."""
    return replace(Node(name=f"node-{number}", resource_version="1", instance_id=f"i-{number}"), **changes)


def with_nodes(*nodes: Node) -> World:
    """Return a world with web-1 on node-1, whose Service has a port on every node, which are targets."""
    port = replace(a_service().ports[0], node_port=30080)
    world = a_world("web-1", services=(a_service(ports=(port,)),))
    world.bindings = (a_binding("nodes", target_type="instance", service="web"),)
    world.nodes = {node.name: node for node in (a_node(1), a_node(2), *nodes)}
    return world


def run(session: Session, *nodes: str, **options: Any) -> None:
    """Drain nodes, node-1 by default."""
    settings = Settings(max_surge=1)
    drain(Drain(nodes=nodes or ("node-1",), options=Options(), settings=settings, **options), session)


def failed(session: Session, *nodes: str, **options: Any) -> list[str]:
    """Return the lines of the error by which a drain ends."""
    with pytest.raises(KubectlSafeError) as raised:
        run(session, *nodes, **options)
    return str(raised.value).splitlines()


def test_the_node_leaves_its_groups_and_only_then_its_pods_begin(open_session: OpenSession) -> None:
    world, heard = with_nodes(), Heard()
    run(connect(NodeAws(world), open_session(world, heard)))
    assert world.story() == ["Cordon node-1", "ExcludeNode node-1", *ENTIRELY]
    [excluded], [released] = world.when(ExcludeNode), world.when(Release)
    assert released - excluded >= DELAY
    assert heard.lines == ["node/node-1 cordoned", "node/node-1 is out of target group nodes", "node/node-1 drained"]
    waits = [its for outcome in heard.outcomes for its in outcome.decisions.values() if isinstance(its, Wait)]
    assert waits[0].on is For.NODE


def test_a_node_without_pods_leaves_its_groups_too(open_session: OpenSession) -> None:
    world, heard = with_nodes(), Heard()
    run(connect(NodeAws(world), open_session(world, heard)), "node-2")
    assert world.story() == ["Cordon node-2", "ExcludeNode node-2"]
    assert heard.lines[-2:] == ["node/node-2 is out of target group nodes", "node/node-2 drained"]


def test_two_nodes_leave_their_groups_side_by_side_before_any_pod_begins(open_session: OpenSession) -> None:
    world = with_nodes(a_node(3))
    run(connect(NodeAws(world), open_session(world, Heard())), "node-1", "node-2")
    assert world.story()[2:] == ["ExcludeNode node-1", "ExcludeNode node-2", *ENTIRELY]
    first, second = world.when(ExcludeNode)
    assert second - first < 1


@pytest.mark.parametrize("dry_run", [DryRun.CLIENT, DryRun.SERVER])
def test_a_dry_run_says_so_and_writes_nothing(open_session: OpenSession, dry_run: DryRun) -> None:
    world, heard = with_nodes(), Heard()
    run(connect(NodeAws(world), open_session(world, heard, dry_run=dry_run)))
    assert world.done == []
    assert heard.lines[:2] == [
        f"node/node-1 cordoned{dry_run.suffix}",
        f"node/node-1 excluded from load balancers{dry_run.suffix}",
    ]


def test_what_the_rehearsal_denies_leaves_the_node_as_it_is(open_session: OpenSession) -> None:
    world = with_nodes()
    world.scripted = {ExcludeNode: [Denied(message="no labels here")]}
    first, second, *_ = failed(connect(NodeAws(world), open_session(world, Heard())))
    assert first == "nothing was changed: no labels here"
    assert second.startswith(f"label {EXCLUDE_LABEL} was tried: it takes a node out of the target groups")
    assert world.done == []


@pytest.mark.parametrize(
    ("takes_back", "notes"),
    [
        (
            False,
            [
                "node/node-1 stays cordoned; to take that back: kubectl safe uncordon node-1",
                "node/node-1 stays excluded from load balancers; to take that back: kubectl safe uncordon node-1",
            ],
        ),
        (True, ["node/node-1 uncordoned"]),
    ],
    ids=["kept", "taken back"],
)
def test_a_node_that_never_leaves_ends_the_drain_before_a_pod_is_begun(
    open_session: OpenSession, takes_back: bool, notes: list[str]
) -> None:
    world = with_nodes()
    aws = NodeAws(world, is_stuck=True)
    lines = failed(connect(aws, open_session(world, Heard())), uncordons_on_failure=takes_back)
    why = f"waited longer than {LIMIT}s (deregistration delay and 2m): target i-1:30080 in nodes is still healthy: "
    assert any(why in line for line in lines), lines
    assert lines[-len(notes) :] == notes
    assert world.story() == [
        "Cordon node-1",
        "ExcludeNode node-1",
        *(["Uncordon node-1", "IncludeNode node-1"] if takes_back else []),
    ]
    assert LIMIT <= (world.at - world.tried[0][0]).total_seconds() < LIMIT + 15


def test_once_a_node_is_excluded_its_wait_begins_anew(open_session: OpenSession) -> None:
    world = with_nodes()
    aws = NodeAws(world, is_stuck=True, unhealthy={"i-2"})
    world.after(LIMIT - 20, aws.unhealthy.clear)
    failed(connect(aws, open_session(world, Heard())))
    [excluded] = world.when(ExcludeNode)
    assert excluded > LIMIT - 20
    assert (world.at - NOW).total_seconds() >= excluded + LIMIT


def test_a_node_without_pods_that_never_leaves_ends_the_drain_as_well(open_session: OpenSession) -> None:
    world = with_nodes()
    lines = failed(connect(NodeAws(world, is_stuck=True), open_session(world, Heard())), "node-2")
    assert lines[0].startswith(f"waited longer than {LIMIT}s (deregistration delay and 2m): target i-2:30080 in nodes")


def test_a_label_that_is_not_to_be_taken_off_is_told_of(open_session: OpenSession) -> None:
    world = with_nodes(a_node(1))
    session = connect(NodeAws(world, is_stuck=True), open_session(world, Heard()))

    def deny(action: Action) -> None:
        world.scripted = {type(action): [Denied(message="no")]} if type(action).__name__ == "IncludeNode" else {}

    world.before = deny
    lines = failed(session, uncordons_on_failure=True)
    told = "node/node-1 stays excluded from load balancers, for its label could not be taken off: no"
    assert lines[-2:] == ["node/node-1 uncordoned", told]


def test_the_end_of_the_timeout_ends_the_wait_for_a_node(open_session: OpenSession) -> None:
    world = with_nodes()
    session = open_session(world, Heard(), limits=Limits(timeout=timedelta(seconds=20)))
    lines = failed(connect(NodeAws(world), session))
    assert any("global timeout reached: 20s: target i-1:30080 in nodes" in line for line in lines), lines
    assert world.story() == ["Cordon node-1", "ExcludeNode node-1"]


@pytest.mark.parametrize("node", ["node-1", "node-2"], ids=["with pods", "without"])
def test_a_signal_ends_the_wait_for_a_node(open_session: OpenSession, node: str) -> None:
    world = with_nodes()
    session = connect(NodeAws(world), open_session(world, Heard()))
    world.before = lambda action: (
        world.after(3, lambda: signal.raise_signal(signal.SIGTERM)) if isinstance(action, ExcludeNode) else None
    )
    with session.interruption, pytest.raises(Interrupted, match="interrupted"):
        run(session, node)
    assert world.story() == [f"Cordon {node}", f"ExcludeNode {node}"]
    assert (world.at - world.tried[-1][0]).total_seconds() < 5


def test_time_in_which_nobody_looked_is_not_waited(open_session: OpenSession) -> None:
    def sleep() -> None:
        world.at += timedelta(hours=1)

    world = with_nodes()
    world.before = lambda action: world.after(3, sleep) if isinstance(action, ExcludeNode) else None
    run(connect(NodeAws(world), open_session(world, Heard())))
    assert world.story()[-1] == "Evict web-1"


@pytest.mark.parametrize("annotations", [{}, {EXCLUDED: "now"}], ids=["somebody else", "a run that died"])
def test_a_node_that_is_excluded_already_is_only_waited_for(
    open_session: OpenSession, annotations: dict[str, str]
) -> None:
    world = with_nodes(a_node(1, labels={EXCLUDE_LABEL: ""}, annotations=annotations))
    run(connect(NodeAws(world), open_session(world, Heard())))
    assert world.story() == ["Cordon node-1", *ENTIRELY]
    assert world.when(Release)[0] >= DELAY


def test_without_a_group_of_nodes_no_label_is_set(open_session: OpenSession) -> None:
    world = with_nodes()
    world.bindings = ()
    run(open_session(world, Heard()))
    assert world.story() == ["Cordon node-1", *ENTIRELY]


def test_a_node_that_can_not_be_told_is_refused_before_anything_is_written(open_session: OpenSession) -> None:
    world = with_nodes(a_node(1, instance_id=""))
    [line] = failed(connect(NodeAws(world), open_session(world, Heard())))
    assert line.startswith("Blocked(unseen-load-balancer): targetgroupbinding shop/nodes registers nodes by")
    assert world.tried == []
