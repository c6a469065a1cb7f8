"""Reads what a check looks at and a handoff doesn't. It must not decide anything.

What may not be read is told, and left out: a check finds less then, and goes on.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from kubectl_safe.decide.rights import CONTROLLER_HOME
from kubectl_safe.kube.errors import ApiError
from kubectl_safe.kube.events import LATELY
from kubectl_safe.kube.events import last_seen as seen_at
from kubectl_safe.kube.leases import parse as parse_lease
from kubectl_safe.kube.listing import Requests, listed
from kubectl_safe.kube.parse import Json, autoscaler, instant
from kubectl_safe.kube.watch import UNREADABLE
from kubectl_safe.model.autoscaler import Autoscaler
from kubectl_safe.model.event import Subject
from kubectl_safe.model.lease import NODE_NAMESPACE
from kubectl_safe.model.marks import MANAGED_BY
from kubectl_safe.model.setup import Complaint, Controller, Namespace, Setup, Webhook
from kubectl_safe.model.target import CONTROLLER_API

T = TypeVar("T")

_CONTROLLER = "app.kubernetes.io/name=aws-load-balancer-controller"
"""The label of what its chart and its manifests install, wherever that is."""
_POD_WEBHOOK = f"mpod.{CONTROLLER_API}"
_SUCCESS = "SuccessfullyReconciled"
"""The reason of the event by which the controller tells that a binding is as it is to be."""
_MOST_TARGETS = re.compile(r"--max-targets-per-target-group=(\d+)")
_FORBIDDEN = 403
_NOT_FOUND = 404


class Client(Requests, Protocol):
    """The part of a client that is needed here."""

    clock_offset: timedelta


@dataclass(kw_only=True)
class _Reader:
    """Reads one kind after the other, and notes what could not be read."""

    client: Client
    namespace: str | None
    """None for all."""
    unread: list[str] = field(default_factory=list)

    def attempt(self, what: str, read: Callable[[], T]) -> T | None:
        """Return what is read; None where it can't be, which is noted."""
        try:
            return read()
        except ApiError as error:
            self.unread.append(f"{what} can't be read: {error.message}")
        except UNREADABLE as error:
            self.unread.append(f"{what} can't be read: {error!r}")
        return None

    def everywhere_or(self, homes: tuple[str, ...], api: str, resource: str, query: dict[str, str]) -> list[Json]:
        """Return objects of all namespaces; who may not list those has to do with some of them.

        Raises:
            ApiError: not even these may be listed.
        """
        try:
            return listed(self.client, f"{api}/{resource}", query)
        except ApiError as error:
            if error.status != _FORBIDDEN:
                raise
        return self.within(homes, api, resource, query)

    def within(self, homes: tuple[str, ...], api: str, resource: str, query: dict[str, str]) -> list[Json]:
        found = (listed(self.client, f"{api}/namespaces/{home}/{resource}", query) for home in homes)
        return [raw for objects in found for raw in objects]

    def namespaces(self) -> dict[str, Namespace]:
        """Return those that are checked: none where the one isn't there.

        Raises:
            ApiError: they may not be read.
        """
        path = "/api/v1/namespaces"
        if not self.namespace:
            return {its.name: its for its in map(_namespace, listed(self.client, path))}
        try:
            its = _namespace(self.client.request("GET", f"{path}/{self.namespace}"))
        except ApiError as error:
            if error.status != _NOT_FOUND:
                raise
            return {}
        return {its.name: its}

    def controllers(self) -> tuple[Controller, ...]:
        """Return them, wherever they are; who may only look where it mostly is can't tell that there is none.

        Raises:
            ApiError: they may not be listed.
        """
        api, resource, query = "/apis/apps/v1", "deployments", {"labelSelector": _CONTROLLER}
        try:
            found = listed(self.client, f"{api}/{resource}", query)
        except ApiError as error:
            if error.status != _FORBIDDEN or not (found := self.within((CONTROLLER_HOME,), api, resource, query)):
                raise
        return tuple(map(_controller, found))

    def webhooks(self) -> tuple[Webhook, ...]:
        path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
        return tuple(
            self.webhook(raw["metadata"]["name"], hook)
            for raw in listed(self.client, path)
            for hook in raw.get("webhooks") or ()
            if hook["name"] == _POD_WEBHOOK
        )

    def webhook(self, configuration: str, hook: Json) -> Webhook:
        service = (hook.get("clientConfig") or {}).get("service")
        where = (service["namespace"], service["name"]) if service else None
        return Webhook(
            configuration=configuration,
            name=hook["name"],
            failure_policy=hook.get("failurePolicy") or "Fail",
            service=where,
            ready_endpoints=self.attempt("endpoints of its webhook", lambda: self.ready(*where)) if where else None,
        )

    def ready(self, namespace: str, service: str) -> int:
        path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
        slices = listed(self.client, path, {"labelSelector": f"kubernetes.io/service-name={service}"})
        endpoints = [endpoint for its in slices for endpoint in its.get("endpoints") or ()]
        # Absent means ready.
        return sum((endpoint.get("conditions") or {}).get("ready") is not False for endpoint in endpoints)

    def complaints(self, at: datetime) -> tuple[Complaint, ...]:
        """Return the Warning events that nothing has come of since: a binding's success makes up for earlier ones."""
        scope = f"/namespaces/{self.namespace}" if self.namespace else ""
        of = "involvedObject.kind=TargetGroupBinding"
        events = listed(self.client, f"/api/v1{scope}/events", {"fieldSelector": of})
        done: dict[Subject, datetime] = {}
        for its in (_complaint(raw) for raw in events if raw.get("reason") == _SUCCESS):
            if its:
                done[its.subject] = max(its.at, done.get(its.subject, its.at))
        warnings = (its for raw in events if raw.get("type") == "Warning" and (its := _complaint(raw)))
        return tuple(
            its
            for its in warnings
            if at - its.at < LATELY and not (its.subject in done and its.at <= done[its.subject])
        )

    def autoscalers(self) -> tuple[Autoscaler, ...]:
        scope = f"/namespaces/{self.namespace}" if self.namespace else ""
        found = listed(self.client, f"/apis/autoscaling/v2{scope}/horizontalpodautoscalers")
        return tuple(map(autoscaler, found))

    def leases(self) -> tuple[Any, ...]:
        label, value = MANAGED_BY
        homes = (self.namespace, NODE_NAMESPACE) if self.namespace else (NODE_NAMESPACE,)
        query = {"labelSelector": f"{label}={value}"}
        return tuple(map(parse_lease, self.everywhere_or(homes, "/apis/coordination.k8s.io/v1", "leases", query)))


