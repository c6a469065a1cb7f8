"""Whole drains and restarts by the real command: what becomes of them, and that both control planes agree on it.

All scenarios of a control plane are played at once, when the first test asks for one.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.account import ASPECTS, Aspect
from tests.conformance.playing import Played, played
from tests.conformance.scenarios import SCENARIOS
from tests.support.claims import OURS

pytestmark = pytest.mark.timeout(900)

PLANES = ["embedded", pytest.param("real", marks=pytest.mark.controlplane)]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run of the tests, however many processes have a part in it."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="module")
def embedded(shared: Path) -> Mapping[str, Played]:
    return played(tuple(SCENARIOS), None, shared)


@pytest.fixture(scope="module")
def real(shared: Path, binaries: Path) -> Mapping[str, Played]:
    return played(tuple(SCENARIOS), binaries, shared)


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("plane", PLANES)
def test_a_run_ends_as_it_is_to_end(request: pytest.FixtureRequest, plane: str, name: str) -> None:
    scenario, its = SCENARIOS[name], request.getfixturevalue(plane)[name]
    assert not its.failure, f"{its.failure}\n{its.said}"
    assert its.account["exits"] == list(scenario.exits), its.said
    said = [answer for _, *chain in its.account["writes"] for answer in chain]
    assert said.count("create pods/eviction: 201") == scenario.evicts, its.said
    assert _has_marks(its.account["state"]) == scenario.leaves_marks, its.said
    assert its.account["state"]["leases"] == its.account["state"]["leases of nodes"] == []


@pytest.mark.controlplane
@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_both_control_planes_agree(
    embedded: Mapping[str, Played], real: Mapping[str, Played], name: str, aspect: Aspect
) -> None:
    if aspect in SCENARIOS[name].races:
        return
    ours, theirs = embedded[name], real[name]
    assert not ours.failure + theirs.failure, f"{ours.failure}\n{theirs.failure}"
    assert ours.account[aspect] == theirs.account[aspect], f"{ours.said}\n{theirs.said}"


def _has_marks(state: Mapping[str, Any]) -> bool:
    """Tell whether a pod, a workload or a binding has a label or an annotation of ours."""
    kinds = ("pods", "replicasets", "deployments", "targetgroupbindings")
    marked = [its["metadata"] for kind in kinds for its in state[kind]]
    keys = {key for its in marked for key in (*its.get("labels", {}), *its.get("annotations", {}))}
    return any(key.startswith(OURS) for key in keys)
