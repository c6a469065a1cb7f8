"""The answers that a decision about one pod can have."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from kubectl_safe.decide.actions import Action


class Step(Enum):
    """Where a pod is in its handoff; the values are what people read."""

    QUEUED = "queued"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"
    TERMINATING = "terminating"
    GONE = "gone"


class For(Enum):
    """What a wait is for, for code that tells waits apart; people read `Wait.why`."""

    CACHE = "cache"
    LEASE = "lease"
    NODE = "node"
    SURGE = "surge"
    STRAY = "stray"
    RELEASE = "release"
    REPLACEMENT = "replacement"
    ROOM = "room"
    UNDO = "undo"
    DRAINING_SLOT = "draining slot"
    BUDGET = "budget"
    ENDPOINTS = "endpoints"
    SETTLE = "settle"
    TARGETS = "targets"
    TERMINATION = "termination"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Do this now."""

    action: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nothing can be done now; `why` names the object and the fact."""

    on: For
    why: str
    until: datetime | None = None
    """When to look again, where time alone can end the wait."""
    remedy: str = ""
    """What helps, a command mostly; empty where nobody has to do anything but wait."""

    @property
    def told(self) -> str:
        """The reason, and what helps."""
        # The scheduler ends its sentence; ours goes on.
        return f"{self.why.removesuffix('.')}; {self.remedy}" if self.remedy else self.why


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """It can't be made safe; `reason` is the name that `--allow` takes."""

    reason: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """The pod's UID is gone: its handoff is complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """The pod was given up, and stays as it is now; `why` is the reason, without the pod's name."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """The pod is not waited for, as the reader wished, and nothing has failed; `why` is kubectl's line."""

    why: str


Decision = Act | Wait | Blocked | Left | Skipped | Gone
