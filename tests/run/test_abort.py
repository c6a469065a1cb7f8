"""What an abort ends, and what it leaves alone."""

from dataclasses import replace

import pytest

from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.marks import CORDONED, OPERATION, Operation
from kubectl_safe.model.workload import Node
from kubectl_safe.run.abort import Abort, abort
from tests.run.conftest import OpenSession
from tests.run.world import Heard, World, a_world
from tests.support.builders import a_pod, a_replica_set, uid

OURS = Node(name="node-1", resource_version="1", is_unschedulable=True, annotations={CORDONED: "now"})
THEIRS = Node(name="node-1", resource_version="1", is_unschedulable=True)
RECORD = Operation(id="1", started="now", options="", pods=frozenset()).dumps()


def aborted(
    open_session: OpenSession, world: World, *, nodes: tuple[str, ...] = (), deployments: tuple[str, ...] = ()
) -> Heard:
    """Abort what is under way on nodes and Deployments."""
    heard = Heard()
    request = Abort(namespace="shop", nodes=nodes, deployments=deployments)
    abort(request, open_session(world, heard))
    return heard


def test_a_released_pod_whose_replacement_is_not_ready_is_given_back(open_session: OpenSession) -> None:
    world = a_world()
    world.add(a_pod("web-1", released=True, gates={}), a_pod("web-9", ready=False, gates={}))
    heard = aborted(open_session, world, nodes=("node-1",))
    assert world.story() == ["Undo web-1"]
    assert uid("web-9") not in world.pods
    assert heard.lines == ["node/node-1 aborted"]


def test_a_released_pod_whose_replacement_serves_is_finished(open_session: OpenSession) -> None:
    world = a_world()
    world.add(a_pod("web-1", released=True, gates={}), a_pod("web-9", gates={}))
    aborted(open_session, world, nodes=("node-1",))
    assert world.story() == ["Withdraw web-1", "Evict web-1"]


def test_a_withdrawn_pod_is_finished(open_session: OpenSession) -> None:
    world = a_world()
    world.add(a_pod("web-1", withdrawn=True, gates={}))
    aborted(open_session, world, deployments=("web",))
    assert world.story() == ["Evict web-1"]


def test_a_pod_that_nobody_released_is_left_alone(open_session: OpenSession) -> None:
    world = a_world()
    before = dict(world.pods)
    aborted(open_session, world, nodes=("node-1",), deployments=("web",))
    assert (world.story(), world.pods) == ([], before)


def test_our_cordon_is_taken_away_and_another_one_stays(open_session: OpenSession) -> None:
    world = a_world(nodes={"node-1": OURS})
    assert aborted(open_session, world, nodes=("node-1",)).lines == ["node/node-1 aborted and uncordoned"]
    assert not world.nodes["node-1"].is_unschedulable
    world = a_world(nodes={"node-1": THEIRS})
    assert aborted(open_session, world, nodes=("node-1",)).lines == ["node/node-1 aborted"]
    assert world.nodes["node-1"].is_unschedulable


def test_the_record_of_a_restart_is_taken_away(open_session: OpenSession) -> None:
    recorded = replace(a_replica_set(replicas=3), annotations={OPERATION: RECORD})
    world = a_world(replica_sets={recorded.uid: recorded})
    assert aborted(open_session, world, deployments=("web",)).lines == ["deployment.apps/web aborted"]
    assert world.story() == ["RemoveRecord web-5d4f8c7b9"]


def test_what_is_not_there_is_told_in_kubectls_words(open_session: OpenSession) -> None:
    with pytest.raises(KubectlSafeError, match=r'^nodes "node-x" not found$'):
        aborted(open_session, a_world(), nodes=("node-x",))
    with pytest.raises(KubectlSafeError, match=r'^deployments\.apps "x" not found$'):
        aborted(open_session, a_world(), deployments=("x",))
