"""`drain`: cordons come first, refusals before them, and pods that slip in between are moved too."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.actions import Action, Cordon, Evict, Release, Withdraw
from kubectl_safe.decide.drain import Options
from kubectl_safe.decide.settings import Settings
from kubectl_safe.kube.outcome import Denied
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.selector import LabelSelector
from kubectl_safe.model.workload import Node
from kubectl_safe.run.drain import Drain, drain
from kubectl_safe.run.terms import DryRun
from tests.run.conftest import OpenSession, Requests
from tests.run.world import Heard, World, a_world
from tests.support.builders import LABELS, a_budget, a_pod, an_owner


def a_request(*nodes: str, **options: Any) -> Drain:
    """Return a request to drain nodes, node-1 by default."""
    selector = options.pop("pod_selector", None)
    return Drain(
        nodes=nodes or ("node-1",), pod_selector=selector, options=Options(**options), settings=Settings(max_surge=3)
    )


def an_agent(name: str = "agent-1", **changes: Any) -> Pod:
    """Return a pod of a DaemonSet on node-1."""
    return a_pod(name, controller=an_owner("DaemonSet", "agent"), labels={"app": "agent"}, gates={}, **changes)


def a_bare_pod(name: str = "bare-1", **changes: Any) -> Pod:
    """Return a pod without owners on node-1."""
    return a_pod(name, owners=(), labels={"app": "bare"}, gates={}, **changes)


def with_pods(*pods: Pod) -> World:
    """Return a world with web-1 on node-1, web-2 on node-2, and these."""
    world = a_world("web-1", "web-2")
    world.add(a_pod("web-2", gates={}, node="node-2"), *pods)
    return world


def test_the_pods_of_the_node_are_handed_over_and_no_others(open_session: OpenSession) -> None:
    world, heard = with_pods(), Heard()
    drain(a_request(), open_session(world, heard))
    assert world.story() == ["Cordon node-1", "Release web-1", "Withdraw web-1", "Evict web-1"]
    assert heard.lines == ["node/node-1 cordoned", "node/node-1 drained"]


def test_all_nodes_are_cordoned_before_any_pod_moves(open_session: OpenSession) -> None:
    world, heard = with_pods(), Heard()
    drain(a_request("node-2", "node-1"), open_session(world, heard))
    assert world.story()[:2] == ["Cordon node-2", "Cordon node-1"]
    assert world.story(Evict) == ["Evict web-2", "Evict web-1"]
    assert heard.lines == [
        "node/node-2 cordoned",
        "node/node-1 cordoned",
        "node/node-2 drained",
        "node/node-1 drained",
    ]


def test_a_node_that_is_cordoned_already_is_said_to_be_in_the_words_of_kubectl(open_session: OpenSession) -> None:
    world, heard = with_pods(), Heard()
    world.nodes["node-1"] = Node(name="node-1", resource_version="1", is_unschedulable=True)
    drain(a_request(), open_session(world, heard))
    assert world.story(Cordon) == []
    assert heard.lines[0] == "node/node-1 already cordoned"


def test_a_node_that_is_named_twice_is_drained_once(open_session: OpenSession) -> None:
    world, heard = with_pods(), Heard()
    drain(a_request("node-1", "node-1"), open_session(world, heard))
    assert heard.lines == ["node/node-1 cordoned", "node/node-1 drained"]


def test_a_node_that_is_not_there_is_named_and_nothing_is_written(open_session: OpenSession) -> None:
    world = with_pods()
    with pytest.raises(KubectlSafeError, match=r'^Error from server \(NotFound\): nodes "nope" not found$'):
        drain(a_request("node-1", "nope"), open_session(world, Heard()))
    assert world.tried == []


REFUSALS = [
    pytest.param(
        an_agent(),
        'unable to drain node "node-1" due to error: '
        "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): shop/agent-1",
        id="a DaemonSet's pod",
    ),
    pytest.param(
        a_bare_pod(),
        'unable to drain node "node-1" due to error: '
        "cannot delete Pods that declare no controller (use --force to override): shop/bare-1",
        id="a bare pod",
    ),
    pytest.param(
        a_pod("db-0", controller=an_owner("StatefulSet", "db"), labels={"app": "db"}, gates={}),
        'unable to drain node "node-1" due to error: Blocked(unknown-owner): pod shop/db-0 is owned by StatefulSet db,',
        id="a pod of an owner that is not known",
    ),
]


@pytest.mark.parametrize(("pod", "why"), REFUSALS)
def test_a_refusal_comes_before_any_write_and_says_that_nothing_was_changed(
    open_session: OpenSession, pod: Pod, why: str
) -> None:
    world = with_pods(pod)
    requests = Requests(known=frozenset({"/apis/apps/v1/namespaces/shop/daemonsets/agent"}))
    with pytest.raises(KubectlSafeError) as raised:
        drain(a_request(), open_session(world, Heard(), requests=requests))
    first, last = str(raised.value).splitlines()
    assert first.startswith(why)
    assert last == "nothing was changed: no node was cordoned, no pod was moved"
    assert world.tried == []


def test_ignored_pods_are_told_of_in_one_warning(open_session: OpenSession) -> None:
    world, heard = with_pods(an_agent(), a_bare_pod()), Heard()
    requests = Requests(known=frozenset({"/apis/apps/v1/namespaces/shop/daemonsets/agent"}))
    drain(a_request(ignore_daemon_sets=True, force=True), open_session(world, heard, requests=requests))
    assert heard.warnings == [
        "Warning: ignoring DaemonSet-managed Pods: shop/agent-1; deleting Pods that declare no controller: shop/bare-1"
    ]
    assert sorted(world.story(Evict)) == ["Evict bare-1", "Evict web-1"]


def test_the_budgets_that_are_bypassed_are_told_before_anything_is_done(open_session: OpenSession) -> None:
    world, heard = with_pods(), Heard()
    world.budgets = (a_budget(disruptions_allowed=0),)
    request = replace(a_request(), settings=Settings(max_surge=3, disable_eviction=True))
    drain(request, open_session(world, heard))
    assert heard.warnings == ["Warning: --disable-eviction bypasses disruption budgets: shop/web"]
    assert world.story(Release, Withdraw, Evict) == ["Release web-1", "Withdraw web-1", "Evict web-1"]
    [evicted] = [action for action in world.done if isinstance(action, Evict)]
    assert evicted.is_deletion


def test_an_owner_that_could_not_be_asked_for_is_not_taken_for_missing(open_session: OpenSession) -> None:
    world = with_pods(an_agent())
    with pytest.raises(KubectlSafeError, match="not found"):
        drain(a_request(force=True), open_session(world, Heard(), requests=Requests(status=403)))
    assert world.tried == []


def test_pods_outside_the_selector_stay(open_session: OpenSession) -> None:
    world = with_pods(a_pod("web-5", gates={}, labels={**LABELS, "track": "canary"}))
    chosen = LabelSelector(match_labels={"track": "canary"})
    drain(a_request(pod_selector=chosen), open_session(world, Heard()))
    assert world.story(Evict) == ["Evict web-5"]


def test_a_pod_that_was_bound_between_the_plan_and_the_cordon_is_moved_too(open_session: OpenSession) -> None:
    def bind(action: Action) -> None:
        if isinstance(action, Cordon):
            world.add(a_pod("web-7", gates={}))

    world = with_pods()
    world.before = bind
    drain(a_request(), open_session(world, Heard()))
    assert sorted(world.story(Evict)) == ["Evict web-1", "Evict web-7"]


def test_a_pod_that_came_in_while_the_cordon_was_not_known_yet_is_moved_last(open_session: OpenSession) -> None:
    def bind(action: Action) -> None:
        if isinstance(action, Evict) and action.pod.name == "web-1":
            world.add(a_pod("web-9", gates={}))

    world = with_pods()
    world.before = bind
    drain(a_request(), open_session(world, Heard()))
    assert world.story()[-1] == "Evict web-9"


def test_a_late_pod_that_can_not_be_moved_ends_the_drain_before_any_pod_moves(open_session: OpenSession) -> None:
    def bind(action: Action) -> None:
        if isinstance(action, Cordon):
            world.add(a_bare_pod())

    world = with_pods()
    world.before = bind
    with pytest.raises(KubectlSafeError, match=r"a pod came in before the cordon: .*no controller.*stay cordoned"):
        drain(a_request(), open_session(world, Heard()))
    assert world.story() == ["Cordon node-1"]


def test_what_the_rehearsal_denies_leaves_the_node_schedulable(open_session: OpenSession) -> None:
    world = with_pods()
    world.scripted = {Release: [Denied(message="no right to patch pods")]}
    with pytest.raises(KubectlSafeError, match=r"^nothing was changed: no right to patch pods\n"):
        drain(a_request(), open_session(world, Heard()))
    assert world.done == []


@pytest.mark.parametrize("dry_run", [DryRun.CLIENT, DryRun.SERVER])
def test_a_dry_run_speaks_as_kubectl_does_and_writes_nothing(open_session: OpenSession, dry_run: DryRun) -> None:
    world, heard = with_pods(), Heard()
    drain(a_request(), open_session(world, heard, dry_run=dry_run))
    assert world.done == []
    assert heard.lines == [
        f"node/node-1 cordoned{dry_run.suffix}",
        f"evicting pod shop/web-1{dry_run.suffix}",
        f"node/node-1 drained{dry_run.suffix}",
    ]


def test_a_drain_that_died_goes_on_from_what_is_there(open_session: OpenSession) -> None:
    world, heard = with_pods(a_pod("web-1", withdrawn=True, in_service=2, gates={}), a_pod("web-8", gates={})), Heard()
    world.nodes["node-1"] = Node(name="node-1", resource_version="1", is_unschedulable=True)
    world.pods = {key: replace(pod, node="node-2") if pod.name == "web-8" else pod for key, pod in world.pods.items()}
    drain(a_request(), open_session(world, heard))
    assert world.story() == ["Evict web-1"]


def test_an_empty_node_is_cordoned_and_drained(open_session: OpenSession) -> None:
    world, heard = a_world("web-1"), Heard()
    drain(a_request("node-2"), open_session(world, heard))
    assert heard.lines == ["node/node-2 cordoned", "node/node-2 drained"]
    assert world.story() == ["Cordon node-2"]


def test_a_node_that_is_deleted_meanwhile_is_drained_of_what_it_had(open_session: OpenSession) -> None:
    def delete(action: Action) -> None:
        if isinstance(action, Evict):
            world.nodes.pop("node-1", None)

    world, heard = with_pods(), Heard()
    world.before = delete
    drain(a_request(), open_session(world, heard))
    assert world.story(Evict) == ["Evict web-1"]
    assert heard.warnings == ["Warning: node/node-1 was deleted meanwhile: what it still has is deleted with it"]
    assert heard.lines[-1] == "node/node-1 drained"


def test_a_node_that_is_deleted_before_anything_moved_is_drained_all_the_same(open_session: OpenSession) -> None:
    def delete(action: Action) -> None:
        if isinstance(action, Release):
            world.nodes.pop("node-1", None)

    world, heard = with_pods(), Heard()
    world.before = delete
    drain(a_request(), open_session(world, heard))
    assert world.story(Evict) == ["Evict web-1"]


def test_a_failure_is_told_also_where_its_node_is_gone(open_session: OpenSession) -> None:
    def delete(action: Action) -> None:
        if isinstance(action, Evict):
            world.nodes.pop("node-1", None)

    world = with_pods()
    world.before = delete
    world.scripted = {Evict: [Denied(message="no right to evict")] * 9}
    with pytest.raises(KubectlSafeError, match=r"no right to evict[\s\S]*\nnode/node-1 was deleted meanwhile$"):
        drain(a_request(), open_session(world, Heard()))
