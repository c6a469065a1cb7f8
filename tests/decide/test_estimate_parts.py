"""Which pods and times an estimate counts, and which it leaves out."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.decide.estimate import Estimate, estimate
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.model.pod import Condition, Pod
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    HASH,
    a_binding,
    a_cluster,
    a_deployment,
    a_group,
    a_pod,
    ago,
    an_intent,
    arn,
    uid,
)

FREE: dict[str, Any] = {"services": (), "endpoints": (), "bindings": ()}
"""In no Service, so that only the start of replacements counts."""
NAMES = [f"web-{n}" for n in range(1, 7)]


def started(name: str, seconds: float, **changes: Any) -> Pod:
    """Return a pod that took so long to become Ready."""
    return a_pod(name, **{"created": ago(3600 + seconds), "since": ago(3600)} | changes)


def total(snapshot: Snapshot, *names: str, **flags: Any) -> float:
    """Return the seconds of an estimate."""
    return estimate(an_intent(snapshot, *names, **flags), snapshot).total.total_seconds()


STARTS = [
    pytest.param([started("web-1", 10), started("web-2", 20), started("web-3", 90)], 20, id="the median counts"),
    pytest.param(
        [started("web-1", 20, ready=False), started("web-2", 30)], 30, id="pods that are not Ready tell nothing"
    ),
    pytest.param([started("web-1", 600), started("web-2", 600)], 600, id="as long as progressDeadlineSeconds"),
    pytest.param([started("web-1", 601), started("web-2", 40)], 40, id="a start of longer than that was none"),
    pytest.param([started("web-1", 0), started("web-2", 0)], 0, id="at once"),
    pytest.param([started("web-1", -1), started("web-2", 40)], 40, id="Ready before it was created: its clock is off"),
    pytest.param([started("web-1", 0, created=None), started("web-2", 40)], 40, id="created nobody knows when"),
    pytest.param([started("web-1", 0, conditions={}), started("web-2", 40)], 40, id="never Ready"),
    pytest.param(
        [started("web-1", 0, conditions={"Ready": Condition(is_true=True)}), started("web-2", 40)],
        40,
        id="Ready since nobody knows when",
    ),
    pytest.param([], 30, id="half a minute where no pod tells"),
]


@pytest.mark.parametrize(("pods", "seconds"), STARTS)
def test_a_replacement_starts_as_the_pods_did_that_are_there(pods: list[Pod], seconds: float) -> None:
    others = [a_pod(name, created=None) for name in NAMES if name not in {pod.name for pod in pods}]
    assert total(a_cluster(*pods, *others, **FREE), "web-1") == seconds


def test_min_ready_seconds_come_on_top() -> None:
    slow = {uid("web"): a_deployment(min_ready=timedelta(seconds=7))}
    pods = [started(name, 20) for name in NAMES]
    assert total(a_cluster(*pods, workloads=slow, **FREE), "web-1") == 27


def test_what_leaves_already_needs_no_replacement_and_counts_all_the_same() -> None:
    pods = [started("web-1", 20, withdrawn=True), started("web-2", 20, terminating=True)]
    pods += [started(name, 20) for name in NAMES[2:]]
    assert total(a_cluster(*pods, **FREE), "web-1", "web-2") == 0
    assert total(a_cluster(*pods, **FREE), "web-1", "web-2", "web-3") == 20
    found = a_cluster(*pods, groups={arn(): a_group(delay=100)})
    assert total(found, "web-1", "web-2", "web-3", max_draining=1) == 3 * (100 + 0.3) + 20


def test_withdraw_first_goes_one_by_one_or_by_as_many_as_may_miss() -> None:
    pods = [started(name, 20) for name in NAMES]
    for unavailable, batches in ((None, 6), (0, 6), (1, 6), (4, 2), (6, 1)):
        assert total(a_cluster(*pods, **FREE), max_surge=0, max_unavailable=unavailable) == batches * 20


def test_only_the_pods_of_a_deployment_count_for_it_and_the_slowest_counts() -> None:
    green = [started(f"green-{n}", 50, of="green", labels={"app": "green", HASH: "1"}) for n in (1, 2)]
    green = [replace(pod, owners=(reference_to(a_deployment("green")),)) for pod in green]
    deployments = {d.uid: d for d in (a_deployment(), a_deployment("green"))}
    snapshot = a_cluster(*(started(name, 20) for name in NAMES), *green, workloads=deployments, **FREE)
    web = an_intent(snapshot).pods
    others = tuple(
        replace(p, workload=reference_to(deployments[uid("green")]))
        for p in an_intent(snapshot, "green-1", "green-2").pods
    )
    bare = replace(web[0], workload=None)
    for plan, seconds in (((*web, *others), 120), ((*web[:2], *others), 100), ((web[1], bare), 20), ((bare,), 0)):
        assert estimate(Intent(pods=plan), snapshot).total.total_seconds() == seconds


def test_nothing_to_move_is_told_so() -> None:
    snapshot = a_cluster()
    assert estimate(Intent(pods=()), snapshot) == Estimate(total=timedelta(0), why="no pod has to be handed over")


def in_time(flags: dict[str, float]) -> dict[str, Any]:
    return {name: timedelta(seconds=value) for name, value in flags.items()}


LEAVES = [
    pytest.param({}, {}, 300.3, "300s deregistration delay of web", id="the delay of its group"),
    pytest.param({"groups": {arn(): a_group(delay=14.7)}}, {}, 15, "15s settle", id="settle, where it is as long"),
    pytest.param(
        {"groups": {arn(): a_group(delay=14.8)}},
        {},
        15.1,
        "15s deregistration delay of web",
        id="the delay, where it is longer by a moment",
    ),
    pytest.param({"groups": {}}, {}, 15, "15s settle", id="settle, where nothing is known of its group"),
    pytest.param({"unseen": {arn()}}, {"drain_wait": 400}, 400, "400s --drain-wait", id="--drain-wait"),
    pytest.param(
        {"unseen": {arn()}},
        {"drain_wait": 15},
        300.3,
        "300s deregistration delay of web",
        id="that is not longer than settle",
    ),
    pytest.param(
        {}, {"drain_wait": 400}, 300.3, "300s deregistration delay of web", id="but not where its group is asked"
    ),
    pytest.param({"services": (), "endpoints": ()}, {}, 0, "no Service to leave", id="nothing, in no Service"),
]


@pytest.mark.parametrize(("overrides", "flags", "seconds", "why"), LEAVES)
def test_a_withdrawn_pod_takes_to_leave(
    overrides: dict[str, Any], flags: dict[str, float], seconds: float, why: str
) -> None:
    snapshot = a_cluster(a_pod(withdrawn=True), **overrides)
    found = estimate(an_intent(snapshot, "web-1", **in_time(flags)), snapshot)
    assert found == Estimate(total=timedelta(seconds=seconds), why=why)


def test_the_slowest_of_several_groups_is_told() -> None:
    snapshot = a_cluster(
        a_pod(withdrawn=True),
        bindings=(a_binding(), a_binding("other", service="web")),
        groups={arn(): a_group(delay=20), arn("other"): a_group("other", delay=40)},
    )
    assert estimate(an_intent(snapshot, "web-1"), snapshot).why == "40s deregistration delay of other"


SUMS = [
    pytest.param(
        {}, "1 batch x 20s until the replacements are in service + 300s deregistration delay of web", id="surge"
    ),
    pytest.param(
        {"max_surge": 0},
        "1 batch x (300s deregistration delay of web + 20s until a replacement is in service)",
        id="withdraw-first",
    ),
    pytest.param(
        {"max_draining": 1},
        "1 batch x 20s until the replacements are in service + 300s deregistration delay of web",
        id="a cap that caps nothing",
    ),
]


@pytest.mark.parametrize(("flags", "why"), SUMS)
def test_the_sum_is_told_in_words(flags: dict[str, Any], why: str) -> None:
    snapshot = a_cluster(*(started(name, 20) for name in NAMES))
    found = estimate(an_intent(snapshot, "web-1", **flags), snapshot)
    assert found == Estimate(total=timedelta(seconds=320.3), why=why)
