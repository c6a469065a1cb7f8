"""What can't be made safe is refused by name on the embedded cluster, and nothing is written."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.drain import Options
from kubectl_safe.decide.settings import Settings
from kubectl_safe.sandbox.application import Balanced
from tests.support.virtual.stage import VirtualStage
from tests.virtual.play import play
from tests.virtual.scenario import NAMESPACE, Scenario, a_database, an_application
from tests.virtual.scenarios.owners import CLONES

Prepare = Callable[[VirtualStage], None]


def nothing(_: VirtualStage) -> None:
    """Leave it as it is."""


def another_replica_set(stage: VirtualStage) -> None:
    """Have a ReplicaSet that selects by the label of the Service alone."""
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "a", "image": "a"}]}}
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    its = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "greedy"}, "spec": spec}
    stage.loop.finish(stage.rig.api.create(f"/apis/apps/v1/namespaces/{NAMESPACE}/replicasets", its))


def another_template(stage: VirtualStage) -> None:
    """Change what the pods of the StatefulSet come back as."""
    change = {"spec": {"template": {"metadata": {"annotations": {"changed": "1"}}}}}
    stage.loop.finish(stage.rig.api.patch(f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets/db", change))
    stage.pass_time(5)


def of_the_service(**annotations: str) -> Prepare:
    """Annotate the Service."""

    def annotate(stage: VirtualStage) -> None:
        change = {"metadata": {"annotations": annotations}}
        stage.loop.finish(stage.rig.api.patch(f"/api/v1/namespaces/{NAMESPACE}/services/web", change))

    return annotate


def a_restart(**changes: Any) -> Scenario:
    """Return a restart of one application."""
    return Scenario(command="restart", rate=0.0, applications=(an_application(**changes),))


A_DRAIN = Scenario(command="drain", rate=0.0, applications=(an_application(strays={"node-a": CLONES}),))
NEG = {"cloud.google.com/neg-status": '{"network_endpoint_groups": {"80": "neg"}}'}
ROWS: Mapping[str, tuple[Scenario, Prepare, str, str]] = {
    "Recreate, one replica": (
        a_restart(replicas=1, strategy={"type": "Recreate"}),
        nothing,
        "downtime",
        "its strategy is Recreate",
    ),
    "ReadWriteOncePod, one replica": (
        a_restart(replicas=1, access_mode="ReadWriteOncePod"),
        nothing,
        "downtime",
        "only one pod at a time can use its volume web",
    ),
    "ReadWriteOnce, one replica": (
        a_restart(replicas=1, access_mode="ReadWriteOnce"),
        nothing,
        "downtime",
        "two nodes can't use its volume web",
    ),
    "a DaemonSet that shares its labels with its Service": (
        a_restart(kind="DaemonSet", strategy=None),
        nothing,
        "downtime",
        "can't leave service web without leaving daemonset shop/web",
    ),
    "a StatefulSet of one": (
        Scenario(command="restart", rate=0.0, applications=(a_database(replicas=1),)),
        nothing,
        "downtime",
        "the name of its pod has to be free first",
    ),
    "a StatefulSet with a template that waits": (
        Scenario(command="restart", rate=0.0, applications=(a_database(replicas=3, strategy={"type": "OnDelete"}),)),
        another_template,
        "pending-revision",
        "would come back with another template",
    ),
    "a pod that another ReplicaSet would adopt": (
        a_restart(),
        another_replica_set,
        "adoption",
        "replicaset greedy would adopt pod shop/web-",
    ),
    "a controller that is not known": (
        replace(A_DRAIN, options=Options(force=True)),
        nothing,
        "unknown-owner",
        "is owned by CloneSet api",
    ),
    "a mesh": (
        a_restart(annotations={"sidecar.istio.io/status": "{}"}),
        nothing,
        "mesh",
        "Istio",
    ),
    "UDP": (
        a_restart(services={"game": {"ports": [{"name": "game", "port": 7000, "protocol": "UDP"}]}}),
        nothing,
        "data-plane",
        "UDP",
    ),
    "a network endpoint group": (
        a_restart(),
        of_the_service(**NEG),
        "unseen-load-balancer",
        "a Google Cloud network endpoint group sends requests to",
    ),
    "one pod in its zone, withdrawn first": (
        replace(
            a_restart(is_load_balanced=True, balanced=(Balanced(protocol="TCP", crosses_zones=False),)),
            settings=Settings(max_surge=0),
        ),
        nothing,
        "zone-empty",
        "is the only target of group",
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_is_refused_and_nothing_is_written(name: str) -> None:
    scenario, prepare, reason, why = ROWS[name]
    seen = list[VirtualStage]()

    def prepared(stage: VirtualStage) -> None:
        seen.append(stage)
        prepare(stage)

    with pytest.raises(AssertionError) as ended:
        play(scenario, prepare=prepared, again=0)
    told = str(ended.value)
    assert told.startswith("I8: it does not complete: ")
    assert f"Blocked({reason}): " in told
    assert why in told
    assert f"--allow {reason}" in told
    [stage] = seen
    assert stage.door.writes() == []
