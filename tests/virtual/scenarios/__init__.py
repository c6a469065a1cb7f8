"""The scenarios that are lived through, by name; one module for each thing that they are about."""

from collections.abc import Mapping

from tests.virtual.scenario import Scenario
from tests.virtual.scenarios.balancers import BALANCERS
from tests.virtual.scenarios.capacity import CAPACITY
from tests.virtual.scenarios.handoffs import HANDOFFS
from tests.virtual.scenarios.instances import INSTANCES
from tests.virtual.scenarios.owners import OWNERS
from tests.virtual.scenarios.policies import POLICIES
from tests.virtual.scenarios.services import SERVICES
from tests.virtual.scenarios.ways import WAYS

SCENARIOS: Mapping[str, Scenario] = {
    **BALANCERS,
    **CAPACITY,
    **HANDOFFS,
    **INSTANCES,
    **OWNERS,
    **POLICIES,
    **SERVICES,
    **WAYS,
}
