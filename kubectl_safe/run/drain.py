"""`drain`: every pod that `kubectl drain` would evict is handed over, from one node or from several."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from kubectl_safe.decide.actions import Cordon, IncludeNode, Uncordon
from kubectl_safe.decide.budgets import bypassed as budgets_bypassed
from kubectl_safe.decide.drain import NodePlan, Options, plan_node
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.node_first import is_to_exclude
from kubectl_safe.decide.settings import Settings
from kubectl_safe.kube.errors import ApiError
from kubectl_safe.model.errors import Interrupted, KubectlSafeError, NotFoundError
from kubectl_safe.model.lease import lease_of_node
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.selector import LabelSelector
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Node
from kubectl_safe.run.node_first import leave_target_groups
from kubectl_safe.run.session import Session
from kubectl_safe.run.terms import DryRun

NOT_FOUND = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """Which nodes to drain, and which of their pods."""

    nodes: tuple[str, ...]
    pod_selector: LabelSelector | None = None
    options: Options
    settings: Settings
    uncordons_on_failure: bool = False


def drain(request: Drain, session: Session) -> None:
    """Drain nodes, or go on with a drain that a dead process left: its plan is what is still there.

    Raises:
        KubectlSafeError: a pod stands in the way, or the run could not be completed.
    """
    began = session.now()
    snapshot = session.observer.look()
    nodes = [node_of(name, snapshot) for name in dict.fromkeys(request.nodes)]
    plans = [_plan(node, request, snapshot, session) for node in nodes]
    _refuse(plans)
    for plan in plans:
        if plan.warnings:
            session.audience.warn(f"Warning: {'; '.join(plan.warnings)}")
    planned = tuple(pod for plan in plans for pod in plan.pods)
    intent = Intent(pods=planned, settings=request.settings, nodes=tuple(node.name for node in nodes))
    if bypassed := budgets_bypassed(intent, snapshot):
        session.audience.warn(f"Warning: --disable-eviction bypasses disruption budgets: {', '.join(bypassed)}")
    session.prepare(intent, [Cordon(node=node) for node in nodes if not node.is_unschedulable])
    session.hold({lease_of_node(node.name): f"node/{node.name}" for node in nodes}, began=began, before=intent.pods)
    # Who had them until now may have cordoned them.
    nodes = [node_of(node.name, session.observer.look()) for node in nodes]
    session.interruption.arm()
    for node in nodes:
        cordon(node, session)
    if session.terms.dry_run is not DryRun.NONE:
        _pretend(intent, nodes, session)
        return
    failure = _move(intent, nodes, request, session, began=began)
    if failure is not None:
        notes = [_note_on(node.name, request, session) for node in nodes]
        raise type(failure)("\n".join([str(failure), *notes])) from failure
    for node in nodes:
        session.audience.say(f"node/{node.name} drained")


def _pretend(intent: Intent, nodes: list[Node], session: Session) -> None:
    """Say what a drain would say, as kubectl does in a dry run."""
    snapshot, suffix = session.observer.look(), session.terms.dry_run.suffix
    for node in nodes:
        if is_to_exclude(node, snapshot):
            session.audience.say(f"node/{node.name} excluded from load balancers{suffix}")
    for planned in intent.pods:
        session.audience.say(f"{'deleting' if intent.settings.disable_eviction else 'evicting'} pod {planned}{suffix}")
    for node in nodes:
        session.audience.say(f"node/{node.name} drained{suffix}")


def _move(
    intent: Intent, nodes: list[Node], request: Drain, session: Session, *, began: datetime
) -> KubectlSafeError | None:
    """Hand over what is on the nodes, and what came to them until the cordon was known; return what failed."""
    subject = " ".join(f"node/{node.name}" for node in nodes)
    try:
        why = leave_target_groups(intent, session, began=began)
        whole = _with_late_pods(intent, nodes, request, session)
        # What a run before this one has begun is ended all the same.
        given_up = dict.fromkeys(whole.uids, why) if why else {}
        ending = session.carry_out(replace(whole, given_up=given_up), began=began)
        failure = session.failure(ending, subject=subject)
        if failure is None and why:
            failure = Interrupted(why) if session.interruption.stop else KubectlSafeError(why)
        if failure is not None:
            return failure
        # The scheduler may have bound a pod before it knew of the cordon, and after our look.
        late = _with_late_pods(replace(intent, pods=()), nodes, request, session)
        if late.pods:
            failure = session.failure(session.carry_out(late, began=session.now()), subject=subject)
        if failure is None and session.holdings:
            session.holdings.sweep()
    except KubectlSafeError as error:
        return error
    return failure


def _note_on(name: str, request: Drain, session: Session) -> str:
    """Say what becomes of a node's marks after a failure, and take ours away where that is wished for."""
    node = session.observer.look().nodes.get(name)
    if node is None:
        return f"node/{name} was deleted meanwhile"
    excluded = f"node/{name} stays excluded from load balancers"
    takes_back = request.uncordons_on_failure and not session.interruption.is_urgent
    notes = [_note_on_cordon(node, session, takes_back=takes_back)]
    if node.is_excluded_by_us and not takes_back:
        notes.append(f"{excluded}; to take that back: kubectl safe uncordon {name}")
    elif node.is_excluded_by_us:
        try:
            session.write(partial(including, name))
        except KubectlSafeError as error:
            notes.append(f"{excluded}, for its label could not be taken off: {error}")
    return "\n".join(notes)


