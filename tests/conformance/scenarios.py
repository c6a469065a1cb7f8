"""The scenarios: whole runs, each on nodes and in a namespace of its own. What is claimed here holds on any cluster."""

import signal
from collections.abc import Callable
from dataclasses import dataclass

from kubectl_safe.sandbox.application import POD_PORT
from kubectl_safe.sandbox.pod_fault import PodFault
from tests.conformance.play import POOL, SECONDS, Json, Play, users_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is played, and how its runs end."""

    play: Callable[[Play], None]
    exits: tuple[int, ...]
    evicts: int
    """How many pods."""
    races: frozenset[str] = frozenset()
    """Aspects in which no two plays of it need agree, on any one cluster: others write to what we write to."""
    is_alone: bool = False
    """Whether no other may run at the same time: a run renews any budget whose count is over, and not only its own."""
    leaves_marks: bool = False
    """Whether it ends with a handoff or a record of one, for the same command to go on with."""


def _drain_balanced(it: Play) -> None:
    it.deploy("web", is_load_balanced=True)
    it.run(*it.drain())
    it.await_strength()


def _drain_tried(it: Play) -> None:
    it.deploy("web")
    it.run(*it.drain(), "--dry-run=server")


def _restart_withdraw_first(it: Play) -> None:
    it.deploy("web", **it.on_one_node())
    it.run(*it.restart("web"), "--max-surge", "0")
    it.await_strength()


def _restart_guarded(it: Play) -> None:
    # Of one pod: the changes of others would have the budget counted anew, sooner or later than we do.
    it.deploy("web", replicas=1, **it.on_one_node())
    it.guard("web", minAvailable=1)
    it.run(*it.restart("web"))
    it.await_strength()


def _never_ready(it: Play) -> None:
    it.deploy("web", spec={"progressDeadlineSeconds": 3}, **it.on_one_node())
    it.faults["web"] = PodFault.CRASH_LOOP
    it.run(*it.restart("web"))
    it.await_strength()


def _interrupted(it: Play) -> None:
    it.deploy("web", "stuck", replicas=1, **it.on_one_node())
    it.faults["stuck"] = PodFault.CRASH_LOOP
    with it.running(*it.restart("web", "stuck")) as process:
        it.signal_when(
            lambda: it.chains.now("withdrawn", "web") and len(it.chains.now("running", "stuck")) == 2,
            process,
            signal.SIGINT,
        )
    it.await_strength()


def _killed_and_aborted(it: Play) -> None:
    it.deploy("web", replicas=1)
    it.faults["web"] = PodFault.CRASH_LOOP
    with it.running(*it.drain()) as process:
        it.signal_when(lambda: it.chains.now("released"), process, signal.SIGKILL)
    it.run("abort", f"node/{it.node}")
    it.await_strength()


def _budget_refuses(it: Play) -> None:
    it.deploy("web", replicas=1, **it.on_one_node())
    it.guard("web", minAvailable=3)
    it.run(*it.restart("web"), "--timeout", "12s")


def _bare_pod(it: Play) -> None:
    it.deploy("web", replicas=1)
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bare", "labels": {"app": "bare"}}}
    with it.only_here():
        it.call("create", f"/api/v1/namespaces/{it.name}/pods", {**body, "spec": _pod_spec(it)})
        it.when(lambda: it.chains.now("ready", "bare"), "the bare pod")
    it.run(*it.drain())
    it.run(*it.drain(), "--force")
    it.await_strength()


def _daemons(it: Play) -> None:
    it.deploy("web", replicas=1)
    body = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "agent"},
        "spec": {
            "selector": {"matchLabels": {"app": "agent"}},
            "template": {"metadata": {"labels": {"app": "agent"}}, "spec": _pod_spec(it)},
        },
    }
    it.call("create", f"/apis/apps/v1/namespaces/{it.name}/daemonsets", body)
    it.when(lambda: len(it.chains.now("ready", "agent")) == 2, "the agents")
    it.run(*it.drain())
    it.run(*it.drain(), "--ignore-daemonsets")
    it.await_strength()


def _no_such_node(it: Play) -> None:
    it.run("drain", f"{it.name}-z")


def _deleted_half_way(it: Play) -> None:
    _delete_half_way(it, "Background")
    it.when(lambda: all("gone" in course.chain for course in it.chains.courses.values()), "the end of the pods")


def _orphaned_half_way(it: Play) -> None:
    _delete_half_way(it, "Orphan")
    it.when(lambda: len(it.chains.now("running")) == 3, "the start of the replacement")


def _delete_half_way(it: Play, policy: str) -> None:
    it.deploy("web", **it.on_one_node())
    it.faults["web"] = PodFault.CRASH_LOOP
    with it.running(*it.restart("web")):
        it.when(lambda: it.chains.now("released"), "the first release")
        it.call("delete", it.deployment("web"), {"propagationPolicy": policy})


def _uncordoned(it: Play) -> None:
    it.deploy("web", replicas=1)
    it.run(*it.drain())
    it.await_strength()
    it.run("uncordon", it.node)


def _two_at_once(it: Play) -> None:
    it.deploy("web", **it.on_one_node())
    _, other = users_of(it.name)
    # Without room for a replacement, the first is not over before the second waits for it.
    it.close(it.node)
    with it.running(*it.restart("web")):
        it.when(lambda: it.chains.now("released"), "the first release")
        with it.running(*it.restart("web"), user=other) as second:
            second.await_line(" is in the hands of ", seconds=SECONDS)
            it.open(it.node)
    it.await_strength()


def _pod_spec(it: Play) -> Json:
    """Return a pod that runs on the scenario's nodes and stops at once."""
    container = {"name": "app", "image": "sandbox.invalid/app:1", "ports": [{"containerPort": POD_PORT}]}
    return {"terminationGracePeriodSeconds": 1, "nodeSelector": {POOL: it.name}, "containers": [container]}


SCENARIOS = {
    "killed-and-aborted": Scenario(play=_killed_and_aborted, exits=(-signal.SIGKILL, 0), evicts=0),
    "drain-balanced": Scenario(play=_drain_balanced, exits=(0,), evicts=2),
    "budget-refuses": Scenario(play=_budget_refuses, exits=(1,), evicts=0, leaves_marks=True),
    "never-ready": Scenario(play=_never_ready, exits=(1,), evicts=0, leaves_marks=True),
    "restart-withdraw-first": Scenario(play=_restart_withdraw_first, exits=(0,), evicts=2),
    "restart-guarded": Scenario(play=_restart_guarded, exits=(0,), evicts=1, is_alone=True),
    "interrupted": Scenario(play=_interrupted, exits=(130,), evicts=1, leaves_marks=True),
    "two-at-once": Scenario(play=_two_at_once, exits=(0, 0), evicts=2),
    "bare-pod": Scenario(play=_bare_pod, exits=(1, 0), evicts=2),
    "daemons": Scenario(play=_daemons, exits=(1, 0), evicts=1),
    "uncordoned": Scenario(play=_uncordoned, exits=(0, 0), evicts=1),
    "orphaned-half-way": Scenario(
        play=_orphaned_half_way, exits=(1,), evicts=0, leaves_marks=True, races=frozenset({"answers", "writes"})
    ),
    "deleted-half-way": Scenario(
        play=_deleted_half_way, exits=(1,), evicts=0, races=frozenset({"answers", "writes", "order", "causality"})
    ),
    "drain-tried": Scenario(play=_drain_tried, exits=(0,), evicts=0),
    "no-such-node": Scenario(play=_no_such_node, exits=(1,), evicts=0),
}
"""Those that take longest come first."""
