"""What a real API server and its controllers make of our writes."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kubectl_safe.cli.resources import KINDS
from kubectl_safe.decide.actions import (
    Action,
    AskEviction,
    Cordon,
    Evict,
    Record,
    Release,
    RemoveRecord,
    RemoveTouch,
    Touch,
    Withdraw,
)
from kubectl_safe.kube.actuator import Actuator
from kubectl_safe.kube.cache import Signal
from kubectl_safe.kube.client import Client, connect
from kubectl_safe.kube.cluster import Cluster
from kubectl_safe.kube.errors import ApiError
from kubectl_safe.kube.names import names
from kubectl_safe.kube.observed import Observed
from kubectl_safe.kube.outcome import Conflict, Denied, Done, Gone, Refused, Undone
from kubectl_safe.kube.patches import pod_path
from kubectl_safe.model import marks
from kubectl_safe.model.connection import Connection
from kubectl_safe.model.marks import Operation
from kubectl_safe.model.pod import OwnerReference, Pod
from kubectl_safe.sandbox.controlplane import ControlPlane
from tests.support.loop import LoopThread

pytestmark = pytest.mark.controlplane

HASH = "pod-template-hash"
SECONDS = 20.0


def now() -> datetime:
    return datetime.fromisoformat("2026-01-02T12:00:00+00:00").astimezone(UTC)


class Rig:
    """A namespace of the test's own, watched."""

    def __init__(self, client: Client, cluster: Cluster, signal: Signal, namespace: str) -> None:
        self.client = client
        self.cluster = cluster
        self.namespace = namespace
        self.actuator = Actuator(client, cluster, now=now)
        self._signal = signal

    def create(self, api: str, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        return self.client.request("POST", f"{api}/namespaces/{self.namespace}/{kind}", body=body)

    def until(self, is_so: Callable[[Observed], bool], what: str) -> Observed:
        """Wait until what is observed is so."""
        for _ in range(int(SECONDS / 0.1)):
            seen = self.cluster.observe()
            if is_so(seen):
                return seen
            self._signal.wait(0.1)
        pytest.fail(f"{what} was not observed within {SECONDS} s: {self.cluster.observe()}")

    def deploy(self, replicas: int = 2) -> list[Pod]:
        """Create the Deployment and the Service `web`, and make its pods Ready, as a kubelet would."""
        template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app", "image": "app"}]}}
        spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template}
        self.create("/apis/apps/v1", "deployments", {"metadata": {"name": "web"}, "spec": spec})
        service = {"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}
        self.create("/api/v1", "services", service)
        seen = self.until(lambda seen: len(seen.pods) == replicas, "the pods")
        for number, pod in enumerate(seen.pods.values()):
            self.make_ready(pod, ip=f"10.244.0.{number + 10}")
        seen = self.until(
            lambda seen: len(seen.endpoints) == replicas and all(e.is_ready for e in seen.endpoints), "the endpoints"
        )
        return list(seen.pods.values())

    def make_ready(self, pod: Pod, *, ip: str) -> None:
        target = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": pod.name}, "target": {"name": "node-a"}}
        self.client.request("POST", f"{pod_path(pod)}/binding", body=target)
        conditions = [{"type": kind, "status": "True"} for kind in ("Ready", "ContainersReady")]
        status = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "conditions": conditions}
        self.client.request(
            "PATCH",
            f"{pod_path(pod)}/status",
            body={"status": status},
            content_type="application/strategic-merge-patch+json",
        )

    def protect(self, *, min_available: int) -> None:
        """Create the disruption budget `web`, and wait until it is counted."""
        spec = {"minAvailable": min_available, "selector": {"matchLabels": {"app": "web"}}}
        self.create("/apis/policy/v1", "poddisruptionbudgets", {"metadata": {"name": "web"}, "spec": spec})
        self.until(lambda seen: any(b.current_healthy for b in seen.budgets), "the budget")

    def owner(self) -> OwnerReference:
        deployment = next(iter(self.cluster.observe().workloads.values()))
        return OwnerReference(api_version="apps/v1", kind="Deployment", name="web", uid=deployment.uid)

    def release(self, pod: Pod) -> Pod:
        owner = self.owner()
        self.do(lambda fresh: Release(pod=fresh, drop=HASH, owner=owner, targets=(), in_service=2), pod)
        assert HASH not in self.cluster.observe().pods[pod.uid].labels
        seen = self.until(lambda seen: seen.pods[pod.uid].controller is None, "the ReplicaSet letting go")
        return seen.pods[pod.uid]

    def withdraw(self, pod: Pod) -> Pod:
        owner = self.owner()
        self.do(lambda fresh: Withdraw(pod=fresh, drop=frozenset({"app"}), targets=(), owner=owner, in_service=2), pod)
        return self.cluster.observe().pods[pod.uid]

    def do(self, action: Callable[[Pod], Action], pod: Pod) -> None:
        """Act on a pod as it is now: the scheduler writes to it, too, and then it is a conflict."""
        self.until(lambda seen: self.actuator.act(action(seen.pods[pod.uid])) == Done(), "the action")


