"""What network policies would notice of a handoff is refused before anything is written."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from kubectl_safe.decide.settings import Settings
from tests.support.networkpolicies import (
    CILIUM_POLICIES,
    DEFINITIONS,
    NETWORK_POLICIES,
    a_cilium_policy,
    a_network_policy,
    cilium_definition,
    letting_in,
)
from tests.support.virtual.stage import VirtualStage
from tests.virtual.play import play
from tests.virtual.scenario import NAMESPACE
from tests.virtual.scenarios.policies import POLICIES


def kubernetes_own(stage: VirtualStage) -> None:
    """Have a policy of another namespace name the pods as peers."""
    policy = a_network_policy("db")
    peers = [{**peer, "namespaceSelector": {}} for rule in letting_in("app", "tier") for peer in rule["from"]]
    policy["spec"]["ingress"] = [{"from": [peer]} for peer in peers]
    stage.loop.finish(stage.rig.api.create(NETWORK_POLICIES.format("default"), policy))


def of_cilium(stage: VirtualStage) -> None:
    """Have a policy of another kind look at the labels of the pods."""
    stage.loop.finish(stage.rig.api.create(DEFINITIONS, cilium_definition()))
    policy = a_cilium_policy("db", "app", "tier")
    stage.loop.finish(stage.rig.api.create(CILIUM_POLICIES.format(NAMESPACE), policy))


NOTICED = [
    pytest.param(kubernetes_own, "networkpolicy default/db looks at label app of pod shop/web-", id="Kubernetes' own"),
    pytest.param(
        of_cilium, "ciliumnetworkpolicies.cilium.io shop/db looks at label app of pod shop/web-", id="Cilium's"
    ),
]


@pytest.mark.parametrize(("prepare", "why"), NOTICED)
@pytest.mark.parametrize("command", ["restart", "drain"])
def test_is_refused_and_nothing_is_written(command: str, prepare: Callable[[VirtualStage], None], why: str) -> None:
    scenario, seen = replace(POLICIES["restart-policies"], command=command, policies=()), list[VirtualStage]()

    def prepared(stage: VirtualStage) -> None:
        seen.append(stage)
        prepare(stage)

    with pytest.raises(AssertionError, match=rf"I8: .*Blocked\(policy-change\): {why}"):
        play(scenario, prepare=prepared, again=0)
    [stage] = seen
    assert stage.door.writes() == []
    allowed = replace(scenario, settings=Settings(allow=frozenset({"policy-change"})))
    assert play(allowed, prepare=prepare).runs == [""]


def test_the_label_that_a_policy_looks_at_is_kept() -> None:
    kept: list[bool] = []

    def prepared(stage: VirtualStage) -> None:
        def told(_: object, pod: dict[str, object] | None) -> None:
            labels = (pod or {}).get("metadata", {}).get("labels", {})  # type: ignore[attr-defined]
            if "kubectl-safe/withdrawn" in labels:
                kept.append("app" in labels and "tier" not in labels)

        stage.rig.controller.pods.handlers.append(told)

    assert play(POLICIES["restart-policies"], prepare=prepared).evicted == 2
    assert kept
    assert all(kept)
