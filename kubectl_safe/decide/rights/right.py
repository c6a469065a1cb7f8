"""A right on a cluster, what a command needs of them, and what is told of those that are missing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

_OF_THE_CLUSTER = frozenset({"nodes", "namespaces", "mutatingwebhookconfigurations"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """One verb on one resource, as RBAC grants it."""

    verb: str
    resource: str
    group: str = ""
    """Empty for the core API."""
    subresource: str = ""
    namespace: str | None = None
    """None for all namespaces, or for a resource that is in none."""
    name: str = ""
    """Of the one object; empty for every one."""

    @property
    def is_of_bindings(self) -> bool:
        """Whether it is about TargetGroupBindings, which not every cluster serves."""
        return self.resource == "targetgroupbindings"

    @property
    def question(self) -> str:
        """The `kubectl auth can-i` that asks for it."""
        part = f" --subresource={self.subresource}" if self.subresource else ""
        return f"kubectl auth can-i {self.verb} {self._kind}{f'/{self.name}' if self.name else ''}{part}{self._flag}"

    @property
    def _kind(self) -> str:
        return f"{self.resource}.{self.group}" if self.group else self.resource

    @property
    def _flag(self) -> str:
        if self.resource in _OF_THE_CLUSTER and not self.namespace:
            return ""
        return f" -n {self.namespace}" if self.namespace else " -A"

    def __str__(self) -> str:
        words = f"{self.verb} {self._kind}{f'/{self.subresource}' if self.subresource else ''}"
        words += f" {self.name}" if self.name else ""
        if self.resource in _OF_THE_CLUSTER:
            return words
        return f"{words} in namespace {self.namespace}" if self.namespace else f"{words} in all namespaces"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a command asks the cluster for before anything else."""

    required: tuple[Right, ...]
    of_pods: tuple[Right, ...] = ()
    """Needed where the pods of `nodes` are, which is only known once these are listed: in all namespaces, or there."""
    optional: Mapping[Right, str] = field(default_factory=dict)
    """What is lost without them."""
    tried: Mapping[Right, str] = field(default_factory=dict)
    """Not asked for but tried, as not every cluster serves these kinds, or as those of the namespace have to do: what
    comes of their lack."""
    nodes: tuple[str, ...] = ()
    command: str = ""
    """What `kubectl safe rbac --for` calls the command."""

    @property
    def grant(self) -> str:
        """The command that prints a role with all of it, and nothing else."""
        namespace = next((right.namespace for right in self.required if not self.nodes), None)
        where = f"-n {namespace}" if namespace else "--cluster"
        command = f" --for {self.command}" if self.command else ""
        return f"kubectl safe rbac {where}{command}{' --disable-eviction' if self.deletes else ''}"

    @property
    def deletes(self) -> bool:
        """Whether pods are deleted in place of being evicted."""
        return any((right.verb, right.resource) == ("delete", "pods") for right in self.of_pods)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """Rights for a command that somebody does not have."""

    missing: Mapping[Right, str]
    """With the server's reason, which may be empty."""
    grant: str
    """The command that prints a role with all that its command needs."""


def refusal(missing: Mapping[Right, str], needs: Needs) -> str:
    """Return what is told of rights that are missing, each with the server's reason where it gives one.

    Args:
        missing: which, and why.
        needs: all that the command needs.
    """
    lines = [f"  {right}{f' ({reason})' if reason else ''}" for right, reason in missing.items()]
    remedy = f"have a Role or ClusterRole with them bound to you, as {needs.grant} prints it"
    return "\n".join(
        [
            "these rights are missing, and nothing was changed:",
            *lines,
            f"{remedy} ({next(iter(missing)).question})",
        ]
    )
