"""`abort`: what is begun is ended, what is ours is taken away, and each is told of."""

from dataclasses import replace

import pytest

from kubectl_safe.decide.actions import Evict, Undo
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.marks import CORDONED, EXCLUDED, OPERATION, Operation
from kubectl_safe.model.target import EXCLUDE_LABEL
from kubectl_safe.model.workload import Node
from kubectl_safe.run.abort import Abort, abort
from tests.run.conftest import OpenSession
from tests.run.world import Heard, World, a_world
from tests.support.builders import a_pod, a_replica_set, uid

OURS = Node(name="node-1", resource_version="1", is_unschedulable=True, annotations={CORDONED: "now"})
OF_OTHERS = Node(name="node-1", resource_version="1", is_unschedulable=True)
REPLICA_SET = "web-5d4f8c7b9"


def a_drain_left_behind() -> World:
    """Return a world where a drain died after web-1 was withdrawn and web-2 released; one replacement is not ready."""
    world = a_world("web-3", "web-4")
    world.add(
        a_pod("web-1", withdrawn=True, gates={}),
        a_pod("web-2", released=True, gates={}),
        a_pod("web-5", ready=False, gates={}, node="node-2"),
    )
    world.replica_sets = {uid(REPLICA_SET): a_replica_set(replicas=3)}
    world.nodes["node-1"] = OURS
    return world


def test_withdrawn_pods_are_finished_released_ones_given_back_and_the_node_is_uncordoned(
    open_session: OpenSession,
) -> None:
    world, heard = a_drain_left_behind(), Heard()
    abort(Abort(nodes=("node-1",)), open_session(world, heard))
    assert world.story(Undo, Evict) == ["Undo web-2", "Evict web-1"]
    assert world.story()[-1] == "Uncordon node-1"
    assert heard.lines == ["node/node-1 aborted and uncordoned"]


def test_a_record_without_a_pod_under_way_is_taken_away(open_session: OpenSession) -> None:
    world, heard = a_world(), Heard()
    record = Operation(id="1", started="2026-11-23T11:00:00+00:00", options="", pods=frozenset({uid("web-1")[:8]}))
    world.replica_sets = {uid(REPLICA_SET): a_replica_set(replicas=3, annotations={OPERATION: record.dumps()})}
    abort(Abort(namespace="shop", workloads={"Deployment": ("web",)}), open_session(world, heard))
    assert world.story() == [f"RemoveRecord {REPLICA_SET}"]
    assert heard.lines == ["deployment.apps/web aborted"]


def test_where_nothing_was_begun_nothing_is_written_and_it_says_so(open_session: OpenSession) -> None:
    world, heard = a_world(), Heard()
    abort(Abort(nodes=("node-1",), namespace="shop", workloads={"Deployment": ("web",)}), open_session(world, heard))
    assert world.story() == []
    assert heard.lines == ["deployment.apps/web has nothing to abort", "node/node-1 has nothing to abort"]


def test_the_cordon_of_somebody_else_stays(open_session: OpenSession) -> None:
    world, heard = a_world(), Heard()
    world.nodes["node-1"] = OF_OTHERS
    abort(Abort(nodes=("node-1",)), open_session(world, heard))
    assert world.story() == []
    assert heard.lines == ["node/node-1 has nothing to abort; it stays cordoned, which is somebody else's"]


def test_a_node_that_we_excluded_from_load_balancers_is_so_no_more(open_session: OpenSession) -> None:
    world, heard = a_world(), Heard()
    world.nodes["node-1"] = replace(OF_OTHERS, labels={EXCLUDE_LABEL: "true"}, annotations={EXCLUDED: "now"})
    world.nodes["node-2"] = Node(name="node-2", resource_version="1", labels={EXCLUDE_LABEL: "true"})
    abort(Abort(nodes=("node-1", "node-2")), open_session(world, heard))
    assert world.story() == ["IncludeNode node-1"]
    assert heard.lines == [
        "node/node-1 aborted; it stays cordoned, which is somebody else's",
        "node/node-2 has nothing to abort",
    ]


def test_what_is_not_there_is_told_in_kubectls_words(open_session: OpenSession) -> None:
    session = open_session(a_world(), Heard())
    with pytest.raises(KubectlSafeError, match=r'^Error from server \(NotFound\): nodes "node-x" not found$'):
        abort(Abort(namespace="shop", nodes=("node-x",)), session)
    with pytest.raises(KubectlSafeError, match=r'^Error from server \(NotFound\): deployments\.apps "x" not found$'):
        abort(Abort(namespace="shop", workloads={"Deployment": ("x",)}), session)
