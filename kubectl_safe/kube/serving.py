"""What a cluster serves beside Kubernetes' own, as far as it matters here: above all policies of other kinds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from kubectl_safe.kube.errors import ApiError
from kubectl_safe.kube.watch import UNREADABLE
from kubectl_safe.model.policy import POLICY_KINDS

_BEHIND = {"projectcalico.org": "crd.projectcalico.org"}
"""A group with the same objects as another, which an API server of its own takes them from."""


class Discovery(Protocol):
    """What tells which resources a cluster serves."""

    def request(self, method: str, path: str) -> dict[str, Any]:
        """Send a request and return the answer's JSON.

        Raises:
            ApiError: the server's refusal.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A kind of policy that the cluster serves."""

    kind: str
    """As kubectl takes it: `ciliumnetworkpolicies.cilium.io`."""
    api: str
    """The path of its group and version."""
    is_namespaced: bool


Groups = Mapping[str, Mapping[str, Any]]
"""What is told of each group of the API, by its name."""


def served_groups(client: Discovery) -> Groups:
    """Return the groups that the cluster serves.

    Raises:
        ApiError: it doesn't say.
    """
    return {str(its.get("name")): its for its in read("groups", client.request("GET", "/apis"))}


def served_policies(client: Discovery, groups: Groups) -> Iterator[Served]:
    """Return the kinds of policies beside NetworkPolicies that the cluster has.

    Raises:
        ApiError: it doesn't say.
    """
    for group in POLICY_KINDS:
        if group in groups and _BEHIND.get(group) not in groups:
            yield from _served(client, group, groups[group])


def _served(client: Discovery, group: str, entry: Mapping[str, Any]) -> Iterator[Served]:
    """Return the policies of a group, each in the first version that has it."""
    left = set(POLICY_KINDS[group])
    for version in read("versions", entry):
        api = f"/apis/{version['groupVersion']}"
        for resource in read("resources", client.request("GET", api)):
            if resource.get("name") in left:
                left.discard(resource["name"])
                kind = f"{resource['name']}.{group}"
                yield Served(kind=kind, api=api, is_namespaced=bool(resource.get("namespaced")))


def read(field: str, answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the list in an answer about what is served.

    Raises:
        ApiError: there is none.
    """
    try:
        return list(answer[field])
    except UNREADABLE as error:
        raise ApiError(f"the API server doesn't say which {field} it serves: {error!r}", status=0) from error
