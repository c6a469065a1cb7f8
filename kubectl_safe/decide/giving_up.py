"""When a pod is given up: a deadline, `--timeout`, `--fail-fast`, a refusal, or whoever stops the run.

To be given up means: what is queued is not begun, what is released is given back, what is withdrawn is finished all the
same. To be overdue means: it is not waited for any longer, and is left as it is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from kubectl_safe.decide.deadline import ORIGINS, deadline
from kubectl_safe.decide.decision import Act, Blocked, For, Gone, Left, Skipped, Step, Wait
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.next import Outcome
from kubectl_safe.decide.progress import Progress
from kubectl_safe.decide.remedies import check_of
from kubectl_safe.decide.step import by_force
from kubectl_safe.model.snapshot import Snapshot

INTERRUPTED = "interrupted"
"""How the reason begins for which a signal stops a run; a probe's failure begins otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What ends a run early."""

    timeout: timedelta | None = None
    """`--timeout`, from the beginning of the run; None waits for ever, as kubectl does."""
    is_fail_fast: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Troubles:
    """What no snapshot shows."""

    stop: str = ""
    """Why no further pod is to be begun; empty while nobody stops the run."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Why a write to a pod (by UID) can't be done, in the server's words."""
    unanswered: str = ""
    """Why writes are not answered at the moment, in the server's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at the cluster led to, and how long each wait has lasted."""

    intent: Intent
    outcome: Outcome
    progress: Progress
    snapshot: Snapshot

    @property
    def open_pods(self) -> list[Planned]:
        """The pods that are neither gone nor left nor skipped."""
        return [p for p in self.intent.pods if not isinstance(self.outcome.decisions[p.uid], Gone | Left | Skipped)]

    def can_turn_back(self, planned: Planned) -> bool:
        """Tell whether giving up changes where a pod goes: it is not begun, or can still be given back."""
        is_early = self.outcome.steps[planned.uid] in {Step.QUEUED, Step.RELEASED}
        return is_early and planned.uid not in self.intent.given_up

    def why(self, planned: Planned) -> str:
        """Return why a pod waits, or what its eviction was refused for last; empty where nothing keeps it."""
        decision, answer = self.outcome.decisions[planned.uid], self.snapshot.answers.get(planned.uid)
        if isinstance(decision, Wait):
            return decision.told
        if isinstance(decision, Blocked):
            return decision.why
        if answer is None or answer.is_allowed:
            return ""
        return f"{answer.message.removesuffix('.')}; {check_of(planned)}"


def give_up(look: Look, limits: Limits, troubles: Troubles) -> Intent:
    """Return the intent with everything that is to be given up by now; the very same where nothing is.

    - A pod that failed: and with it those of its workload that are queued, as they would wait for the same. Where it
      is withdrawn and its eviction is denied, so would theirs be, and they would come to stand beside it.
    - All of them once one failed, with `--fail-fast`; or once somebody stops the run.
    - All of them at the end of `--timeout`; what could go on then is not waited for.
    """
    given_up, overdue = dict(look.intent.given_up), dict(look.intent.overdue)
    for planned in look.open_pods:
        why = _failure(planned, look, troubles)
        if why and look.can_turn_back(planned):
            given_up = {like.uid: why for like in _with_its_like(planned, look)} | given_up
        elif why:
            first = look.intent.given_up.get(planned.uid)
            overdue.setdefault(planned.uid, f"{first}; {why}" if first and first != why else why)
            if planned.uid in troubles.refused:
                given_up = {like.uid: why for like in _with_its_like(planned, look) if like is not planned} | given_up
    if limits.timeout is not None and look.snapshot.at - look.progress.began >= limits.timeout:
        late = dict(_late(look, limits.timeout, troubles))
        given_up = {p.uid: late[p.uid] for p in look.open_pods if look.can_turn_back(p)} | given_up
        overdue = {p.uid: late[p.uid] for p in look.open_pods if _only_waits(p, look, troubles)} | overdue
    stop = troubles.stop
    if limits.is_fail_fast and (given_up or overdue):
        stop = stop or "another pod failed, and --fail-fast was given"
    if stop:
        given_up = {planned.uid: stop for planned in look.open_pods} | given_up
    is_same = given_up == look.intent.given_up and overdue == look.intent.overdue
    return look.intent if is_same else replace(look.intent, given_up=given_up, overdue=overdue)


def _failure(planned: Planned, look: Look, troubles: Troubles) -> str:
    """Return why a pod can't go on; empty where it can."""
    if planned.uid in troubles.refused:
        return troubles.refused[planned.uid]
    match look.outcome.decisions[planned.uid]:
        case Blocked(reason=reason, why=why):
            return f"Blocked({reason}): {why}"
        case Wait() as wait:
            limit = deadline(planned, wait, look.snapshot, is_given_up=planned.uid in look.intent.given_up)
            since = look.progress.waiting_since(planned)
            if limit is not None and since is not None and look.snapshot.at - since > limit:
                of = f" ({ORIGINS[wait.on]})" if wait.on in ORIGINS else ""
                told = replace(wait, remedy=_by_force(planned, wait, look) or wait.remedy).told
                return f"waited longer than {limit.total_seconds():g}s{of}: {told}"
        case Act() | Left() | Skipped() | Gone():
            pass
    return ""


def _by_force(planned: Planned, wait: Wait, look: Look) -> str:
    pod = look.snapshot.pods.get(planned.uid)
    return by_force(pod) if wait.on is For.TERMINATION and pod is not None and pod.is_terminating else ""


def _with_its_like(planned: Planned, look: Look) -> Iterator[Planned]:
    """Return a pod, and the queued ones of its workload; a pod that is blocked stands for itself alone."""
    yield planned
    if planned.workload is None or isinstance(look.outcome.decisions[planned.uid], Blocked):
        return
    for other in look.intent.pods:
        is_like = other.workload is not None and other.workload.uid == planned.workload.uid
        if is_like and other is not planned and look.outcome.steps[other.uid] is Step.QUEUED:
            yield other


def _late(look: Look, timeout: timedelta, troubles: Troubles) -> Iterator[tuple[str, str]]:
    for planned in look.open_pods:
        known, why = look.intent.given_up.get(planned.uid), troubles.unanswered or look.why(planned)
        late = f"global timeout reached: {timeout.total_seconds():g}s"
        if known and known.startswith(late):
            yield planned.uid, known
            continue
        late += f": {why}" if why else ""
        yield planned.uid, f"{known}; {late}" if known else late


def _only_waits(planned: Planned, look: Look, troubles: Troubles) -> bool:
    """Tell whether nothing more can be done for a pod at this instant."""
    is_waiting = isinstance(look.outcome.decisions[planned.uid], Wait) or bool(troubles.unanswered)
    return is_waiting and not look.can_turn_back(planned)
