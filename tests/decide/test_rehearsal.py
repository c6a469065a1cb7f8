"""Each kind of write is tried once for each workload, on a pod whose handoff has not begun."""

from typing import Any

import pytest

from kubectl_safe.decide.actions import subject_of
from kubectl_safe.decide.rehearsal import rehearsals
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import LABELS, a_cluster, a_pod, a_service, an_intent

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
