"""What is written is told with the object that it is about, and each answer by its own word."""

from typing import Any

import pytest

from kubectl_safe.decide import actions
from kubectl_safe.decide.decision import For, Step
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.model.marks import Operation
from kubectl_safe.model.workload import Node
from tests.support.builders import HASH, a_binding, a_budget, a_deployment, a_pod, a_replica_set

POD: dict[str, Any] = {"pod": a_pod()}
OWNED = POD | {"owner": reference_to(a_deployment())}
NOTED = OWNED | {"targets": (), "in_service": 6}
NODE: dict[str, Any] = {"node": Node(name="node-1", resource_version="1")}
SET: dict[str, Any] = {"bearer": a_replica_set()}
RECORD = SET | {"operation": Operation(id="a", started="", options="", pods=frozenset())}

ROWS: list[tuple[actions.Action, str]] = [
    (actions.Release(drop=HASH, **NOTED), "pod/shop/web-1"),
    (actions.Undo(**OWNED), "pod/shop/web-1"),
    (actions.Withdraw(drop=frozenset({"app"}), **NOTED), "pod/shop/web-1"),
    (actions.AskEviction(**POD), "pod/shop/web-1"),
    (actions.Evict(pins_resource_version=True, **POD), "pod/shop/web-1"),
    (actions.Touch(budget=a_budget(), **POD), "pod/shop/web-1"),
    (actions.RemoveTouch(**POD), "pod/shop/web-1"),
    (actions.Nudge(binding=a_binding()), "targetgroupbinding/shop/web"),
    (actions.RemoveNudge(binding=a_binding()), "targetgroupbinding/shop/web"),
    (actions.Cordon(**NODE), "node/node-1"),
    (actions.Uncordon(**NODE), "node/node-1"),
    (actions.ExcludeNode(**NODE), "node/node-1"),
    (actions.IncludeNode(**NODE), "node/node-1"),
    (actions.Record(**RECORD), "replicaset/shop/web-5d4f8c7b9"),
    (actions.RemoveRecord(**SET), "replicaset/shop/web-5d4f8c7b9"),
]


@pytest.mark.parametrize(("action", "subject"), ROWS, ids=lambda it: it if isinstance(it, str) else type(it).__name__)
def test_an_action_is_told_with_its_object(action: actions.Action, subject: str) -> None:
    assert actions.subject_of(action) == subject


def test_steps_and_waits_are_told_by_words_that_scripts_rely_on() -> None:
    assert {step.value for step in Step} == {"queued", "released", "withdrawn", "terminating", "gone"}
    assert {on.value for on in For} == {
        *("cache", "lease", "node", "surge", "stray", "release", "replacement", "room", "undo", "draining slot"),
        *("budget", "endpoints", "settle", "targets", "termination"),
    }
