"""Ways into pods that a withdrawal does not close, or that lead to the pods of one node only."""

from collections.abc import Mapping

from kubectl_safe.decide.settings import Settings
from tests.virtual.scenario import Scenario, an_application

WAYS: Mapping[str, Scenario] = {
    "restart-kept-and-local": Scenario(
        command="restart",
        applications=(
            an_application("kept", is_load_balanced=True),
            # On one node, so that its replacements are certain to come where they are waited for.
            an_application(
                "local",
                service_spec={"internalTrafficPolicy": "Local"},
                node_selector={"kubernetes.io/hostname": "node-b"},
            ),
        ),
        kept=("kept",),
        settings=Settings(allow=frozenset({"selectorless-service"})),
    ),
}
