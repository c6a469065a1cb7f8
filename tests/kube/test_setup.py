"""What a check reads beside what is watched, and how it goes on without what may not be read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.kube.errors import ApiError
from kubectl_safe.kube.listing import listed
from kubectl_safe.kube.setup import read_setup
from kubectl_safe.model.event import Subject
from kubectl_safe.model.setup import Complaint, Controller, Setup, Webhook
from tests.support.builders import NOW, ago

LABEL = "elbv2.k8s.aws/pod-readiness-gate-inject"
FORBIDDEN = ApiError("namespaces is forbidden", status=403, reason="Forbidden")
ALL_DEPLOYMENTS = "/apis/apps/v1/deployments"
WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices"
LEASES = "/apis/coordination.k8s.io/v1"


@dataclass
class Server:
    """A client that has these objects by path, or refusals."""

    has: Mapping[str, Any] = field(default_factory=dict)
    clock_offset: timedelta = timedelta(seconds=3)
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    def request(self, method: str, path: str, *, query: Any = None) -> dict[str, Any]:
        assert method == "GET"
        self.asked.append((path, query or {}))
        found = self.has.get(path, [])
        if isinstance(found, ApiError):
            raise found
        return found if isinstance(found, dict) else {"items": found}

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


def read(namespace: str | None = None, **has: Any) -> Setup:
    return read_setup(Server(has["has"]), namespace=namespace, now=lambda: NOW)


def a_namespace(name: str = "shop") -> dict[str, Any]:
    labels: dict[str, Any] = {"f:metadata": {"f:labels": {".": {}, f"f:{LABEL}": {}}}}
    return {
        "metadata": {
            "name": name,
            "labels": {LABEL: "enabled"},
            "managedFields": [{"time": ago(60).isoformat(), "fieldsV1": labels}, {"fieldsV1": {"f:spec": {}}}],
        }
    }


def test_namespaces_with_their_labels_and_when_these_were_set() -> None:
    found = read(has={"/api/v1/namespaces": [a_namespace(), a_namespace("bank")]})
    assert found.namespaces is not None
    assert sorted(found.namespaces) == ["bank", "shop"]
    assert found.namespaces["shop"].labels == {LABEL: "enabled"}
    assert found.namespaces["shop"].labelled == {LABEL: ago(60)}


def test_of_one_namespace_no_list_of_them_is_needed() -> None:
    found = read("shop", has={"/api/v1/namespaces/shop": a_namespace(), "/api/v1/namespaces": FORBIDDEN})
    assert set(found.namespaces or {}) == {"shop"}


def test_the_time_is_the_servers() -> None:
    assert read(has={}).at == NOW + timedelta(seconds=3)


def a_deployment(image: str, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "lb", "name": "lbc", "labels": {"app.kubernetes.io/version": "v2.9.0"}},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [{"image": image}]}}, **spec},
        "status": {"readyReplicas": 1},
    }


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("public.ecr.aws/eks/aws-load-balancer-controller:v2.13.4", "v2.13.4"),
        ("registry:5000/lbc", "v2.9.0"),
        ("registry:5000/lbc@sha256:0123", "v2.9.0"),
        ("lbc:v3.5.0@sha256:0123", "v3.5.0"),
    ],
)
def test_a_controller_with_the_version_of_its_image_or_its_label(image: str, version: str) -> None:
    server = Server({ALL_DEPLOYMENTS: [a_deployment(image)]})
    found = read_setup(server, namespace="shop", now=lambda: NOW)
    assert found.controllers == (Controller(namespace="lb", name="lbc", replicas=2, ready=1, version=version),)
    assert dict(server.asked)[ALL_DEPLOYMENTS]["labelSelector"] == "app.kubernetes.io/name=aws-load-balancer-controller"


def test_who_may_not_list_everywhere_looks_where_it_mostly_is() -> None:
    home = "/apis/apps/v1/namespaces/kube-system/deployments"
    assert read(has={ALL_DEPLOYMENTS: FORBIDDEN, home: [a_deployment("lbc:v1.0.0")]}).controllers
    elsewhere = read(has={ALL_DEPLOYMENTS: FORBIDDEN})
    assert elsewhere.controllers is None
    assert elsewhere.unread == ("deployments of the load balancer controller can't be read: namespaces is forbidden",)


def test_a_namespace_that_is_not_there_is_none() -> None:
    missing = ApiError('namespaces "shop" not found', status=404, reason="NotFound")
    found = read("shop", has={"/api/v1/namespaces/shop": missing})
    assert (found.namespaces, found.unread) == ({}, ())


def a_configuration(policy: str | None = "Ignore", **client: Any) -> dict[str, Any]:
    hooks = [
        {"name": "mpod.elbv2.k8s.aws", "clientConfig": client, **({"failurePolicy": policy} if policy else {})},
        {"name": "mtargetgroupbinding.elbv2.k8s.aws", "clientConfig": client},
    ]
    return {"metadata": {"name": "aws-load-balancer-webhook"}, "webhooks": hooks}


def a_slice(endpoints: list[dict[str, Any]] | None) -> dict[str, Any]:
    return {"metadata": {"name": "hook-1"}, "endpoints": endpoints}


def test_the_webhook_with_the_endpoints_that_answer_it() -> None:
    service = {"namespace": "kube-system", "name": "hook", "path": "/mutate-v1-pod"}
    ready: list[dict[str, Any]] = [
        {"conditions": {"ready": True}},
        {"conditions": {}},
        {"conditions": {"ready": False}},
    ]
    has = {WEBHOOKS: [a_configuration(service=service)], SLICES: [a_slice(ready), a_slice(None)]}
    assert read(has=has).webhooks == (
        Webhook(
            configuration="aws-load-balancer-webhook",
            name="mpod.elbv2.k8s.aws",
            failure_policy="Ignore",
            service=("kube-system", "hook"),
            ready_endpoints=2,
        ),
    )


def test_of_a_webhook_by_url_no_endpoints_are_known_and_without_a_policy_it_is_fail() -> None:
    [found] = read(has={WEBHOOKS: [a_configuration(None, url="https://hook")]}).webhooks or ()
    assert (found.service, found.ready_endpoints, found.failure_policy) == (None, None, "Fail")


def an_event(seconds: float, name: str = "web", **changes: str) -> dict[str, Any]:
    return {
        "metadata": {},
        "type": "Warning",
        "involvedObject": {"kind": "TargetGroupBinding", "namespace": "shop", "name": name},
        "reason": "FailedDeregister",
        "message": "Access\n denied",
        "lastTimestamp": ago(seconds).isoformat(),
        **changes,
    }


def test_complaints_about_bindings_but_old_ones() -> None:
    path = "/api/v1/namespaces/shop/events"
    server = Server({path: [an_event(60), an_event(2000, "old"), an_event(9, reason="Scaled", type="Normal")]})
    found = read_setup(server, namespace="shop", now=lambda: NOW)
    subject = Subject(kind="TargetGroupBinding", namespace="shop", name="web")
    assert found.complaints == (
        Complaint(subject=subject, reason="FailedDeregister", message="Access denied", at=ago(60)),
    )
    assert dict(server.asked)[path]["fieldSelector"] == "involvedObject.kind=TargetGroupBinding"


@pytest.mark.parametrize(
    ("seconds", "is_over"), [(30, True), (60, True), (90, False)], ids=["after it", "with it", "before it"]
)
def test_a_complaint_is_over_once_its_binding_is_as_it_is_to_be(seconds: float, is_over: bool) -> None:
    success = an_event(seconds, reason="SuccessfullyReconciled", type="Normal")
    other = an_event(1, "other", reason="SuccessfullyReconciled", type="Normal")
    found = read(has={"/api/v1/events": [an_event(60), success, other]})
    assert (found.complaints == ()) is is_over


def a_lease(namespace: str) -> dict[str, Any]:
    return {
        "metadata": {"namespace": namespace, "name": "kubectl-safe.x", "uid": "u", "resourceVersion": "1"},
        "spec": {"holderIdentity": "eve", "renewTime": ago(5).isoformat(), "leaseDurationSeconds": 30},
    }


def test_leases_of_runs_and_only_ours_in_one_namespace_where_others_may_not_be_listed() -> None:
    has = {
        f"{LEASES}/leases": FORBIDDEN,
        f"{LEASES}/namespaces/shop/leases": [a_lease("shop")],
        f"{LEASES}/namespaces/kube-node-lease/leases": [a_lease("kube-node-lease")],
    }
    server = Server(has)
    found = read_setup(server, namespace="shop", now=lambda: NOW)
    assert [its.name.namespace for its in found.leases or ()] == ["shop", "kube-node-lease"]
    assert dict(server.asked)[f"{LEASES}/leases"]["labelSelector"] == "app.kubernetes.io/managed-by=kubectl-safe"


@pytest.mark.parametrize(
    ("path", "field", "what"),
    [
        ("/api/v1/namespaces", "namespaces", "namespaces"),
        (WEBHOOKS, "webhooks", "mutatingwebhookconfigurations"),
        ("/api/v1/events", "complaints", "events of targetgroupbindings"),
    ],
)
def test_what_may_not_be_read_is_told_and_left_out(path: str, field: str, what: str) -> None:
    found = read(has={path: FORBIDDEN})
    assert getattr(found, field) is None
    assert found.unread == (f"{what} can't be read: namespaces is forbidden",)


def test_what_has_another_shape_is_told_and_left_out() -> None:
    found = read(has={ALL_DEPLOYMENTS: [{"metadata": {}}]})
    assert found.controllers is None
    assert found.unread[0].startswith("deployments of the load balancer controller can't be read: KeyError")


EACH = [{"metadata": {"name": name}} for name in ("first", "second")]


@dataclass
class Pages:
    """A list in two pages; its version may be gone before the second."""

    is_gone: bool = False
    asked: list[Mapping[str, str]] = field(default_factory=list)

    def request(self, method: str, path: str, *, query: Any = None) -> dict[str, Any]:  # noqa: ARG002
        self.asked.append(query)
        if "limit" not in query:
            return {"items": [*EACH]}
        if "continue" not in query:
            return {"items": EACH[:1], "metadata": {"continue": "next"}}
        if self.is_gone:
            raise ApiError("too old", status=410, reason="Expired")
        return {"items": EACH[1:], "metadata": {}}


@pytest.mark.parametrize("is_gone", [False, True], ids=["two pages", "begun anew"])
def test_a_list_is_read_a_page_at_a_time_and_each_object_once(is_gone: bool) -> None:
    pages = Pages(is_gone=is_gone)
    assert listed(pages, "/api/v1/namespaces", {"labelSelector": "a=b"}) == EACH
    assert all(query["labelSelector"] == "a=b" for query in pages.asked)
    assert pages.asked[1]["continue"] == "next"


def test_another_refusal_is_no_reason_to_begin_anew() -> None:
    with pytest.raises(ApiError, match="forbidden"):
        listed(Server({"/x": FORBIDDEN}), "/x")


def test_autoscalers_of_a_namespace_or_of_all() -> None:
    raw = {
        "metadata": {"namespace": "shop", "name": "web"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 6},
    }
    for namespace, path in ((None, ""), ("shop", "/namespaces/shop")):
        found = read(namespace, has={f"/apis/autoscaling/v2{path}/horizontalpodautoscalers": [raw]}).autoscalers
        assert [(its.target, its.maximum) for its in found or ()] == [("web", 6)]


@pytest.mark.parametrize(
    ("arguments", "most"), [(None, 0), (["--cluster-name=a"], 0), (["--v=2", "--max-targets-per-target-group=50"], 50)]
)
def test_how_many_targets_a_controller_registers(arguments: Any, most: int) -> None:
    raw = a_deployment("lbc:v3.5.0")
    raw["spec"]["template"]["spec"]["containers"][0]["args"] = arguments
    [found] = read(has={ALL_DEPLOYMENTS: [raw]}).controllers or ()
    assert found.most_targets == most
