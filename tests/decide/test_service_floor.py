"""The last pod of a Service stays, also where enough pods of its workload are in service."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.allow import DOWNTIME
from kubectl_safe.decide.decision import Wait
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.decide.preflight import blockers
from kubectl_safe.decide.settings import Settings
from kubectl_safe.model.governing import POD_NAME
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    HASH,
    LABELS,
    a_cluster,
    a_deployment,
    a_pod,
    a_replica_set,
    a_service,
    an_endpoint,
    an_intent,
    decide,
    told,
    uid,
)

LEADS = {**LABELS, "role": "leader"}
WEB, LEADER = a_service(), a_service("leader", selector={"app": "web", "role": "leader"})
OTHER = a_pod("web-2", labels=LEADS)
NEW = a_pod("web-7")
KNOWN = {uid("web-5d4f8c7b9"): a_replica_set(template_labels=LABELS)}


def led(*pods: Pod, **overrides: Any) -> Snapshot:
    """Return a cluster with a Service of those pods only that bear a label which no template has."""
    values = {"services": (WEB, LEADER), "replica_sets": KNOWN, "bindings": (), **overrides}
    return a_cluster(*pods, **values)


def released(**changes: Any) -> Pod:
    return a_pod(released=True, labels=LEADS, **changes)


def places_of(*pods: Pod, is_ready: bool = True) -> tuple[Any, ...]:
    """Return the slices in which these pods are in the Service of the leader; all are in the other one."""
    names = [f"web-{n}" for n in range(1, 8)]
    return (
        *(an_endpoint(a_pod(name)) for name in names),
        *(an_endpoint(pod, "leader", ready=is_ready) for pod in pods),
    )


ROWS = [
    pytest.param(led(released(), NEW), "wait for replacement", id="no other pod is in it"),
    pytest.param(led(released(), OTHER, NEW), "Withdraw", id="another pod is in it"),
    pytest.param(
        led(
            released(in_service=5),
            OTHER,
            NEW,
            a_pod("web-8"),
            endpoints=(
                *places_of(released()),
                *places_of(OTHER, is_ready=False)[-1:],
                an_endpoint(a_pod("web-8")),
            ),
            without=["web-6"],
        ),
        "wait for replacement",
        id="another pod is in it, but not ready by its slices",
    ),
    pytest.param(
        led(released(), a_pod("web-2", labels=LEADS, terminating=True), NEW, endpoints=places_of(released(), OTHER)),
        "wait for replacement",
        id="another pod is in it that is on its way out",
    ),
    pytest.param(
        led(
            released(),
            a_pod("web-2", labels=LEADS, phase="Succeeded"),
            NEW,
            a_pod("web-8"),
            endpoints=(*places_of(released(), OTHER), an_endpoint(a_pod("web-8"))),
        ),
        "wait for replacement",
        id="another pod is in it that is at its end",
    ),
    pytest.param(
        led(released(), NEW, endpoints=places_of(released(), OTHER)),
        "wait for replacement",
        id="its slices have another pod that it does not select any more",
    ),
    pytest.param(
        led(released(), NEW, endpoints=(*places_of(released()), replace(an_endpoint(OTHER, "leader"), pod_uid="gone"))),
        "wait for replacement",
        id="its slices have another pod that is gone",
    ),
    pytest.param(led(released(ready=False), NEW, endpoints=places_of()), "Withdraw", id="it serves nobody itself"),
    pytest.param(
        led(released(ready=False), NEW, endpoints=places_of(released())),
        "wait for replacement",
        id="it is not ready, and its Service sends it requests all the same",
    ),
]


@pytest.mark.parametrize(("snapshot", "expected"), ROWS)
def test_a_pod_leaves_a_service_where(snapshot: Snapshot, expected: str) -> None:
    assert told(decide(snapshot, "web-1")) == expected


def test_what_is_missing_is_told_with_its_service() -> None:
    decision = decide(led(released(), NEW), "web-1").decisions[uid("web-1")]
    assert isinstance(decision, Wait)
    assert decision.why == "service shop/leader would be left without a ready endpoint"


def test_two_pods_do_not_leave_a_service_at_once() -> None:
    snapshot = led(released(), a_pod("web-2", released=True, labels=LEADS), NEW, a_pod("web-8"))
    outcome = decide(snapshot, "web-1", "web-2")
    assert sorted(told(outcome, name) for name in ("web-1", "web-2")) == ["Withdraw", "wait for replacement"]


@pytest.mark.parametrize("ready", [True, False])
def test_the_last_pod_leaves_where_that_is_answered_for(ready: bool) -> None:
    pod = released(ready=ready)
    snapshot = led(pod, NEW, endpoints=places_of(pod))
    assert told(decide(snapshot, "web-1", allow=frozenset({DOWNTIME}))) == "Withdraw"


def test_nothing_is_owed_to_the_service_of_a_workload_that_was_scaled_to_nothing() -> None:
    snapshot = led(released(), workloads={uid("web"): a_deployment(replicas=0)})
    assert told(decide(snapshot, "web-1")) == "Withdraw"


def blocked(snapshot: Snapshot, *names: str, **flags: Any) -> list[str]:
    return [found.why for found in blockers(an_intent(snapshot, *names, **flags), snapshot)]


NOWHERE = (
    "service shop/leader would lead nowhere: it selects pod web-1 by role=leader, which new pods of deployment "
    "shop/web do not have; label one that stays so first, or answer for it with --allow downtime"
)
BY_HAND = a_pod(labels=LEADS)

PLANS = [
    pytest.param(led(BY_HAND), ["web-1"], {}, [NOWHERE], id="of a label that its replacement lacks"),
    pytest.param(led(BY_HAND, OTHER), ["web-1"], {}, [], id="not where another pod stays in it"),
    pytest.param(led(BY_HAND, OTHER), ["web-1", "web-2"], {}, [NOWHERE], id="where that one goes, too"),
    pytest.param(led(BY_HAND), ["web-2"], {}, [], id="not where it stays itself"),
    pytest.param(led(BY_HAND), ["web-1"], {"allow": frozenset({DOWNTIME})}, [], id="not where that is answered for"),
    pytest.param(led(BY_HAND), ["web-1"], {"max_surge": 0}, [NOWHERE], id="whoever goes first"),
    pytest.param(led(a_pod()), ["web-1"], {}, [], id="not where its replacement is in all its Services"),
    pytest.param(
        led(BY_HAND, replica_sets={uid("web-5d4f8c7b9"): a_replica_set(template_labels=LEADS)}),
        ["web-1"],
        {},
        [],
        id="not where the template has the label",
    ),
    pytest.param(
        led(BY_HAND, replica_sets={uid("web-5d4f8c7b9"): a_replica_set()}),
        ["web-1"],
        {},
        [],
        id="not where the template is not known: what comes of it is looked at",
    ),
    pytest.param(led(a_pod(labels=LEADS, ready=False)), ["web-1"], {}, [], id="not of a pod that is not ready"),
    pytest.param(led(released()), ["web-1"], {}, [], id="not of a pod that is under way already"),
    pytest.param(
        led(BY_HAND, a_pod("web-2", labels=LEADS, terminating=True)),
        ["web-1"],
        {},
        [NOWHERE],
        id="where the other pod is on its way out",
    ),
    pytest.param(
        led(BY_HAND, a_pod("web-2", labels=LEADS, phase="Failed")),
        ["web-1"],
        {},
        [NOWHERE],
        id="where the other pod is at its end",
    ),
]


@pytest.mark.parametrize(("snapshot", "names", "flags", "expected"), PLANS)
def test_is_refused_to_leave_a_service_empty_because(
    snapshot: Snapshot, names: list[str], flags: dict[str, Any], expected: list[str]
) -> None:
    assert blocked(snapshot, *names, **flags) == expected


def test_a_service_of_one_pod_by_its_name_is_empty_while_that_is_replaced() -> None:
    its = a_deployment("db", kind="StatefulSet", governing_service="db", replicas=2, template_labels={"app": "db"})
    owner = replace(reference_to(its), is_controller=True)
    pods = [a_pod(name, labels={"app": "db", POD_NAME: name}, controller=owner) for name in ("db-0", "db-1")]
    by_name = a_service("db-0", selector={POD_NAME: "db-0"})
    snapshot = a_cluster(*pods, services=(a_service("db"), by_name), workloads={its.uid: its}, bindings=())
    planned = tuple(
        Planned(uid=p.uid, namespace="shop", name=p.name, node="", workload=reference_to(its)) for p in pods
    )
    [found] = blockers(Intent(pods=planned, settings=Settings()), snapshot)
    alone = "service shop/db-0 leads to pod db-0 alone, and would lead nowhere while it is replaced"
    assert found.why == f"{alone}: answer for it with --allow downtime"


def test_a_service_that_no_label_separates_is_empty_while_its_only_pod_is_replaced() -> None:
    """Its one pod has to leave first, and enough others of its workload say nothing of that."""
    pinned = a_service("pinned", selector={**LABELS, "slot": "1"})
    pod = a_pod(labels={**LABELS, "slot": "1"})
    known = {uid("web-5d4f8c7b9"): a_replica_set(template_labels={**LABELS, "slot": "1"})}
    snapshot = a_cluster(pod, services=(WEB, pinned), replica_sets=known, bindings=())
    assert HASH in pinned.selector
    assert [why.partition(":")[0] for why in blocked(snapshot, "web-1")] == [
        "service shop/pinned leads to pod web-1 alone, and would lead nowhere while it is replaced"
    ]
