"""A target group that AWS was not asked for yet is no group: nobody is in service by it, and nobody is out of it."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.actions import Release
from kubectl_safe.decide.group_floor import group_below_floor
from kubectl_safe.decide.health import wishes
from kubectl_safe.decide.verdict import Unknown, verdict
from kubectl_safe.kube.patches import request_for
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import FoundGroup, GroupName, Role, TargetGroupBinding
from tests.support.builders import (
    a_binding,
    a_cluster,
    a_deployment,
    a_pod,
    a_target,
    an_intent,
    arn,
    decide,
    in_words,
    told,
    uid,
)

ROLE = Role(arn="arn:aws:iam::210987654321:role/targets", external_id="42")

UNKNOWN = [
    pytest.param(a_binding(group="web"), id="a name and no ARN"),
    pytest.param(a_binding(group="web", target_type=""), id="a name and no type"),
    pytest.param(a_binding(target_type=""), id="an ARN and no type"),
]


def a_cluster_of(*bindings: TargetGroupBinding, **changes: Any) -> Snapshot:
    return a_cluster(a_pod(released=True), bindings=bindings, **changes)


@pytest.mark.parametrize("binding", UNKNOWN)
def test_nothing_goes_on_by_it(binding: TargetGroupBinding) -> None:
    snapshot = a_cluster_of(binding)
    assert isinstance(verdict(snapshot.pods[uid("web-2")], a_deployment(), snapshot), Unknown)
    assert told(decide(snapshot, "web-1")) == "wait for cache"
    assert told(decide(snapshot, "web-2"), "web-2") == "wait for cache"
    gone = a_cluster(a_pod(withdrawn=True), bindings=(binding,))
    assert in_words(decide(gone, "web-1").decisions[uid("web-1")]) == "wait for targets"
    assert group_below_floor(snapshot.pods[uid("web-1")], leaving=set(), snapshot=snapshot)


@pytest.mark.parametrize("binding", UNKNOWN)
def test_nobody_can_be_asked_about_it(binding: TargetGroupBinding) -> None:
    snapshot = a_cluster_of(binding)
    assert wishes(snapshot.pods.values(), confirms=True, snapshot=snapshot) == {}


@pytest.mark.parametrize(
    ("binding", "sought"),
    [
        pytest.param(a_binding(), None, id="ARN and type: nothing"),
        pytest.param(a_binding(group="", target_type=""), None, id="no group at all: nothing to ask for"),
        pytest.param(a_binding(group="web", role=ROLE), GroupName(group="web", role=ROLE), id="by its name"),
        pytest.param(a_binding(target_type=""), GroupName(group=arn()), id="by its ARN"),
    ],
)
def test_what_is_asked_for(binding: TargetGroupBinding, sought: GroupName | None) -> None:
    assert binding.sought == sought


def test_a_group_that_was_found_is_one_as_any_other() -> None:
    binding = a_binding(group="web", target_type="")
    found = binding.completed(FoundGroup(arn=arn(), target_type="ip", is_ipv6=True))
    assert found == replace(a_binding(), is_ipv6=True)
    assert found.sought is None


def test_a_group_without_an_arn_is_not_noted() -> None:
    snapshot = a_cluster(bindings=(a_binding(), a_binding("late", service="web", group="late")), answers={})
    pod = snapshot.pods[uid("web-1")]
    assert [target.group for target in snapshot.targets_of(pod)] == [arn(), "late"]
    action = decide(a_cluster(), "web-1").actions[0]
    assert isinstance(action, Release)
    noted = request_for(replace(action, targets=snapshot.targets_of(pod)), at="now").body["metadata"]["annotations"]
    assert f'"targets":["{a_target().note}"]' in noted["kubectl-safe/handoff"]


def test_a_group_is_asked_with_the_role_of_the_first_binding_that_names_one() -> None:
    other = Role(arn="arn:aws:iam::210987654321:role/other")
    bindings = (
        a_binding("c", service="web", group=arn(), role=other),
        a_binding("b", service="web", group=arn(), role=ROLE),
        a_binding("a", service="web", group=arn()),
    )
    snapshot = a_cluster(bindings=bindings, roles={arn(): other})
    asked = wishes(snapshot.pods.values(), confirms=True, snapshot=snapshot)
    assert [wish.role for wish in asked.values()] == [ROLE]
    plain = a_cluster()
    assert [w.role for w in wishes(plain.pods.values(), confirms=True, snapshot=plain).values()] == [None]


def test_a_group_whose_binding_is_gone_is_asked_with_the_role_that_it_had() -> None:
    snapshot = a_cluster(bindings=(a_binding(),), roles={arn(): ROLE})
    outcome = decide(snapshot, "web-1")
    assert [wish.role for wish in outcome.wishes.values()] == [ROLE]
    assert an_intent(snapshot).uids
