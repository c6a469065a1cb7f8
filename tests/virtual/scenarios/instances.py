"""Load balancers whose targets are nodes: a drained node leaves its target groups first."""

from collections.abc import Mapping

from tests.virtual.scenario import Scenario, an_application

INSTANCES: Mapping[str, Scenario] = {
    "drain-instances": Scenario(
        command="drain",
        nodes=("node-a", "node-b"),
        applications=(
            an_application(is_load_balanced=True, targets="instance"),
            an_application("api", is_load_balanced=True),
        ),
    ),
    "restart-instances": Scenario(
        command="restart",
        applications=(an_application(is_load_balanced=True, targets="instance", sigterm="abrupt"),),
    ),
}
