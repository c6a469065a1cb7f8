"""What meshes and clouds leave on pods and Services, as it is read from the API server's JSON."""

from typing import Any

import pytest

from kubectl_safe.kube import parse

META = {"namespace": "default", "name": "a", "uid": "u", "resourceVersion": "1"}


def a_raw_pod(*containers: str, sidecar: str = "", inits: str = "", **annotations: str) -> dict[str, Any]:
    """Return a pod with containers of these names."""
    marks = {key.replace("__", "/").replace("_", "."): value for key, value in annotations.items()}
    first = [{"name": inits}] if inits else []
    first += [{"name": sidecar, "restartPolicy": "Always"}] if sidecar else []
    spec = {"containers": [{"name": name} for name in ("app", *containers)], "initContainers": first}
    return {"metadata": META | {"annotations": marks}, "spec": spec}


@pytest.mark.parametrize(
    ("raw", "mesh"),
    [
        pytest.param(a_raw_pod(), "", id="none"),
        pytest.param(a_raw_pod("istio-proxy"), "Istio", id="Istio's sidecar"),
        pytest.param(a_raw_pod(sidecar="istio-proxy"), "Istio", id="Istio's native sidecar"),
        pytest.param(a_raw_pod(inits="istio-proxy"), "", id="an init container that ends is no proxy"),
        pytest.param(a_raw_pod(sidecar_istio_io__status="{}"), "Istio", id="Istio's mark"),
        pytest.param(a_raw_pod("linkerd-proxy"), "Linkerd", id="Linkerd's sidecar"),
        pytest.param(a_raw_pod(sidecar="linkerd-proxy"), "Linkerd", id="Linkerd's native sidecar"),
        pytest.param(a_raw_pod("kuma-sidecar"), "Kuma", id="Kuma"),
        pytest.param(a_raw_pod("consul-dataplane"), "Consul", id="Consul"),
        pytest.param(a_raw_pod(ambient_istio_io__redirection="enabled"), "Istio in ambient mode", id="ambient"),
        pytest.param(a_raw_pod(ambient_istio_io__redirection="disabled"), "", id="not ambient"),
    ],
)
def test_which_mesh_a_pod_is_in(raw: dict[str, Any], mesh: str) -> None:
    assert parse.pod(raw).mesh == mesh


def test_the_mark_of_linkerd() -> None:
    assert parse.pod({"metadata": META | {"annotations": {"linkerd.io/proxy-version": "2.17"}}}).mesh == "Linkerd"


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        pytest.param({}, False, id="nothing is said"),
        pytest.param({"neg-status": '{"network_endpoint_groups":{"80":"k8s1-x"}}'}, True, id="there are some"),
        pytest.param({"neg": '{"exposed_ports":{"80":{}}}'}, True, id="there are to be some"),
        pytest.param({"neg": '{"ingress":true}'}, False, id="an Ingress may have some, as GKE says of every Service"),
        pytest.param({"neg": '{"exposed_ports":{}}'}, False, id="of no port"),
        pytest.param({"neg": "yes"}, False, id="what nobody can read"),
        pytest.param({"neg": "[1]"}, False, id="what is no object"),
    ],
)
def test_whether_the_pods_of_a_service_are_in_endpoint_groups(annotations: dict[str, str], expected: bool) -> None:
    marks = {f"cloud.google.com/{key}": value for key, value in annotations.items()}
    assert parse.service({"metadata": META | {"annotations": marks}}).is_in_endpoint_group is expected
