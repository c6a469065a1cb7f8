"""Before the first pod of a drain: its nodes leave the target groups that register nodes."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from kubectl_safe.decide import node_first
from kubectl_safe.decide.actions import ExcludeNode
from kubectl_safe.decide.decision import Act, For, Gone, Wait
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.next import Outcome
from kubectl_safe.decide.progress import ASLEEP, Progress
from kubectl_safe.decide.step import step_of
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import group_name
from kubectl_safe.run.loop import LOOK_AGAIN
from kubectl_safe.run.session import Session


@dataclass(kw_only=True)
class _Waited:
    """For how long each node has been waited for; time in which nobody looked doesn't count."""

    looked: datetime | None = None
    by_node: dict[str, timedelta] = field(default_factory=dict)

    def count(self, steps: dict[str, Act | Wait], at: datetime) -> None:
        """Take one look into account; once a node is excluded, its wait begins anew."""
        gap = at - (self.looked or at)
        self.looked = at
        for name, step in steps.items():
            is_known = isinstance(step, Wait) and step.on is For.NODE
            before = self.by_node.get(name, timedelta(0)) if isinstance(step, Wait) else timedelta(0)
            self.by_node[name] = before + (gap if is_known and gap <= ASLEEP else timedelta(0))


def leave_target_groups(intent: Intent, session: Session, *, began: datetime) -> str:
    """Take the nodes of a plan out of the groups that register nodes, and return once they are out.

    Returns:
        why they are not, where somebody stops the run or a deadline is over; empty once they are.

    Raises:
        KubectlSafeError: a node could not be written to, or nothing may be written any more.
    """
    progress, waited = Progress(intent=intent, began=began), _Waited()
    while True:
        snapshot = session.observer.look()
        steps = node_first.steps(intent, snapshot)
        if not steps:
            _tell_what_was_left(intent, snapshot, session)
            return ""
        waited.count(steps, snapshot.at)
        why = session.stop or _overdue(intent, snapshot, waited, session, began=began)
        if why:
            return why
        session.observer.want(node_first.wishes(intent, snapshot))
        acts = [name for name, step in steps.items() if isinstance(step, Act)]
        for name in acts:
            session.write(partial(_excluding, intent, name))
        if not acts:
            outcome = _held(intent, snapshot)
            progress.count(snapshot, outcome)
            session.audience.looked(snapshot, outcome, progress)
            session.wait(LOOK_AGAIN)


def _excluding(intent: Intent, name: str, snapshot: Snapshot) -> ExcludeNode | None:
    step = node_first.steps(intent, snapshot).get(name)
    return step.action if isinstance(step, Act) and isinstance(step.action, ExcludeNode) else None


def _overdue(intent: Intent, snapshot: Snapshot, waited: _Waited, session: Session, *, began: datetime) -> str:
    """Return why nodes are not waited for any longer; empty where they are."""
    limit, timeout = node_first.patience(intent, snapshot), session.terms.limits.timeout
    for name, step in node_first.steps(intent, snapshot).items():
        reason = step.told if isinstance(step, Wait) else f"node {name} is to be excluded from load balancers"
        if waited.by_node[name] > limit:
            return f"waited longer than {limit.total_seconds():g}s (deregistration delay and 2m): {reason}"
        if timeout is not None and snapshot.at - began >= timeout:
            return f"global timeout reached: {timeout.total_seconds():g}s: {reason}"
    return ""


def _held(intent: Intent, snapshot: Snapshot) -> Outcome:
    """Return what pods wait for meanwhile: their node, or another one of the same drain."""
    waits = {name: step for name, step in node_first.steps(intent, snapshot).items() if isinstance(step, Wait)}
    first = next(iter(waits.values()))

    def decide(planned: Planned) -> Wait | Gone:
        return waits.get(planned.node, first) if planned.uid in snapshot.pods else Gone()

    return Outcome(
        decisions={planned.uid: decide(planned) for planned in intent.pods},
        steps={planned.uid: step_of(snapshot.pods.get(planned.uid)) for planned in intent.pods},
    )


def _tell_what_was_left(intent: Intent, snapshot: Snapshot, session: Session) -> None:
    for node in node_first.nodes_of(intent, snapshot):
        arns = {its.target.group for its in node_first.memberships(node, snapshot) if its.target}
        if arns:
            session.audience.say(f"node/{node.name} is out of target group {', '.join(sorted(map(group_name, arns)))}")
