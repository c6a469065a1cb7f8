"""Load balancers of every shape: several groups, ports, regions and accounts, both APIs, and zones of their own."""

from collections.abc import Mapping

from kubectl_safe.sandbox.application import Balanced
from kubectl_safe.sandbox.targetgroupbinding import AUTO_MODE_GROUP, GROUP
from tests.virtual.scenario import Scenario, an_application

ELSEWHERE = Balanced(
    name="admin",
    port="admin",
    pod_port=8081,
    protocol="TCP",
    crosses_zones=True,
    region="eu-central-1",
    account="210987654321",
    role="arn:aws:iam::210987654321:role/targets",
    external_id="42",
    api=AUTO_MODE_GROUP,
)
"""A second group of the same pods: another port, region and account, of the other API."""

ZONAL = Balanced(
    protocol="TCP",
    crosses_zones=False,
    attributes={
        "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "50",
    },
)

BALANCERS: Mapping[str, Scenario] = {
    "restart-two-groups": Scenario(
        command="restart",
        binding_groups=(GROUP, AUTO_MODE_GROUP),
        applications=(
            an_application(is_load_balanced=True, balanced=(Balanced(is_named=True, is_shared=True), ELSEWHERE)),
            an_application(
                "api",
                is_load_balanced=True,
                balanced=(Balanced(is_ipv6=True),),
                service_spec={"ipFamilyPolicy": "RequireDualStack"},
            ),
        ),
    ),
    "restart-zones": Scenario(
        command="restart",
        applications=(an_application(is_load_balanced=True, replicas=4, balanced=(ZONAL,)),),
    ),
}
