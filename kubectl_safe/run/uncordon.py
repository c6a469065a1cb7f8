"""`uncordon`: what a drain did to nodes is taken back; a cordon of somebody else's is theirs to take away."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from kubectl_safe.decide.actions import IncludeNode, Uncordon
from kubectl_safe.kube import parse
from kubectl_safe.kube.actuator import Actuator
from kubectl_safe.kube.client import Client
from kubectl_safe.kube.errors import ApiError
from kubectl_safe.kube.outcome import Conflict, Done
from kubectl_safe.model.errors import KubectlSafeError, NotFoundError
from kubectl_safe.model.workload import Node
from kubectl_safe.render.words import words_for
from kubectl_safe.run.audience import Audience
from kubectl_safe.run.terms import DryRun

TRIES = 5
"""The kubelet writes to a node every few minutes, and others do."""


class _NoCaches:
    """Nothing is watched for the sake of one write."""

    def put(self, kind: str, raw: Mapping[str, Any]) -> None:
        """Keep nothing."""

    def forget(self, kind: str, uid: str) -> None:
        """Keep nothing."""


def uncordon(
    names: tuple[str, ...], client: Client, audience: Audience, *, now: Callable[[], datetime], dry_run: DryRun
) -> None:
    """Take back our cordon of nodes, and that they are excluded from load balancers.

    Raises:
        KubectlSafeError: a node is not there, or what keeps it isn't ours; nothing was changed then.
    """
    nodes = [_read(name, client) for name in dict.fromkeys(names)]
    others = [node.name for node in nodes if _is_of_others(node) and not node.is_excluded_by_us]
    if others:
        raise KubectlSafeError(
            f"{', '.join(f'node/{name}' for name in others)} was not cordoned by kubectl safe, nothing was changed; "
            f"to uncordon all the same: kubectl uncordon {' '.join(others)}"
        )
    hands = Actuator(client, _NoCaches(), now=now)
    for node in nodes:
        for choose in (_include, _uncordon):
            if dry_run is not DryRun.CLIENT:
                _write(node.name, choose, client, hands, is_dry_run=dry_run is DryRun.SERVER)
        if node.is_excluded_by_us:
            audience.say(f"{words_for(IncludeNode(node=node))}{dry_run.suffix}")
        audience.say(f"node/{node.name} {_end_of(node)}{dry_run.suffix}")


def _is_of_others(node: Node) -> bool:
    return node.is_unschedulable and not node.is_cordoned_by_us


def _end_of(node: Node) -> str:
    if _is_of_others(node):
        return "stays cordoned, which is somebody else's"
    return "uncordoned" if node.is_unschedulable else "already uncordoned"


def _include(node: Node) -> IncludeNode | None:
    return IncludeNode(node=node) if node.is_excluded_by_us else None


def _uncordon(node: Node) -> Uncordon | None:
    return Uncordon(node=node) if node.is_cordoned_by_us else None


def _read(name: str, client: Client) -> Node:
    try:
        return parse.node(client.request("GET", f"/api/v1/nodes/{name}"))
    except ApiError as error:
        if error.is_not_found:
            raise NotFoundError(f'nodes "{name}"') from error
        raise


def _write(
    name: str,
    choose: Callable[[Node], IncludeNode | Uncordon | None],
    client: Client,
    hands: Actuator,
    *,
    is_dry_run: bool,
) -> None:
    for _ in range(TRIES):
        action = choose(_read(name, client))
        if action is None:
            return
        result = hands.act(action, dry_run=is_dry_run)
        if isinstance(result, Done):
            return
        if not isinstance(result, Conflict):
            raise KubectlSafeError(f"node/{name} could not be uncordoned: {getattr(result, 'message', 'it is gone')}")
    raise KubectlSafeError(f"node/{name} changes too often to be written to; run the same command again")
