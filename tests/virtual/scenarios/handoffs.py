"""The handoff itself: surge and withdraw-first, budgets, StatefulSets, two nodes at once."""

from collections.abc import Mapping
from datetime import timedelta

from kubectl_safe.decide.settings import Settings
from tests.virtual.scenario import Scenario, a_database, an_application

HANDOFFS: Mapping[str, Scenario] = {
    "restart-balanced": Scenario(command="restart", applications=(an_application(is_load_balanced=True),)),
    "drain-balanced": Scenario(
        command="drain",
        applications=(an_application(is_load_balanced=True), an_application("api")),
        budgets={"api": {"maxUnavailable": 1}},
    ),
    "restart-guarded": Scenario(
        command="restart",
        applications=(an_application(), an_application("api", replicas=1)),
        budgets={"web": {"minAvailable": 2}, "api": {"minAvailable": 1}},
    ),
    "restart-withdraw-first": Scenario(
        command="restart",
        applications=(an_application(is_load_balanced=True, replicas=3),),
        settings=Settings(max_surge=0, max_unavailable=1),
    ),
    "drain-deleting": Scenario(
        command="drain",
        applications=(an_application(is_load_balanced=True), an_application("api")),
        # Neither would ever let a pod go.
        budgets={"web": {"maxUnavailable": 0}, "api": {"minAvailable": "100%"}},
        settings=Settings(disable_eviction=True),
    ),
    "drain-stateful": Scenario(command="drain", applications=(a_database(replicas=4),)),
    "restart-stateful": Scenario(command="restart", applications=(a_database(replicas=3),)),
    "drain-two-nodes": Scenario(
        command="drain",
        nodes=("node-a", "node-b", "node-c"),
        drained=("node-a", "node-b"),
        applications=(an_application(replicas=4, sigterm="abrupt"),),
        budgets={"web": {"maxUnavailable": "25%"}},
        settings=Settings(settle=timedelta(seconds=6), max_draining=1),
    ),
}
