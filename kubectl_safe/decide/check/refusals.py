"""What a handoff would refuse before its first write: the very list that decides there, each with its `--allow`."""

import re
from collections.abc import Callable, Iterable, Iterator

from kubectl_safe.decide import restart
from kubectl_safe.decide.allow import ALLOWABLE, DOWNTIME, UNSEEN_LOAD_BALANCER, UNSEEN_TARGETS
from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.finding import Finding, Rule, Severity
from kubectl_safe.decide.check.losses import LOSSES
from kubectl_safe.decide.check.refused import RESTARTABLE, Refusal
from kubectl_safe.decide.check.subject import of_workload

TWO_BUDGETS = "two-budgets"
NOT_RESTARTABLE = "not-restartable"
_WITH = {UNSEEN_TARGETS: " --drain-wait 5m", UNSEEN_LOAD_BALANCER: " --settle 5m"}
"""What else an answer takes; 5 minutes are AWS's default deregistration delay."""
_COMMAND = re.compile(r"\((kubectl [^()]+)\)")
"""Where texts tell a command, it is in brackets."""
_SURGE = re.compile(r"give it (--max-surge \d+)(?: (if [^,]+))?")
"""Where the text on downtime tells what avoids it, and on which condition."""


def _finder(reason: str) -> Callable[[Facts], Iterable[Finding]]:
    return lambda facts: (
        Finding(
            code=reason,
            subject=its.subject,
            fact=its.blocked.why,
            remedy=_answer(its),
            # A drain leaves them: only who restarts one is refused.
            severity=Severity.NOTE if its.subject.kind == "daemonset.apps" else None,
        )
        for its in facts.refused
        if its.blocked.reason == reason
    )


def _answer(refusal: Refusal) -> str:
    """Return the commands that the refusal tells, and how to answer for what may be answered for."""
    reason, namespace = refusal.blocked.reason, refusal.subject.namespace
    commands = _COMMAND.findall(refusal.blocked.why)
    if reason in ALLOWABLE:
        safer = _SURGE.search(refusal.blocked.why) if reason == DOWNTIME else None
        if safer:
            commands.append(f"{refusal.command} {safer[1]}{f'  # {safer[2]}' if safer[2] else ''}")
        return "\n".join([*commands, f"{refusal.command} --allow {reason}{_WITH.get(reason, '')}"])
    return "\n".join(commands) or f"kubectl get poddisruptionbudgets {f'-n {namespace}' if namespace else '-A'}"


def _not_restartable(facts: Facts) -> Iterator[Finding]:
    for workload in facts.workloads:
        if workload.kind in RESTARTABLE and (why := restart.refusal(workload, facts.snapshot)):
            fact, _, _ = why.partition(": ")
            commands = _COMMAND.findall(why) or [f"kubectl get {workload.named} --watch"]
            remedy = "\n".join(f"{command} -n {workload.namespace}" for command in commands)
            yield Finding(code=NOT_RESTARTABLE, subject=of_workload(workload), fact=fact, remedy=remedy)


RULES = (
    *(
        Rule(
            code=reason,
            severity=Severity.ERROR,
            title=f"A handoff that is refused without --allow {reason}",
            why=f"It is refused before anything is written, unless you answer for it: {happens}. {LOSSES[reason]}",
            find=_finder(reason),
        )
        for reason, happens in sorted(ALLOWABLE.items())
    ),
    Rule(
        code=TWO_BUDGETS,
        severity=Severity.ERROR,
        title="Pods under several disruption budgets",
        why="The Eviction API takes pods of one budget only: none of them can be evicted, neither by this nor by "
        "kubectl drain nor by an autoscaler.",
        find=_finder(TWO_BUDGETS),
    ),
    Rule(
        code=NOT_RESTARTABLE,
        severity=Severity.NOTE,
        title="A workload that can't be restarted now",
        why="Its controller is replacing the same pods, or replaces none: a restart is refused until that is over.",
        find=_not_restartable,
    ),
)
