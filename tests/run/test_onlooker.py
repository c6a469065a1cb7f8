"""Who only looks on asks target groups sparingly, and goes without those that can't be asked."""

from datetime import timedelta
from typing import TYPE_CHECKING, cast

import pytest

from kubectl_safe.decide.rights import Needs
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.run.observer import Observer
from kubectl_safe.run.onlooker import TOGETHER, Onlooker
from kubectl_safe.run.target_groups import PATIENCE, FirstAnswers
from kubectl_safe.run.terms import Terms
from tests.run.aws import Aws, denied
from tests.run.test_target_groups import GONE, THROTTLED, a_balanced_world
from tests.run.world import World
from tests.support.builders import a_binding, a_deployment, a_pod, a_target, arn, uid

if TYPE_CHECKING:
    from kubectl_safe.aws.errors import AwsError
    from kubectl_safe.kube.client import Client


WITHOUT = "it is gone without"


def an_onlooker(world: World, aws: Aws, told: list[str], steps: list[str] | None = None) -> Onlooker:
    """Return one that looks at a world, and asks this AWS."""
    onlooker = Onlooker(
        client=cast("Client", None),
        namespace="shop",
        needs=Needs(required=()),
        terms=Terms(),
        warn=told.append,
        progress=(steps if steps is not None else []).append,
        without=WITHOUT,
        now=world.now,
    )
    onlooker.observer = Observer(world, now=world.now)
    onlooker.observer.target_health = aws
    onlooker._signal = world
    onlooker._asking.first_answers = FirstAnswers(
        settings=aws, health=aws, observer=onlooker.observer, signal=world, warn=told.append, now=world.now
    )
    return onlooker


def test_waits_for_the_first_answer_of_each_group() -> None:
    world = a_balanced_world("web", "other")
    told: list[str] = []
    steps: list[str] = []
    onlooker = an_onlooker(world, Aws(world), told, steps)
    snapshot = onlooker.look(a_deployment())
    assert {target.group for target in snapshot.health} == {arn("web"), arn("other")}
    assert (snapshot.unseen, told) == (frozenset(), [])
    assert steps == ["asking AWS: 0 of 2 target groups have answered"]
    onlooker.look(a_deployment())
    assert len(steps) == 1


def test_asks_nothing_before_it_knows_whose_pods_are_looked_at() -> None:
    world = a_balanced_world()
    aws = Aws(world)
    assert an_onlooker(world, aws, []).look().health == {}
    assert (aws.asked_for_settings, aws.asked_for_health) == ([], [])


def test_asks_for_the_targets_of_pods_that_are_gone_too() -> None:
    world = a_balanced_world()
    aws = Aws(world)
    onlooker = an_onlooker(world, aws, [])
    gone = a_target("web-9")
    assert gone not in onlooker.look(a_deployment(), targets=[gone]).health
    world.wait(10)
    assert gone in onlooker.look(a_deployment(), targets=[gone]).health


@pytest.mark.parametrize(
    ("error", "why"),
    [
        pytest.param(denied(), str(denied()), id="no right"),
        pytest.param(denied(code="NoCredentialsError"), str(denied(code="NoCredentialsError")), id="no credentials"),
        pytest.param(GONE, str(GONE), id="no such group"),
        pytest.param(THROTTLED, f"{THROTTLED}; AWS was waited for: run the same command again", id="no answer"),
    ],
)
def test_goes_without_a_group_that_can_not_be_asked_and_says_so_once(error: "AwsError", why: str) -> None:
    world = a_balanced_world("web", "other")
    told: list[str] = []
    onlooker = an_onlooker(world, Aws(world, health_errors={"web": error}), told)
    for _ in range(3):
        snapshot = onlooker.look(a_deployment())
        onlooker.wait(timedelta(seconds=1))
    assert snapshot.unseen == {arn("web")}
    assert {target.group for target in snapshot.health} == {arn("other")}
    assert [line for line in told if line.endswith(WITHOUT)] == [f"Warning: {why}; {WITHOUT}"]


def test_goes_without_a_group_whose_name_nobody_knows() -> None:
    world = a_balanced_world()
    world.bindings = (a_binding(group="web"),)
    told: list[str] = []
    onlooker = an_onlooker(world, Aws(world, name_errors={"web": denied()}), told)
    assert [onlooker.look(a_deployment()).unseen for _ in range(2)] == [frozenset({"web"})] * 2
    assert len(told) == 1


MANY = tuple(f"web-{number:02}" for number in range(TOGETHER + 1))


def test_asks_for_many_groups_at_once_and_says_how_far_it_is() -> None:
    world = a_balanced_world(*MANY)
    aws = Aws(world)
    steps: list[str] = []
    an_onlooker(world, aws, [], steps).look(a_deployment())
    assert aws.asked_for_settings == [list(MANY[:TOGETHER]), list(MANY[TOGETHER:])]
    assert steps == [
        f"asking AWS: {answered} of {TOGETHER + 1} target groups have answered" for answered in (0, TOGETHER)
    ]


def test_waits_once_for_an_aws_that_does_not_answer() -> None:
    world = a_balanced_world(*MANY)
    told: list[str] = []
    onlooker = an_onlooker(world, Aws(world, health_errors=dict.fromkeys(MANY, THROTTLED)), told)
    began = world.now()
    for _ in range(2):
        assert onlooker.look(a_deployment()).unseen == {arn(name) for name in MANY[:TOGETHER]}
    assert PATIENCE <= world.now() - began < 2 * PATIENCE
    assert len([line for line in told if line.endswith(WITHOUT)]) == 1


def test_says_once_what_is_missing_for_many_groups() -> None:
    world = a_balanced_world(*MANY)
    told: list[str] = []
    aws = Aws(world, health_errors=dict.fromkeys(MANY, denied(code="NoCredentialsError")))
    assert an_onlooker(world, aws, told).look(a_deployment()).unseen == {arn(name) for name in MANY}
    assert len(told) == 1


def test_looks_at_pods_whoever_has_them() -> None:
    world = a_balanced_world()
    snapshot = an_onlooker(world, Aws(world), []).look_at(lambda seen: [seen.pods[uid("web-1")]])
    assert a_target() in snapshot.health


@pytest.mark.parametrize("leaves_out", [True, False])
def test_a_pod_whose_mark_is_not_ours_is_left_out_where_that_is_wanted(*, leaves_out: bool) -> None:
    world = a_balanced_world()
    world.add(a_pod(annotations={"kubectl-safe/handoff": "{}"}))
    told: list[str] = []
    onlooker = an_onlooker(world, Aws(world), told)
    onlooker.leaves_out = leaves_out
    if not leaves_out:
        with pytest.raises(KubectlSafeError, match="take it off: kubectl annotate pod web-1"):
            onlooker.look(a_deployment())
        return
    for _ in range(2):
        assert uid("web-1") not in onlooker.look(a_deployment()).pods
    [warning] = told
    assert warning.startswith("Warning: pod shop/web-1: annotation kubectl-safe/handoff is not one of ours: ")
    assert warning.endswith(
        "; take it off: kubectl annotate pod web-1 -n shop kubectl-safe/handoff-; it is left out until then"
    )
