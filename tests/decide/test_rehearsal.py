"""Each kind of write is tried once for each workload, on a pod whose handoff has not begun."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.actions import Release, Withdraw, subject_of
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.decide.rehearsal import rehearsals
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import HASH, LABELS, a_cluster, a_deployment, a_pod, a_service, a_target, an_intent, uid

ALL = ["Release web-1", "Withdraw web-1", "AskEviction web-1", "Nudge web"]
BEGUN = a_pod(released=True)


@pytest.mark.parametrize(
    ("snapshot", "flags", "tried"),
    [
        pytest.param(a_cluster(), {}, ALL, id="every kind, on the first pod"),
        pytest.param(a_cluster(), {"nudge": False}, ALL[:3], id="no nudge where none is wanted"),
        pytest.param(
            a_cluster(BEGUN), {}, [it.replace("web-1", "web-2") for it in ALL], id="not on a pod that was released"
        ),
        pytest.param(
            a_cluster(BEGUN, without=[f"web-{n}" for n in range(2, 7)]), {}, [], id="nothing where all have begun"
        ),
        pytest.param(
            a_cluster(services=(a_service(selector=LABELS),)), {}, ALL[1:], id="no release where no label separates"
        ),
        pytest.param(
            a_cluster(services=(), bindings=()),
            {},
            ["Release web-1", "AskEviction web-1"],
            id="no withdrawal from nothing",
        ),
    ],
)
def test_what_is_tried_before_the_first_write(snapshot: Snapshot, flags: dict[str, Any], tried: list[str]) -> None:
    found = rehearsals(an_intent(snapshot, **flags), snapshot)
    assert [f"{type(it).__name__} {subject_of(it).rpartition('/')[2]}" for it in found] == tried


def test_each_workload_is_tried_on_a_pod_of_its_own() -> None:
    green = a_deployment("green")
    both = {d.uid: d for d in (a_deployment(), green)}
    snapshot = a_cluster(a_pod(released=True), workloads=both, services=(), bindings=())
    begun, bare, other, gone, mine = an_intent(a_cluster(), "web-1", "web-2", "web-3", "web-4", "web-5").pods
    snapshot = replace(snapshot, pods={key: pod for key, pod in snapshot.pods.items() if key != gone.uid})
    plan = (begun, replace(bare, workload=None), replace(other, workload=reference_to(green)), gone, mine)
    found = [it for it in rehearsals(Intent(pods=plan), snapshot) if isinstance(it, Release)]
    assert [(it.pod.name, it.owner.name) for it in found] == [("web-5", "web"), ("web-3", "green")]
    alone = (begun, replace(other, workload=reference_to(green)))
    assert [it.pod.name for it in rehearsals(Intent(pods=alone), snapshot) if isinstance(it, Release)] == ["web-3"]


def test_what_is_tried_is_what_would_be_written_and_owes_nothing() -> None:
    snapshot, owner, targets = a_cluster(), reference_to(a_deployment()), (a_target(),)
    release, withdraw, *_ = rehearsals(an_intent(snapshot), snapshot)
    pod = snapshot.pods[uid("web-1")]
    assert release == Release(pod=pod, drop=HASH, owner=owner, targets=targets, in_service=0)
    assert withdraw == Withdraw(pod=pod, drop=frozenset({"app"}), owner=owner, targets=targets, in_service=0)
