"""What is read from a real API server's JSON, and what a field's absence means."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kubectl_safe.kube import parse
from kubectl_safe.model import marks
from kubectl_safe.model.pod import Condition, OwnerReference
from kubectl_safe.model.port import ContainerPort
from kubectl_safe.model.selector import LabelSelector, Operator, Requirement
from kubectl_safe.model.service import SLICE_CONTROLLER, Endpoint, ServicePort
from kubectl_safe.model.target import Role

GATE = "target-health.elbv2.k8s.aws/web"
BOTH = ("10.0.0.1", "fd::1")
META = {"namespace": "default", "name": "a", "uid": "u", "resourceVersion": "1"}


def captured(kind: str) -> dict[str, Any]:
    """Return what a 1.37 API server told of an object of that kind."""
    raw: dict[str, Any] = json.loads((Path(__file__).parent / "fixtures" / f"{kind}.json").read_text())
    return raw


def test_a_pod_as_the_api_server_tells_it() -> None:
    pod = parse.pod(captured("pod"))
    assert str(pod) == "default/web-65c5468b84-48lr6"
    assert (pod.uid, pod.resource_version) == ("46827d09-07ff-485f-8122-e1a46d7d18c9", "256")
    assert pod.labels["pod-template-hash"] == "65c5468b84"
    assert pod.controller == OwnerReference(
        api_version="apps/v1",
        kind="ReplicaSet",
        name="web-65c5468b84",
        uid="15da2114-d392-43c4-b9d7-0b67a71abb11",
        is_controller=True,
    )
    assert (pod.node, pod.ips, pod.phase) == ("node-b", ("10.244.1.2",), "Running")
    assert pod.created == datetime(2026, 11, 23, 22, 20, 30, tzinfo=UTC)
    assert pod.readiness_gates == (GATE,)
    assert pod.conditions[GATE] == Condition(is_true=True, since=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert pod.is_ready
    assert pod.has_ready_containers
    assert pod.ports == (ContainerPort(name="http", number=8080),)
    assert pod.has_empty_dir
    assert not pod.is_terminating
    assert not pod.is_mirror


@pytest.mark.parametrize(
    ("raw", "attribute", "expected"),
    [
        ({}, "phase", "Pending"),
        ({}, "ips", ()),
        ({}, "node", None),
        ({}, "grace_period_seconds", 30),
        ({"spec": {"terminationGracePeriodSeconds": 0}}, "grace_period_seconds", 0),
        ({"metadata": META | {"deletionGracePeriodSeconds": 0}}, "grace_period_seconds", 0),
        ({"metadata": META | {"deletionTimestamp": "2026-01-01T00:00:00Z"}}, "is_terminating", True),
        (
            {"metadata": META | {"deletionTimestamp": "2026-01-01T00:00:00Z"}},
            "deletion_timestamp",
            datetime(2026, 1, 1, tzinfo=UTC),
        ),
        ({}, "deletion_timestamp", None),
        ({"metadata": META | {"annotations": {"kubernetes.io/config.mirror": "x"}}}, "is_mirror", True),
        ({"status": {"podIP": "10.0.0.1"}}, "ips", ("10.0.0.1",)),
        (
            {"status": {"podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd::1"}]}},
            "ips",
            ("10.0.0.1", "fd::1"),
        ),
        ({"status": {"podIPs": [{"ip": "FD00:0:0::1"}]}}, "ips", ("fd00::1",)),
        ({"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}, "is_ready", False),
        ({"spec": {"volumes": [{"name": "a", "emptyDir": {}}]}}, "has_empty_dir", True),
        ({"spec": {"volumes": [{"name": "a", "configMap": {}}]}}, "has_empty_dir", False),
        (
            {"status": {"containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}},
            "waiting_reason",
            "CrashLoopBackOff",
        ),
        (
            {"status": {"containerStatuses": [{"state": {"waiting": {"reason": "ErrImagePull", "message": "no"}}}]}},
            "waiting_message",
            "no",
        ),
        (
            {"status": {"initContainerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff"}}}]}},
            "waiting_reason",
            "ImagePullBackOff",
        ),
        (
            {"status": {"containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]}},
            "waiting_reason",
            "",
        ),
        ({"status": {"containerStatuses": [{"state": {"running": {}}}]}}, "waiting_reason", ""),
        (
            {
                "spec": {
                    "containers": [{"ports": [{"containerPort": 53, "protocol": "UDP"}]}],
                    "initContainers": [
                        {"ports": [{"containerPort": 1, "name": "init"}]},
                        {"ports": [{"containerPort": 2, "name": "sidecar"}], "restartPolicy": "Always"},
                    ],
                }
            },
            "ports",
            (ContainerPort(name="", number=53, protocol="UDP"), ContainerPort(name="sidecar", number=2)),
        ),
    ],
    ids=[
        "no phase is Pending",
        "no address",
        "no node",
        "the default grace period",
        "a grace period of 0 is one",
        "who deletes it gives it another",
        "a deletion timestamp means terminating",
        "when its grace period is over",
        "no deletion timestamp",
        "the mirror annotation",
        "an old server tells one address",
        "both families",
        "an address as AWS writes it",
        "an Unknown condition is not true",
        "emptyDir",
        "another volume",
        "a crash loop",
        "what the kubelet says of it",
        "an init container that waits",
        "being started is no reason",
        "running is no reason",
        "ports of sidecars count, of init containers don't",
    ],
)
def test_what_a_pod_does_not_tell(raw: dict[str, Any], attribute: str, expected: object) -> None:
    assert getattr(parse.pod({"metadata": META, **raw}), attribute) == expected


def test_a_service_as_the_api_server_tells_it() -> None:
    service = parse.service(captured("service"))
    assert (service.name, service.selector, service.is_headless) == ("web", {"app": "web"}, False)
    assert service.ports == (ServicePort(name="", port=80, target_port="http"),)


def test_a_service_of_both_ip_families() -> None:
    both = ("IPv6", "IPv4")
    assert parse.service({"metadata": META, "spec": {"ipFamilies": [*both]}}).ip_families == both
    assert parse.service(captured("service")).ip_families == ("IPv4",)


def test_a_service_that_publishes_the_addresses_of_pods_that_are_not_ready() -> None:
    assert parse.service({"metadata": META, "spec": {"publishNotReadyAddresses": True}}).publishes_unready
    assert not parse.service(captured("service")).publishes_unready


@pytest.mark.parametrize(("told", "expected"), [({"nodePort": 30080}, 30080), ({"nodePort": 0}, None), ({}, None)])
def test_the_port_of_every_node_that_leads_to_a_service(told: dict[str, Any], expected: int | None) -> None:
    (port,) = parse.service({"metadata": META, "spec": {"ports": [{"port": 80, **told}]}}).ports
    assert port.node_port == expected


@pytest.mark.parametrize("policy", ["externalTrafficPolicy", "internalTrafficPolicy"])
def test_a_service_that_asks_the_pods_of_a_node_only(policy: str) -> None:
    for value, expected in (("Local", {policy}), ("Cluster", set())):
        assert parse.service({"metadata": META, "spec": {policy: value}}).local_policies == expected


def test_a_service_without_a_cluster_ip_is_headless() -> None:
    assert parse.service({"metadata": META, "spec": {"clusterIP": "None"}}).is_headless


@pytest.mark.parametrize("spec", [{}, {"type": "ExternalName", "selector": {"app": "a"}}], ids=["none", "ExternalName"])
def test_a_service_without_endpoints_selects_nothing(spec: dict[str, Any]) -> None:
    assert not parse.service({"metadata": META, "spec": spec}).selects("default", {"app": "a"})


def test_a_port_without_a_target_port_leads_to_its_own_number() -> None:
    service = parse.service({"metadata": META, "spec": {"ports": [{"port": 80}]}})
    assert service.ports[0].target_port == 80


def test_an_endpoint_slice_as_the_api_server_tells_it() -> None:
    unready, ready = parse.endpoints(captured("endpointslice"))
    assert not unready.is_ready
    assert ready == Endpoint(
        address_type="IPv4",
        namespace="default",
        service="web",
        slice="web-h2stz",
        pod_uid="46827d09-07ff-485f-8122-e1a46d7d18c9",
        is_ready=True,
        zone="us-east-1b",
    )


@pytest.mark.parametrize(("told", "zone"), [({"zone": "eu-west-1a"}, "eu-west-1a"), ({}, ""), ({"zone": None}, "")])
def test_an_endpoint_is_in_the_zone_of_its_node(told: dict[str, Any], zone: str) -> None:
    raw = {"metadata": META, "endpoints": [{"targetRef": {"kind": "Pod", "uid": "p"}, **told}]}
    assert [its.zone for its in parse.endpoints(raw)] == [zone]


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ({"targetRef": {"kind": "Pod", "uid": "p"}}, [True]),
        ({"targetRef": {"kind": "Pod", "uid": "p"}, "conditions": {"ready": None}}, [True]),
        ({"targetRef": {"kind": "Pod", "uid": "p"}, "conditions": {"ready": False}}, [False]),
        ({"targetRef": {"kind": "Node", "uid": "p"}}, []),
        ({"addresses": ["10.0.0.1"]}, []),
    ],
    ids=["no conditions mean ready", "null means ready", "False means not ready", "a node", "a bare address"],
)
def test_what_an_endpoint_does_not_tell(endpoint: dict[str, Any], expected: list[bool]) -> None:
    assert [e.is_ready for e in parse.endpoints({"metadata": META, "endpoints": [endpoint]})] == expected


@pytest.mark.parametrize(
    ("labels", "manager", "is_exported"),
    [
        pytest.param({}, "", False, id="it doesn't say"),
        pytest.param({"endpointslice.kubernetes.io/managed-by": "patroni"}, "patroni", False, id="somebody"),
        pytest.param({"multicluster.kubernetes.io/service-name": "web"}, "", True, id="of a Multi-Cluster Service"),
    ],
)
def test_who_keeps_a_slice(labels: dict[str, str], manager: str, is_exported: bool) -> None:
    endpoint = {"targetRef": {"kind": "Pod", "uid": "p"}}
    [place] = parse.endpoints({"metadata": META | {"labels": labels}, "endpoints": [endpoint]})
    assert (place.manager, place.is_exported) == (manager, is_exported)


def test_a_slice_of_kubernetes_own_controller_says_so() -> None:
    assert {its.manager for its in parse.endpoints(captured("endpointslice"))} == {SLICE_CONTROLLER}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param({}, (True, True, False), id="nothing is told"),
        pytest.param({"ready": False}, (False, False, False), id="serving is what ready is"),
        pytest.param({"ready": False, "serving": True, "terminating": True}, (False, True, True), id="it terminates"),
        pytest.param({"ready": False, "serving": False}, (False, False, False), id="neither"),
    ],
)
def test_an_endpoint_says_whether_it_still_serves(told: dict[str, bool], expected: tuple[bool, bool, bool]) -> None:
    endpoint = {"targetRef": {"kind": "Pod", "uid": "p"}, "conditions": told}
    [place] = parse.endpoints({"metadata": META, "endpoints": [endpoint]})
    assert (place.is_ready, place.is_serving, place.is_terminating) == expected


@pytest.mark.parametrize("value", ["True", "False", "Unknown"])
def test_a_condition_keeps_its_value(value: str) -> None:
    raw = {"metadata": META, "status": {"conditions": [{"type": "Ready", "status": value}]}}
    assert parse.pod(raw).conditions["Ready"].value == value


def test_a_slice_without_endpoints_has_none() -> None:
    assert parse.endpoints({"metadata": META, "endpoints": None}) == ()


def test_a_replica_set_as_the_api_server_tells_it() -> None:
    replica_set = parse.replica_set(captured("replicaset"))
    assert replica_set.replicas == 2
    assert replica_set.selector.match_labels == {"app": "web", "pod-template-hash": "65c5468b84"}
    assert replica_set.owner is not None
    assert (replica_set.owner.kind, replica_set.owner.name) == ("Deployment", "web")
    assert (replica_set.operation, replica_set.failure) == (None, "")


@pytest.mark.parametrize(("status", "failure"), [("True", "exceeded quota"), ("False", "")])
def test_a_replica_set_that_can_not_create_pods_says_why(status: str, failure: str) -> None:
    condition = {"type": "ReplicaFailure", "status": status, "reason": "FailedCreate", "message": "exceeded quota"}
    assert parse.replica_set({"metadata": META, "status": {"conditions": [condition]}}).failure == failure


def test_a_deployment_as_the_api_server_tells_it() -> None:
    deployment = parse.deployment(captured("deployment"))
    assert (str(deployment), deployment.replicas, deployment.strategy) == ("default/web", 2, "RollingUpdate")
    assert (deployment.max_surge, deployment.max_unavailable) == ("25%", "25%")
    assert deployment.observed_generation == deployment.generation
    assert (deployment.updated_replicas, deployment.status_replicas) == (2, 2)
    assert (deployment.ready_replicas, deployment.available_replicas) == (1, 1)
    assert deployment.progress == "ReplicaSetUpdated"
    assert deployment.progress_deadline == timedelta(minutes=10)


@pytest.mark.parametrize(
    ("spec", "attribute", "expected"),
    [
        ({}, "replicas", 1),
        ({"replicas": 0}, "replicas", 0),
        ({}, "max_surge", "25%"),
        ({"strategy": {"rollingUpdate": {"maxSurge": 0}}}, "max_surge", 0),
        ({"strategy": {"type": "Recreate"}}, "strategy", "Recreate"),
        ({"minReadySeconds": 10}, "min_ready", timedelta(seconds=10)),
        ({"progressDeadlineSeconds": 60}, "progress_deadline", timedelta(minutes=1)),
        ({}, "is_paused", False),
        ({"paused": True}, "is_paused", True),
    ],
    ids=[
        "one replica is the default",
        "none is none",
        "a quarter of surge is the default",
        "no surge is none",
        "Recreate",
        "minReadySeconds",
        "progressDeadlineSeconds",
        "not paused",
        "paused",
    ],
)
def test_what_a_deployment_does_not_tell(spec: dict[str, Any], attribute: str, expected: object) -> None:
    assert getattr(parse.deployment({"metadata": META, "spec": spec}), attribute) == expected


def test_a_deployment_that_is_being_deleted_is_terminating() -> None:
    assert not parse.deployment({"metadata": META}).is_terminating
    assert parse.deployment({"metadata": META | {"deletionTimestamp": "2026-01-01T00:00:00Z"}}).is_terminating


def test_a_deployment_whose_controller_never_looked_is_not_observed() -> None:
    deployment = parse.deployment({"metadata": META | {"generation": 1}, "spec": {}})
    assert (deployment.ready_replicas, deployment.available_replicas, deployment.progress) == (0, 0, "")
    assert (deployment.generation, deployment.observed_generation) == (1, 0)


STATEFUL_SET = {
    "metadata": META | {"annotations": {"a": "1"}, "generation": 3},
    "spec": {
        "replicas": 5,
        "serviceName": "db-members",
        "selector": {"matchLabels": {"app": "db"}},
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}},
        "ordinals": {"start": 3},
        "minReadySeconds": 7,
    },
    "status": {
        "observedGeneration": 2,
        "replicas": 4,
        "currentReplicas": 3,
        "readyReplicas": 2,
        "availableReplicas": 1,
        "currentRevision": "db-1",
        "updateRevision": "db-2",
    },
}


def test_a_stateful_set_as_the_api_server_tells_it() -> None:
    it = parse.stateful_set(STATEFUL_SET)
    assert (it.kind, it.names_its_pods, it.replicas, it.governing_service) == ("StatefulSet", True, 5, "db-members")
    assert it.selector == LabelSelector(match_labels={"app": "db"})
    assert (it.strategy, it.partition, it.max_surge, it.first_ordinal) == ("RollingUpdate", 2, 0, 3)
    assert (it.current_revision, it.update_revision) == ("db-1", "db-2")
    assert (it.min_ready, it.annotations) == (timedelta(seconds=7), {"a": "1"})
    assert (it.generation, it.observed_generation, it.status_replicas) == (3, 2, 4)
    assert (it.current_replicas, it.ready_replicas, it.available_replicas, it.is_partitioned) == (3, 2, 1, True)
    assert it.resource_version == META["resourceVersion"]


def test_what_a_stateful_set_does_not_tell() -> None:
    it = parse.stateful_set({"metadata": META, "spec": {}})
    assert (it.replicas, it.governing_service, it.strategy, it.partition) == (1, "", "RollingUpdate", 0)
    assert (it.first_ordinal, it.is_partitioned) == (0, False)
    assert (it.current_replicas, it.ready_replicas, it.available_replicas) == (0, 0, 0)
    assert (it.current_revision, it.update_revision, it.is_terminating) == ("", "", False)
    on_delete = parse.stateful_set({"metadata": META, "spec": {"updateStrategy": {"type": "OnDelete"}}})
    assert on_delete.strategy == "OnDelete"


def test_a_node_as_the_api_server_tells_it() -> None:
    node = parse.node(captured("node"))
    assert node.name == "node-a"
    assert not node.is_unschedulable
    assert parse.node({"metadata": META, "spec": {"unschedulable": True}}).is_unschedulable


@pytest.mark.parametrize(
    ("provider_id", "expected"),
    [
        pytest.param("aws:///eu-west-1a/i-0123456789abcdef0", "i-0123456789abcdef0", id="EC2"),
        pytest.param("aws:///eu-west-1a/0a1b2c-12ab/fargate-ip-10-0-0-1", "", id="Fargate"),
        pytest.param("eks-hybrid:///eu-west-1/cluster/mi-0123456789abcdef0", "", id="hybrid"),
        pytest.param("gce://project/zone/i-name", "", id="another cloud"),
        pytest.param(None, "", id="none"),
    ],
)
def test_the_instance_that_a_node_is(provider_id: str | None, expected: str) -> None:
    assert parse.node({"metadata": META, "spec": {"providerID": provider_id}}).instance_id == expected


def test_a_budget_as_the_api_server_tells_it() -> None:
    budget = parse.budget(captured("poddisruptionbudget"))
    assert budget.selector == LabelSelector(
        match_labels={"app": "web"},
        match_expressions=(Requirement(key="tier", operator=Operator.NOT_IN, values=frozenset({"batch"})),),
    )
    assert budget.desired_healthy == 1


@pytest.mark.parametrize(
    ("spec", "selects"), [({}, False), ({"selector": {}}, True)], ids=["no selector: none", "an empty one: all"]
)
def test_which_pods_a_budget_selects_by_default(spec: dict[str, Any], selects: bool) -> None:
    assert parse.budget({"metadata": META, "spec": spec}).selects("default", {"app": "a"}) is selects


ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/73e2d6bc24d8a067"


def test_a_binding_as_its_crd_defines_it() -> None:
    spec = {"targetGroupARN": ARN, "targetType": "ip", "serviceRef": {"name": "web", "port": 80}}
    meta = META | {"annotations": {marks.NUDGE: "x"}, "creationTimestamp": "2026-11-23T11:00:00Z"}
    binding = parse.binding({"metadata": meta, "spec": spec})
    assert (binding.group, binding.target_type, binding.service, binding.service_port) == (ARN, "ip", "web", 80)
    assert binding.is_nudged
    assert binding.created == datetime(2026, 11, 23, 11, tzinfo=UTC)


def test_a_binding_of_auto_mode_has_the_same_fields() -> None:
    spec = {
        "targetGroupARN": ARN,
        "targetGroupName": "web",
        "ipAddressType": "ipv6",
        "iamRoleArnToAssume": "arn:aws:iam::210987654321:role/targets",
        "serviceRef": {"name": "web", "port": 80},
    }
    binding = parse.binding({"metadata": META, "spec": spec}, api="eks.amazonaws.com")
    assert binding.key == ("eks.amazonaws.com", META["namespace"], META["name"])
    assert (binding.group, binding.is_ipv6) == (ARN, True)
    assert binding.role == Role(arn="arn:aws:iam::210987654321:role/targets")
    binding = parse.binding({"metadata": META, "spec": spec | {"assumeRoleExternalId": "42"}})
    assert binding.role == Role(arn="arn:aws:iam::210987654321:role/targets", external_id="42")


def test_a_binding_may_name_its_group_only() -> None:
    spec = {"targetGroupName": "web", "serviceRef": {"name": "web", "port": 80}}
    binding = parse.binding({"metadata": META, "spec": spec})
    assert (binding.group, binding.role, binding.is_ipv6) == ("web", None, False)


def test_a_binding_of_nodes_may_choose_among_them() -> None:
    def selector(spec: dict[str, Any]) -> LabelSelector | None:
        return parse.binding({"metadata": META, "spec": {"targetType": "instance", **spec}}).node_selector

    assert selector({}) is None
    assert selector({"nodeSelector": {}}) == LabelSelector(match_labels={})
    chosen = selector({"nodeSelector": {"matchLabels": {"pool": "web"}}})
    assert chosen == LabelSelector(match_labels={"pool": "web"})


def test_a_binding_does_not_guess_its_type_or_its_group() -> None:
    binding = parse.binding({"metadata": META, "spec": {"serviceRef": {"name": "web", "port": "http"}}})
    assert (binding.group, binding.target_type, binding.service_port) == ("", "", "http")
    assert not binding.is_nudged


@pytest.mark.parametrize("text", ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z", "2026-01-02T04:04:05+01:00"])
def test_times_are_aware_and_in_utc(text: str) -> None:
    found = parse.instant(text)
    assert found == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert found.tzinfo is UTC


def test_what_a_workload_creates_its_pods_with() -> None:
    labels = parse.replica_set(captured("replicaset")).template_labels
    assert labels is not None
    assert labels["pod-template-hash"]
    spec = {"serviceName": "db", "template": {"metadata": {"labels": {"app": "db"}}}}
    assert parse.stateful_set({"metadata": META, "spec": spec}).template_labels == {"app": "db"}
    assert parse.stateful_set({"metadata": META, "spec": {"template": {"metadata": {}}}}).template_labels == {}


def test_what_a_service_says_of_its_connections() -> None:
    port = {"port": 80, "appProtocol": "kubernetes.io/ws"}
    service = parse.service({"metadata": META, "spec": {"ports": [port], "sessionAffinity": "ClientIP"}})
    assert (service.ports[0].app_protocol, service.keeps_clients) == ("kubernetes.io/ws", True)
    service = parse.service({"metadata": META, "spec": {"ports": [{"port": 80}], "sessionAffinity": "None"}})
    assert (service.ports[0].app_protocol, service.keeps_clients) == ("", False)


def test_what_a_budget_wants() -> None:
    budget = parse.budget({"metadata": META, "spec": {"minAvailable": "50%"}, "status": {"expectedPods": 4}})
    assert (budget.min_available, budget.max_unavailable, budget.expected_pods) == ("50%", None, 4)
    assert parse.budget({"metadata": META, "spec": {"maxUnavailable": 0}}).max_unavailable == 0


@pytest.mark.parametrize("is_shared", [True, False])
def test_a_group_that_several_clusters_have_targets_in(is_shared: bool) -> None:
    assert parse.binding({"metadata": META, "spec": {"multiClusterTargetGroup": is_shared}}).is_shared is is_shared
