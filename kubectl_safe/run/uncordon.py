"""`uncordon`: nodes that we cordoned are made schedulable again; a cordon of somebody else's is theirs to take away."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from kubectl_safe.decide.actions import Uncordon
from kubectl_safe.kube import parse
from kubectl_safe.kube.actuator import Actuator
from kubectl_safe.kube.client import Client
from kubectl_safe.kube.errors import ApiError
from kubectl_safe.kube.outcome import Conflict, Done
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.workload import Node
from kubectl_safe.run.session import Audience
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
    """Take back our cordon of nodes.

    Raises:
        KubectlSafeError: a node is not there, or its cordon isn't ours; nothing was changed then.
    """
    nodes = [_read(name, client) for name in dict.fromkeys(names)]
    others = [node.name for node in nodes if node.is_unschedulable and not node.is_cordoned_by_us]
    if others:
        raise KubectlSafeError(
            f"{', '.join(f'node/{name}' for name in others)} was not cordoned by kubectl safe, nothing was changed; "
            f"to uncordon all the same: kubectl uncordon {' '.join(others)}"
        )
    hands = Actuator(client, _NoCaches(), now=now)
    for node in nodes:
        if node.is_unschedulable and dry_run is not DryRun.CLIENT:
            _write(node, client, hands, is_dry_run=dry_run is DryRun.SERVER)
        done = "uncordoned" if node.is_unschedulable else "already uncordoned"
        audience.say(f"node/{node.name} {done}{dry_run.suffix}")


def _read(name: str, client: Client) -> Node:
    try:
        return parse.node(client.request("GET", f"/api/v1/nodes/{name}"))
    except ApiError as error:
        if error.is_not_found:
            raise KubectlSafeError(f'nodes "{name}" not found') from error
        raise


def _write(node: Node, client: Client, hands: Actuator, *, is_dry_run: bool) -> None:
    for _ in range(TRIES):
        result = hands.act(Uncordon(node=node), dry_run=is_dry_run)
        if isinstance(result, Done):
            return
        if not isinstance(result, Conflict):
            raise KubectlSafeError(
                f"node/{node.name} could not be uncordoned: {getattr(result, 'message', 'it is gone')}"
            )
        node = _read(node.name, client)
        if not node.is_cordoned_by_us:
            return
    raise KubectlSafeError(f"node/{node.name} changes too often to be written to; run the same command again")
