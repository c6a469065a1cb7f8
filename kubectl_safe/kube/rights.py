"""Asks the API server which rights we have. A review is stored nowhere: nothing is written by asking."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from kubectl_safe.decide.rights import Right
from kubectl_safe.kube import parse
from kubectl_safe.kube.bindings import served_bindings
from kubectl_safe.kube.errors import ApiError
from kubectl_safe.kube.serving import served_groups
from kubectl_safe.kube.watch import UNREADABLE
from kubectl_safe.model.pod import Pod

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

_AT_ONCE = 6
"""Far clusters take 50 ms for each; more at once would be a burst to their flow control."""
_TRIES = 3
_NO_REVIEWS = {403, 404}


class Requests(Protocol):
    """The part of a client that is needed here."""

    def request(self, method: str, path: str, *, query: Any = None, body: Any = None) -> dict[str, Any]:
        """Send a request and return the answer's JSON.

        Raises:
            ApiError: the server's refusal.
        """


def denied(client: Requests, rights: Iterable[Right]) -> Mapping[Right, str]:
    """Return the rights that we don't have, in the order given, with the server's reason, which is mostly empty.

    Rights on TargetGroupBindings are not missed where the cluster doesn't serve them. Where it doesn't answer such
    questions at all, nothing is denied: the dry runs tell later.

    Raises:
        ApiError: the API server can't be reached, or fails again and again.
    """
    asked = list(dict.fromkeys(rights))
    with ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="rights") as threads:
        reasons = list(threads.map(lambda right: _reason(client, right), asked))
    found = {right: reason for right, reason in zip(asked, reasons, strict=True) if reason is not None}
    if any(right.is_of_bindings for right in found):
        served = served_bindings(client, served_groups(client))
        found = {right: why for right, why in found.items() if not right.is_of_bindings or right.group in served}
    return found


def pods_of(client: Requests, nodes: Iterable[str]) -> list[Pod]:
    """Return the pods that are on nodes.

    Raises:
        ApiError: they can't be listed.
    """
    found = []
    for node in nodes:
        answer = client.request("GET", "/api/v1/pods", query={"fieldSelector": f"spec.nodeName={node}"})
        for raw in answer.get("items") or ():
            try:
                found.append(parse.pod(raw))
            except UNREADABLE as error:
                raise ApiError(f"a pod of node {node} can't be read: {error!r}", status=0) from error
    return found


def _reason(client: Requests, right: Right) -> str | None:
    """Return why we don't have a right; None where we do, or where nobody says."""
    attributes = {
        "verb": right.verb,
        "group": right.group,
        "resource": right.resource,
        "subresource": right.subresource,
        "namespace": right.namespace,
        "name": right.name,
    }
    spec = {"resourceAttributes": {key: value for key, value in attributes.items() if value}}
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}
    try:
        answer = _ask(client, body)
    except ApiError as error:
        if error.status in _NO_REVIEWS:
            return None
        raise
    status = answer.get("status") or {}
    return None if status.get("allowed") else str(status.get("reason") or status.get("evaluationError") or "")


def _ask(client: Requests, body: Mapping[str, Any]) -> dict[str, Any]:
    """Send a review; a client sends no POST twice, but asking twice does no harm."""
    for _ in range(_TRIES - 1):
        try:
            return client.request("POST", REVIEWS, body=body)
        except ApiError as error:
            if not error.is_transient:
                raise
    return client.request("POST", REVIEWS, body=body)
