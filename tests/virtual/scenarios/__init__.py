"""The scenarios that are lived through, by name; one module for each thing that they are about."""

from collections.abc import Mapping

from tests.virtual.scenario import Scenario
from tests.virtual.scenarios.handoffs import HANDOFFS

SCENARIOS: Mapping[str, Scenario] = {**HANDOFFS}
