"""The labels and annotations that a handoff leaves on objects while it is under way, and what they say.

State lives in the cluster: whoever reads these knows where a dead run was.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

HANDOFF = "kubectl-safe/handoff"
"""Annotation of a released pod: a `Handoff` in JSON."""

WITHDRAWN = "kubectl-safe/withdrawn"
"""Label of a withdrawn pod, with an empty value; policies can select it."""

OPERATION = "kubectl-safe/operation"
"""Annotation of a ReplicaSet whose pods are being restarted: an `Operation` in JSON."""

CORDONED = "kubectl-safe/cordoned"
"""Annotation of a node that we cordoned (not one that was cordoned before)."""

EXCLUDED = "kubectl-safe/excluded"
"""Annotation of a node that we took out of the target groups that register nodes."""

NUDGE = "kubectl-safe/nudge"
"""Annotation of a TargetGroupBinding that makes its controller look at its targets at once."""

TOUCH = "kubectl-safe/touch"
"""Annotation of a pod whose disruption budget has to be counted anew."""

WAKE = "kubectl-safe/wake"
"""Annotation of a StatefulSet that makes its controller try at once to create a pod whose name has come free."""

RUN = "kubectl-safe/run"
"""Annotation of a Lease: what its holder is about, as people read it."""

NODES = "kubectl-safe/nodes"
"""Annotation of a Lease: the nodes whose drain holds it, joined by commas."""

MANAGED_BY = ("app.kubernetes.io/managed-by", "kubectl-safe")
"""Label of every Lease of ours, to find what a run left that died."""

PROTECTIONS: Mapping[str, str] = {
    "karpenter.sh/do-not-disrupt": "true",
    "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
}
"""Annotations that keep autoscalers off a released pod, which has no controller that they know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """What was taken from a pod, so that it can be given back and so that its Services can still be told."""

    dropped: Mapping[str, str]
    """Labels taken off, by release and withdrawal together."""
    in_service: int
    """Pods of its workload in service when it was released, this one included."""
    annotations: Mapping[str, str | None] = field(default_factory=dict)
    """Values that `PROTECTIONS` replaced; None where there was none."""
    targets: tuple[str, ...] = ()
    """Target groups and ports that it was bound to when it was withdrawn, as `arn=port`."""
    is_alone: bool = False
    """Whether no replacement is owed to it: nothing was known to replace it."""

    def dumps(self) -> str:
        """Return the annotation's value."""
        return json.dumps(
            {
                "dropped": dict(self.dropped),
                "inService": self.in_service,
                "annotations": dict(self.annotations),
                "targets": list(self.targets),
                **({"alone": True} if self.is_alone else {}),
            },
            separators=(",", ":"),
            sort_keys=True,
        )

    @classmethod
    @lru_cache(maxsize=1024)  # every look asks several times for what hardly ever changes
    def loads(cls, text: str) -> "Handoff":
        """Read the annotation's value.

        Raises:
            ValueError: it is not what `dumps` writes.
        """
        try:
            raw: dict[str, Any] = json.loads(text)
            return cls(
                dropped={str(k): str(v) for k, v in raw["dropped"].items()},
                in_service=int(raw["inService"]),
                annotations={str(k): None if v is None else str(v) for k, v in raw["annotations"].items()},
                targets=tuple(str(t) for t in raw["targets"]),
                is_alone=bool(raw.get("alone")),
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"annotation {HANDOFF} is not one of ours: {text!r}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A restart under way: found again with the same options it is continued."""

    id: str
    started: str
    """The server's time, RFC 3339."""
    options: str
    """The options that shape the restart, in one line; another run must have the same to continue it."""
    pods: frozenset[str]
    """The first eight characters of each planned pod's UID."""
    deployments: frozenset[str] = frozenset()
    """The names of all Deployments of the command."""

    def plans(self, uid: str) -> bool:
        """Tell whether a pod is of its plan."""
        return uid[:8] in self.pods

    def dumps(self) -> str:
        """Return the annotation's value."""
        return json.dumps(
            {
                "id": self.id,
                "started": self.started,
                "options": self.options,
                "pods": sorted(self.pods),
                "deployments": sorted(self.deployments),
            },
            separators=(",", ":"),
        )

    @classmethod
    def loads(cls, text: str) -> "Operation":
        """Read the annotation's value.

        Raises:
            ValueError: it is not what `dumps` writes.
        """
        try:
            raw: dict[str, Any] = json.loads(text)
            return cls(
                id=str(raw["id"]),
                started=str(raw["started"]),
                options=str(raw["options"]),
                pods=frozenset(str(p) for p in raw["pods"]),
                deployments=frozenset(str(name) for name in raw["deployments"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"annotation {OPERATION} is not one of ours: {text!r}") from error
