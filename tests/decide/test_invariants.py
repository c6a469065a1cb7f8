"""Random clusters against what no single decision may break. Nothing here asks the code under test for a rule."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from kubectl_safe.decide.actions import Evict, Nudge, Release, Touch, Withdraw
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.next import Outcome, next_actions
from kubectl_safe.decide.settings import Settings
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import State
from tests.support.builders import (
    GATE,
    LONG_AGO,
    NOT_REGISTERED,
    a_binding,
    a_budget,
    a_cluster,
    a_deployment,
    a_pod,
    a_service,
    a_target,
    ago,
    an_answer,
    an_endpoint,
    an_intent,
    arn,
    health,
    uid,
)

SECONDS = st.sampled_from([0.0, 1.0, 4.9, 5.0, 9.0, 14.0, 16.0, 40.0, 400.0])
HEADLESS = 30

T = TypeVar("T")


def mostly(usual: T, other: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """Draw what lets a handoff go on nine times in ten, or no cluster would ever act."""
    return st.integers(0, 9).flatmap(lambda n: other if n == 9 else st.just(usual))


HEALTHS = st.none() | st.builds(
    health,
    st.sampled_from([state.value for state in State]),
    st.sampled_from(["", NOT_REGISTERED, "Target.NotInUse"]),
    asked=SECONDS,
)


@st.composite
def pods(draw: st.DrawFn, name: str) -> Pod:
    step = draw(st.sampled_from(["queued", "queued", "released", "released", "withdrawn", "terminating"]))
    is_up = mostly(True, st.just(False))
    return a_pod(
        name,
        released=step == "released",
        withdrawn=step == "withdrawn",
        terminating=step == "terminating",
        ready=draw(is_up),
        gates={GATE: draw(is_up)},
        in_service=draw(st.integers(0, 7)),
        since=ago(draw(mostly(400.0, SECONDS))),
    )


@st.composite
def looks(draw: st.DrawFn) -> tuple[Snapshot, Intent]:
    names = [f"web-{n}" for n in range(1, 1 + draw(st.integers(1, 8)))]
    found = [draw(pods(name)) for name in names]
    withdrawn = [pod.uid for pod in found if pod.is_withdrawn]
    since = mostly(ago(40), st.none() | SECONDS.map(ago))
    memory: dict[str, dict[str, datetime]] = {
        kind: {u: at for u in withdrawn if (at := draw(since))} for kind in ("absent_since", "withdrawn_since")
    }
    nudged = st.dictionaries(st.just(a_binding().key), SECONDS.map(ago))
    touched = st.dictionaries(st.just(("shop", "web")), SECONDS.map(ago))
    budget = a_budget(healthy=draw(st.integers(0, 8)), disruptions_allowed=draw(st.integers(0, 3)))
    usual = {pod.name: health("unused", NOT_REGISTERED) if pod.is_withdrawn else health() for pod in found}
    deployment = a_deployment(
        replicas=draw(st.integers(0, 7)), max_surge=draw(st.integers(0, 3)), min_ready=timedelta(seconds=5)
    )
    answers = st.builds(an_answer, allowed=st.booleans(), dry_run=st.booleans(), seconds=SECONDS)
    snapshot = a_cluster(
        *found,
        without=[f"web-{n}" for n in range(len(names), 7)],
        target_health={name: draw(mostly(told, HEALTHS)) for name, told in usual.items()},
        answers={name: draw(mostly(an_answer(), answers)) for name in names},
        workloads={deployment.uid: deployment},
        services=(a_service(is_headless=draw(st.booleans())),),
        budgets=draw(st.sampled_from([(), (budget,)])),
        nudged_at=draw(nudged),
        touched_at=draw(touched),
        **memory,
    )
    late = [an_endpoint(pod, ready=draw(st.booleans())) for pod in found if draw(st.integers(0, 9)) == 0]
    snapshot = replace(snapshot, endpoints=(*snapshot.endpoints, *late))
    flags = Settings(
        settle=draw(st.none() | SECONDS.map(lambda s: timedelta(seconds=s))),
        max_surge=draw(st.none() | st.integers(0, 3)),
        max_draining=draw(st.none() | st.integers(1, 9)),
        max_unavailable=draw(st.none() | st.integers(0, 3)),
        nudge=draw(st.booleans()),
    )
    planned = draw(mostly(frozenset(names), st.frozensets(st.sampled_from(names), min_size=1)))
    return snapshot, an_intent(snapshot, *sorted(planned), settings=flags)


many = settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def serves(pod: Pod, snapshot: Snapshot) -> bool:
    """Tell by the definition in words whether a pod is in service."""
    if pod.is_terminating or pod.is_withdrawn or not pod.is_ready:
        return False
    since = pod.conditions["Ready"].since
    places = [e for e in snapshot.endpoints if e.pod_uid == pod.uid]
    is_old_enough = since is not None and snapshot.at - since >= timedelta(seconds=5)
    return is_old_enough and bool(places) and all(e.is_ready for e in places) and is_healthy(pod, snapshot)


def is_healthy(pod: Pod, snapshot: Snapshot) -> bool:
    """Tell whether the load balancer was seen to use a pod's target not long ago."""
    known = snapshot.health.get(a_target(pod.name))
    return known is not None and known.state is State.HEALTHY and known.asked_at >= ago(15)


def acted(outcome: Outcome, kind: type[Any]) -> dict[str, Any]:
    """Return the actions of a kind by the UID of their pod."""
    return {action.pod.uid: action for action in outcome.actions if isinstance(action, kind)}


