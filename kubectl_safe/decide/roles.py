"""The smallest roles that allow what commands need: the rights that these ask for, put together into rules."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from kubectl_safe.decide.rights import (
    EVERY_NODE,
    Needs,
    Right,
    beside_check,
    to_abort,
    to_check,
    to_drain,
    to_look,
    to_restart,
    to_uncordon,
    to_watch_rollouts,
)

OF_NODES = ("drain", "uncordon")
"""Commands on nodes, which are in no namespace."""
COMMANDS = ("drain", "restart", "abort", "uncordon", "rollout-status", "status", "check")
"""All that need rights on a cluster: those that write to it, and then those that only look."""
_KINDS = ("Deployment", "StatefulSet", "DaemonSet")
_VERBS = ("get", "list", "watch", "create", "update", "patch", "delete")

TARGET_GROUPS = (
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetGroupAttributes",
    "elasticloadbalancing:DescribeTargetHealth",
)
"""What is asked of AWS for every target group. None of it takes a resource (Service Authorization Reference)."""
CROSS_ZONE = ("elasticloadbalancing:DescribeLoadBalancerAttributes",)
"""What is asked for a Network Load Balancer; without it, each of its zones is taken to need a target of its own."""
ASSUME_ROLE = "sts:AssumeRole"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a role: each verb on each resource of each group."""

    groups: tuple[str, ...]
    resources: tuple[str, ...]
    """With their subresources: `pods/eviction`."""
    verbs: tuple[str, ...]
    lost: str = ""
    """What is lost without it; empty for one that can't be done without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """The rules of one namespace, or those of the whole cluster."""

    namespace: str | None
    """None for a ClusterRole."""
    rules: tuple[Rule, ...]

    @property
    def is_optional(self) -> bool:
        """Whether it can be done without as a whole."""
        return all(rule.lost for rule in self.rules)


def needs_of(commands: Collection[str], namespace: str | None, *, deletes: bool = False) -> tuple[Needs, ...]:
    """Return what commands need: those of `COMMANDS`, in one namespace, or everywhere and on every node.

    With `deletes`, drains may be told not to evict pods but to delete them.
    """
    nodes = () if namespace else EVERY_NODE
    found: list[Needs] = []
    if "drain" in commands:
        ways = (False, True) if deletes else (False,)
        found += (to_drain(nodes, writes=True, nudges=True, deletes=way) for way in ways)
    if "restart" in commands:
        found += (to_restart(namespace, kind=kind, writes=True, nudges=True) for kind in _KINDS)
    if "abort" in commands:
        found.append(to_abort(nodes, _KINDS, namespace))
    if "uncordon" in commands:
        found.append(to_uncordon(nodes))
    return (*found, *_needs_to_look(commands, namespace))


def _needs_to_look(commands: Collection[str], namespace: str | None) -> Iterator[Needs]:
    """Yield what commands need that write nothing, whatever they are asked to look at."""
    if "rollout-status" in commands:
        yield from (to_watch_rollouts(namespace, kinds=(kind,)) for kind in _KINDS)
    if "status" in commands:
        yield to_look(namespace, kinds=_KINDS if namespace else (*_KINDS, "Node"))
    if "check" in commands:
        its = to_check(namespace, has_nodes=namespace is None)
        yield replace(its, optional={**its.optional, **beside_check(namespace)})


def roles(needs: Iterable[Needs], *, has_optional: bool) -> tuple[Role, ...]:
    """Return the smallest roles that allow all of these needs, that of the cluster last.

    No right is granted twice: one in all namespaces holds in each of them.

    Args:
        needs: of all commands that the roles are for.
        has_optional: whether to allow what can be done without, too.
    """
    rights: dict[Right, str] = {}
    for its in needs:
        found = dict.fromkeys((*its.required, *its.of_pods), "")
        found |= {**its.optional, **its.tried} if has_optional else {}
        for named, lost in found.items():
            right = replace(named, name="")
            rights[right] = rights[right] and lost if right in rights else lost
    namespaces = sorted({right.namespace for right in rights if right.namespace})
    scopes = {scope: _of(scope, rights) for scope in (*namespaces, None)}
    return tuple(Role(namespace=scope, rules=tuple(_rules(its))) for scope, its in scopes.items() if its)


def _of(namespace: str | None, rights: Mapping[Right, str]) -> dict[Right, str]:
    """Return the rights of a namespace that don't hold in all of them."""
    its = {right: lost for right, lost in rights.items() if right.namespace == namespace}
    return {r: lost for r, lost in its.items() if namespace is None or replace(r, namespace=None) not in rights}


def _rules(rights: Mapping[Right, str]) -> Iterator[Rule]:
    """Put rights into as few rules as there can be without one that allows more: required ones come first."""
    verbs: dict[tuple[str, str, str], set[str]] = {}
    for right, lost in rights.items():
        verbs.setdefault((lost, right.group, _resource(right)), set()).add(right.verb)
    resources: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for (lost, group, resource), its in verbs.items():
        resources.setdefault((lost, group, tuple(verb for verb in _VERBS if verb in its)), []).append(resource)
    groups: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for (lost, group, allowed), found in resources.items():
        groups.setdefault((lost, tuple(sorted(found)), allowed), []).append(group)
    for (lost, names, allowed), found in sorted(groups.items(), key=lambda rule: bool(rule[0][0])):
        yield Rule(groups=tuple(sorted(found)), resources=names, verbs=allowed, lost=lost)


def _resource(right: Right) -> str:
    return f"{right.resource}/{right.subresource}" if right.subresource else right.resource
