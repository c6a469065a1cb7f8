"""What comes of missing rights: a refusal that names them all, before anything is watched."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from kubectl_safe.decide.rights import to_drain, to_restart
from kubectl_safe.kube.errors import ApiError
from kubectl_safe.kube.rights import REVIEWS
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.run.rights import check_rights
from kubectl_safe.run.session import Session
from kubectl_safe.run.terms import Terms
from tests.run.world import Heard
from tests.support.builders import NOW
from tests.support.raw import a_raw_pod

if TYPE_CHECKING:
    from kubectl_safe.kube.client import Client

RESTART = to_restart("shop", writes=True, nudges=True)
DRAIN = to_drain(["node-1"], writes=True, nudges=True)


@dataclass
class Server:
    """An API server that knows who may do what: what is denied is `verb resource`, perhaps `in NAMESPACE`."""

    denies: tuple[str, ...] = ()
    allows: tuple[str, ...] = ()
    pods: tuple[Mapping[str, Any], ...] = ()
    paths: list[str] = field(default_factory=list)

    def request(self, method: str, path: str, *, query: Any = None, body: Any = None) -> dict[str, Any]:  # noqa: ARG002 - Client
        self.paths.append(f"{method} {path}")
        if path == REVIEWS:
            return {"status": {"allowed": self._allows(body["spec"]["resourceAttributes"])}}
        if path == "/api/v1/pods":
            return {"items": list(self.pods)}
        if path == "/apis":
            return {"groups": [{"name": "elbv2.k8s.aws"}]}
        if path == "/apis/elbv2.k8s.aws/v1beta1":
            return {"resources": [{"name": "targetgroupbindings"}]}
        raise ApiError("not found", status=404)

    def _allows(self, asked: Mapping[str, str]) -> bool:
        resource = "/".join(filter(None, [asked["resource"], asked.get("subresource", "")]))
        right = f"{asked['verb']} {resource}"
        return right not in self.denies or f"{right} in {asked.get('namespace')}" in self.allows

    @property
    def client(self) -> "Client":
        return cast("Client", self)


def test_who_may_do_everything_hears_nothing() -> None:
    heard = Heard()
    for needs in (RESTART, DRAIN):
        assert check_rights(Server().client, needs, heard) == frozenset()
    assert heard.warnings == []


def test_all_that_is_missing_is_told_at_once_and_nothing_else_is_sent() -> None:
    server = Server(denies=("patch pods", "create pods/eviction", "create leases"))
    with pytest.raises(KubectlSafeError) as raised:
        check_rights(server.client, RESTART, Heard())
    assert str(raised.value).splitlines() == [
        "these rights are missing, and nothing was changed:",
        "  patch pods in namespace shop",
        "  create pods/eviction in namespace shop",
        "  create leases.coordination.k8s.io in namespace shop",
        (
            "have a Role or ClusterRole with them bound to you, as kubectl safe rbac -n shop --for restart prints it "
            "(kubectl auth can-i patch pods -n shop)"
        ),
    ]
    assert set(server.paths) == {f"POST {REVIEWS}"}


def test_a_session_asks_before_it_watches() -> None:
    server = Server(denies=("create pods/eviction",))
    session = Session(
        client=server.client,
        namespace="shop",
        terms=Terms(),
        audience=Heard(),
        now=lambda: NOW,
        needs=RESTART,
    )
    with pytest.raises(KubectlSafeError, match="create pods/eviction in namespace shop"), session:
        pass
    assert set(server.paths) == {f"POST {REVIEWS}"}


def test_rights_to_the_same_objects_are_told_together() -> None:
    heard = Heard()
    claims = ("list persistentvolumeclaims", "watch persistentvolumeclaims")
    assert len(check_rights(Server(denies=claims).client, RESTART, heard)) == 2
    [warning] = heard.warnings
    assert warning.startswith("Warning: without the right to list and watch persistentvolumeclaims in namespace shop, ")


@pytest.mark.parametrize(
    ("denied", "warning"),
    [
        (
            "patch targetgroupbindings",
            (
                "Warning: without the right to patch targetgroupbindings.elbv2.k8s.aws in namespace shop, "
                "bindings can't be nudged, which costs up to 15s a batch"
            ),
        ),
        (
            "list events",
            (
                "Warning: without the right to list events in namespace shop, "
                "failures can't be told in the words of their events"
            ),
        ),
    ],
)
def test_what_can_be_done_without_is_only_a_warning(denied: str, warning: str) -> None:
    heard = Heard()
    [lacking] = check_rights(Server(denies=(denied,)).client, RESTART, heard)
    assert str(lacking).startswith(denied)
    assert heard.warnings == [warning]


HERE, AGENTS = a_raw_pod("web", namespace="shop"), a_raw_pod("agent", namespace="logs")

NARROW = [
    pytest.param(("create pods/eviction in shop",), (HERE,), "", id="a right where the pods are is enough"),
    pytest.param(("create pods/eviction in shop",), (), "", id="a node without pods needs none"),
    pytest.param(
        ("create pods/eviction in shop",), (HERE, AGENTS), "create pods/eviction in namespace logs", id="but there all"
    ),
    pytest.param((), (HERE,), "create pods/eviction in namespace shop", id="what is missing is told by namespace"),
]


@pytest.mark.parametrize(("allows", "pods", "missing"), NARROW)
def test_a_drain_asks_for_rights_on_pods_where_its_pods_are(
    allows: tuple[str, ...], pods: tuple[Mapping[str, Any], ...], missing: str
) -> None:
    server = Server(denies=("create pods/eviction",), allows=allows, pods=pods)
    if not missing:
        check_rights(server.client, DRAIN, Heard())
        return
    with pytest.raises(KubectlSafeError) as raised:
        check_rights(server.client, DRAIN, Heard())
    assert str(raised.value).splitlines()[1:-1] == [f"  {missing}"]


def test_without_the_right_to_list_pods_nothing_is_looked_up() -> None:
    server = Server(denies=("list pods", "create pods/eviction"), pods=(HERE,))
    with pytest.raises(KubectlSafeError) as raised:
        check_rights(server.client, DRAIN, Heard())
    assert str(raised.value).splitlines()[1:-1] == [
        "  list pods in all namespaces",
        "  create pods/eviction in all namespaces",
    ]
    assert "GET /api/v1/pods" not in server.paths
