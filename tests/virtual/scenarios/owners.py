"""What keeps the pods: a DaemonSet with and without a surge of its own, a ReplicaSet, none that is known."""

from collections.abc import Mapping, Sequence
from typing import Any

from kubectl_safe.decide.allow import DOWNTIME, UNKNOWN_OWNER
from kubectl_safe.decide.drain import Options
from kubectl_safe.decide.settings import Settings
from kubectl_safe.sandbox.application import POD_PORT, Application
from kubectl_safe.sandbox.pod import HEALTH_PATH
from kubectl_safe.sandbox.pod_spec import START_DELAY
from tests.virtual.acts import Act, Expected, Scene
from tests.virtual.scenario import NAMESPACE, NODE, Scenario, a_database, an_application


def an_edge(**changes: object) -> Application:
    """Return a DaemonSet with a pod on each of three nodes, which it knows by a label of its own."""
    its: dict[str, object] = {"kind": "DaemonSet", "replicas": 3, "controller_labels": {"set": "edge"}}
    return an_application("edge", is_load_balanced=True, **(its | changes))


CLONES = {"apiVersion": "apps.kruise.io/v1alpha1", "kind": "CloneSet", "name": "api", "uid": "c1"}
"""A controller that is not known."""
NODES = ("node-a", "node-b", "node-c")

PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
ODD = {"app": "odd"}
PROBE = {"httpGet": {"path": HEALTH_PATH, "port": POD_PORT}, "periodSeconds": 1}
CONTAINERS = [{"name": "app", "image": "sandbox.invalid/app:1", "readinessProbe": PROBE}]


ODD_PODS: Mapping[str, Mapping[str, Any]] = {
    "static": {"annotations": {"kubernetes.io/config.mirror": "1"}},
    "finished": {},
    "unready": {"annotations": {START_DELAY: "1000000s"}},
    "stopping": {"finalizers": ["example.com/stays"]},
}
JOB = {
    "metadata": {"name": "job"},
    "spec": {
        "template": {
            "metadata": {"labels": ODD},
            "spec": {
                "nodeSelector": {"kubernetes.io/hostname": NODE},
                "restartPolicy": "Never",
                "containers": CONTAINERS,
            },
        }
    },
}


def _put_odd_pods(scene: Scene) -> None:
    for name, metadata in ODD_PODS.items():
        spec = {"nodeName": NODE, "containers": CONTAINERS}
        scene.ask("POST", PODS, {"metadata": {"name": name, "labels": ODD, **metadata}, "spec": spec})
    scene.ask("PATCH", f"{PODS}/finished/status", {"status": {"phase": "Succeeded"}})
    scene.ask("DELETE", f"{PODS}/stopping", {"gracePeriodSeconds": 5})
    scene.ask("POST", f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs", JOB)


def _let_go(scene: Scene) -> None:
    scene.ask("PATCH", f"{PODS}/stopping", {"metadata": {"finalizers": None}})


def _see_who_stays(scene: Scene, runs: Sequence[str]) -> None:
    """Hold that of the odd pods on the node nothing but the static one is left."""
    left = [its for its in scene.read(PODS)["items"] if its["metadata"]["labels"].get("app") == "odd"]
    here = [its["metadata"]["name"] for its in left if its["spec"].get("nodeName") == NODE]
    assert here == ["static"], f"{here} are left, after {runs}"


OWNERS: Mapping[str, Scenario] = {
    "restart-daemonset": Scenario(
        command="restart", nodes=NODES, applications=(an_edge(strategy={"rollingUpdate": {"maxUnavailable": 1}}),)
    ),
    "restart-daemonset-surge": Scenario(
        command="restart",
        nodes=NODES,
        applications=(an_edge(strategy={"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}),),
    ),
    "drain-replicasets": Scenario(
        command="drain",
        applications=(
            an_application(
                kind="ReplicaSet", strategy=None, is_load_balanced=True, controller_labels={"app": "web", "set": "web"}
            ),
            an_application("api", kind="ReplicationController", strategy=None, replicas=3),
        ),
        budgets={"web": {"minAvailable": 2}},
    ),
    "restart-stateful-ordered": Scenario(
        command="restart",
        applications=(
            a_database(replicas=3, pod_management="OrderedReady", strategy={"rollingUpdate": {"partition": 2}}),
        ),
    ),
    "restart-volumes": Scenario(
        command="restart",
        nodes=NODES,
        applications=(
            an_application(replicas=1, access_mode="ReadWriteOncePod"),
            an_application("api", access_mode="ReadWriteOnce", strategy={"type": "Recreate"}),
        ),
        settings=Settings(allow=frozenset({DOWNTIME})),
        rate=0.0,
    ),
    "drain-strays": Scenario(
        command="drain",
        applications=(
            an_application(is_load_balanced=True, controller_labels={"set": "web"}, strays={"node-a": {}}),
            an_application("api", controller_labels={"set": "api"}, strays={"node-a": CLONES}),
        ),
        settings=Settings(allow=frozenset({UNKNOWN_OWNER})),
        options=Options(force=True),
    ),
    "drain-odd-pods": Scenario(
        command="drain",
        applications=(
            an_application(is_load_balanced=True),
            # Nothing is served by them, and none of them is its own.
            an_application("odd", is_served=False, controller_labels={"set": "odd"}),
        ),
        options=Options(force=True),
        meanwhile=((0.0, Act(do=_put_odd_pods)), (20.0, Act(do=_let_go))),
        expected=Expected(remedy=_see_who_stays),
    ),
}
