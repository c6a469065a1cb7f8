"""What `check` finds: a code that stays, the object, the fact with its figures, and the rule that it comes from."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum

from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.subject import Subject

__all__ = ["Finding", "Rule", "Severity", "Subject"]


class Severity(IntEnum):
    """How bad it is; the names are SARIF's levels (SARIF 2.1.0, section 3.27.10)."""

    NOTE = 1
    """Nothing is lost by it alone: something to know before a pod is moved."""
    WARNING = 2
    """Requests are lost under conditions that occur."""
    ERROR = 3
    """Requests are lost whenever a pod is moved, or it can't be moved at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with one object."""

    code: str
    """Of its rule."""
    subject: Subject
    fact: str
    """What is so, with its figures, in one sentence without a full stop."""
    remedy: str
    """What to do: a command, or a few lines of YAML; with the object's own names."""
    severity: Severity | None = None
    """Where it is less than its rule's; None where it is that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is looked for, whatever it is found on; `check --explain` tells it."""

    code: str
    """Stable: scripts ignore it by this name. In lower case, its words joined by hyphens."""
    severity: Severity
    title: str
    """In a few words."""
    why: str
    """How it loses requests, or why a pod can't be moved."""
    find: Callable[[Facts], Iterable[Finding]]
    """Finds it; pure."""
