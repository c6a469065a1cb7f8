"""What a real API server makes of our Leases."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kubectl_safe.decide.leasing import created, renewed, taken_over
from kubectl_safe.kube.cache import Signal
from kubectl_safe.kube.client import Client, connect
from kubectl_safe.kube.leases import Absent, Found, LeaseApi, Taken
from kubectl_safe.kube.outcome import Conflict, Denied
from kubectl_safe.model.connection import Connection
from kubectl_safe.model.lease import Lease, LeaseName, lease_of_node, lease_of_workload
from kubectl_safe.run.leases import Leases
from kubectl_safe.sandbox.controlplane import ControlPlane
from tests.support.loop import LoopThread

pytestmark = pytest.mark.controlplane

ALICE, BOB = "alice@laptop pid 4711 3f2a9c1b", "bob@desk pid 12 0badcafe"
NOON, LATER = "2026-11-23T12:00:00.000000Z", "2026-11-23T12:00:10.000001Z"


def now() -> datetime:
    return datetime.fromisoformat(NOON).astimezone(UTC)


@pytest.fixture(scope="module")
def running(binaries: Path) -> Iterator[ControlPlane]:
    """A control plane that the tests of this module share."""
    with LoopThread() as loop, loop.entered(ControlPlane(binaries, users={"nobody": ()})) as found:
        yield found


@pytest.fixture
def client(running: ControlPlane) -> Iterator[Client]:
    """A client that may do anything."""
    found = connect(Connection(kubeconfig=str(running.kubeconfig)), now=now)
    yield found
    found.close()


@pytest.fixture
def api(client: Client) -> LeaseApi:
    """The Leases."""
    return LeaseApi(client)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> LeaseName:
    """The name of a Lease of the test's own."""
    return lease_of_workload("Deployment", "default", request.node.name.replace("_", "-"))


def alices(api: LeaseApi, name: LeaseName) -> Lease:
    result = api.create(created(name, us=ALICE, about="restart web", at=NOON))
    assert isinstance(result, Taken)
    return result.lease


def bobs(api: LeaseApi, lease: Lease) -> Lease:
    result = api.update(taken_over(lease, us=BOB, about="drain node-a", at=LATER))
    assert isinstance(result, Taken)
    return result.lease


def test_a_lease_is_created_and_read_as_it_was_written(api: LeaseApi, name: LeaseName) -> None:
    assert api.read(name) == Absent()
    lease = alices(api, name)
    assert api.read(name) == Found(lease=lease)
    assert lease == replace(
        created(name, us=ALICE, about="restart web", at=NOON), uid=lease.uid, resource_version=lease.resource_version
    )


def test_one_of_two_creates_it(api: LeaseApi, name: LeaseName) -> None:
    lease = alices(api, name)
    assert api.create(created(name, us=BOB, about="drain node-a", at=NOON)) == Conflict()
    assert api.read(name) == Found(lease=lease)


def test_a_renewal_is_a_change(api: LeaseApi, name: LeaseName) -> None:
    lease = alices(api, name)
    result = api.update(renewed(lease, at=LATER))
    assert isinstance(result, Taken)
    assert result.lease.resource_version != lease.resource_version
    assert (result.lease.renewed, result.lease.since, result.lease.uid) == (LATER, NOON, lease.uid)


def test_a_renewal_of_what_was_taken_over_is_a_conflict(api: LeaseApi, name: LeaseName) -> None:
    lease = alices(api, name)
    theirs = bobs(api, lease)
    assert (theirs.holder, theirs.about, theirs.transitions) == (BOB, "drain node-a", 1)
    assert api.update(renewed(lease, at=LATER)) == Conflict()
    assert api.read(name) == Found(lease=theirs)


def test_what_was_renewed_is_not_taken_over(api: LeaseApi, name: LeaseName) -> None:
    lease = alices(api, name)
    api.update(renewed(lease, at=LATER))
    assert api.update(taken_over(lease, us=BOB, about="drain node-a", at=LATER)) == Conflict()


def test_only_the_version_that_was_seen_is_deleted(api: LeaseApi, name: LeaseName) -> None:
    lease = alices(api, name)
    theirs = bobs(api, lease)
    assert api.delete(lease) == Conflict()
    assert api.delete(replace(theirs, uid="another")) == Conflict()
    assert api.delete(theirs) == Absent()
    assert api.read(name) == Absent()
    assert api.delete(theirs) == Absent()


def test_a_renewal_never_brings_a_deleted_lease_back(api: LeaseApi, name: LeaseName) -> None:
    lease = alices(api, name)
    api.delete(lease)
    assert api.update(renewed(lease, at=LATER)) == Conflict()
    assert api.read(name) == Absent()


def test_nobodys_lease_is_read_as_such(api: LeaseApi, client: Client, name: LeaseName) -> None:
    path = f"/apis/coordination.k8s.io/v1/namespaces/{name.namespace}/leases"
    client.request("POST", path, body={"metadata": {"name": name.name}})
    result = api.read(name)
    assert isinstance(result, Found)
    assert (result.lease.holder, result.lease.about) == ("", "")
    assert bobs(api, result.lease).holder == BOB


@pytest.mark.parametrize(
    "lease",
    [lease_of_node("ip-10-0-0-1.eu-west-1.compute.internal"), lease_of_workload("Deployment", "default", "x" * 253)],
    ids=["a node", "a long name"],
)
def test_names_are_accepted(api: LeaseApi, lease: LeaseName) -> None:
    api.delete(alices(api, lease))
    assert api.read(lease) == Absent()


def test_a_missing_right_is_named(running: ControlPlane, name: LeaseName) -> None:
    nobody = connect(Connection(kubeconfig=str(running.kubeconfig_for("nobody"))), now=now)
    result = LeaseApi(nobody).create(created(name, us=ALICE, about="restart web", at=NOON))
    nobody.close()
    assert isinstance(result, Denied)
    assert 'User "nobody" cannot create resource "leases"' in result.message
    assert "a role must allow get, create, update and delete on leases.coordination.k8s.io" in result.message


def test_a_missing_namespace_is_denied(api: LeaseApi) -> None:
    lease = created(lease_of_workload("Deployment", "nowhere", "web"), us=ALICE, about="restart web", at=NOON)
    assert api.read(lease.name) == Absent()
    result = api.create(lease)
    assert isinstance(result, Denied)
    assert 'namespaces "nowhere" not found' in result.message


def test_two_runs_follow_each_other(api: LeaseApi, name: LeaseName) -> None:
    signal = Signal()

    def until(is_so: Callable[[], bool]) -> None:
        while not is_so():
            assert signal.wait(10), "nothing changes any more"

    with Leases(api, about="drain node-a", signal=signal) as bob:
        with Leases(api, about="restart web", signal=signal) as alice:
            alice.want_together([name])
            until(lambda: name in alice.held)
            bob.want([name])
            until(lambda: name in bob.holders)
            assert bob.holders[name].identity == alice.identity
            assert (bob.holders[name].about, bob.held) == ("restart web", frozenset())
        until(lambda: name in bob.held)
        assert bob.trouble is None
    assert api.read(name) == Absent()


def test_all_leases_of_ours_are_found_with_the_nodes_that_they_are_for(api: LeaseApi, name: LeaseName) -> None:
    api.create(created(name, us=ALICE, about="drain a b", at=NOON, nodes=("a", "b")))
    found = api.ours()
    assert isinstance(found, tuple)
    assert [lease.nodes for lease in found if lease.name == name] == [("a", "b")]
