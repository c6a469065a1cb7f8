"""Which endpoints a Service has, and what they say."""

from typing import Any

import pytest

from tests.conformance.ground import MERGE, Ground
from tests.conformance.manifests import a_pod, a_service, container, labels, name_of
from tests.conformance.plane import Json

IN = {"ready": True, "serving": True, "terminating": False}
UNREADY = {"ready": False, "serving": False, "terminating": False}


def listed(ground: Ground, **wanted: Json) -> dict[str, Json]:
    """Wait until the Service `web` has exactly these endpoints, by pod."""
    return ground.until(
        lambda: found if (found := ground.endpoints("web")) == wanted else None, f"{wanted} in web's endpoints"
    )


def slices(ground: Ground) -> list[Json]:
    return ground.all("endpointslices", labelSelector="kubernetes.io/service-name=web")


def a_running_pod(ground: Ground, name: str, **spec: Any) -> Json:
    ground.create("pods", a_pod(name, {"app": "web", "of": name}, **spec))
    return ground.run(ground.bound(name))


def test_ready_pod_is_listed_with_all_that_leads_to_it(ground: Ground) -> None:
    ground.create("services", a_service("web"))
    pod = a_running_pod(ground, "a")
    listed(ground, a=IN)
    [listing] = slices(ground)
    [endpoint] = listing["endpoints"]
    assert endpoint["addresses"] == [pod["status"]["podIP"]]
    assert endpoint["nodeName"] == pod["spec"]["nodeName"]
    assert endpoint["targetRef"] == {
        "kind": "Pod",
        "namespace": ground.namespace,
        "name": "a",
        "uid": pod["metadata"]["uid"],
    }
    assert listing["ports"] == [{"name": "", "port": 8080, "protocol": "TCP"}]
    assert listing["addressType"] == "IPv4"


