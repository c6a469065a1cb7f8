"""Asks for the Warning events of what a run waits for: before a pod is given up, and before a wait is told as long."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

from kubectl_safe.decide.decision import Wait
from kubectl_safe.decide.giving_up import Look
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.next import next_actions
from kubectl_safe.decide.warnings import subjects_of
from kubectl_safe.model.event import Subject

LONG = timedelta(seconds=25)
"""A wait that lasts so long was told once, and is soon told again, every 30 s: in these words, too."""

FRESH = timedelta(seconds=25)
"""What was asked so lately is not asked again, but for a pod that is given up."""

RECENT = timedelta(seconds=5)
"""The same for a pod that is given up."""

KEPT = timedelta(seconds=40)
"""What was told so long ago may be over."""

AT_ONCE = 8
"""As many objects are asked about at one look: nothing is written meanwhile."""


@dataclass(kw_only=True)
class Warnings:
    """What is complained of, as far as it was asked for."""

    read: Callable[[Subject], str]
    """Returns the last Warning event of an object; empty where there is none, or it can't be had."""
    _told: dict[Subject, tuple[datetime, str]] = field(default_factory=dict)

    def listen(self, look: Look, after: Intent) -> Look:
        """Ask what is due, where a look leads to that intent; return the look in the words of the answers."""
        at, due = look.snapshot.at, dict[Subject, None]()
        for planned in look.open_pods:
            limit = _limit(planned, look, after)
            if limit is not None:
                subjects = subjects_of(planned, look.outcome.decisions[planned.uid], look.snapshot)
                due |= {s: None for s in subjects if s not in self._told or at - self._told[s][0] >= limit}
        for subject in islice(due, AT_ONCE):
            self._told[subject] = (at, self.read(subject))
        words = {subject: told for subject, (asked, told) in self._told.items() if told and at - asked < KEPT}
        if words == look.snapshot.warnings:
            return look
        snapshot = replace(look.snapshot, warnings=words)
        return replace(look, snapshot=snapshot, outcome=next_actions(snapshot, look.intent))


def _limit(planned: Planned, look: Look, after: Intent) -> timedelta | None:
    """Return how old an answer about what a pod waits for may be; None where none is needed."""
    decision = look.outcome.decisions[planned.uid]
    if not isinstance(decision, Wait):
        return None
    before = {look.intent.given_up.get(planned.uid), look.intent.overdue.get(planned.uid)}
    reasons = {after.given_up.get(planned.uid), after.overdue.get(planned.uid)} - before
    if any(reason and decision.why.removesuffix(".") in reason for reason in reasons):
        return RECENT
    since = look.progress.waiting_since(planned)
    return FRESH if since is not None and look.snapshot.at - since >= LONG else None
