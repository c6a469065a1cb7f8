"""What keeps the pods: a DaemonSet with and without a surge of its own, a ReplicaSet, none that is known."""

from collections.abc import Mapping

from kubectl_safe.decide.allow import DOWNTIME, UNKNOWN_OWNER
from kubectl_safe.decide.drain import Options
from kubectl_safe.decide.settings import Settings
from kubectl_safe.sandbox.application import Application
from tests.virtual.scenario import Scenario, a_database, an_application


def an_edge(**changes: object) -> Application:
    """Return a DaemonSet with a pod on each of three nodes, which it knows by a label of its own."""
    its: dict[str, object] = {"kind": "DaemonSet", "replicas": 3, "controller_labels": {"set": "edge"}}
    return an_application("edge", is_load_balanced=True, **(its | changes))


CLONES = {"apiVersion": "apps.kruise.io/v1alpha1", "kind": "CloneSet", "name": "api", "uid": "c1"}
"""A controller that is not known."""
NODES = ("node-a", "node-b", "node-c")

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
}
