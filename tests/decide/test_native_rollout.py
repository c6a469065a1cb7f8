"""A controller's own account of its rollout is told word for word as `kubectl rollout status` tells it."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.native_rollout import Complete, Failed, Progressing, native_rollout
from kubectl_safe.model.workload import Workload
from tests.support.builders import a_deployment


def a_workload(kind: str, **changes: Any) -> Workload:
    """Return a workload of three pods that is done with its rollout."""
    return replace(a_deployment(replicas=3, kind=kind), current_replicas=3, **changes)


def in_words(workload: Workload, revision: int = 0) -> str:
    """Return what kubectl prints, with what becomes of it: `done`, `goes on` or `error`."""
    match native_rollout(workload, revision=revision):
        case Complete(line=line):
            return f"done: {line}"
        case Progressing(line=line):
            return f"goes on: {line}"
        case Failed(why=why):
            return f"error: {why}"


ROWS = [
    ("Deployment", {}, 'done: deployment "web" successfully rolled out'),
    ("Deployment", {"generation": 2}, "goes on: Waiting for deployment spec update to be observed..."),
    (
        "Deployment",
        {"updated_replicas": 1},
        'goes on: Waiting for deployment "web" rollout to finish: 1 out of 3 new replicas have been updated...',
    ),
    (
        "Deployment",
        {"status_replicas": 5},
        'goes on: Waiting for deployment "web" rollout to finish: 2 old replicas are pending termination...',
    ),
    (
        "Deployment",
        {"available_replicas": 2},
        'goes on: Waiting for deployment "web" rollout to finish: 2 of 3 updated replicas are available...',
    ),
    (
        "Deployment",
        {"progress": "ProgressDeadlineExceeded", "updated_replicas": 1},
        'error: deployment "web" exceeded its progress deadline',
    ),
    (
        "Deployment",
        {"progress": "ProgressDeadlineExceeded", "generation": 2},
        "goes on: Waiting for deployment spec update to be observed...",
    ),
    ("DaemonSet", {}, 'done: daemon set "web" successfully rolled out'),
    ("DaemonSet", {"generation": 2}, "goes on: Waiting for daemon set spec update to be observed..."),
    (
        "DaemonSet",
        {"updated_replicas": 1},
        'goes on: Waiting for daemon set "web" rollout to finish: 1 out of 3 new pods have been updated...',
    ),
    (
        "DaemonSet",
        {"available_replicas": 2},
        'goes on: Waiting for daemon set "web" rollout to finish: 2 of 3 updated pods are available...',
    ),
    ("DaemonSet", {"strategy": "OnDelete"}, "error: rollout status is only available for RollingUpdate strategy type"),
    (
        "StatefulSet",
        {"strategy": "OnDelete"},
        "error: rollout status is only available for RollingUpdate strategy type",
    ),
    ("StatefulSet", {"generation": 2}, "goes on: Waiting for statefulset spec update to be observed..."),
    (
        "StatefulSet",
        {"generation": 0, "observed_generation": 0},
        "goes on: Waiting for statefulset spec update to be observed...",
    ),
    ("StatefulSet", {"ready_replicas": 1}, "goes on: Waiting for 2 pods to be ready..."),
    (
        "StatefulSet",
        {"is_partitioned": True, "updated_replicas": 1, "partition": 1},
        "goes on: Waiting for partitioned roll out to finish: 1 out of 2 new pods have been updated...",
    ),
    (
        "StatefulSet",
        {"is_partitioned": True, "updated_replicas": 2, "partition": 1},
        "done: partitioned roll out complete: 2 new pods have been updated...",
    ),
    (
        "StatefulSet",
        {"current_revision": "web-1", "update_revision": "web-2", "updated_replicas": 1},
        "goes on: waiting for statefulset rolling update to complete 1 pods at revision web-2...",
    ),
    (
        "StatefulSet",
        {"current_revision": "web-2", "update_revision": "web-2"},
        "done: statefulset rolling update complete 3 pods at revision web-2...",
    ),
]


@pytest.mark.parametrize(("kind", "changes", "told"), ROWS, ids=[f"{kind} {told}" for kind, _, told in ROWS])
def test_tells_it_as_kubectl_does(kind: str, changes: dict[str, Any], told: str) -> None:
    assert in_words(a_workload(kind, **changes)) == told


@pytest.mark.parametrize(
    ("annotations", "told"),
    [
        ({"deployment.kubernetes.io/revision": "4"}, "done: "),
        (
            {"deployment.kubernetes.io/revision": "5"},
            "error: desired revision (4) is different from the running revision (5)",
        ),
        ({}, "error: desired revision (4) is different from the running revision (0)"),
    ],
)
def test_waits_for_a_revision_for_as_long_as_that_is_the_newest(annotations: dict[str, str], told: str) -> None:
    assert in_words(a_workload("Deployment", annotations=annotations), revision=4).startswith(told)


def test_only_a_deployment_has_revisions_to_wait_for() -> None:
    assert in_words(a_workload("DaemonSet"), revision=4).startswith("done: ")