@pytest.fixture(scope="module")
def running(binaries: Path) -> Iterator[ControlPlane]:
    """A control plane that the tests of this module share."""
    with LoopThread() as loop, loop.entered(ControlPlane(binaries, users={"nobody": ()})) as found:
        client = connect(Connection(kubeconfig=str(found.kubeconfig)), now=now)
        client.request("POST", "/api/v1/nodes", body={"metadata": {"name": "node-a"}})
        client.close()
        yield found


@pytest.fixture
def rig(running: ControlPlane, request: pytest.FixtureRequest) -> Iterator[Rig]:
    """A namespace of the test's own."""
    client = connect(Connection(kubeconfig=str(running.kubeconfig)), now=now)
    namespace = request.node.name.replace("_", "-")[:40].strip("-")
    client.request("POST", "/api/v1/namespaces", body={"metadata": {"name": namespace}})
    signal = Signal()
    try:
        with Cluster(client, namespace=namespace, signal=signal, also=("nodes",)) as cluster:
            yield Rig(client, cluster, signal, namespace)
    finally:
        client.close()


def test_release_is_replaced_and_kept(rig: Rig) -> None:
    pods = rig.deploy()
    released = rig.release(pods[0])
    assert released.annotations["karpenter.sh/do-not-disrupt"] == "true"
    assert [owner.kind for owner in released.owners] == ["Deployment"]
    seen = rig.until(lambda seen: len(seen.pods) == 3, "the replacement")
    assert len(seen.endpoints) >= 2
    assert any(e.pod_uid == released.uid and e.is_ready for e in seen.endpoints)
    assert not seen.pods[released.uid].is_terminating


def test_released_pod_goes_with_its_deployment(rig: Rig) -> None:
    released = rig.release(rig.deploy()[0])
    path = f"/apis/apps/v1/namespaces/{rig.namespace}/deployments/web"
    rig.client.request("DELETE", path, body={"propagationPolicy": "Background"})
    rig.until(lambda seen: released.uid not in seen.pods or seen.pods[released.uid].is_terminating, "its collection")


def test_withdrawn_pod_leaves_the_slice(rig: Rig) -> None:
    released = rig.release(rig.deploy()[0])
    withdrawn = rig.withdraw(released)
    assert withdrawn.is_withdrawn
    assert withdrawn.original_labels == {"app": "web", HASH: withdrawn.original_labels[HASH]}
    rig.until(lambda seen: all(e.pod_uid != withdrawn.uid for e in seen.endpoints), "its absence in the slices")


def test_evict_ends_a_withdrawn_pod(rig: Rig) -> None:
    withdrawn = rig.withdraw(rig.release(rig.deploy()[0]))
    evict = Evict(pod=withdrawn, pins_resource_version=True)
    assert rig.actuator.act(evict) == Done()
    rig.until(lambda seen: seen.pods[withdrawn.uid].is_terminating, "its termination")
    # A second eviction is not sent: it is on its way.
    assert rig.actuator.act(evict) == Done()