def read_setup(client: Client, *, namespace: str | None, now: Callable[[], datetime]) -> Setup:
    """Return what can be read of the set-up around workloads.

    Args:
        client: of the API server.
        namespace: whose workloads are checked; None for those of all.
        now: reads our clock.
    """
    reader = _Reader(client=client, namespace=namespace)
    namespaces = reader.attempt("namespaces", reader.namespaces)
    at = now() + client.clock_offset
    return Setup(
        at=at,
        namespaces=namespaces,
        controllers=reader.attempt("deployments of the load balancer controller", reader.controllers),
        webhooks=reader.attempt("mutatingwebhookconfigurations", reader.webhooks),
        complaints=reader.attempt("events of targetgroupbindings", lambda: reader.complaints(at)),
        autoscalers=reader.attempt("horizontalpodautoscalers", reader.autoscalers),
        leases=reader.attempt("leases", reader.leases),
        unread=tuple(reader.unread),
    )


def _namespace(raw: Json) -> Namespace:
    meta = raw["metadata"]
    return Namespace(name=meta["name"], labels=meta.get("labels") or {}, labelled=dict(_labelled(meta)))


def _labelled(meta: Json) -> Iterator[tuple[str, datetime]]:
    for entry in meta.get("managedFields") or ():
        at = instant(entry.get("time"))
        fields = ((entry.get("fieldsV1") or {}).get("f:metadata") or {}).get("f:labels") or {}
        yield from ((name.removeprefix("f:"), at) for name in fields if at and name.startswith("f:"))


def _controller(raw: Json) -> Controller:
    meta, spec, status = raw["metadata"], raw["spec"], raw.get("status") or {}
    template = spec["template"]["spec"]
    image = next((str(container.get("image") or "") for container in template["containers"]), "")
    arguments = [str(its) for container in template["containers"] for its in container.get("args") or ()]
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    replicas = spec.get("replicas")
    return Controller(
        namespace=meta["namespace"],
        name=meta["name"],
        replicas=1 if replicas is None else int(replicas),
        ready=int(status.get("readyReplicas") or 0),
        most_targets=next((int(it[1]) for its in arguments if (it := _MOST_TARGETS.fullmatch(its))), 0),
        version=tag or (meta.get("labels") or {}).get("app.kubernetes.io/version") or "",
    )


def _complaint(raw: Json) -> Complaint | None:
    about, at = raw.get("involvedObject") or {}, seen_at(raw)
    if at is None:
        return None
    return Complaint(
        subject=Subject(
            kind=about.get("kind") or "", namespace=about.get("namespace") or "", name=about.get("name") or ""
        ),
        reason=raw.get("reason") or "Warning",
        message=" ".join((raw.get("message") or "").split()),
        at=at,
    )
