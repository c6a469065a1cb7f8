"""Services of every shape on the real control plane: handed over without a loss, or refused before the first write."""

import pytest

from kubectl_safe.sandbox.application import HASH
from tests.support.claims import assert_nothing_left
from tests.support.figures import Figures
from tests.support.scenario import Scene

pytestmark = pytest.mark.controlplane

HEADLESS = {"clusterIP": "None", "publishNotReadyAddresses": True}


def test_a_pod_leaves_all_its_services_whatever_they_select_by(scene: Scene, figures: Figures) -> None:
    """One application has a single label to spare, which is not the hash; the other one none, so it leaves first."""
    scene.deploy(
        "stable",
        is_load_balanced=True,
        controller_labels={"app": "stable", "track": "stable"},
        pod_labels={"part-of": "shop", "tier": "front"},
        services={
            "shop": {"selector": {"part-of": "shop"}},
            "front": {"selector": {"app": "stable", "tier": "front"}},
            "pinned": {"selector": {"app": "stable", HASH: ""}},
        },
        service_spec={"ports": [{"name": "http", "port": 80, "targetPort": "http"}], "sessionAffinity": "ClientIP"},
    )
    scene.deploy(
        "canary",
        pod_labels={"part-of": "shop"},
        services={"pinned-canary": {"selector": {"app": "canary", HASH: ""}}},
    )
    planned = scene.names()
    plan = " ".join(scene.stage.safe(*scene.restart(), "--dry-run=server").stdout.split())
    assert "Each pod of deployment/canary is withdrawn, evicted, and then replaced, as its Services use every" in plan
    with scene.traffic() as counted:
        scene.stage.safe(*scene.restart())
        scene.await_full_strength()
    assert scene.evicted() == sorted(planned)
    stable, canary = scene.applications
    assert scene.stage.lowest(stable, counted) >= 2
    assert scene.stage.lowest(canary, counted) >= 1
    assert_nothing_left(scene.stage)
    figures.add("several Services for a pod", str(counted))


def test_headless_services_both_ip_families_and_no_service_at_all(scene: Scene, figures: Figures) -> None:
    scene.deploy("web", services={"peers": HEADLESS})
    scene.deploy("dual", service_spec={"ipFamilyPolicy": "RequireDualStack"}, spec={"minReadySeconds": 2})
    scene.deploy("worker", is_served=False)
    node = scene.busiest_node()
    planned = scene.names(node=node)
    with scene.traffic() as counted:
        drained = scene.stage.safe(*scene.drain(node))
        scene.await_full_strength()
    assert drained.stdout.endswith(f"node/{node} drained\n")
    scene.assert_handed_over(planned, counted)
    assert not [its.name for its in scene.histories("worker") if its.withdrawn]
    assert_nothing_left(scene.stage)
    figures.add("headless, dual-stack, and no Service", str(counted))


def test_the_last_pod_of_a_service_that_no_replacement_would_be_in(scene: Scene, figures: Figures) -> None:
    """Somebody labelled a leader by hand; a Service has but one member of a StatefulSet."""
    scene.deploy("web")
    leader = scene.names()[0]
    scene.stage.kubectl("label", "pod", leader, "role=leader", "-n", scene.namespace)
    scene.stage.kubectl("create", "service", "clusterip", "leader", "--tcp=80:8080", "-n", scene.namespace)
    scene.stage.kubectl("set", "selector", "service/leader", "app=web,role=leader", "-n", scene.namespace)
    refused = scene.stage.safe(*scene.restart(), check=False)
    assert refused.returncode == 1
    assert "Blocked(downtime)" in refused.stderr
    assert (
        f"service {scene.namespace}/leader would lead nowhere: it selects pod {leader} by role=leader" in refused.stderr
    )
    assert scene.writes() == []
    planned = scene.names()
    with scene.traffic() as counted:
        scene.stage.safe(*scene.restart(), "--allow", "downtime")
        scene.await_full_strength()
    scene.assert_handed_over(planned, counted)
    assert_nothing_left(scene.stage)
    figures.add("the last pod of a Service, allowed", str(counted))


def test_a_single_pod_and_pods_with_the_addresses_of_their_nodes(scene: Scene, figures: Figures) -> None:
    scene.deploy("web", replicas=1, is_load_balanced=True, min_ready=3)
    scene.deploy("edge", is_on_host=True)
    planned = scene.names()
    with scene.traffic() as counted:
        scene.stage.safe(*scene.restart())
        scene.await_full_strength()
    scene.assert_handed_over(planned, counted)
    assert_nothing_left(scene.stage)
    figures.add("a single pod with minReadySeconds", str(counted))


def test_a_member_of_a_stateful_set_leaves_a_service_of_its_own(scene: Scene) -> None:
    """Its StatefulSet puts the label with its name back for as long as it controls it."""
    name = "statefulset.kubernetes.io/pod-name"
    scene.deploy("db", kind="StatefulSet", member_labels={"member-of": "db"}, is_served=False)
    scene.stage.kubectl("create", "service", "clusterip", "db-1", "--tcp=80:8080", "-n", scene.namespace)
    scene.stage.kubectl("set", "selector", "service/db-1", f"{name}=db-1", "-n", scene.namespace)
    command = ("rollout", "restart", "statefulset/db", "-n", scene.namespace, "--settle", "3s")
    refused = scene.stage.safe(*command, check=False)
    assert refused.returncode == 1
    assert f"service {scene.namespace}/db-1 leads to pod db-1 alone" in refused.stderr
    assert scene.writes() == []
    scene.stage.safe(*command, "--allow", "downtime")
    scene.await_full_strength()
    assert scene.evicted() == ["db-0", "db-1"]
    assert [its.name for its in scene.histories() if its.withdrawn] == ["db-1"]
    assert_nothing_left(scene.stage)
