"""Services whose slices call every pod ready (`publishNotReadyAddresses`): its own word counts, and its absence."""

from dataclasses import replace

import pytest

from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    NOT_REGISTERED,
    a_cluster,
    a_pod,
    a_service,
    ago,
    an_endpoint,
    decide,
    health,
    told,
)

GONE = health("unused", NOT_REGISTERED)


def publishing(*changed: Pod, listed: bool = True, target: str = "") -> Snapshot:
    """Return a cluster whose Service calls each pod ready that it lists; `target` is the first pod's state."""
    snapshot = a_cluster(
        *changed,
        services=(a_service(publishes_unready=True),),
        target_health={"web-1": health(target) if target else GONE},
    )
    pods = [pod for pod in snapshot.pods.values() if listed or pod.name != "web-1"]
    return replace(snapshot, endpoints=tuple(an_endpoint(pod) for pod in pods))


def test_a_pod_that_is_only_called_ready_counts_for_no_floor() -> None:
    released = a_pod("web-1", released=True)
    others = [a_pod(f"web-{n}") for n in range(2, 7)]
    healthy = publishing(released, *others, a_pod("web-7"), target="healthy")
    assert told(decide(healthy, "web-1")) == "Withdraw"
    unready = publishing(released, *others, a_pod("web-7", ready=False, since=ago(5)), target="healthy")
    assert told(decide(unready, "web-1")) == "wait for replacement"


@pytest.mark.parametrize("ready", [True, False])
@pytest.mark.parametrize(
    ("listed", "target", "expected"),
    [
        pytest.param(True, "", "wait for endpoints", id="it is listed"),
        pytest.param(False, "", "Evict", id="it is listed no more, and deregistered"),
        pytest.param(False, "healthy", "wait for targets", id="its target is kept"),
    ],
)
def test_a_withdrawn_pod_goes_once_it_is_absent(ready: bool, listed: bool, target: str, expected: str) -> None:
    pod = a_pod("web-1", withdrawn=True, ready=ready)
    assert told(decide(publishing(pod, listed=listed, target=target), "web-1")) == expected
