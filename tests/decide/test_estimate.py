"""How long it will take is the sum that it says."""

from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.decide.estimate import estimate
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import a_cluster, a_deployment, a_group, a_pod, a_service, ago, an_intent, arn, uid

SLOW = tuple(a_pod(f"web-{n}", created=ago(3620), since=ago(3600)) for n in range(1, 7))
"""Six pods that each took 20 s to become Ready."""

ROWS = [
    pytest.param(
        a_cluster(*SLOW),
        {},
        6 * 20 + 300,
        "6 batches x 20s until the replacements are in service + 300s deregistration delay of web",
        id="the deregistration delay is paid once",
    ),
    pytest.param(
        a_cluster(*(a_pod(f"web-{n}", withdrawn=True) for n in range(1, 7))),
        {},
        300,
        "300s deregistration delay of web",
        id="no replacement is waited for where all are withdrawn",
    ),
    pytest.param(
        a_cluster(*SLOW), {"max_surge": 4}, 2 * 20 + 300, "2 batches x 20s", id="surge makes the batches larger"
    ),
    pytest.param(
        a_cluster(*SLOW),
        {"max_draining": 2, "max_surge": 6},
        3 * 300 + 20,
        "3 batches x 300s deregistration delay of web",
        id="with --max-draining it is paid for each batch",
    ),
    pytest.param(
        a_cluster(*SLOW, groups={arn(): a_group(delay=5)}),
        {},
        6 * 20 + 15,
        "15s settle",
        id="settle where it is longer",
    ),
    pytest.param(
        a_cluster(*SLOW, bindings=(), services=(a_service(is_headless=True),)),
        {},
        6 * 20 + 30,
        "30s settle",
        id="headless Services settle for longer",
    ),
    pytest.param(
        a_cluster(*SLOW, bindings=(), services=()),
        {},
        6 * 20,
        "no Service to leave",
        id="a pod in no Service leaves none",
    ),
    pytest.param(
        a_cluster(*SLOW, workloads={uid("web"): a_deployment(max_surge=0)}),
        {"max_unavailable": 2},
        3 * (300 + 20),
        "3 batches x (300s deregistration delay of web + 20s until a replacement is in service)",
        id="withdraw-first pays everything for each batch",
    ),
    pytest.param(
        a_cluster(*(a_pod(f"web-{n}", withdrawn=True) for n in range(1, 7))),
        {"max_surge": 0},
        300,
        "300s deregistration delay of web",
        id="pods that another run withdrew only have to leave",
    ),
    pytest.param(
        a_cluster(*(a_pod(f"web-{n}", ready=False) for n in range(1, 7))),
        {},
        6 * 30 + 300,
        "6 batches x 30s",
        id="half a minute where no pod tells what a start takes",
    ),
]


@pytest.mark.parametrize(("snapshot", "flags", "seconds", "why"), ROWS)
def test_the_estimate_is_the_sum_that_it_names(
    snapshot: Snapshot, flags: dict[str, Any], seconds: int, why: str
) -> None:
    found = estimate(an_intent(snapshot, **flags), snapshot)
    assert why in found.why
    assert "0 batches" not in found.why
    # From a pod's change to its target's, there is a moment.
    assert timedelta(0) <= found.total - timedelta(seconds=seconds) < timedelta(seconds=2)


def test_nothing_to_move_takes_no_time() -> None:
    snapshot = a_cluster(without=[f"web-{n}" for n in range(1, 7)])
    assert estimate(an_intent(snapshot), snapshot).total == timedelta(0)