def test_asking_charges_no_budget(rig: Rig) -> None:
    pods = rig.deploy()
    rig.protect(min_available=1)
    before = rig.until(lambda seen: seen.budgets[0].disruptions_allowed == 1, "the allowance").budgets[0]
    for pod in pods * 2:
        assert rig.actuator.act(AskEviction(pod=pod)) == Done()
    raw = rig.client.request("GET", f"/apis/policy/v1/namespaces/{rig.namespace}/poddisruptionbudgets/web")
    assert raw["status"]["disruptionsAllowed"] == before.disruptions_allowed == 1
    assert not raw["status"].get("disruptedPods")
    assert not any(pod.is_terminating for pod in rig.cluster.observe().pods.values())


def test_budget_refuses_with_its_figures(rig: Rig) -> None:
    pods = rig.deploy()
    rig.protect(min_available=2)
    result = rig.actuator.act(AskEviction(pod=pods[0]))
    assert isinstance(result, Refused)
    assert "The disruption budget web needs 2 healthy pods and has 2 currently" in result.message
    assert isinstance(rig.actuator.act(Evict(pod=pods[0], pins_resource_version=False)), Refused)


def test_two_budgets_are_denied(rig: Rig) -> None:
    pods = rig.deploy()
    rig.protect(min_available=1)
    spec = {"minAvailable": 0, "selector": {}}
    rig.create("/apis/policy/v1", "poddisruptionbudgets", {"metadata": {"name": "other"}, "spec": spec})
    rig.until(lambda seen: len(seen.budgets) == 2, "the second budget")
    result = rig.actuator.act(AskEviction(pod=pods[0]))
    assert isinstance(result, Denied)
    assert "more than one PodDisruptionBudget" in result.message


def test_old_version_conflicts_and_is_read_anew(rig: Rig) -> None:
    pod = rig.deploy()[0]
    seen = rig.cluster.observe().pods[pod.uid]
    rig.release(seen)
    again = Release(pod=seen, drop=HASH, owner=rig.owner(), targets=(), in_service=2)
    assert rig.actuator.act(again) == Conflict()
    assert HASH not in rig.cluster.observe().pods[pod.uid].labels
    assert rig.actuator.act(Evict(pod=seen, pins_resource_version=True)) == Conflict()


def raw_eviction(rig: Rig, pod: Pod, **preconditions: str) -> ApiError:
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod.name},
        "deleteOptions": {"preconditions": preconditions},
    }
    with pytest.raises(ApiError) as raised:
        rig.client.request("POST", f"{pod_path(pod)}/eviction", body=body)
    return raised.value


def test_preconditions_hold_in_the_server_too(rig: Rig) -> None:
    pod = rig.deploy()[0]
    assert raw_eviction(rig, pod, uid="another").status == 409
    assert raw_eviction(rig, pod, uid=pod.uid, resourceVersion="1").status == 409


def test_another_pod_of_that_name_is_gone(rig: Rig) -> None:
    pod = {"metadata": {"name": "a"}, "spec": {"containers": [{"name": "app", "image": "app"}]}}
    rig.create("/api/v1", "pods", pod)
    first = next(iter(rig.until(lambda seen: len(seen.pods) == 1, "the pod").pods.values()))
    rig.client.request("DELETE", pod_path(first), body={"gracePeriodSeconds": 0})
    rig.until(lambda seen: not seen.pods, "its end")
    rig.create("/api/v1", "pods", pod)
    seen = rig.until(lambda seen: len(seen.pods) == 1, "the next pod")
    owner = OwnerReference(api_version="apps/v1", kind="Deployment", name="web", uid="none")
    labelled = Pod(namespace=first.namespace, name="a", uid=first.uid, resource_version="1", labels={HASH: "1"})
    assert rig.actuator.act(Release(pod=labelled, drop=HASH, owner=owner, targets=(), in_service=1)) == Gone()
    assert rig.actuator.act(Evict(pod=first, pins_resource_version=False)) == Gone()
    assert set(rig.cluster.observe().pods) == set(seen.pods)


