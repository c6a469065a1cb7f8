"""Who may be released and withdrawn, and what everyone else waits for."""

from datetime import timedelta

import pytest

from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    GATE,
    a_cluster,
    a_deployment,
    a_pod,
    ago,
    an_owner,
    decide,
    health,
    told,
    uid,
)

RELEASED = a_pod(released=True)
REPLACEMENT = a_pod("web-7")

ROWS = [
    pytest.param(a_cluster(), "Release", id="a pod that serves is released first"),
    pytest.param(
        a_cluster(RELEASED), "wait for replacement", id="a released pod stays until its replacement is in service"
    ),
    pytest.param(a_cluster(RELEASED, REPLACEMENT), "Withdraw", id="a replacement in service lets the pod go"),
    pytest.param(
        a_cluster(a_pod(released=True, owners=(an_owner(),)), REPLACEMENT),
        "wait for release",
        id="a pod that still has its controller is not withdrawn",
    ),
    pytest.param(
        a_cluster(RELEASED, a_pod("web-7", ready=False)),
        "wait for replacement",
        id="a replacement that is not Ready holds the withdrawal",
    ),
    pytest.param(
        a_cluster(RELEASED, a_pod("web-7", gates={GATE: False})),
        "wait for replacement",
        id="a replacement whose readiness gate is not True holds the withdrawal",
    ),
    pytest.param(
        a_cluster(RELEASED, REPLACEMENT, target_health={"web-7": health("initial")}),
        "wait for replacement",
        id="a replacement that is Ready but whose target is `initial` holds the withdrawal",
    ),
    pytest.param(
        a_cluster(RELEASED, REPLACEMENT, target_health={"web-7": None}),
        "wait for replacement",
        id="an unknown health never advances",
    ),
    pytest.param(
        a_cluster(RELEASED, REPLACEMENT, target_health={"web-7": health(asked=16)}),
        "wait for replacement",
        id="an old health never advances",
    ),
    pytest.param(
        a_cluster(RELEASED, REPLACEMENT, target_health={"web-1": None}),
        "wait for cache",
        id="a pod of which nobody knows whether it serves is not withdrawn",
    ),
    pytest.param(
        a_cluster(target_health={"web-1": None}),
        "wait for cache",
        id="a pod of which nobody knows whether it serves is not released",
    ),
    pytest.param(
        a_cluster(
            RELEASED,
            a_pod("web-7", since=ago(9)),
            deployments={uid("web"): a_deployment(min_ready=timedelta(seconds=10))},
        ),
        "wait for replacement",
        id="a replacement that is Ready for less than minReadySeconds holds the withdrawal",
    ),
]


@pytest.mark.parametrize(("snapshot", "expected"), ROWS)
def test_a_pod_goes_only_where_its_replacement_was_seen(snapshot: Snapshot, expected: str) -> None:
    assert told(decide(snapshot)) == expected
