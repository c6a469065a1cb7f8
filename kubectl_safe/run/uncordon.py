"""`uncordon`: nodes that we cordoned are made schedulable again; a cordon of somebody else's is theirs to take away."""

from functools import partial

from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.run.drain import node_of, uncordoning
from kubectl_safe.run.session import DryRun, Session


def uncordon(names: tuple[str, ...], session: Session) -> None:
    """Take back our cordon of nodes.

    Raises:
        KubectlSafeError: a node is not there, or its cordon isn't ours; nothing was changed then.
    """
    snapshot = session.observer.look()
    nodes = [node_of(name, snapshot) for name in dict.fromkeys(names)]
    others = [node.name for node in nodes if node.is_unschedulable and not node.is_cordoned_by_us]
    if others:
        raise KubectlSafeError(
            f"node/{', node/'.join(others)} was not cordoned by kubectl safe: to uncordon it all the same, "
            f"kubectl uncordon {' '.join(others)}"
        )
    for node in nodes:
        under_way = [pod for pod in snapshot.pods.values() if pod.node == node.name and pod.is_released]
        if under_way:
            session.audience.warn(
                f"Warning: {len(under_way)} pods on node/{node.name} are still being handed over: to end that, "
                f"kubectl safe abort node/{node.name}"
            )
        suffix = session.terms.dry_run.suffix
        if not node.is_unschedulable:
            session.audience.say(f"node/{node.name} already uncordoned{suffix}")
            continue
        if session.terms.dry_run is DryRun.NONE:
            session.write(partial(uncordoning, node.name))
        session.audience.say(f"node/{node.name} uncordoned{suffix}")
