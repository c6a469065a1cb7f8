"""The reason for which a pod is given up, or not waited for any longer, tells all that is known of it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.decide.giving_up import INTERRUPTED, Limits, Look, Troubles, give_up
from kubectl_safe.decide.next import next_actions
from kubectl_safe.decide.progress import Progress
from kubectl_safe.model.pod import Condition
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    a_cluster,
    a_deployment,
    a_group,
    a_pod,
    a_replica_set,
    ago,
    an_answer,
    an_intent,
    arn,
    health,
    uid,
)

RELEASED, WITHDRAWN = a_pod(released=True), a_pod(withdrawn=True)
REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
CHECK = "see kubectl safe check deployment/web -n shop"
SHORT: dict[str, Any] = {"workloads": {uid("web"): a_deployment(progress_deadline=timedelta(seconds=60))}}
TIMEOUT = Limits(timeout=timedelta(seconds=30))


def asked(seconds: float, **answer: Any) -> dict[str, Any]:
    return {"answers": {"web-1": an_answer(seconds=seconds, message=REFUSED, **answer)}}


def reasons(
    snapshot: Snapshot,
    *,
    waited: float = 0,
    limits: Limits | None = None,
    before: str = "",
    **troubles: Any,
) -> tuple[str | None, str | None]:
    """Return why `web-1` is given up, and why it is not waited for, after its wait has lasted so many seconds."""
    intent = an_intent(snapshot, "web-1")
    intent = replace(intent, given_up={uid("web-1"): before} if before else {})
    outcome = next_actions(snapshot, intent)
    progress = Progress(intent=intent, began=ago(waited))
    progress.count(snapshot, outcome)
    progress.waits = {key: (on, ago(waited)) for key, (on, _) in progress.waits.items()}
    look = Look(intent=intent, outcome=outcome, progress=progress, snapshot=snapshot)
    after = give_up(look, limits or Limits(), Troubles(**troubles))
    return after.given_up.get(uid("web-1")), after.overdue.get(uid("web-1"))


UNSCHEDULED = a_pod(
    "web-7",
    ready=False,
    gates={},
    conditions={"PodScheduled": Condition(is_true=False, message="0/3 nodes are available: 3 Too many pods.")},
)
LATE = "global timeout reached: 30s"
STAYING: dict[str, Any] = {"target_health": {"web-1": health("draining")}, "groups": {arn(): a_group(delay=10)}}
MISSING = "waited longer than 60s (progressDeadlineSeconds): 5 of 6 other pods of deployment shop/web are in service"
ROOM = "; with --max-surge 0 a pod makes room for its replacement first"
IS_DRAINING = "target 10.244.0.2:8080 in web is draining (deregistration delay of web: 10s)"

BY_FORCE = "node node-9 has not ended it; if that node is gone for good, kubectl delete pod web-1 -n shop --force"

ROWS = [
    pytest.param(
        a_cluster(RELEASED, **SHORT),
        {"waited": 61},
        (f"{MISSING}: its replacement is not created yet; {CHECK}", None),
        id="a replacement that is late: its deadline, and where that comes from",
    ),
    pytest.param(
        a_cluster(WITHDRAWN, **STAYING),
        {"waited": 131},
        (None, f"waited longer than 130s (deregistration delay and 2m): {IS_DRAINING}"),
        id="a target that stays",
    ),
    pytest.param(
        a_cluster(WITHDRAWN, **asked(1, allowed=False)),
        {"waited": 31, "before": "stop"},
        ("stop", f"stop; waited longer than 30s: {REFUSED[:-1]}; {CHECK}"),
        id="what may never end, of a pod that is given up: a deadline that comes from nowhere else",
    ),
    pytest.param(
        a_cluster(WITHDRAWN, **asked(1, allowed=False)), {"waited": 3600}, (None, None), id="of another: none"
    ),
    pytest.param(
        a_cluster(WITHDRAWN),
        {"refused": {uid("web-1"): "denied"}, "before": "denied"},
        ("denied", "denied"),
        id="the same reason once",
    ),
    pytest.param(
        a_cluster(WITHDRAWN), {"refused": {uid("web-1"): "denied"}}, (None, "denied"), id="a refusal in its words"
    ),
    pytest.param(
        a_cluster(RELEASED, a_pod("web-7"), **asked(5, allowed=False)),
        {"waited": 30, "limits": TIMEOUT},
        (f"{LATE}: {REFUSED[:-1]}; {CHECK}", None),
        id="the end of --timeout: what its eviction was refused for last, while it is asked for again",
    ),
    pytest.param(
        a_cluster(RELEASED, a_pod("web-7"), **asked(20)),
        {"waited": 30, "limits": TIMEOUT},
        (LATE, None),
        id="nothing of what was allowed",
    ),
    pytest.param(a_cluster(), {"waited": 30, "limits": TIMEOUT}, (LATE, None), id="nothing where nothing keeps it"),
    pytest.param(
        a_cluster(answers={}), {"waited": 30, "limits": TIMEOUT}, (LATE, None), id="nor where nobody was asked"
    ),
    pytest.param(
        a_cluster(WITHDRAWN, **STAYING),
        {"waited": 30, "limits": TIMEOUT, "before": f"{LATE}: because"},
        (f"{LATE}: because", f"{LATE}: because"),
        id="a pod that was given up for that: as it was told then",
    ),
    pytest.param(
        a_cluster(WITHDRAWN, **STAYING),
        {"waited": 30, "limits": TIMEOUT, "before": "aborted"},
        ("aborted", f"aborted; {LATE}: {IS_DRAINING}"),
        id="a pod that was given up before: both",
    ),
    pytest.param(
        a_cluster(WITHDRAWN),
        {"waited": 30, "limits": TIMEOUT, "before": "aborted", "unanswered": "no leader"},
        ("aborted", f"aborted; {LATE}: no leader"),
        id="a server that does not answer: nothing can be done now, whatever is decided",
    ),
    pytest.param(
        a_cluster(WITHDRAWN),
        {"waited": 30, "limits": TIMEOUT},
        (None, None),
        id="nothing of a pod that can be evicted now",
    ),
    pytest.param(
        a_cluster(RELEASED, replica_sets={uid("x"): a_replica_set(failure="exceeded quota: few")}, **SHORT),
        {"waited": 61},
        (f"{MISSING}: replicaset web-5d4f8c7b9 can't create a pod: exceeded quota: few{ROOM}", None),
        id="the remedy",
    ),
    pytest.param(
        a_cluster(RELEASED, UNSCHEDULED, **SHORT),
        {"waited": 61},
        (f"{MISSING}: pod shop/web-7 is not ready: 0/3 nodes are available: 3 Too many pods{ROOM}", None),
        id="the remedy in the same sentence as the scheduler's words",
    ),
    pytest.param(
        a_cluster(a_pod(terminating=True, node="node-9")),
        {"waited": 30 + 121},
        (
            None,
            f"waited longer than 150s: pod shop/web-1 is stopping (grace period 30s); {BY_FORCE}",
        ),
        id="what to do about a pod whose node does not end it",
    ),
    pytest.param(
        a_cluster(WITHDRAWN, answers={"web-1": an_answer(dry_run=False)}),
        {"waited": 31},
        (None, "waited longer than 30s: the end of pod shop/web-1 was accepted; it is about to terminate"),
        id="nothing more of one whose eviction was accepted and shows in nothing",
    ),
]


@pytest.mark.parametrize(("snapshot", "flags", "expected"), ROWS)
def test_the_reason_tells(snapshot: Snapshot, flags: dict[str, Any], expected: tuple[str | None, str | None]) -> None:
    assert reasons(snapshot, **flags) == expected


def test_a_signal_is_told_by_its_word() -> None:
    assert INTERRUPTED == "interrupted"


def test_at_the_end_of_the_timeout_each_pod_is_told_for_itself() -> None:
    snapshot = a_cluster(WITHDRAWN, a_pod("web-2", withdrawn=True), **STAYING)
    intent = an_intent(snapshot, "web-1", "web-2", "web-3")
    intent = replace(intent, given_up={uid("web-1"): f"{LATE}: because"})
    progress = Progress(intent=intent, began=ago(30))
    outcome = next_actions(replace(snapshot, health={}), intent)
    look = Look(intent=intent, outcome=outcome, progress=progress, snapshot=snapshot)
    after = give_up(look, TIMEOUT, Troubles())
    asked = "target 10.244.0.3:8080 in web was not asked for since the withdrawal"
    assert after.overdue == {uid("web-1"): f"{LATE}: because", uid("web-2"): f"{LATE}: {asked}"}
    assert after.given_up.keys() == {uid("web-1"), uid("web-3")}
