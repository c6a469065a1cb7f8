"""Ways into pods of every shape: several Services, headless ones, both IP families, and none at all."""

from collections.abc import Mapping

from tests.virtual.scenario import Scenario, an_application

HEADLESS = {"clusterIP": "None"}
HASH = {"pod-template-hash": ""}

SERVICES: Mapping[str, Scenario] = {
    "restart-several-services": Scenario(
        command="restart",
        applications=(
            # The hash is in use by a Service, and so is every other label but one.
            an_application(
                "stable",
                is_load_balanced=True,
                controller_labels={"app": "stable", "track": "stable"},
                pod_labels={"part-of": "shop", "tier": "front"},
                services={
                    "shop": {"selector": {"part-of": "shop"}},
                    "front": {"selector": {"app": "stable", "tier": "front"}},
                    "pinned": {"selector": {"app": "stable", **HASH}},
                },
            ),
            # No label is left to tell its pods by but those of its Services.
            an_application(
                "canary",
                pod_labels={"part-of": "shop"},
                services={"pinned-canary": {"selector": {"app": "canary", **HASH}}},
            ),
        ),
    ),
    "drain-headless": Scenario(
        seed=5,  # by which each application has a pod on the drained node
        command="drain",
        applications=(
            an_application("web", services={"peers": {**HEADLESS, "publishNotReadyAddresses": True}}),
            an_application("dual", service_spec={"ipFamilyPolicy": "RequireDualStack", "sessionAffinity": "ClientIP"}),
            an_application("worker", is_served=False),
        ),
    ),
    "restart-on-hosts": Scenario(
        command="restart",
        nodes=("node-a", "node-b", "node-c"),
        applications=(an_application(is_load_balanced=True, is_on_host=True),),
    ),
    "restart-single": Scenario(
        command="restart",
        applications=(
            an_application(
                replicas=1,
                is_load_balanced=True,
                min_ready=20,
                service_spec={"ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
            ),
        ),
    ),
}
