"""Capacity, and what else is in the way of a replacement: scaling, quotas, places that are taken, nodes that die."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from kubectl_safe.decide.settings import Settings
from kubectl_safe.sandbox.cluster.objects import stamp
from tests.virtual.acts import Act, Expected, Scene
from tests.virtual.scenario import NAMESPACE, NODE, Scenario, an_application

NODES = ("node-a", "node-b", "node-c")
HOST = "kubernetes.io/hostname"
SILENT_SECONDS = 40.0
"""After which the node lifecycle controller finds out that a node does not renew its Lease any more."""


def apart(name: str) -> dict[str, Any]:
    """Return what keeps the pods of an application on nodes of their own."""
    term = {"labelSelector": {"matchLabels": {"app": name}}, "topologyKey": HOST}
    return {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


def spread(name: str) -> dict[str, Any]:
    """Return what spreads the pods of an application over all nodes; with less skew the last has no node to go to."""
    constraint = {
        "maxSkew": 2,
        "topologyKey": HOST,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": name}},
    }
    return {"topologySpreadConstraints": [constraint]}


def _scale_to(replicas: int) -> Act:
    """Have an autoscaler change the first application's scale."""

    def scale(scene: Scene) -> None:
        app = scene.scenario.applications[0]
        path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{app.name}/scale"
        scene.ask("PATCH", path, {"spec": {"replicas": replicas}})

    return Act(do=scale)


def _uncordon(name: str) -> Act:
    body = {"spec": {"unschedulable": None}}
    return Act(do=lambda scene: scene.ask("PATCH", f"/api/v1/nodes/{name}", body))


def _limit_pods(count: int | None) -> Act:
    path = f"/api/v1/namespaces/{NAMESPACE}/resourcequotas"

    def limit(scene: Scene) -> None:
        if count is None:
            scene.ask("DELETE", f"{path}/few")
        else:
            scene.ask("POST", path, {"metadata": {"name": "few"}, "spec": {"hard": {"pods": str(count)}}})

    return Act(do=limit)


def _die(name: str) -> Act:
    """Have a node do nothing any more, of which the control plane learns after a while."""

    def die(scene: Scene) -> None:
        scene.stage.rig.nodes.die(name)
        scene.later(SILENT_SECONDS, _call_silent(scene, name))

    return Act(do=die)


def _call_silent(scene: Scene, name: str) -> Callable[[], None]:
    def write() -> None:
        node = scene.read(f"/api/v1/nodes/{name}")
        changed = {
            "status": "Unknown",
            "reason": "NodeStatusUnknown",
            "message": "Kubelet stopped posting node status.",
            "lastTransitionTime": stamp(scene.stage.loop.now()),
        }
        conditions = [{**its, **changed} for its in node["status"]["conditions"]]
        scene.ask("PATCH", f"/api/v1/nodes/{name}/status", {"status": {"conditions": conditions}})

    return write


def _delete_by_force(name: str) -> Act:
    """Have somebody do what is told of pods that their node does not end."""

    def delete(scene: Scene) -> None:
        path = f"/api/v1/namespaces/{NAMESPACE}/pods"
        for pod in scene.read(path)["items"]:
            if pod["spec"].get("nodeName") == name:
                scene.ask("DELETE", f"{path}/{pod['metadata']['name']}", {"gracePeriodSeconds": 0})

    return Act(do=delete)


def _see_who_went(scene: Scene, runs: Sequence[str]) -> None:
    """Hold that a pod of the other application went for a replacement."""
    events = scene.read(f"/api/v1/namespaces/{NAMESPACE}/events")["items"]
    went = [its["involvedObject"]["name"] for its in events if its["reason"] == "Preempted"]
    assert [name for name in went if name.startswith("low-")], f"nothing went, after {runs}"


_RESCALED = Expected(takes=None, least=2, evicts=None)

CAPACITY: Mapping[str, Scenario] = {
    "restart-scaled": Scenario(
        command="restart",
        applications=(an_application(replicas=3, is_load_balanced=True),),
        meanwhile=((4.0, _scale_to(5)), (13.0, _scale_to(2)), (24.0, _scale_to(3))),
        expected=_RESCALED,
    ),
    "drain-scaled": Scenario(
        command="drain",
        nodes=NODES,
        applications=(an_application(replicas=6),),
        meanwhile=((3.0, _scale_to(2)), (17.0, _scale_to(7)), (40.0, _scale_to(6))),
        expected=_RESCALED,
    ),
    "restart-apart": Scenario(
        command="restart",
        applications=(
            an_application(is_load_balanced=True, placement=apart("web")),
            an_application("api", host_port=9000),
        ),
        settings=Settings(max_surge=0, max_unavailable=1),
    ),
    "drain-spread": Scenario(
        command="drain",
        nodes=NODES,
        applications=(
            an_application(
                replicas=6,
                placement=spread("web"),
                strategy={"rollingUpdate": {"maxSurge": 2}},
                pace={"minReadySeconds": 5},
            ),
            an_application("api", replicas=1, pace={"minReadySeconds": 10}),
        ),
    ),
    "drain-without-room": Scenario(
        command="drain",
        nodes=NODES,
        cordoned=("node-c",),
        applications=(an_application(placement=apart("web"), pace={"progressDeadlineSeconds": 60}),),
        meanwhile=((100.0, _uncordon("node-c")),),
    ),
    "drain-preempting": Scenario(
        command="drain",
        nodes=(*NODES, "node-d"),
        cordoned=("node-d",),
        # Beside a pod of the one a node has room for one of the other, and for no third.
        applications=(
            an_application("low", replicas=3, cpu="7", pace={"progressDeadlineSeconds": 60}),
            an_application("high", replicas=3, cpu="7", placement={"priorityClassName": "system-cluster-critical"}),
        ),
        meanwhile=((100.0, _uncordon("node-d")),),
        expected=Expected(takes=None, least=1, evicts=None, remedy=_see_who_went),
    ),
    "restart-over-quota": Scenario(
        command="restart",
        applications=(an_application(pace={"progressDeadlineSeconds": 60}),),
        meanwhile=((0.0, _limit_pods(2)), (100.0, _limit_pods(None))),
        settings=Settings(settle=timedelta(seconds=6)),
    ),
    "drain-dying": Scenario(
        command="drain",
        nodes=NODES,
        applications=(an_application(replicas=4, is_load_balanced=True),),
        # Until somebody does, it ends by itself after two minutes, and so does the same command again.
        meanwhile=((8.0, _die(NODE)), (220.0, _delete_by_force(NODE))),
        expected=Expected(takes=None, least=2, dead=frozenset({NODE})),
    ),
}
