"""`status`: whom it looks at, and what it goes on without."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from kubectl_safe.kube.errors import ApiError
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.run.scope import Scope
from kubectl_safe.run.status import Status
from tests.decide.looking import with_record
from tests.support.builders import NOW, a_cluster, a_pod, ago

if TYPE_CHECKING:
    from kubectl_safe.decide.overview import Overview
    from kubectl_safe.kube.client import Client

SHOP = Scope(namespace="shop")
MOMENT = with_record(a_cluster(a_pod(withdrawn=True)))


@dataclass
class View:
    """A cluster that is looked at, for so many seconds."""

    snapshot: Snapshot
    seconds: float = 0
    chosen: list[list[str]] = field(default_factory=list)
    """The names of the pods of each look."""
    at: float = 0

    def look(self, choose: Callable[[Snapshot], Iterable[Pod]]) -> Snapshot:
        self.chosen.append([pod.name for pod in choose(self.snapshot)])
        return self.snapshot

    def wait(self, longest: timedelta) -> None:
        self.at += longest.total_seconds()
        if self.at > self.seconds:
            raise KeyboardInterrupt


@dataclass
class Server:
    """An API server with the Lease of a restart, by a clock that is an hour behind ours."""

    denies: tuple[str, ...] = ()
    """Namespaces whose Leases may not be listed; `leases` for those of all."""
    holders: int = 1
    """Runs that are at work: 0 before the first has begun."""
    asked: list[str] = field(default_factory=list)
    clock_offset: timedelta = timedelta(hours=-1)

    def request(self, method: str, path: str, *, query: Any = None) -> dict[str, Any]:
        assert (method, query["labelSelector"]) == ("GET", "app.kubernetes.io/managed-by=kubectl-safe")
        self.asked.append(path)
        where = path.split("/")[-2] if "namespaces" in path else "leases"
        if where in self.denies:
            raise ApiError("leases is forbidden", status=403)
        return {"items": [LEASE] * self.holders if where in {"shop", "leases"} else []}


LEASE = {
    "metadata": {
        "namespace": "shop",
        "name": "kubectl-safe.deployment.web",
        "uid": "1",
        "resourceVersion": "1",
        "annotations": {"kubectl-safe/run": "rollout restart deployment/web"},
    },
    "spec": {
        "holderIdentity": "alice@laptop pid 4711 1f2e3d4c",
        "renewTime": ago(3603).isoformat(),
        "leaseDurationSeconds": 30,
    },
}


def a_status(view: View, server: Server, told: list[str], scope: Scope = SHOP) -> Status:
    client = cast("Client", server)
    return Status(scope=scope, view=view, client=client, warn=told.append, now=lambda: NOW + timedelta(seconds=view.at))


def test_the_targets_of_the_pods_that_are_shown_are_asked_for() -> None:
    view = View(MOMENT)
    scope = Scope(namespace="shop", named={"Pod": ("web-2",)})
    assert [its.pod.name for its in a_status(view, Server(), [], scope).look().pods] == ["web-2"]
    assert view.chosen == [["web-2"]]


def test_whoever_renews_a_lease_by_the_clock_of_the_server_is_at_work() -> None:
    seen = a_status(View(MOMENT), Server(), []).look()
    assert [run.holder.who for run in seen.runs] == ["alice@laptop (pid 4711)"]
    assert seen.left == ()


def test_leases_of_all_namespaces_are_read_at_once() -> None:
    server = Server()
    a_status(View(MOMENT), server, [], Scope(namespace=None)).look()
    assert server.asked == ["/apis/coordination.k8s.io/v1/leases"]


@pytest.mark.parametrize(
    ("denies", "runs", "left", "troubles"),
    [
        pytest.param((), 1, 0, [], id="all rights"),
        pytest.param(("kube-node-lease",), 1, 0, ["kube-node-lease"], id="those of drains are not to be had"),
        pytest.param(("shop", "kube-node-lease"), 0, 0, ["shop", "kube-node-lease"], id="none are to be had"),
    ],
)
def test_leases_that_can_not_be_read_are_told_once_and_gone_without(
    denies: tuple[str, ...], runs: int, left: int, troubles: list[str]
) -> None:
    told: list[str] = []
    view = View(MOMENT, seconds=20)
    seen: list[Overview] = []
    with pytest.raises(KeyboardInterrupt):
        a_status(view, Server(denies=denies), told).follow(seen.append)
    assert {(len(its.runs), len(its.left)) for its in seen} == {(runs, left)}
    assert told == [
        f"Warning: leases in namespace {its} can't be listed: leases is forbidden; runs that hold them are not shown"
        for its in troubles
    ]


def test_it_looks_every_second_and_reads_leases_every_five() -> None:
    server = Server()
    seen: list[Overview] = []
    with pytest.raises(KeyboardInterrupt):
        a_status(View(MOMENT, seconds=9), server, []).follow(seen.append)
    assert len(seen) == 10
    assert len(server.asked) == 2 * 2


def test_a_run_that_has_begun_since_leases_were_read_is_not_taken_for_a_dead_one() -> None:
    view, server = View(a_cluster(), seconds=2), Server(holders=0)
    seen: list[Overview] = []

    def tell(its: "Overview") -> None:
        seen.append(its)
        view.snapshot, server.holders = MOMENT, 1

    with pytest.raises(KeyboardInterrupt):
        a_status(view, server, []).follow(tell)
    assert [(len(its.runs), len(its.left)) for its in seen] == [(0, 0), (1, 0), (1, 0)]


def test_what_a_dead_run_left_does_not_have_leases_read_all_the_time() -> None:
    server = Server(holders=0)
    seen: list[Overview] = []
    with pytest.raises(KeyboardInterrupt):
        a_status(View(MOMENT, seconds=9), server, []).follow(seen.append)
    assert all(its.left for its in seen)
    assert len(server.asked) == 2 * 2


def test_what_is_named_has_to_be_there() -> None:
    seen = a_status(View(MOMENT), Server(), [], Scope(namespace="shop", named={"Deployment": ("api",)})).look()
    assert (seen.pods, seen.missing) == ((), ('deployments.apps "api"',))
