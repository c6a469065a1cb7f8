"""What is compared of a scenario between two control planes, without what differs from one cluster to the next."""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, Literal, get_args
from urllib.parse import parse_qs, urlparse

from tests.conformance.play import Play, users_of

Json = dict[str, Any]
Aspect = Literal["exits", "answers", "writes", "order", "causality", "state"]
Account = dict[Aspect, Any]
ASPECTS: tuple[Aspect, ...] = get_args(Aspect)

_READS = ("get", "list", "watch")
_RANDOM = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|(?<![a-zA-Z0-9])([bcdfghjklmnpqrstvwxz2456789]{5,10}|[0-9a-f]{8})(?![a-zA-Z0-9])"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"
)
"""What API servers and the tool make up: suffixes and hashes without vowels, ids, and moments."""
_NEVER_THE_SAME = frozenset(
    {
        *("uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "managedFields", "selfLink"),
        *("lastTransitionTime", "lastUpdateTime", "lastProbeTime", "lastHeartbeatTime", "startTime", "startedAt"),
        *("finishedAt", "podIP", "podIPs", "hostIP", "hostIPs", "targetGroupARN", "addresses", "containerID"),
        *("restartCount", "lastState", "endpoints.kubernetes.io/last-change-trigger-time"),
    }
)


def account_of(it: Play) -> Account:
    """Return the account of a scenario that is over."""
    events = list(_events(it))
    ours = [its for its in events if its["verb"] not in _READS and not _is_renewal(its) and not _is_anybodys(its)]
    return {
        "exits": it.exits,
        "answers": sorted({_answer(event) for event in events if not _is_renewal(event)}),
        "writes": _by_object(it, ours),
        "order": {app: _firsts(_accepted(_of_app(it, app, ours))) for app in sorted(it.chains.apps())},
        "causality": sorted([its.role, *its.chain, *its.listing] for its in it.chains.courses.values()),
        "state": _state(it),
    }


def _events(it: Play) -> Iterator[Json]:
    """Yield what the scenario's users asked, in the order of its arrival."""
    users = users_of(it.name)
    whole, _, _ = it.stage.rig.control_plane.audit_log.read_text(encoding="utf-8").rpartition("\n")
    found = (json.loads(line) for line in whole.splitlines() if f'"{it.name}' in line)
    ours = (its for its in found if its["user"]["username"] in users and _is_here(it, its))
    yield from sorted(ours, key=lambda its: its["requestReceivedTimestamp"])


def _is_here(it: Play, event: Json) -> bool:
    """Tell whether it is about no other scenario: what runs beside this one is seen by its runs, too."""
    namespace = event.get("objectRef", {}).get("namespace", "")
    return namespace in ("", it.name, "kube-node-lease")


def _is_renewal(event: Json) -> bool:
    """Tell whether a Lease is only kept, which depends on how long a run takes; to take it over is another thing."""
    lease = event.get("requestObject") or {}
    spec = lease.get("spec") or {}
    return bool(_what(event) == "update leases" and spec.get("acquireTime") != spec.get("renewTime"))


def _is_anybodys(event: Json) -> bool:
    """Tell whether it takes a nudge away, which whichever run ends next does, for any binding: none is left then."""
    return _fields(event) == "-kubectl-safe/nudge"


def _of_app(it: Play, app: str, events: Iterable[Json]) -> Iterator[Json]:
    """Yield the writes that an application may depend on; those to pods and Leases of others come in any order."""
    others = it.chains.apps() - {app}
    for event in events:
        name = event.get("objectRef", {}).get("name", "")
        its = it.chains.app_of(name) or name.removeprefix("kubectl-safe.deployment.")
        if its not in others:
            yield event


def _what(event: Json) -> str:
    about = event.get("objectRef", {})
    resource = "/".join(filter(None, [about.get("resource", ""), about.get("subresource", "")]))
    query = parse_qs(urlparse(event["requestURI"]).query)
    return f"{event['verb']} {resource}{' (dry run)' if 'dryRun' in query else ''}"


def _answer(event: Json) -> str:
    return f"{_what(event)}: {event.get('responseStatus', {}).get('code')}"


def _accepted(events: Iterable[Json]) -> Iterator[Json]:
    return (event for event in events if event.get("responseStatus", {}).get("code", 0) < 300)


def _fields(event: Json) -> str:
    """Return what a write sets (+) and takes away (-), by name."""
    body = event.get("requestObject") or {}
    metadata = body.get("metadata") or {}
    parts = [metadata.get("annotations") or {}, metadata.get("labels") or {}, body.get("spec") or {}]
    said = {f"{'-' if value is None else '+'}{key}" for part in parts for key, value in part.items()}
    # What a pod runs and what a Lease says is the server's to take, not in question here.
    return " ".join(sorted(said)) if event["verb"] == "patch" else ""


def _by_object(it: Play, events: Iterable[Json]) -> list[list[str]]:
    """Return for each object what we wrote to it in turn, with the answers; what is only repeated, once."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for event in events:
        about = event.get("objectRef", {})
        resource = about.get("resource", "")
        name = about.get("name") or (event.get("requestObject") or {}).get("metadata", {}).get("name", "")
        key = event["user"]["username"], resource, name
        found.setdefault(key, []).append(f"{_answer(event)} {_fields(event)}".rstrip())
    named = (
        [f"{user} to {resource} {_general(it.chains.role_of(name))}", *(said for said, _ in groupby(_at_last(chain)))]
        for (user, resource, name), chain in found.items()
    )
    return sorted(named)


def _at_last(chain: list[str]) -> list[str]:
    """Return a chain without refusals of what was allowed in the end: how often one asks is a matter of time."""
    refused, allowed = "create pods/eviction (dry run): 429", "create pods/eviction (dry run): 201"
    return [said for said in chain if said != refused or allowed not in chain]


def _firsts(events: Iterable[Json]) -> list[str]:
    """Return every kind of write at its first place."""
    return list(dict.fromkeys(f"{_what(event)} {_fields(event)}".rstrip() for event in events))


def _general(text: str) -> str:
    return _RANDOM.sub("#", text)


def _state(it: Play) -> Json:
    """Return all objects of the scenario, once nothing is on its way any more."""
    state: Json = {}

    def is_settled() -> bool:
        nonlocal state
        before, state = state, _read(it)
        # A controller that is busy elsewhere leaves what it owes as it was, so that two looks alone agree too soon.
        is_seen_through = all(map(_is_observed, _raw(it, "deployments"))) and _listed(it) <= _names(it, "pods")
        return state == before and not it.chains.now("terminating") and is_seen_through

    it.until(is_settled, "the end of all that follows")
    return state


_PATHS = {
    "pods": "/api/v1",
    "deployments": "/apis/apps/v1",
    "replicasets": "/apis/apps/v1",
    "daemonsets": "/apis/apps/v1",
    "poddisruptionbudgets": "/apis/policy/v1",
    "endpointslices": "/apis/discovery.k8s.io/v1",
    "targetgroupbindings": "/apis/elbv2.k8s.aws/v1beta1",
    "leases": "/apis/coordination.k8s.io/v1",
}


def _raw(it: Play, plural: str) -> list[Json]:
    items: list[Json] = it.call("get", f"{_PATHS[plural]}/namespaces/{it.name}/{plural}")["items"]
    return items


def _names(it: Play, plural: str) -> set[str]:
    return {its["metadata"]["name"] for its in _raw(it, plural)}


def _listed(it: Play) -> set[str]:
    """Return the pods in EndpointSlices."""
    return {its["targetRef"]["name"] for piece in _raw(it, "endpointslices") for its in piece.get("endpoints") or ()}


def _is_observed(deployment: Json) -> bool:
    status = deployment.get("status", {})
    return bool(status.get("observedGeneration") == deployment["metadata"]["generation"])


def _read(it: Play) -> Json:
    state: Json = {plural: _sorted(map(same_anywhere, _raw(it, plural))) for plural in _PATHS}
    for listing in state["endpointslices"]:
        # How many changes came of those that were seen at once.
        listing["metadata"].pop("generation", None)
    state["nodes"] = [same_anywhere(it.call("get", f"/api/v1/nodes/{name}")) for name in (it.node, it.other)]
    leases = it.call("get", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases")["items"]
    state["leases of nodes"] = [its["metadata"]["name"] for its in leases if it.name in its["metadata"]["name"]]
    return state


def _sorted(subjects: Iterable[Any]) -> list[Any]:
    return sorted(subjects, key=lambda subject: json.dumps(subject, sort_keys=True))


def same_anywhere(value: Any) -> Any:
    """Return an object without what is never the same on two clusters."""
    if isinstance(value, dict):
        found = {key: same_anywhere(its) for key, its in value.items() if key not in _NEVER_THE_SAME}
        return {key: its for key, its in found.items() if its != {}}
    if isinstance(value, list):
        return _sorted(map(same_anywhere, value))
    return _general(value) if isinstance(value, str) else value