@many
@given(look=looks())
def test_i1_what_leaves_at_once_leaves_the_floor_and_every_target_group(look: tuple[Snapshot, Intent]) -> None:
    snapshot, intent = look
    deployment = snapshot.workloads[uid("web")]
    withdrawn = acted(next_actions(snapshot, intent), Withdraw)
    event(f"withdraws {len(withdrawn)}")
    left = [pod for pod in snapshot.pods.values() if pod.uid not in withdrawn]
    serving = sum(serves(pod, snapshot) for pod in snapshot.pods.values())
    unavailable = intent.settings.max_unavailable
    assert unavailable is None or isinstance(unavailable, int)
    floors = []
    for pod in (action.pod for action in withdrawn.values() if serves(action.pod, snapshot)):
        if pod.handoff is None:
            floors.append(deployment.replicas - (1 if unavailable is None else unavailable))
        else:
            floors.append(min(deployment.replicas - (unavailable or 0), pod.handoff.in_service))
    # One after the other: pods may owe different numbers, and each has to leave its own behind.
    for gone, owed in enumerate(sorted(floors, reverse=True), start=1):
        assert serving - gone >= owed
    used = (a.pod for a in withdrawn.values() if a.pod.has_ready_containers and is_healthy(a.pod, snapshot))
    if deployment.replicas and any(used):
        assert any(is_healthy(p, snapshot) and not p.is_withdrawn and not p.is_terminating for p in left)


@many
@given(look=looks())
def test_i2_evicts_only_what_settled_and_left_its_target_group(look: tuple[Snapshot, Intent]) -> None:
    snapshot, intent = look
    (service,) = snapshot.services
    settle = intent.settings.settle or timedelta(seconds=HEADLESS if service.is_headless else 15)
    if intent.settings.settle == timedelta(0):
        settle = timedelta(0)
    evicted = acted(next_actions(snapshot, intent), Evict)
    event(f"evicts {len(evicted)}")
    for pod in (action.pod for action in evicted.values()):
        assert pod.is_withdrawn
        assert not [e for e in snapshot.endpoints if e.pod_uid == pod.uid]
        assert snapshot.at - snapshot.absent_since[pod.uid] >= settle
        assert snapshot.at - snapshot.withdrawn_since[pod.uid] >= settle
        known = snapshot.health[a_target(pod.name)]
        assert (known.state, known.reason) == (State.UNUSED, NOT_REGISTERED)
        assert known.asked_at > snapshot.withdrawn_since[pod.uid]


@many
@given(look=looks())
def test_i4_touches_no_pod_that_is_not_planned_and_evicts_none_that_terminates(look: tuple[Snapshot, Intent]) -> None:
    snapshot, intent = look
    outcome = next_actions(snapshot, intent)
    for kind in (Release, Withdraw, Evict):
        for u, action in acted(outcome, kind).items():
            assert u in intent.uids
            assert not action.pod.is_terminating
    refused = {u for u, answer in snapshot.answers.items() if not answer.is_dry_run and answer.is_allowed}
    assert not refused & acted(outcome, Evict).keys()
    assert not acted(outcome, Touch).keys() & intent.uids


@many
@given(look=looks(), data=st.data())
def test_i10_what_is_not_known_advances_nothing(look: tuple[Snapshot, Intent], data: st.DataObject) -> None:
    """Where nothing is capped: a pod that holds back leaves its place under a cap or a budget to another."""
    snapshot, intent = look
    snapshot = replace(snapshot, budgets=())
    intent = replace(intent, settings=replace(intent.settings, max_draining=None, max_surge=8))
    before, after = next_actions(snapshot, intent), next_actions(_forget(snapshot, data), intent)
    for kind in (Evict, Withdraw, Release):
        assert acted(after, kind).keys() <= acted(before, kind).keys()
    # What a release notes is the floor of later withdrawals.
    wanted = snapshot.workloads[uid("web")].replicas
    for u, action in acted(after, Release).items():
        assert min(action.in_service, wanted) >= min(acted(before, Release)[u].in_service, wanted)


def _forget(snapshot: Snapshot, data: st.DataObject) -> Snapshot:
    kind = data.draw(st.sampled_from(["health", "absent_since", "withdrawn_since", "stale", "stale_health"]))
    if kind == "stale":
        return replace(snapshot, stale=frozenset({"pods"}))
    if kind == "stale_health":
        return replace(snapshot, stale_health={arn(): "throttled"}, health={})
    known: dict[Any, Any] = dict(getattr(snapshot, kind))
    dropped = data.draw(st.sets(st.sampled_from(sorted(known)))) if known else set()
    changes: dict[str, Any] = {kind: {key: value for key, value in known.items() if key not in dropped}}
    return replace(snapshot, **changes)


@many
@given(look=looks())
def test_i11_writes_beside_the_handoff_are_bounded(look: tuple[Snapshot, Intent]) -> None:
    snapshot, intent = look
    outcome = next_actions(snapshot, intent)
    # A budget is counted anew at once when a pod has left it.
    left = max(snapshot.withdrawn_since.values(), default=LONG_AGO)
    for kind, last, since in ((Nudge, snapshot.nudged_at, LONG_AGO), (Touch, snapshot.touched_at, left)):
        count = sum(isinstance(action, kind) for action in outcome.actions)
        recent = [at for at in last.values() if at > ago(5) and at >= since]
        assert count <= (0 if recent else 1)
    assert not [a for a in outcome.actions if isinstance(a, Nudge) and not intent.settings.nudge]
