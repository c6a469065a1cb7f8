"""Network policies: labels are taken that none of them looks at, or the reader answers for it."""

from collections.abc import Mapping
from typing import Any

from kubectl_safe.decide.allow import POLICY_CHANGE
from kubectl_safe.decide.settings import Settings
from kubectl_safe.sandbox.application import Application
from tests.support.networkpolicies import a_network_policy, letting_in
from tests.virtual.scenario import Scenario, an_application


def two_labels(name: str = "web", **changes: Any) -> Application:
    """Return an application whose Service selects by two labels; its controller needs one of them."""
    selector = {"app": name, "tier": "front"}
    return an_application(name, pod_labels={"tier": "front"}, service_spec={"selector": selector}, **changes)


POLICIES: Mapping[str, Scenario] = {
    # Of the peers of the database one is known by the first label that a withdrawal would take.
    "restart-policies": Scenario(
        command="restart",
        applications=(two_labels(is_load_balanced=True),),
        policies=(a_network_policy("db", ingress=letting_in(app="web")),),
    ),
    "drain-policies-allowed": Scenario(
        command="drain",
        applications=(two_labels(), an_application("api")),
        policies=(a_network_policy("db", ingress=letting_in("app", tier="front")), a_network_policy("api")),
        settings=Settings(allow=frozenset({POLICY_CHANGE})),
    ),
}
