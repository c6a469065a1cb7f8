"""Admission policies and webhooks in the way: told in their own words, before anything is written where that can be."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.claims import assert_nothing_left
from tests.support.figures import Figures
from tests.support.policies import (
    EVICTIONS,
    LABELS_ARE_KEPT,
    NO_EVICTIONS,
    PODS,
    Policy,
    a_webhook_without_dry_runs,
    in_force,
    that_denies_evictions,
    that_denies_label_removal,
    that_puts_labels_back,
)
from tests.support.scene import SETTLE, a_scene
from tests.support.stage import Stage
from tests.support.workloads import is_cordoned

pytestmark = pytest.mark.controlplane

EXCEPTION = "whoever is in charge of what refuses it can make an exception; then run the same command again\n"
NO_DRY_RUN = 'admission webhook "audit.example.com" does not support dry run'

REFUSALS = [
    pytest.param(
        "kept",
        lambda namespace, _: that_denies_label_removal(namespace),
        f"denied request: {LABELS_ARE_KEPT}\nthe release was tried: it takes label pod-template-hash off a pod",
        id="a policy that denies the removal of labels",
    ),
    pytest.param(
        "back",
        lambda namespace, _: that_puts_labels_back(namespace),
        "keeps its label pod-template-hash: a mutating policy or webhook changes it back\nthe release was tried",
        id="a policy that puts the label back",
    ),
    pytest.param(
        "stay",
        that_denies_evictions,
        f"denied request: {NO_EVICTIONS}\nthe eviction was tried: it is what stops a pod in the end\n",
        id="a policy that denies evictions",
    ),
]


@pytest.mark.parametrize(("name", "policy", "words"), REFUSALS)
def test_a_policy_is_told_in_its_own_words_before_anything_is_written(
    shared_stage: Stage,
    namespace: str,
    *,
    name: str,
    policy: Callable[[str, str], Policy],
    words: str,
    figures: Figures,
) -> None:
    scene = a_scene(shared_stage, namespace, name)
    node = next(iter(scene.nodes.values()))
    with in_force(policy(namespace, name), scene), scene.traffic() as counted:
        for command in (scene.restart, ("drain", node, *SETTLE)):
            done = scene.safe(*command)
            assert (done.returncode, done.stdout) == (1, ""), done.stderr
            assert done.stderr.startswith("error: nothing was changed: pod")
            assert words in done.stderr
            assert done.stderr.endswith(EXCEPTION)
    figures.add(f"refused, {name}", str(counted))
    assert counted.losses == ()
    assert scene.writes() == []
    assert not is_cordoned(shared_stage, node)
    assert_nothing_left(shared_stage)


WEBHOOKS = [
    pytest.param("mute", PODS, "Unknown", "", id="on pods"),
    pytest.param(
        "deaf", EVICTIONS, "Some", "; whether a pod may leave is read off its disruption budgets", id="on evictions"
    ),
]


@pytest.mark.parametrize(("name", "rule", "side_effects", "way"), WEBHOOKS)
def test_what_a_webhook_keeps_from_being_tried_is_done_all_the_same(
    shared_stage: Stage,
    namespace: str,
    *,
    name: str,
    rule: dict[str, Any],
    side_effects: str,
    way: str,
    figures: Figures,
) -> None:
    scene = a_scene(shared_stage, namespace, name)
    before = scene.names
    with a_webhook_without_dry_runs(scene, rule, side_effects=side_effects) as hook, scene.traffic() as counted:
        done = scene.safe(*scene.restart)
    figures.add(f"webhook without dry runs, {name}", f"{counted}; {hook.reviews} reviews")
    assert done.returncode == 0, done.stderr
    assert f"Warning: could not be tried beforehand: {NO_DRY_RUN}{way}\n" in done.stderr
    assert counted.losses == ()
    assert set(scene.evicted()) == before
    assert hook.reviews >= len(before)
    assert_nothing_left(shared_stage)


def test_where_evictions_can_not_be_tried_no_pod_leaves_a_budget_that_allows_none(
    shared_stage: Stage, namespace: str, figures: Figures
) -> None:
    scene = a_scene(shared_stage, namespace, "full")
    scene.protect(minAvailable=2)
    # The floor would let one be missing, the budget none.
    withdraw_first = (*scene.restart, "--max-surge", "0", "--max-unavailable", "1")
    with a_webhook_without_dry_runs(scene, EVICTIONS, side_effects="Unknown"), scene.traffic() as counted:
        done = scene.safe(*withdraw_first, "--timeout", "8s")
        assert done.returncode == 1
        assert (
            f"budget {namespace}/full allows no disruption now, by its status; asking is no use: {NO_DRY_RUN}"
            in done.stderr
        )
        assert scene.withdrawn() == frozenset()
        ended = scene.safe("abort", f"deployment/{scene.name}", "-n", namespace)
        assert ended.returncode == 0, ended.stderr
        done = scene.safe(*scene.restart)
        assert done.returncode == 0, done.stderr
    figures.add("webhook without dry runs, and a full budget", str(counted))
    assert counted.losses == ()
    assert shared_stage.lowest(scene.application, counted) == 2
    assert_nothing_left(shared_stage)


def test_a_pod_whose_eviction_is_denied_once_it_is_withdrawn_is_named_and_the_others_go_on(
    shared_stage: Stage, namespace: str, figures: Figures
) -> None:
    late, other = (a_scene(shared_stage, namespace, name, replicas=3, start_delay=1.5) for name in ("late", "other"))
    first = {pod.name for scene in (late, other) for pod in scene.histories}
    command = ("rollout", "restart", "deployment/late", "deployment/other", "-n", namespace, "--settle", "5s")
    with late.traffic() as counted, other.traffic() as counted_too:
        with late.safe_in_background(*command) as process:
            shared_stage.wait_until(lambda: bool(late.withdrawn()), what="a withdrawal")
            with in_force(that_denies_evictions(namespace, "late"), late):
                assert process.wait() == 1
        withdrawn = late.withdrawn()
        assert not [name for name in late.evicted() if name.startswith("late-")]
        for name in withdrawn:
            assert f"withdrawn, runs on and gets no new requests: {namespace}/{name}" in process.stderr
        assert f"denied request: {NO_EVICTIONS}\n" in process.stderr
        assert "will retry" not in process.stderr
        assert withdrawn < {name for name in first if name.startswith("late-")}, "no pod was spared"
        assert {name for name in first if name.startswith("other-")} == set(other.evicted())
        done = late.safe(*command)
    figures.add("evictions denied half-way", f"{len(withdrawn)} of 3 withdrawn; {counted}; {counted_too}")
    assert done.returncode == 0, done.stderr
    assert counted.losses + counted_too.losses == ()
    assert late.evicted() == dict.fromkeys(first, 1)
    assert_nothing_left(shared_stage)
