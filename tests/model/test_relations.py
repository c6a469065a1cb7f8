"""What is of what: pods of Services and Deployments, states of targets, cordons of ours."""

from dataclasses import replace

import pytest

from kubectl_safe.model.marks import CORDONED, EXCLUDED, HANDOFF, Handoff
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.selector import LabelSelector, has_all
from kubectl_safe.model.target import EXCLUDE_LABEL, State, Target, canonical
from kubectl_safe.model.workload import Node
from tests.support.builders import (
    NOT_REGISTERED,
    a_binding,
    a_cluster,
    a_deployment,
    a_group,
    a_pod,
    a_replica_set,
    a_service,
    a_target,
    an_owner,
    arn,
    health,
    uid,
)


def test_a_service_selects_pods_of_its_namespace_by_all_its_labels() -> None:
    service = a_service(selector={"app": "web", "tier": "front"})
    assert service.selects("shop", {"app": "web", "tier": "front", "other": "1"})
    assert not service.selects("other", {"app": "web", "tier": "front"})
    assert not service.selects("shop", {"app": "web"})


def test_a_label_has_to_have_its_value() -> None:
    assert has_all({"app": "web"}, {"app": "web"})
    assert not has_all({"app": "api"}, {"app": "web"})


@pytest.mark.parametrize(
    ("pod", "is_found"),
    [
        pytest.param(a_pod("new", owners=()), True, id="which its ReplicaSet selects"),
        pytest.param(a_pod("new", owners=(), terminating=True), False, id="not one that terminates"),
        pytest.param(a_pod("new", owners=(), namespace="other"), False, id="not one of another namespace"),
        pytest.param(a_pod("new", owners=(), labels={"app": "web"}), False, id="not one without its hash"),
        pytest.param(a_pod("new", controller=an_owner("StatefulSet", "db")), False, id="not one that another has"),
    ],
)
def test_a_deployment_is_about_to_have_a_pod(pod: Pod, is_found: bool) -> None:
    assert (pod in a_cluster(pod).pods_of(a_deployment())) is is_found


@pytest.mark.parametrize("state", [state.value for state in State])
def test_only_a_target_that_is_unused_for_want_of_registration_is_gone(state: str) -> None:
    assert health(state, NOT_REGISTERED).is_gone is (state == "unused")
    assert not health(state, "Target.NotInUse").is_gone
    assert health(state).is_healthy is (state == "healthy")


@pytest.mark.parametrize(
    ("is_unschedulable", "annotations", "is_ours"),
    [(True, {CORDONED: "now"}, True), (True, {}, False), (False, {CORDONED: "now"}, False)],
    ids=["we cordoned it", "another did", "it was uncordoned since"],
)
def test_a_cordon_is_ours_where(is_unschedulable: bool, annotations: dict[str, str], is_ours: bool) -> None:
    node = Node(name="n", resource_version="1", is_unschedulable=is_unschedulable, annotations=annotations)
    assert node.is_cordoned_by_us is is_ours


@pytest.mark.parametrize(
    ("labels", "annotations", "is_ours"),
    [
        ({EXCLUDE_LABEL: "true"}, {EXCLUDED: "now"}, True),
        ({EXCLUDE_LABEL: ""}, {}, False),
        ({}, {EXCLUDED: "now"}, False),
    ],
    ids=["we excluded it", "another did", "it was included since"],
)
def test_an_exclusion_is_ours_where(labels: dict[str, str], annotations: dict[str, str], is_ours: bool) -> None:
    node = Node(name="n", resource_version="1", labels=labels, annotations=annotations)
    assert node.is_excluded is (EXCLUDE_LABEL in labels)
    assert node.is_excluded_by_us is is_ours


@pytest.mark.parametrize(
    ("labels", "target_type", "is_registered"),
    [
        pytest.param({}, "instance", True, id="any node"),
        pytest.param({}, "ip", False, id="no node where pods are targets"),
        pytest.param({EXCLUDE_LABEL: "whatever"}, "instance", False, id="none that is excluded"),
        pytest.param({"node-role.kubernetes.io/master": ""}, "instance", False, id="no control plane of old"),
        pytest.param(
            {"alpha.service-controller.kubernetes.io/exclude-balancer": ""},
            "instance",
            False,
            id="none excluded of old",
        ),
        pytest.param({"eks.amazonaws.com/compute-type": "fargate"}, "instance", False, id="no Fargate"),
        pytest.param({"eks.amazonaws.com/compute-type": "ec2"}, "instance", True, id="EC2"),
    ],
)
def test_a_binding_registers(labels: dict[str, str], target_type: str, is_registered: bool) -> None:
    assert a_binding(target_type=target_type).registers(labels) is is_registered
    chosen = a_binding(target_type=target_type, node_selector=LabelSelector(match_labels={"pool": "web"}))
    assert chosen.registers({**labels, "pool": "web"}) is is_registered
    assert not chosen.registers({**labels, "pool": "db"})


PLAIN = replace(an_owner(), is_controller=False)
OF_WEB = a_pod(released=True).owners


