"""What is read of a cluster's network beside what is watched: as much as we may, and no more than is served."""

from collections.abc import Mapping
from typing import Any

import pytest

from kubectl_safe.kube.errors import ApiError
from kubectl_safe.kube.network import network_of
from kubectl_safe.model.network import Network

MCS, LATTICE = "/apis/multicluster.x-k8s.io/v1beta1", "/apis/application-networking.k8s.aws/v1alpha1"


class Served:
    """An API server that answers some paths, and refuses the others."""

    def __init__(self, answers: Mapping[str, dict[str, Any]], status: int = 403) -> None:
        self.answers = answers
        self.status = status
        self.asked: list[str] = []

    def request(self, method: str, path: str) -> dict[str, Any]:
        """Answer a request."""
        self.asked.append(f"{method} {path}")
        if path not in self.answers:
            raise ApiError(f"{path} is refused", status=self.status)
        return self.answers[path]


def serving(*versions: str) -> dict[str, Any]:
    """Return API groups as they are told, each of one version."""
    groups = {version.partition("/")[0]: version for version in versions}
    return {group: {"name": group, "versions": [{"groupVersion": version}]} for group, version in groups.items()}


def exports(*names: str) -> dict[str, Any]:
    """Return a list of ServiceExports."""
    return {"items": [{"metadata": {"namespace": "shop", "name": name}} for name in names]}


def test_nothing_is_asked_where_nothing_is_served() -> None:
    server = Served({})
    assert network_of(server, serving("apps/v1"), None) == Network()
    assert server.asked == []


def test_cilium_is_known_by_its_group() -> None:
    assert network_of(Served({}), serving("cilium.io/v2"), None) == Network(has_cilium=True)


@pytest.mark.parametrize(("namespace", "scope"), [(None, ""), ("shop", "/namespaces/shop")])
def test_exports_of_every_group_are_listed(namespace: str | None, scope: str) -> None:
    answers = {f"{MCS}{scope}/serviceexports": exports("web"), f"{LATTICE}{scope}/serviceexports": exports("api")}
    served = serving("multicluster.x-k8s.io/v1beta1", "application-networking.k8s.aws/v1alpha1")
    found = network_of(Served(answers), served, namespace)
    assert found == Network(exported=frozenset({("shop", "web"), ("shop", "api")}))


def test_a_group_without_exports_has_none() -> None:
    assert network_of(Served({}, status=404), serving("net.gke.io/v1"), None) == Network()


def test_what_may_not_be_listed_is_unknown() -> None:
    served = serving("multicluster.x-k8s.io/v1beta1", "net.gke.io/v1")
    found = network_of(Served({f"{MCS}/serviceexports": exports("web")}), served, None)
    assert found.exported == {("shop", "web")}
    assert found.unlisted_exports == "/apis/net.gke.io/v1/serviceexports is refused"