def test_slice_is_its_service_s(ground: Ground) -> None:
    body = a_service("web")
    body["metadata"]["labels"] = {"of": "shop"}
    ground.create("services", body)
    [listing] = ground.until(lambda: slices(ground) or None, "the slice")
    assert labels(listing) == {
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        "of": "shop",
    }
    [owner] = listing["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["controller"]) == ("Service", "web", True)


def test_service_without_pods_has_an_empty_slice(ground: Ground) -> None:
    ground.create("services", a_service("web"))
    [listing] = ground.until(lambda: slices(ground) or None, "the slice")
    assert (listing["endpoints"], listing["ports"]) == (None, None)


def test_first_pod_comes_into_the_empty_slice(ground: Ground) -> None:
    ground.create("services", a_service("web"))
    [empty] = ground.until(lambda: slices(ground) or None, "the slice")
    a_running_pod(ground, "a")
    listed(ground, a=IN)
    [listing] = slices(ground)
    assert listing["metadata"]["uid"] == empty["metadata"]["uid"]
    assert listing["metadata"]["generation"] > empty["metadata"]["generation"]


def test_slice_that_the_last_pod_left_has_no_ports(ground: Ground) -> None:
    ground.create("services", a_service("web"))
    a_running_pod(ground, "a")
    listed(ground, a=IN)
    ground.patch("pods", "a", {"metadata": {"labels": {"app": None}}})
    listed(ground)
    [listing] = slices(ground)
    assert (listing["endpoints"], listing["ports"]) == (None, None)


def test_service_without_selector_has_none(ground: Ground) -> None:
    body = a_service("web")
    del body["spec"]["selector"]
    ground.create("services", body)
    ground.create("services", a_service("witness"))
    ground.until(
        lambda: ground.all("endpointslices", labelSelector="kubernetes.io/service-name=witness") or None, "the other"
    )
    assert slices(ground) == []


def test_pod_without_an_address_is_not_listed(ground: Ground) -> None:
    ground.create("services", a_service("web"))
    ground.create("pods", a_pod("b", {"app": "web"}))
    a_running_pod(ground, "a")
    listed(ground, a=IN)


def test_unready_pod_is_listed_as_such(ground: Ground) -> None:
    ground.create("services", a_service("web"))
    pod = a_running_pod(ground, "a")
    listed(ground, a=IN)
    ground.run(pod, ready=False)
    listed(ground, a=UNREADY)


def test_terminating_pod_serves_and_is_not_ready(ground: Ground) -> None:
    ground.create("services", a_service("web"))
    pod = a_running_pod(ground, "a")
    listed(ground, a=IN)
    ground.call("DELETE", "pods", "a")
    listed(ground, a={"ready": False, "serving": True, "terminating": True})
    ground.stop(pod)
    listed(ground)


def test_all_are_ready_where_the_service_says_so(ground: Ground) -> None:
    ground.create("services", a_service("web", publishNotReadyAddresses=True))
    pod = a_running_pod(ground, "a")
    ground.run(pod, ready=False)
    listed(ground, a={"ready": True, "serving": False, "terminating": False})
    ground.call("DELETE", "pods", "a")
    listed(ground, a={"ready": True, "serving": False, "terminating": True})


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_finished_pod_is_not_listed(ground: Ground, phase: str) -> None:
    ground.create("services", a_service("web"))
    a_running_pod(ground, "a", restartPolicy="Never")
    listed(ground, a=IN)
    conditions = [{"type": kind, "status": "False"} for kind in ("ContainersReady", "Ready")]
    ground.patch("pods", "a", {"status": {"phase": phase, "conditions": conditions}}, sub="status")
    listed(ground)


def test_pod_that_drops_the_label_leaves(ground: Ground) -> None:
    ground.create("services", a_service("web"))
    for name in ("a", "b"):
        a_running_pod(ground, name)
    listed(ground, a=IN, b=IN)
    ground.patch("pods", "a", {"metadata": {"labels": {"app": None}}})
    listed(ground, b=IN)
    assert ground.get("pods", "a")["status"]["phase"] == "Running"


def test_pod_that_gets_the_label_back_comes_back(ground: Ground) -> None:
    ground.create("services", a_service("web"))
    a_running_pod(ground, "a")
    listed(ground, a=IN)
    ground.patch("pods", "a", {"metadata": {"labels": {"app": None}}})
    listed(ground)
    ground.patch("pods", "a", {"metadata": {"labels": {"app": "web"}}})
    listed(ground, a=IN)


def test_label_that_no_service_uses_changes_nothing(ground: Ground) -> None:
    ground.create("services", a_service("web"))
    a_running_pod(ground, "a")
    listed(ground, a=IN)
    [before] = slices(ground)
    ground.patch("pods", "a", {"metadata": {"labels": {"of": None, "kubectl-safe/withdrawn": ""}}})
    ground.create("pods", a_pod("b", {"app": "web"}))
    ground.run(ground.bound("b"))
    listed(ground, a=IN, b=IN)
    [after] = slices(ground)
    assert after["endpoints"][:1] == before["endpoints"] or after["endpoints"][1:] == before["endpoints"]


def test_service_selects_anew(ground: Ground) -> None:
    ground.create("services", a_service("web"))
    for name in ("a", "b"):
        a_running_pod(ground, name)
    listed(ground, a=IN, b=IN)
    ground.patch("services", "web", {"spec": {"selector": {"of": "b"}}})
    listed(ground, b=IN)


def test_slices_go_with_their_service(ground: Ground) -> None:
    ground.create("services", a_service("web"))
    a_running_pod(ground, "a")
    listed(ground, a=IN)
    ground.call("DELETE", "services", "web")
    ground.until(lambda: not slices(ground) or None, "their end")


def test_named_port_is_each_pod_s_own(ground: Ground) -> None:
    ground.create("services", a_service("web", ports=[{"name": "http", "port": 80, "targetPort": "web"}]))
    for name, number in (("a", 8080), ("b", 9090)):
        spec = {"containers": [container(ports=[{"name": "web", "containerPort": number}])]}
        ground.create("pods", a_pod(name, {"app": "web"}, **spec))
        ground.run(ground.bound(name))
    listed(ground, a=IN, b=IN)
    ports = {
        listing["endpoints"][0]["targetRef"]["name"]: listing["ports"]
        for listing in slices(ground)
        if listing["endpoints"]
    }
    assert ports == {
        "a": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        "b": [{"name": "http", "port": 9090, "protocol": "TCP"}],
    }


def test_headless_service_says_so(ground: Ground) -> None:
    ground.create("services", a_service("web", clusterIP="None"))
    [listing] = ground.until(lambda: slices(ground) or None, "the slice")
    assert labels(listing)["service.kubernetes.io/headless"] == ""


def test_a_port_of_every_node_is_chosen_by_the_server(ground: Ground) -> None:
    for name in ("web", "api"):
        ground.create("services", a_service(name, type="NodePort"))
    specs = [ground.get("services", name)["spec"] for name in ("web", "api")]
    assert {spec["externalTrafficPolicy"] for spec in specs} == {"Cluster"}
    ports = {port["nodePort"] for spec in specs for port in spec["ports"]}
    assert len(ports) == 2
    assert all(30000 <= port < 32768 for port in ports)


def test_deployments_pods_are_listed_beside_each_other(ground: Ground) -> None:
    ground.create("services", a_service("web"))
    pods = ground.deploy(replicas=3)
    listed(ground, **{name_of(pod): IN for pod in pods})
    assert len(slices(ground)) == 1


def test_service_of_both_families_has_slices_of_each(ground: Ground) -> None:
    ground.create("services", a_service("web", ipFamilyPolicy="RequireDualStack"))
    pod = a_running_pod(ground, "a")
    ips = {("IPv6" if ":" in its["ip"] else "IPv4"): its["ip"] for its in pod["status"]["podIPs"]}

    def addresses() -> dict[str, list[str]]:
        return {
            its["addressType"]: [a for e in its["endpoints"] or () for a in e["addresses"]] for its in slices(ground)
        }

    ground.until(lambda: addresses() == {family: [ip] for family, ip in ips.items()} or None, "both addresses")
    spec = ground.get("services", "web")["spec"]
    assert (spec["ipFamilies"], len(spec["clusterIPs"])) == (["IPv4", "IPv6"], 2)
    change = {"ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv4"], "clusterIPs": spec["clusterIPs"][:1]}
    assert ground.patch("services", "web", {"spec": change}, kind=MERGE).code == 200
    ground.until(lambda: addresses() == {"IPv4": [ips["IPv4"]]} or None, "the end of the other family")


def test_headless_service_of_both_families_has_slices_of_each(ground: Ground) -> None:
    ground.create("services", a_service("web", clusterIP="None", ipFamilyPolicy="PreferDualStack"))
    ground.until(lambda: {its["addressType"] for its in slices(ground)} == {"IPv4", "IPv6"} or None, "both families")