def test_touch_and_record_come_and_go(rig: Rig) -> None:
    pod = rig.deploy()[0]
    rig.protect(min_available=1)
    budget = rig.cluster.observe().budgets[0]
    assert rig.actuator.act(Touch(pod=pod, budget=budget)) == Done()
    assert marks.TOUCH in rig.cluster.observe().pods[pod.uid].annotations
    assert rig.actuator.act(RemoveTouch(pod=pod)) == Done()
    assert marks.TOUCH not in rig.cluster.observe().pods[pod.uid].annotations

    def replica_set() -> Any:
        return next(iter(rig.cluster.observe().replica_sets.values()))

    operation = Operation(id="1", started="now", options="", pods=frozenset({pod.uid[:8]}))
    stale = replica_set()
    assert rig.actuator.act(Record(bearer=stale, operation=operation)) == Done()
    assert replica_set().operation == operation
    assert rig.actuator.act(Record(bearer=stale, operation=operation)) == Conflict()
    assert rig.actuator.act(RemoveRecord(bearer=replica_set())) == Done()
    assert replica_set().operation is None


def test_cordon_and_its_dry_run(rig: Rig) -> None:
    rig.client.request("POST", "/api/v1/nodes", body={"metadata": {"name": "node-b"}})
    node = rig.until(lambda seen: "node-b" in seen.nodes, "the node").nodes["node-b"]
    assert rig.actuator.act(Cordon(node=node), dry_run=True) == Done()
    assert not rig.client.request("GET", "/api/v1/nodes/node-b")["spec"].get("unschedulable")
    assert rig.actuator.act(Cordon(node=node)) == Done()
    cordoned = rig.cluster.observe().nodes["node-b"]
    assert cordoned.is_unschedulable
    assert marks.CORDONED in cordoned.annotations


def test_policy_that_puts_a_label_back_is_told(rig: Rig) -> None:
    pod = rig.deploy()[0]
    api = "/apis/admissionregistration.k8s.io/v1"
    apply = f'Object{{metadata: Object.metadata{{labels: {{"{HASH}": "back"}}}}}}'
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["pods"]}]
    policy = {
        "metadata": {"name": rig.namespace},
        "spec": {
            "matchConstraints": {"resourceRules": rules},
            "matchConditions": [{"name": "here", "expression": f"object.metadata.namespace == '{rig.namespace}'"}],
            "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": apply}}],
            "reinvocationPolicy": "Never",
            "failurePolicy": "Fail",
        },
    }
    rig.client.request("POST", f"{api}/mutatingadmissionpolicies", body=policy)
    binding = {"metadata": {"name": rig.namespace}, "spec": {"policyName": rig.namespace}}
    rig.client.request("POST", f"{api}/mutatingadmissionpolicybindings", body=binding)
    wait = threading.Event()
    for _ in range(100):
        # The API server takes a moment to see the policy; until then, dry runs change nothing.
        fresh = rig.cluster.observe().pods[pod.uid]
        action = Release(pod=fresh, drop=HASH, owner=rig.owner(), targets=(), in_service=2)
        result = rig.actuator.act(action, dry_run=True)
        if isinstance(result, Undone):
            break
        wait.wait(0.1)
    assert isinstance(result, Undone)
    assert f"keeps its label {HASH}" in result.message
    assert HASH in rig.cluster.observe().pods[pod.uid].labels


def test_missing_right_is_named(running: ControlPlane) -> None:
    client = connect(Connection(kubeconfig=str(running.kubeconfig_for("nobody"))), now=now)
    with pytest.raises(ApiError) as raised, Cluster(client, namespace="default", signal=Signal()):
        pass
    client.close()
    assert 'can\'t be listed and watched in namespace "default"' in str(raised.value)
    assert 'User "nobody" cannot list resource' in str(raised.value)


def test_names_are_listed_of_every_kind_that_is_named_on_command_lines(rig: Rig) -> None:
    pods = rig.deploy()
    found = {kind: names(rig.client, kind, rig.namespace) for kind in [*KINDS, "Namespace"]}
    assert rig.namespace in found.pop("Namespace")
    assert "node-a" in found.pop("Node")
    assert found == {
        "Deployment": ["web"],
        "StatefulSet": [],
        "DaemonSet": [],
        "ReplicaSet": [pods[0].name.rpartition("-")[0]],
        "ReplicationController": [],
        "Pod": sorted(pod.name for pod in pods),
    }
