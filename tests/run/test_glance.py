"""One look: each target group is asked, and what can't be asked is told and gone without."""

from typing import TYPE_CHECKING, cast

import pytest

from kubectl_safe.decide.rights import Needs
from kubectl_safe.run.glance import Glance
from kubectl_safe.run.observer import Observer
from kubectl_safe.run.target_groups import FirstAnswers
from kubectl_safe.run.terms import Terms
from tests.run.aws import Aws, denied
from tests.run.test_target_groups import GONE, THROTTLED, a_balanced_world
from tests.run.world import World
from tests.support.builders import arn

if TYPE_CHECKING:
    from kubectl_safe.aws.errors import AwsError
    from kubectl_safe.kube.client import Client


def a_glance(world: World, aws: Aws, told: list[str], steps: list[str]) -> Glance:
    """Return one at a world, that asks this AWS."""
    glance = Glance(
        client=cast("Client", None),
        namespace="shop",
        needs=Needs(required=()),
        terms=Terms(),
        warn=told.append,
        progress=steps.append,
        now=world.now,
    )
    glance.observer = Observer(world, now=world.now)
    glance.observer.target_health = aws
    glance._signal = world
    glance._asking.first_answers = FirstAnswers(
        settings=aws, health=aws, observer=glance.observer, signal=world, warn=told.append, now=world.now
    )
    return glance


def test_without_pods_nothing_is_asked() -> None:
    world = a_balanced_world()
    aws = Aws(world)
    assert a_glance(world, aws, [], []).look(()).health == {}
    assert (aws.asked_for_settings, aws.asked_for_health) == ([], [])


def test_each_group_is_asked_and_how_many_have_answered_is_told() -> None:
    world = a_balanced_world("web", "other")
    told: list[str] = []
    steps: list[str] = []
    glance = a_glance(world, Aws(world), told, steps)
    snapshot = glance.look(glance.look(()).pods.values())
    assert {target.group for target in snapshot.health} == {arn("web"), arn("other")}
    assert snapshot.groups.keys() == {arn("web"), arn("other")}
    assert (steps, told) == (["asking AWS: 0 of 1 target groups have answered"], [])


@pytest.mark.parametrize(
    ("error", "has_others"),
    [
        pytest.param(denied(), True, id="no right"),
        pytest.param(GONE, False, id="no such group"),
        pytest.param(THROTTLED, False, id="no answer"),
    ],
)
def test_what_can_not_be_asked_is_told_and_gone_without(error: "AwsError", has_others: bool) -> None:
    world = a_balanced_world("web", "other")
    told: list[str] = []
    glance = a_glance(world, Aws(world, health_errors={"web": error}), told, [])
    snapshot = glance.look(glance.look(()).pods.values())
    assert any(line.startswith("Warning: ") and str(error).partition(";")[0] in line for line in told)
    assert not any(target.group == arn("web") for target in snapshot.health)
    assert (arn("other") in snapshot.groups) or not has_others
    assert (arn("web") in snapshot.unseen) is has_others
