"""Reads and writes Leases, each write bound to the version that was decided on. It must not decide anything.

A write that has no answer may have been done: only another read tells.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from kubectl_safe.kube.client import Client
from kubectl_safe.kube.errors import ApiError
from kubectl_safe.kube.listing import Requests, listed
from kubectl_safe.kube.outcome import RETRY_SECONDS, Busy, Conflict, Denied, Gone, result_of
from kubectl_safe.kube.watch import UNREADABLE
from kubectl_safe.model.lease import NODE_NAMESPACE, Lease, LeaseName
from kubectl_safe.model.marks import MANAGED_BY, NODES, RUN

_SECONDS = 5.0
"""A Lease is trusted for 25 s: whoever waits longer for one answer can't try again in time."""
_FORBIDDEN = 403
_EVERYWHERE = "/apis/coordination.k8s.io/v1/leases"
_QUERY = {"fieldManager": "kubectl-safe"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The Lease as it is."""

    lease: Lease


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """There is no such Lease."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """It was written, and bears our name."""

    lease: Lease


class LeaseApi:
    """The Leases of one API server."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def read(self, name: LeaseName) -> Found | Absent | Busy | Denied:
        """Return the Lease as a quorum has it."""
        try:
            raw = self._client.request("GET", _path(name), timeout=_SECONDS)
        except ApiError as error:
            result = _refused("get", name, error)
            return Absent() if isinstance(result, Gone | Conflict) else result
        return _read(name, raw)

    def create(self, lease: Lease) -> Taken | Conflict | Busy | Denied:
        """Create it; a conflict means that there is one."""
        return self._write("create", "POST", _collection(lease.name), lease)

    def update(self, lease: Lease) -> Taken | Conflict | Busy | Denied:
        """Replace the version that it names; a conflict means that there is another, or none."""
        return self._write("update", "PUT", _path(lease.name), lease)

    def delete(self, lease: Lease) -> Absent | Conflict | Busy | Denied:
        """Delete this very version; a conflict means that there is another."""
        preconditions = {"uid": lease.uid, "resourceVersion": lease.resource_version}
        try:
            self._client.request("DELETE", _path(lease.name), body={"preconditions": preconditions}, timeout=_SECONDS)
        except ApiError as error:
            result = _refused("delete", lease.name, error)
            return Absent() if isinstance(result, Gone) else result
        return Absent()

    def ours(self) -> tuple[Lease, ...] | Busy | Denied:
        """Return the Leases of every run of this tool, in all namespaces."""
        label, value = MANAGED_BY
        try:
            answer = self._client.request("GET", _EVERYWHERE, query={"labelSelector": f"{label}={value}"})
            return tuple(parse(raw) for raw in answer.get("items") or ())
        except ApiError as error:
            return Denied(message=error.message)
        except UNREADABLE as error:
            return Busy(message=f"the list of leases can't be read: {error!r}", retry_after=RETRY_SECONDS)

    def _write(self, verb: str, method: str, path: str, lease: Lease) -> Taken | Conflict | Busy | Denied:
        try:
            raw = self._client.request(method, path, query=_QUERY, body=_body(lease), timeout=_SECONDS)
        except ApiError as error:
            result = _refused(verb, lease.name, error)
            if not isinstance(result, Gone):
                return result
            # A Lease that is gone is looked at again; a namespace that is missing stays so.
            return Conflict() if verb == "update" else Denied(message=_words(verb, lease.name, error))
        found = _read(lease.name, raw)
        if not isinstance(found, Found):
            return found
        if found.lease.holder != lease.holder:
            return Denied(
                message=f"lease {lease.name} doesn't keep its holder: a mutating policy or webhook changes it"
            )
        return Taken(lease=found.lease)


def leases_of_runs(client: Requests, namespace: str | None) -> tuple[tuple[Lease, ...] | None, list[str]]:
    """Return the Leases of runs of this tool for whoever looks on, and what could not be read of them, and why.

    They are None where none could be read. Those of a namespace and those of nodes are read one without the other where
    need be.

    Args:
        client: of the API server.
        namespace: whose workloads are looked at; None for those of all.
    """
    homes = dict.fromkeys([namespace, NODE_NAMESPACE] if namespace else [None])
    found: list[Lease] | None = None
    troubles = []
    for home in homes:
        path = _collection_in(home) if home else _EVERYWHERE
        where = f"in namespace {home}" if home else "in all namespaces"
        label, value = MANAGED_BY
        try:
            its = [parse(raw) for raw in listed(client, path, {"labelSelector": f"{label}={value}"})]
        except ApiError as error:
            troubles.append(f"leases {where} can't be listed: {error.message}")
        except UNREADABLE as error:
            troubles.append(f"leases {where} can't be read: {error!r}")
        else:
            found = [*(found or ()), *its]
    return (tuple(found) if found is not None else None), troubles


def _refused(verb: str, name: LeaseName, error: ApiError) -> Gone | Conflict | Busy | Denied:
    """Return what a refusal means, with what was asked in its words."""
    result = result_of(error, is_dry_run=False)
    match result:
        case Gone() | Conflict():
            return result
        case Busy(retry_after=seconds):
            return Busy(message=_words(verb, name, error), retry_after=seconds)
        case _:
            return Denied(message=_words(verb, name, error))


def _words(verb: str, name: LeaseName, error: ApiError) -> str:
    asked = f"{verb} of lease {name} failed: {error.message}"
    if error.status != _FORBIDDEN:
        return asked
    return (
        f"{asked}; a role must allow get, create, update and delete on leases.coordination.k8s.io "
        f"in namespace {name.namespace}"
    )


def _collection(name: LeaseName) -> str:
    return _collection_in(name.namespace)


def _collection_in(namespace: str) -> str:
    return f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"


def _path(name: LeaseName) -> str:
    return f"{_collection(name)}/{name.name}"


def _body(lease: Lease) -> dict[str, Any]:
    # The API server creates a Lease by PUT where there is none; the UID makes that a conflict.
    version = {"uid": lease.uid, "resourceVersion": lease.resource_version} if lease.uid else {}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "namespace": lease.name.namespace,
            "name": lease.name.name,
            "labels": dict([MANAGED_BY]),
            "annotations": {RUN: lease.about, **({NODES: ",".join(lease.nodes)} if lease.nodes else {})},
            **version,
        },
        "spec": {
            "holderIdentity": lease.holder,
            "leaseDurationSeconds": round(lease.duration.total_seconds()),
            "acquireTime": lease.since,
            "renewTime": lease.renewed,
            "leaseTransitions": lease.transitions,
        },
    }


def _read(name: LeaseName, raw: Mapping[str, Any]) -> Found | Busy:
    try:
        return Found(lease=parse(raw))
    except UNREADABLE as error:
        return Busy(message=f"lease {name} can't be read: {error!r}", retry_after=RETRY_SECONDS)


def parse(raw: Mapping[str, Any]) -> Lease:
    """Return the Lease in an object of the API server.

    Raises:
        Exception: one of `UNREADABLE`, where it is none.
    """
    meta, spec = raw["metadata"], raw.get("spec") or {}
    return Lease(
        name=LeaseName(meta["namespace"], meta["name"]),
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        holder=spec.get("holderIdentity") or "",
        about=(meta.get("annotations") or {}).get(RUN, ""),
        nodes=tuple(filter(None, (meta.get("annotations") or {}).get(NODES, "").split(","))),
        since=spec.get("acquireTime") or "",
        renewed=spec.get("renewTime") or "",
        duration=timedelta(seconds=int(spec.get("leaseDurationSeconds") or 0)),
        transitions=int(spec.get("leaseTransitions") or 0),
    )
