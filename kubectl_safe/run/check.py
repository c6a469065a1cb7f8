"""`check`: looks at workloads and at the set-up around them, once, and finds what is wrong."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from kubectl_safe.decide.check import findings
from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.refused import RESTARTABLE
from kubectl_safe.decide.check.verdict import Checked
from kubectl_safe.decide.rights import Lack, beside_check, to_check, to_drain, to_restart
from kubectl_safe.kube.client import Client
from kubectl_safe.kube.rights import denied
from kubectl_safe.kube.setup import read_setup
from kubectl_safe.model.errors import NotFoundError
from kubectl_safe.model.lease import NODE_NAMESPACE, lease_of_node
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.setup import Setup
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.run.rights import missing_rights
from kubectl_safe.run.scope import Scope, choose


class View(Protocol):
    """What looks at the cluster and its target groups; `Onlooker` is that."""

    @property
    def left_out(self) -> Iterable[Pod]:
        """The pods that the last look left out, as their marks can't be read."""

    def look(self, choose: Callable[[Snapshot], Iterable[Pod]] = ...) -> Snapshot:
        """Return what is known, with the target groups of the pods that are chosen."""


def check(
    scope: Scope,
    view: View,
    client: Client,
    *,
    ignored: frozenset[str],
    shadows: Mapping[str, str],
    now: Callable[[], datetime],
    progress: Callable[[str], None],
) -> Checked:
    """Return what is found.

    Args:
        scope: what to check.
        view: of the cluster.
        client: of the API server.
        ignored: the codes of rules to leave out.
        shadows: programs that kubectl runs instead of this one, by the command line.
        now: reads the clock.
        progress: is told what is under way.

    Raises:
        KubectlSafeError: something that is named is not there, or can't be looked at.
    """
    facts = _facts(scope, view.look())
    if any(facts.bindings.values()):
        before = facts
        facts = _facts(scope, view.look(lambda seen: [pod for pod in before.pods if pod.uid in seen.pods]))
        facts = replace(facts, unseen=_missing(before.snapshot, facts.snapshot, view.left_out))
    progress("reading namespaces, the load balancer controller and its webhook")
    setup = _of_scope(read_setup(client, namespace=scope.watched, now=now), scope, facts)
    if scope.watched and setup.namespaces == {}:
        raise NotFoundError(f'namespaces "{scope.watched}"')
    progress("asking for rights")
    facts = replace(
        facts,
        setup=setup,
        denied=_denied(scope, facts, client),
        shadows=shadows,
        unreadable=_within(view.left_out, facts, scope),
    )
    progress(f"looking at {len(facts.pods)} pods")
    return Checked(
        findings=tuple(findings(facts, ignored)),
        workloads=len(facts.workloads),
        pods=len(facts.pods),
        ignored=ignored,
        unread=setup.unread,
    )


def _missing(before: Snapshot, after: Snapshot, unreadable: Iterable[Pod]) -> frozenset[str]:
    """Return the addresses of pods that AWS may tell of, and the snapshot doesn't.

    Some went while AWS was asked, which may take minutes, and some have marks that can't be read.
    """
    gone = (pod for uid, pod in before.pods.items() if uid not in after.pods)
    return frozenset(ip for pod in (*gone, *unreadable) for ip in pod.ips)


def _facts(scope: Scope, snapshot: Snapshot) -> Facts:
    chosen = choose(scope, snapshot)
    if chosen.missing:
        raise NotFoundError(*chosen.missing)
    budgets = (its.namespace for its in snapshot.budgets if scope.namespace in {None, its.namespace})
    return Facts(
        snapshot=snapshot,
        workloads=chosen.workloads,
        pods=chosen.pods,
        nodes=chosen.nodes,
        whole=frozenset(() if scope.named or scope.selector else budgets),
    )


def _within(pods: Iterable[Pod], facts: Facts, scope: Scope) -> tuple[Pod, ...]:
    """Return those of the pods that the check is about, as far as their owners or nodes tell."""
    owners = {its.uid for its in facts.workloads}
    owners |= {r.uid for its in facts.workloads for r in facts.snapshot.replica_sets_of(its)}
    return tuple(
        pod
        for pod in pods
        if (not scope.named and scope.namespace in {None, pod.namespace})
        or pod.node in facts.nodes
        or any(owner.uid in owners for owner in pod.owners)
    )


def _of_scope(setup: Setup, scope: Scope, facts: Facts) -> Setup:
    """Return a set-up without the Leases of runs that have nothing to do with what is checked."""
    if setup.leases is None or scope.namespace is None:
        return setup
    nodes = {*facts.nodes, *(pod.node for pod in facts.pods if pod.node)}
    own = {scope.namespace, *(pod.namespace for pod in facts.pods)} - {NODE_NAMESPACE}
    wanted = {lease_of_node(node) for node in nodes}
    leases = tuple(its for its in setup.leases if its.name in wanted or its.name.namespace in own)
    return replace(setup, leases=leases)


def _denied(scope: Scope, facts: Facts, client: Client) -> Mapping[str, Lack]:
    """Return which rights are missing for each command; of many nodes one stands for all."""
    kinds = sorted({its.kind for its in facts.workloads} & RESTARTABLE)
    nodes = facts.nodes or tuple(sorted({pod.node for pod in facts.pods if pod.node}))
    restarts = [to_restart(scope.watched, kind=kind, writes=True, nudges=False) for kind in kinds]
    own = to_check(scope.watched, has_nodes=scope.watched is None)
    drains = [to_drain(nodes[:1], writes=True, nudges=False)] if nodes else []
    found = {
        "rollout restart": [Lack(missing=missing_rights(client, its), grant=its.grant) for its in restarts],
        "drain": [Lack(missing=missing_rights(client, its), grant=its.grant) for its in drains],
        "check": [Lack(missing=denied(client, [*own.optional, *beside_check(scope.watched)]), grant=own.grant)],
    }
    return {command: _together(lacks) for command, lacks in found.items() if lacks}


def _together(lacks: list[Lack]) -> Lack:
    """Return what one command lacks for workloads of several kinds."""
    return replace(lacks[0], missing={right: why for lack in lacks for right, why in lack.missing.items()})
