"""Who only looks on asks target groups sparingly, and goes without those that can't be asked."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import pytest

from kubectl_safe.decide.rights import Needs
from kubectl_safe.kube.errors import ApiError
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Node
from kubectl_safe.run.best_effort import TOGETHER
from kubectl_safe.run.observer import Observer
from kubectl_safe.run.onlooker import Onlooker
from kubectl_safe.run.target_groups import PATIENCE, FirstAnswers
from kubectl_safe.run.terms import Terms
from tests.run.aws import Aws, denied
from tests.run.test_target_groups import GONE, THROTTLED, a_balanced_world
from tests.run.world import World, a_world
from tests.support.builders import a_binding, a_deployment, a_pod, a_service, a_target, arn, uid

if TYPE_CHECKING:
    from kubectl_safe.aws.errors import AwsError
    from kubectl_safe.kube.client import Client
    from kubectl_safe.kube.cluster import Cluster


WITHOUT = "it is gone without"


def its_pods(snapshot: Snapshot) -> Iterable[Pod]:
    """Choose the pods of Deployment `web`."""
    return snapshot.pods_of(a_deployment())


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
    snapshot = onlooker.look(its_pods)
    assert {target.group for target in snapshot.health} == {arn("web"), arn("other")}
    assert snapshot.groups.keys() == {arn("web"), arn("other")}
    assert (snapshot.unseen, told) == (frozenset(), [])
    assert steps == ["asking AWS: 0 of 2 target groups have answered"]
    onlooker.look(its_pods)
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
    assert gone not in onlooker.look(its_pods, targets=[gone]).health
    onlooker.wait(timedelta(seconds=10))
    assert gone in onlooker.look(its_pods, targets=[gone]).health


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
        snapshot = onlooker.look(its_pods)
        onlooker.wait(timedelta(seconds=1))
    assert snapshot.unseen == {arn("web")}
    assert {target.group for target in snapshot.health} == {arn("other")}
    assert [line for line in told if line.endswith(WITHOUT)] == [f"Warning: {why}; {WITHOUT}"]


@pytest.mark.parametrize(
    ("error", "is_refused"),
    [
        pytest.param(denied(), True, id="no right"),
        pytest.param(GONE, False, id="no such group"),
        pytest.param(THROTTLED, False, id="no answer"),
    ],
)
def test_who_looks_for_faults_takes_silence_for_no_refusal(error: "AwsError", *, is_refused: bool) -> None:
    world = a_balanced_world("web", "other")
    told: list[str] = []
    onlooker = an_onlooker(world, Aws(world, health_errors={"web": error}), told)
    onlooker.is_thorough = True
    snapshot = onlooker.look(its_pods)
    assert {target.group for target in snapshot.health} == {arn("other")}
    assert snapshot.unseen == ({arn("web")} if is_refused else frozenset())
    assert len([line for line in told if line.endswith(WITHOUT)]) == 1


def test_goes_without_groups_whose_names_nobody_knows() -> None:
    world = a_balanced_world()
    world.bindings = tuple(a_binding(name, service="web", group=name) for name in ("web", "other"))
    told: list[str] = []
    aws = Aws(world, name_errors={"web": denied()})
    onlooker = an_onlooker(world, aws, told)
    assert [onlooker.look(its_pods).unseen for _ in range(2)] == [frozenset({"web"})] * 2
    assert aws.asked_for_names == [["other", "web"], ["other"], ["web"]]
    assert aws.asked_for_settings == [["other"]]
    assert len(told) == 1


def test_asks_for_many_names_at_once() -> None:
    world = a_balanced_world()
    world.bindings = tuple(a_binding(name, service="web", group=name) for name in MANY)
    aws = Aws(world)
    assert {its.group for its in an_onlooker(world, aws, []).look(its_pods).bindings} == set(map(arn, MANY))
    assert aws.asked_for_names == [list(MANY[:TOGETHER]), list(MANY[TOGETHER:])]


MANY = tuple(f"web-{number:02}" for number in range(TOGETHER + 1))


def test_asks_for_many_groups_at_once_and_says_how_far_it_is() -> None:
    world = a_balanced_world(*MANY)
    aws = Aws(world)
    steps: list[str] = []
    an_onlooker(world, aws, [], steps).look(its_pods)
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
        assert onlooker.look(its_pods).unseen == {arn(name) for name in MANY[:TOGETHER]}
    assert PATIENCE <= world.now() - began < 2 * PATIENCE
    assert [line for line in told if "AWS is waited for" not in line] == [
        f"Warning: {THROTTLED}; AWS was waited for: run the same command again; {WITHOUT}",
        "Warning: AWS gives no answer: 1 more target group is not waited for",
    ]


def test_says_once_what_is_missing_for_many_groups() -> None:
    world = a_balanced_world(*MANY)
    told: list[str] = []
    aws = Aws(world, health_errors=dict.fromkeys(MANY, denied(code="NoCredentialsError")))
    assert an_onlooker(world, aws, told).look(its_pods).unseen == {arn(name) for name in MANY}
    assert len(told) == 1


@pytest.mark.parametrize("is_thorough", [True, False])
def test_who_looks_for_faults_asks_groups_of_nodes_about_all_that_they_have(*, is_thorough: bool) -> None:
    world = a_world(bindings=(a_binding(target_type="instance"),))
    aws = Aws(world)
    onlooker = an_onlooker(world, aws, [])
    onlooker.is_thorough = is_thorough
    onlooker._asking.has_others = is_thorough
    assert (onlooker.look(its_pods).groups.keys() == {arn()}) is is_thorough
    assert aws.asked_for_health == (["web"] if is_thorough else [])


def test_who_wants_to_see_soon_sees_what_is_known_and_later_answers_as_they_come() -> None:
    world = a_balanced_world("web", "other")
    aws = Aws(world, settings_errors={"web": THROTTLED}, health_errors={"web": THROTTLED})
    told: list[str] = []
    onlooker = an_onlooker(world, aws, told)
    onlooker.patience = onlooker._asking.patience = onlooker._asking.begin().patience = timedelta(seconds=5)
    onlooker.asks_on = True
    began = world.now()
    snapshot = onlooker.look(its_pods)
    assert world.now() - began < 2 * onlooker.patience
    assert {target.group for target in snapshot.health} < {arn("web"), arn("other")}
    assert snapshot.unseen == frozenset()
    assert told[0] == f"Warning: AWS is waited for, up to 5s: {THROTTLED}"
    assert told[1].endswith(f"AWS was waited for: run the same command again; {WITHOUT}")
    aws.health_errors.clear()
    for _ in range(20):
        onlooker.wait(timedelta(seconds=1))
        snapshot = onlooker.look(its_pods)
    assert {target.group for target in snapshot.health} == {arn("web"), arn("other")}


def test_who_looks_once_asks_once() -> None:
    world = a_balanced_world()
    aws = Aws(world)
    onlooker = an_onlooker(world, aws, [])
    onlooker.look(its_pods)
    world.wait(60)
    assert aws.asked_for_health == ["web"]
    onlooker.wait(timedelta(seconds=60))
    assert aws.asked_for_health == ["web", "web"]


def test_looks_at_pods_whoever_has_them() -> None:
    world = a_balanced_world()
    snapshot = an_onlooker(world, Aws(world), []).look(lambda seen: [seen.pods[uid("web-1")]])
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
            onlooker.look(its_pods)
        return
    for _ in range(2):
        assert uid("web-1") not in onlooker.look(its_pods).pods
    assert [pod.name for pod in onlooker.left_out] == ["web-1"]
    [warning] = told
    assert warning.startswith("Warning: pod shop/web-1: annotation kubectl-safe/handoff is not one of ours: ")
    assert warning.endswith(
        "; take it off: kubectl annotate pod web-1 -n shop kubectl-safe/handoff-; it is left out until then"
    )


def test_who_looks_for_faults_is_not_told_of_marks_that_are_some() -> None:
    world = a_balanced_world()
    world.add(a_pod(annotations={"kubectl-safe/handoff": "{}"}))
    told: list[str] = []
    onlooker = an_onlooker(world, Aws(world), told)
    onlooker.leaves_out = onlooker.is_thorough = True
    assert onlooker.look(its_pods).health.keys() == {a_target("web-2"), a_target("web-3")}
    assert ([pod.name for pod in onlooker.left_out], told) == (["web-1"], [])


@dataclass
class Nodes:
    """Nodes that are not watched before somebody needs them."""

    world: World
    is_allowed: bool = True
    asked: int = 0

    def watch_also(self, kind: str) -> None:
        assert kind == "nodes"
        self.asked += 1
        if not self.is_allowed:
            raise ApiError("nodes can't be listed", status=403)
        self.world.nodes = {"node-1": Node(name="node-1", resource_version="1", instance_id="i-1")}


def looked_at_behind(
    target_type: str, told: list[str], *, is_allowed: bool = True, is_thorough: bool = False
) -> tuple[set[str], int]:
    """Look twice at pods behind a target group; return the known targets, and how often nodes were asked for."""
    world = a_balanced_world(services=(a_service(ports=(replace(a_service().ports[0], node_port=30080),)),), nodes={})
    world.bindings = (a_binding(target_type=target_type),)
    onlooker, nodes = an_onlooker(world, Aws(world), told), Nodes(world, is_allowed=is_allowed)
    onlooker._cluster, onlooker.is_thorough = cast("Cluster", nodes), is_thorough
    onlooker.look(its_pods)
    return {target.at for target in onlooker.look(its_pods).health}, nodes.asked


def test_nodes_are_watched_and_asked_for_once_they_are_seen_to_be_targets() -> None:
    told: list[str] = []
    assert looked_at_behind("instance", told) == ({"i-1:30080"}, 1)
    assert told == []


def test_nodes_that_are_no_targets_are_not_watched() -> None:
    assert looked_at_behind("ip", [])[1] == 0


def test_goes_without_nodes_that_may_not_be_read_and_says_so_once() -> None:
    told: list[str] = []
    assert looked_at_behind("instance", told, is_allowed=False) == (set(), 1)
    assert told == ["Warning: nodes can't be listed; targets that are nodes are not known"]


def test_who_looks_for_faults_is_not_told_of_nodes() -> None:
    assert looked_at_behind("instance", [], is_thorough=True) == (set(), 0)