@pytest.mark.parametrize(
    ("pod", "is_found"),
    [
        pytest.param(a_pod(owners=(PLAIN,)), False, id="not by a ReplicaSet that does not control it"),
        pytest.param(
            a_pod(released=True, owners=(an_owner("StatefulSet", "db"), *OF_WEB)),
            True,
            id="by its plain owner, though something adopted it after its release",
        ),
        pytest.param(
            a_pod(released=True, owners=(replace(PLAIN, uid="gone"), *OF_WEB)),
            True,
            id="by its plain owner, beside a ReplicaSet that does not control it",
        ),
        pytest.param(a_pod(controller=an_owner(name="bare")), False, id="not by a ReplicaSet of none"),
    ],
)
def test_a_pod_is_of_its_deployment(pod: Pod, is_found: bool) -> None:
    sets = {r.uid: r for r in (a_replica_set(), a_replica_set("bare", owner=None))}
    assert (a_cluster(pod, replica_sets=sets).workload_of(pod) is not None) is is_found


def test_a_pod_is_no_target_of_a_service_or_a_port_that_is_not_there() -> None:
    snapshot = a_cluster()
    for binding in (a_binding(service="gone"), a_binding(service_port=81), a_binding(service_port="https")):
        assert snapshot.target_in(binding, a_pod()) is None
    assert snapshot.target_in(a_binding(), a_pod()) == a_target()


V4, V6 = "10.0.0.1", "2001:db8::a"


@pytest.mark.parametrize(
    ("ips", "is_ipv6", "ip"),
    [
        pytest.param((V4, V6), False, V4, id="IPv4 of two, which comes first"),
        pytest.param((V6, V4), False, V4, id="IPv4 of two, which comes second"),
        pytest.param((V4, V6), True, V6, id="IPv6 of two, which comes second"),
        pytest.param((V6,), True, V6, id="IPv6 alone"),
        pytest.param((V4,), True, V4, id="the only one it has, of which the group may know nothing"),
        pytest.param((V6,), False, V6, id="the only one it has, where the binding tells no family"),
    ],
)
def test_a_target_has_the_pods_address_of_its_groups_family(ips: tuple[str, ...], is_ipv6: bool, ip: str) -> None:
    target = replace(a_target(), ip=ip)
    assert a_cluster().target_in(a_binding(is_ipv6=is_ipv6), a_pod(ips=ips)) == target
    noted = Handoff(dropped={}, in_service=1, targets=(target.note,)).dumps()
    pod = a_pod(released=True, annotations={HANDOFF: noted}, ips=ips)
    assert a_cluster(pod, bindings=()).targets_of(pod) == (target,)


def test_a_pod_notes_only_the_port_of_its_usual_address() -> None:
    assert a_target().note == f"{arn()}=8080"
    target = replace(a_target(), ip=V6)
    assert target.note == f"{arn()}=[2001:db8::a]:8080"
    assert str(target) == "[2001:db8::a]:8080 in web"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("2001:DB8:0:0:0:0:0:A", V6),
        (V6, V6),
        (V4, V4),
        ("i-0123456789abcdef0", "i-0123456789abcdef0"),
        ("not:an:address", "not:an:address"),
    ],
)
def test_addresses_are_written_as_aws_writes_them(address: str, expected: str) -> None:
    assert canonical(address) == expected


GATES = ("target-health.elbv2.k8s.aws/web", "target-health.eks.amazonaws.com/web")


@pytest.mark.parametrize(
    ("api", "gates", "expected"),
    [
        pytest.param("elbv2.k8s.aws", GATES, GATES[0], id="the controller's"),
        pytest.param("eks.amazonaws.com", GATES, GATES[1], id="Auto Mode's"),
        pytest.param("elbv2.k8s.aws", GATES[1:], GATES[1], id="of another domain, where there is no other"),
        pytest.param("elbv2.k8s.aws", ("target-health.elbv2.k8s.aws/other",), None, id="not of another name"),
        pytest.param("elbv2.k8s.aws", ("example.com/web",), None, id="not of something else"),
    ],
)
def test_a_binding_has_a_gate(api: str, gates: tuple[str, ...], expected: str | None) -> None:
    assert a_binding(api=api).gate_in(gates) == expected


def test_what_a_pod_notes_of_targets_is_read_whatever_is_in_a_group_s_name() -> None:
    noted = Handoff(dropped={}, in_service=1, targets=("a=b=8080",)).dumps()
    for ips, targets in ((("10.0.0.1",), (Target(group="a=b", ip="10.0.0.1", port=8080),)), ((), ())):
        pod = a_pod(released=True, annotations={HANDOFF: noted}, ips=ips)
        assert a_cluster(pod, bindings=()).targets_of(pod) == targets


def test_a_target_is_healthy_after_all_its_checks_but_the_first() -> None:
    for threshold, seconds in ((2, 5), (5, 20)):
        group = replace(a_group(), healthy_threshold=threshold)
        assert group.time_to_healthy.total_seconds() == seconds


def test_a_pod_is_of_a_deployment_by_the_uid_of_its_owner() -> None:
    snapshot = a_cluster(a_pod("web-1", of="gone", released=True))
    assert snapshot.workload_of(snapshot.pods[uid("web-1")]) is None
