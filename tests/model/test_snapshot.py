"""What goes together in a snapshot."""

from dataclasses import replace

import pytest

from kubectl_safe.decide.owners import reference_to
from kubectl_safe.model.governing import governing_service_of
from kubectl_safe.model.marks import HANDOFF, Handoff
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.port import ContainerPort
from kubectl_safe.model.service import ServicePort
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import Target
from tests.support.builders import (
    a_binding,
    a_cluster,
    a_deployment,
    a_pod,
    a_service,
    a_target,
    an_owner,
    arn,
    health,
    uid,
)


def served_by(target_port: int | str) -> Snapshot:
    port = ServicePort(name="http", port=80, target_port=target_port)
    pod = a_pod(ports=(ContainerPort(name="web", number=9000), ContainerPort(name="dns", number=53, protocol="UDP")))
    return a_cluster(pod, services=(a_service(ports=(port,)),))


TARGETS = [
    pytest.param(a_cluster(), (a_target(),), id="its address and its Service's target port"),
    pytest.param(a_cluster(a_pod(withdrawn=True)), (a_target(),), id="also after its withdrawal"),
    pytest.param(served_by("web"), (Target(group=arn(), ip="10.244.0.2", port=9000),), id="a port by name"),
    pytest.param(served_by("dns"), (), id="none for a name of another protocol"),
    pytest.param(a_cluster(a_pod(ips=())), (), id="none before it has an address"),
    pytest.param(a_cluster(bindings=(a_binding(target_type="instance"),)), (), id="none in a group of instances"),
    pytest.param(a_cluster(bindings=(a_binding(namespace="other"),)), (), id="none by another namespace's binding"),
    pytest.param(a_cluster(bindings=(a_binding(service_port="http"),)), (a_target(),), id="the Service's port by name"),
]


@pytest.mark.parametrize(("snapshot", "targets"), TARGETS)
def test_a_pod_is_a_target_by(snapshot: Snapshot, targets: tuple[Target, ...]) -> None:
    assert snapshot.targets_of(snapshot.pods[uid("web-1")]) == targets


def test_a_withdrawn_pod_keeps_the_targets_it_noted_when_its_binding_is_gone() -> None:
    noted = a_pod(withdrawn=True)
    handoff = noted.annotations["kubectl-safe/handoff"].replace('"targets":[]', f'"targets":["{arn()}=8080"]')
    pod = a_pod(withdrawn=True, annotations={"kubectl-safe/handoff": handoff})
    snapshot = a_cluster(pod, bindings=())
    assert snapshot.targets_of(pod) == (a_target(),)
    assert snapshot.pods_in_group(arn()) == ((pod, a_target()),)


@pytest.mark.parametrize(
    ("pod", "is_found"),
    [
        pytest.param(a_pod(), True, id="by its ReplicaSet"),
        pytest.param(a_pod(released=True), True, id="by its plain owner once released"),
        pytest.param(a_pod(controller=an_owner("StatefulSet", "db")), False, id="not of a StatefulSet"),
        pytest.param(a_pod(controller=an_owner(name="unknown-1")), False, id="not of an unknown ReplicaSet"),
        pytest.param(a_pod(owners=a_pod(released=True).owners), False, id="not by a plain owner that is not ours"),
    ],
)
def test_a_pod_is_of_a_deployment(pod: Pod, is_found: bool) -> None:
    assert (a_cluster(pod).workload_of(pod) is not None) is is_found


def test_a_deployment_has_its_released_and_its_controlled_pods_and_those_about_to_be_adopted() -> None:
    other = a_pod("web-4", owners=(), labels={"app": "other"})
    snapshot = a_cluster(a_pod(released=True), a_pod("web-2", withdrawn=True), a_pod("web-3", owners=()), other)
    assert [p.name for p in snapshot.pods_of(a_deployment())] == ["web-1", "web-2", "web-3", "web-5", "web-6"]


def test_an_answer_is_fresh_for_as_long_as_it_may_be_old() -> None:
    snapshot = a_cluster(target_health={"web-1": health(asked=15), "web-2": health(asked=15.1)})
    assert snapshot.fresh_health(a_target("web-1")) is not None
    assert snapshot.fresh_health(a_target("web-2")) is None


def test_a_pod_is_of_the_stateful_set_that_controls_it_or_released_it_at_its_withdrawal() -> None:
    database = replace(a_deployment("db"), kind="StatefulSet", governing_service="db-members")
    mine = a_pod("db-0", controller=an_owner("StatefulSet", "db"), labels={"app": "db"})
    mine = replace(mine, owners=(replace(mine.owners[0], uid=database.uid),))
    note = {HANDOFF: Handoff(dropped={"app": "db"}, in_service=2).dumps()}
    let_go = replace(mine, name="db-1", uid=uid("db-1"), owners=(reference_to(database),), annotations=note)
    members, other = a_service("db-members", selector={"app": "db"}), a_service("db")
    snapshot = a_cluster(mine, let_go, workloads={database.uid: database}, services=(members, other))
    assert [snapshot.workload_of(pod) for pod in (mine, let_go)] == [database, database]
    assert [pod.name for pod in snapshot.pods_of(database)] == ["db-0", "db-1"]
    assert snapshot.services_to_leave(mine) == (other,)
    assert governing_service_of(mine, {}) == ""
