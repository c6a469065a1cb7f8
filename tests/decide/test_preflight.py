"""What is refused before the first write."""

from typing import Any

import pytest

from kubectl_safe.decide.preflight import blockers
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import LABELS, a_binding, a_cluster, a_deployment, a_service, an_intent, uid


def of(services: tuple[Any, ...] = (a_service(),), **changes: Any) -> Snapshot:
    return a_cluster(services=services, deployments={uid("web"): a_deployment(**changes)})


EVERY_LABEL = (a_service(selector=LABELS),)

ROWS = [
    pytest.param(of(), {}, "", id="a Deployment with surge is no downtime"),
    pytest.param(of(replicas=1), {}, "", id="nor is one replica with surge"),
    pytest.param(of(max_surge=0), {}, "", id="nor is withdraw-first where others serve"),
    pytest.param(of(replicas=0, max_surge=0), {}, "", id="nor is one that is scaled to nothing"),
    pytest.param(of(replicas=1, max_surge=0), {}, "give it --max-surge 1", id="one replica without surge"),
    pytest.param(of(replicas=1, max_surge=0), {"max_surge": 1}, "", id="which --max-surge remedies"),
    pytest.param(of(max_surge=0), {"max_unavailable": "100%"}, "give it --max-surge 1", id="all at once without surge"),
    pytest.param(
        of(max_surge=0),
        {"max_unavailable": 0},
        "give it --max-surge 1 or --max-unavailable 1",
        id="none beyond and none missing: none could ever go",
    ),
    pytest.param(of(replicas=1, strategy="Recreate"), {"max_surge": 1}, "scale it up first", id="Recreate alone"),
    pytest.param(of(replicas=3, strategy="Recreate"), {}, "", id="Recreate with several goes one by one"),
    pytest.param(
        of(EVERY_LABEL, replicas=1),
        {},
        "its Services use every label that its ReplicaSet selects by; scale it up first",
        id="one replica that no label separates from its Services",
    ),
    pytest.param(of(EVERY_LABEL), {}, "", id="several that no label separates go one by one"),
]


@pytest.mark.parametrize(("snapshot", "flags", "remedy"), ROWS)
def test_downtime_is_blocked_with_a_remedy(snapshot: Snapshot, flags: dict[str, Any], remedy: str) -> None:
    found = blockers(an_intent(snapshot, **flags), snapshot)
    assert [b.reason for b in found] == (["downtime"] if remedy else [])
    assert all(b.why.endswith(remedy) for b in found)


@pytest.mark.parametrize(
    ("binding", "words"),
    [
        pytest.param(a_binding(target_type="instance"), "registers nodes", id="instance targets"),
        pytest.param(a_binding(group=""), "names no targetGroupARN", id="a binding without an ARN"),
    ],
)
def test_a_load_balancer_that_can_not_be_asked_is_blocked_once(binding: Any, words: str) -> None:
    snapshot = a_cluster(bindings=(binding,))
    (found,) = blockers(an_intent(snapshot), snapshot)
    assert found.reason == "unseen-load-balancer"
    assert words in found.why
