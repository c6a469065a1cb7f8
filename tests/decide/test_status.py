"""How it stands with a pod: its step, its gates, its slices and its targets."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.decision import Step
from kubectl_safe.decide.status import PodStatus, by_urgency, status_of
from kubectl_safe.model.pod import Condition, Pod
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    GATE,
    a_cluster,
    a_deployment,
    a_group,
    a_pod,
    a_target,
    an_endpoint,
    arn,
    health,
    uid,
)

MISMATCH = replace(
    health("unhealthy", "Target.ResponseCodeMismatch"), description="Health checks failed with these codes: [404]"
)


def status(snapshot: Snapshot, name: str = "web-1", *, is_queued: bool = False) -> PodStatus:
    [found] = status_of([snapshot.pods[uid(name)]], snapshot, queued=[uid(name)] if is_queued else [])
    return found


@pytest.mark.parametrize(
    ("pod", "is_queued", "step"),
    [
        pytest.param(a_pod(), False, None, id="nobody is to move it"),
        pytest.param(a_pod(), True, Step.QUEUED, id="a run is yet to begin it"),
        pytest.param(a_pod(released=True), True, Step.RELEASED, id="released"),
        pytest.param(a_pod(withdrawn=True), False, Step.WITHDRAWN, id="withdrawn, by a run that is dead"),
        pytest.param(a_pod(terminating=True), False, Step.TERMINATING, id="terminating, whoever deleted it"),
    ],
)
def test_tells_the_step_of_a_pod_that_is_on_its_way(pod: Pod, is_queued: bool, step: Step | None) -> None:
    assert status(a_cluster(pod), is_queued=is_queued).step is step


STEADY = a_cluster(target_health={"web-1": health()})
OUT = replace(an_endpoint(a_pod()), is_ready=False)


@pytest.mark.parametrize(
    ("snapshot", "is_steady"),
    [
        pytest.param(STEADY, True, id="in service"),
        pytest.param(a_cluster(health={}), True, id="AWS was not asked"),
        pytest.param(a_cluster(a_pod(phase="Succeeded", ready=False)), True, id="finished"),
        pytest.param(a_cluster(a_pod(withdrawn=True)), False, id="in a handoff"),
        pytest.param(a_cluster(a_pod(ready=False)), False, id="not Ready"),
        pytest.param(a_cluster(a_pod(conditions={"Ready": Condition(is_true=True)})), False, id="a gate is not set"),
        pytest.param(replace(STEADY, endpoints=(OUT,)), False, id="not ready in a slice"),
        pytest.param(a_cluster(target_health={"web-1": MISMATCH}), False, id="its target is unhealthy"),
    ],
)
def test_tells_who_is_in_service_everywhere_and_in_no_handoff(snapshot: Snapshot, *, is_steady: bool) -> None:
    assert status(snapshot).is_steady is is_steady


def test_who_is_in_a_handoff_or_not_in_service_comes_first_and_otherwise_the_order_stays() -> None:
    snapshot = a_cluster(a_pod("web-3", ready=False), a_pod("web-5", withdrawn=True))
    pods = sorted(snapshot.pods.values(), key=lambda pod: pod.name)
    names = [its.pod.name for its in by_urgency(status_of(pods, snapshot))]
    assert names == ["web-3", "web-5", "web-1", "web-2", "web-4", "web-6"]


def test_a_withdrawn_pod_is_still_of_its_workload() -> None:
    assert status(a_cluster(a_pod(withdrawn=True))).workload == a_deployment()


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        pytest.param(Condition(is_true=True), "True", id="true"),
        pytest.param(Condition(is_true=False), "False", id="false"),
        pytest.param(Condition(is_true=False, is_unknown=True), "Unknown", id="unknown"),
        pytest.param(None, None, id="nobody has set it"),
    ],
)
def test_tells_each_gate_with_its_value(condition: Condition | None, value: str | None) -> None:
    pod = a_pod(conditions={GATE: condition} if condition else {})
    [gate] = status(a_cluster(pod)).gates
    assert (gate.type, gate.value) == (GATE, value)


@pytest.mark.parametrize(
    ("pod", "why"),
    [
        pytest.param(a_pod(conditions={"Ready": Condition(is_true=True, reason="Fine")}), "", id="it is"),
        pytest.param(a_pod(ready=False, waiting_reason="CrashLoopBackOff"), "CrashLoopBackOff", id="a container"),
        pytest.param(a_pod(ready=False, conditions={}), "", id="nobody says"),
        pytest.param(
            a_pod(conditions={"Ready": Condition(is_true=False, reason="ReadinessGatesNotReady")}),
            "ReadinessGatesNotReady",
            id="a gate",
        ),
    ],
)
def test_tells_why_a_pod_is_not_ready(pod: Pod, why: str) -> None:
    assert status(a_cluster(pod)).why_not_ready == why


def test_tells_the_places_of_a_pod_and_of_no_other() -> None:
    pod = a_pod()
    places = (an_endpoint(pod, family="IPv6"), an_endpoint(pod), an_endpoint(a_pod("web-2")))
    assert status(a_cluster(pod, endpoints=places)).places == (places[1], places[0])


def test_tells_the_target_that_a_withdrawn_pod_was() -> None:
    snapshot = a_cluster(a_pod(withdrawn=True), target_health={"web-1": health("draining", "Target.Draining")})
    [target] = status(snapshot).targets
    assert (target.target, target.group, target.state, target.why) == (a_target(), "web", "draining", "Target.Draining")


def test_repeats_no_reason_in_other_words() -> None:
    told = replace(health("draining", "Target.Draining"), description="Target is draining")
    [target] = status(a_cluster(target_health={"web-1": told})).targets
    assert target.why == "Target.Draining"


def test_tells_what_a_health_check_got() -> None:
    [target] = status(a_cluster(target_health={"web-1": MISMATCH}, groups={arn(): a_group()})).targets
    assert target.why.startswith("Target.ResponseCodeMismatch (")
    assert target.why.endswith(" got 404)")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"unseen": frozenset({arn()})}, "its group can't be asked", id="no rights"),
        pytest.param({"stale_health": {arn(): "Throttling"}}, "Throttling", id="AWS fails"),
        pytest.param({}, "AWS has not answered yet", id="not asked yet"),
    ],
)
def test_tells_why_the_state_of_a_target_is_not_known(changes: dict[str, Any], why: str) -> None:
    [target] = status(a_cluster(target_health={"web-1": None}, **changes)).targets
    assert (target.health, target.state, target.why) == (None, "unknown", why)


def test_says_of_an_answer_that_can_not_be_had_anew_that_it_is_the_last_one() -> None:
    snapshot = a_cluster(target_health={"web-1": health("draining", "Target.Draining")})
    [target] = status(replace(snapshot, stale_health={arn(): "Throttling"})).targets
    assert (target.state, target.why) == ("draining", "Target.Draining; last known; Throttling")


def test_says_nothing_of_a_target_that_was_known_once_and_can_not_be_asked_any_more() -> None:
    [target] = status(a_cluster(unseen=frozenset({arn()}))).targets
    assert target.state == "unknown"
