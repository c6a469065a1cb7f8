"""The table of the live view."""

from dataclasses import replace

import pytest

from kubectl_safe.decide.decision import Blocked, Decision, For, Wait
from kubectl_safe.render.table import fact, table
from tests.render.scenes import a_moment, looked_at
from tests.support.builders import a_cluster, an_intent

WIDE = """\
POD    STEP       SINCE  ETA    WAITS FOR
web-1  withdrawn  0s     4m40s  target in web is draining (Target.DeregistrationInProgress) \
(deregistration delay of web: 300s)
web-2  released   0s            pod web-7 is not ready: ContainerCreating (5 of 6 others in service)
web-3  queued     0s            its turn: 1 of 1 places beyond the replicas are taken
web-4  queued     0s            its turn: 1 of 1 places beyond the replicas are taken
web-5  queued     0s            its turn: 1 of 1 places beyond the replicas are taken
web-6  queued     0s            its turn: 1 of 1 places beyond the replicas are taken
what helps: see kubectl events -n shop --for pod/web-7"""

NARROW = """\
POD    STEP       SINCE  ETA    WAITS FOR
web-1  withdrawn  0s     4m40s  target in web is
                                draining (Target.D...
web-2  released   0s            pod web-7 is not
                                ready: ContainerCr...
web-3  queued     0s            its turn: 1 of 1
                                places beyond the ...
5 of 6 other pods of deployment shop/web are in
service: pod shop/web-7 is not ready:
ContainerCreating; see kubectl events -n shop --for
pod/web-7"""


def test_a_row_says_the_step_since_when_until_when_and_what_for() -> None:
    assert table(*looked_at(a_moment()), width=150, height=20) == WIDE.splitlines()


def test_a_narrow_terminal_wraps_what_is_waited_for_once() -> None:
    drawn = table(*looked_at(a_moment(), "web-1", "web-2", "web-3"), width=53, height=20)
    assert drawn == NARROW.splitlines()


def test_a_low_terminal_gives_each_pod_one_line() -> None:
    drawn = table(*looked_at(a_moment(), "web-1", "web-2", "web-3"), width=53, height=5)
    # What helps is not cut off, either: it comes whole, or not at all.
    assert [line.split()[0] for line in drawn] == ["POD", "web-1", "web-2", "web-3"]


@pytest.mark.parametrize("height", [3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("width", [20, 40, 79, 199])
def test_a_table_is_never_larger_than_its_room(width: int, height: int) -> None:
    drawn = table(*looked_at(a_moment()), width=width, height=height)
    assert len(drawn) <= height
    assert max(len(line) for line in drawn[1:-1]) <= max(width, len("web-1  withdrawn  0s     4m40s  ") + 1)


def test_pods_on_their_way_come_first_where_there_is_no_room_for_all() -> None:
    snapshot = a_moment()
    snapshot = replace(snapshot, pods={uid: pod for uid, pod in snapshot.pods.items() if pod.name != "web-3"})
    everything = looked_at(a_moment())[2].intent
    drawn = table(*looked_at(snapshot, "web-6", "web-5", "web-2", "web-1"), width=150, height=4)
    assert len(everything.pods) == 6
    assert [line.split()[0] for line in drawn] == ["POD", "web-2", "web-1", "..."]
    assert drawn[-1] == "... and 2 more: 2 queued"


def on_nodes(*nodes: str) -> tuple[str, ...]:
    """Return the table's head where the planned pods are on these nodes."""
    snapshot, outcome, progress = looked_at(a_moment())
    pods = tuple(replace(p, node=nodes[n % len(nodes)]) for n, p in enumerate(progress.intent.pods))
    progress.intent = replace(progress.intent, pods=pods)
    return tuple(table(snapshot, outcome, progress, width=100, height=20)[0].split())


def test_the_node_is_a_column_only_where_there_are_several_and_room_for_them() -> None:
    assert "NODE" not in on_nodes("node-1")
    assert "NODE" in on_nodes("node-1", "node-2")
    assert "NODE" not in on_nodes("ip-10-0-1-23.eu-central-1.compute.internal", "node-2")


def test_the_namespace_is_a_column_only_where_there_are_several() -> None:
    snapshot, outcome, progress = looked_at(a_moment())
    assert "NAMESPACE" not in table(snapshot, outcome, progress, width=150, height=20)[0]
    first, *rest = progress.intent.pods
    progress.intent = replace(progress.intent, pods=(replace(first, namespace="other"), *rest))
    drawn = table(snapshot, outcome, progress, width=150, height=20)
    assert drawn[0].startswith("NAMESPACE  POD")
    assert drawn[1].startswith("other      web-1")


FACTS = [
    pytest.param(
        Wait(on=For.ENDPOINTS, why="pod shop/web-1 is still in EndpointSlice web-x7k2p"),
        "is still in EndpointSlice web-x7k2p",
        id="the pod's own name goes",
    ),
    pytest.param(
        Wait(on=For.REPLACEMENT, why="5 of 6 other pods of deployment shop/web are in service: its replacement is new"),
        "its replacement is new (5 of 6 others in service)",
        id="the reason comes before the count",
    ),
    pytest.param(
        Wait(on=For.TARGETS, why="target 10.244.0.2:8080 in web is unhealthy"),
        "target in web is unhealthy",
        id="the pod's own address goes",
    ),
    pytest.param(
        Wait(on=For.REPLACEMENT, why="target 10.244.0.9:8080 in web is initial"),
        "target 10.244.0.9:8080 in web is initial",
        id="another pod's address stays",
    ),
    pytest.param(
        Wait(
            on=For.REPLACEMENT,
            why="pod shop/web-7 waits for its readiness gate a.example/web: target 10.0.0.9:80 is new",
        ),
        "pod web-7: target 10.0.0.9:80 is new",
        id="the fact comes before the gate that waits for it",
    ),
    pytest.param(
        Blocked(reason="adoption", why="replicaset web-2 would adopt pod shop/web-1 without its label app"),
        "replicaset web-2 would adopt without its label app",
        id="what blocks is told",
    ),
    pytest.param(
        Wait(on=For.BUDGET, why="Cannot evict.\nThe budget myshop/web needs 5"),
        "Cannot evict. The budget myshop/web needs 5",
        id="lines are joined, and another namespace that ends alike stays",
    ),
    pytest.param(
        Wait(on=For.REPLACEMENT, why="webhook says \x1b[31mno\x1b[0m"),
        "webhook says \\x1b[31mno\\x1b[0m",
        id="control characters are shown",
    ),
]


@pytest.mark.parametrize(("decision", "text"), FACTS)
def test_the_fact_comes_first_and_the_row_is_not_repeated(decision: Decision, text: str) -> None:
    intent = an_intent(a_cluster(), "web-1", "web-2")
    assert fact(intent.pods[0], decision, intent) == text