def _note_on_cordon(node: Node, session: Session, *, takes_back: bool) -> str:
    name = node.name
    if not node.is_unschedulable:
        return f"node/{name} is schedulable"
    if not node.is_cordoned_by_us:
        return f"node/{name} stays cordoned, as it was before"
    if not takes_back:
        return f"node/{name} stays cordoned; to take that back: kubectl safe uncordon {name}"
    try:
        session.write(partial(uncordoning, name))
    except KubectlSafeError as error:
        return f"node/{name} stays cordoned, for it could not be uncordoned: {error}"
    return f"node/{name} uncordoned"


def cordon(node: Node, session: Session) -> None:
    """Cordon a node, unless it is, and say so as kubectl does."""
    if not node.is_unschedulable and session.terms.dry_run is DryRun.NONE:
        session.write(partial(_cordoning, node.name))
    done = "already cordoned" if node.is_unschedulable else "cordoned"
    session.audience.say(f"node/{node.name} {done}{session.terms.dry_run.suffix}")


def uncordoning(name: str, snapshot: Snapshot) -> Uncordon | None:
    """Choose to uncordon a node that we cordoned."""
    node = node_of(name, snapshot)
    return Uncordon(node=node) if node.is_unschedulable and node.is_cordoned_by_us else None


def including(name: str, snapshot: Snapshot) -> IncludeNode | None:
    """Choose to take off a node the label by which we excluded it from load balancers."""
    node = node_of(name, snapshot)
    return IncludeNode(node=node) if node.is_excluded_by_us else None


def _cordoning(name: str, snapshot: Snapshot) -> Cordon | None:
    node = node_of(name, snapshot)
    return None if node.is_unschedulable else Cordon(node=node)


def node_of(name: str, snapshot: Snapshot) -> Node:
    """Return a node.

    Raises:
        NotFoundError: there is none of that name.
    """
    node = snapshot.nodes.get(name)
    if node is None:
        raise NotFoundError(f'nodes "{name}"')
    return node


def _plan(node: Node, request: Drain, snapshot: Snapshot, session: Session) -> NodePlan:
    pods = [pod for pod in snapshot.pods.values() if pod.node == node.name and _is_selected(pod, request)]
    pods.sort(key=lambda pod: (pod.namespace, pod.name))
    missing = _missing_daemon_sets(pods, session)
    return plan_node(
        node.name,
        pods,
        snapshot,
        request.options,
        missing_daemon_sets=missing,
        allow=request.settings.allow,
        skip_wait=request.settings.skip_wait_for_delete,
    )


def _is_selected(pod: Pod, request: Drain) -> bool:
    return request.pod_selector is None or request.pod_selector.matches(pod.original_labels)


def _missing_daemon_sets(pods: list[Pod], session: Session) -> frozenset[tuple[str, str]]:
    """Ask for each DaemonSet that pods name as their controller, as kubectl does."""
    named = {(p.namespace, c.name) for p in pods if (c := p.controller) and c.kind == "DaemonSet"}
    missing = set()
    for namespace, name in sorted(named):
        try:
            session.client.request("GET", f"/apis/apps/v1/namespaces/{namespace}/daemonsets/{name}")
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise
            missing.add((namespace, name))
    return frozenset(missing)


def _refuse(plans: list[NodePlan]) -> None:
    """Refuse the whole drain, in kubectl's words, while nothing is changed."""
    lines = []
    for plan in plans:
        blocked = [f"Blocked({b.reason}): {b.why}" for b in plan.blocked.values()]
        reasons = [*plan.errors, *blocked]
        if reasons:
            why = reasons[0] if len(reasons) == 1 else f"[{', '.join(reasons)}]"
            lines.append(f'unable to drain node "{plan.node}" due to error: {why}')
    if lines:
        raise KubectlSafeError("\n".join([*lines, "nothing was changed: no node was cordoned, no pod was moved"]))


def _with_late_pods(intent: Intent, nodes: list[Node], request: Drain, session: Session) -> Intent:
    """Add the pods that were bound to the nodes between the plan and the cordon.

    What comes to a node that somebody uncordoned meanwhile is meant to be there; to one that is gone nothing comes.
    """
    snapshot = session.observer.look()
    closed = []
    for node in nodes:
        now = snapshot.nodes.get(node.name)
        if now is None:
            session.audience.warn(
                f"Warning: node/{node.name} was deleted meanwhile: what it still has is deleted with it"
            )
        elif now.is_unschedulable:
            closed.append(node)
        else:
            session.audience.warn(f"Warning: node/{node.name} was uncordoned meanwhile: what comes to it now, stays")
    plans = [_plan(node, request, snapshot, session) for node in closed]
    _refuse_late(plans)
    late = tuple(pod for plan in plans for pod in plan.pods if pod.uid not in intent.uids)
    if late:
        _check_late(replace(intent, pods=late), session)
    return replace(intent, pods=intent.pods + late)


def _check_late(late: Intent, session: Session) -> None:
    try:
        session.check(late)
    except KubectlSafeError as error:
        raise KubectlSafeError(f"a pod came in before the cordon: {error}; the nodes stay cordoned") from error


def _refuse_late(plans: list[NodePlan]) -> None:
    refused = [why for plan in plans for why in (*plan.errors, *(b.why for b in plan.blocked.values()))]
    if refused:
        raise KubectlSafeError(f"a pod came in before the cordon: {'; '.join(refused)}; the nodes stay cordoned")
