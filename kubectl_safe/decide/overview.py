"""How it stands with the pods of a scope, and with the runs that work on them, or did and are dead."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.finding import Finding
from kubectl_safe.decide.check.leftovers import RULES
from kubectl_safe.decide.runs import Run, runs
from kubectl_safe.decide.status import PodStatus, status_of
from kubectl_safe.model.lease import Lease
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.setup import Setup
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Workload

_OF_DEAD_RUNS = frozenset({"leftover-handoff", "leftover-record"})
"""The findings of a check that say how to end what is left half done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """All that is shown."""

    at: datetime
    """By our clock."""
    pods: tuple[PodStatus, ...]
    runs: tuple[Run, ...]
    left: tuple[Finding, ...]
    """What dead runs left, each with the command that ends it."""
    missing: tuple[str, ...] = ()
    """What is named and not there, such as `pods "web-1"`."""


def overview(
    snapshot: Snapshot,
    *,
    pods: tuple[Pod, ...],
    workloads: tuple[Workload, ...],
    nodes: tuple[str, ...],
    leases: tuple[Lease, ...] | None,
    server_time: datetime,
) -> Overview:
    """Return how it stands with pods, workloads and nodes that were chosen.

    Args:
        snapshot: what is known of the cluster.
        pods: to show.
        workloads: whose pods are shown.
        nodes: whose pods are shown.
        leases: of runs of this tool; None where they could not be read, so that nobody knows who is at work.
        server_time: by which it shows whether these were renewed lately.
    """
    shown = {pod.uid for pod in pods}
    under_way = runs(snapshot, leases or (), server_time)
    setup = Setup(at=server_time, leases=leases)
    facts = Facts(snapshot=snapshot, workloads=workloads, pods=pods, nodes=nodes, setup=setup)
    return Overview(
        at=snapshot.at,
        pods=status_of(pods, snapshot, queued={uid for run in under_way for uid in run.intent.uids}),
        runs=tuple(run for run in under_way if _concerns(run, shown, nodes)),
        left=tuple(found for rule in RULES if rule.code in _OF_DEAD_RUNS for found in rule.find(facts)),
    )


def _concerns(run: Run, pods: Collection[str], nodes: Collection[str]) -> bool:
    return not run.intent.uids.isdisjoint(pods) or not set(run.nodes).isdisjoint(nodes)
