"""Roles as manifests for `kubectl apply`, and what AWS is asked as an IAM policy.

The manifests are written by hand, for the comments that say which rules can be done without. Whatever a reader named
stands in quotes, as JSON's are YAML's.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from kubectl_safe.decide.roles import ASSUME_ROLE, CROSS_ZONE, TARGET_GROUPS, Role, Rule

_GROUP = "rbac.authorization.k8s.io"
_WIDTH = 118


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who a role is bound to."""

    kind: str
    """`User`, `Group` or `ServiceAccount`."""
    name: str
    namespace: str = ""
    """Of a ServiceAccount."""


def manifests(found: Iterable[Role], *, name: str, subjects: Sequence[Subject], about: str, scope: str) -> str:
    """Return roles with their bindings, a YAML document each.

    Args:
        found: the roles.
        name: what they and their bindings are called.
        subjects: who they are bound to; without any there are no bindings.
        about: what they are for, in words.
        scope: the one namespace that they are for; empty for the whole cluster.
    """
    documents = []
    # That of the namespace itself comes first, and that of the cluster last.
    for role in sorted(found, key=lambda role: role.namespace != scope):
        # What is granted elsewhere for the sake of one namespace must not take the place of what is granted there for
        # its own sake, or for that of another namespace, whose people are others.
        its = f"{name}-{scope}" if scope and role.namespace != scope else name
        documents.append("\n".join(_role(role, its)))
        if subjects:
            documents.append("\n".join(_binding(role, its, subjects)))
    head = [*_comment(about)]
    if not subjects:
        head += _comment(
            "Nobody has them yet: with --user, --group or --serviceaccount their bindings are printed, too."
        )
    for one in subjects:
        if one.namespace:
            head += _comment(
                f"The account has to be there: kubectl create serviceaccount {one.name} -n {one.namespace}"
            )
    return "\n".join([*head, "\n---\n".join(documents)])


def policy(assumed: Sequence[str]) -> str:
    """Return the IAM policy, as JSON, of who asks for target groups and assumes these roles (ARNs) for it."""
    statements = [
        _statement("TargetGroups", list(TARGET_GROUPS), "*"),
        _statement("OptionalForNetworkLoadBalancers", list(CROSS_ZONE), "*"),
    ]
    if assumed:
        statements.append(_statement("AssumeRoleOfBindings", [ASSUME_ROLE], list(assumed)))
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)


def _statement(sid: str, actions: list[str], resource: str | list[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}


def _role(role: Role, name: str) -> Iterator[str]:
    if role.is_optional:
        yield "# Optional as a whole: --required-only prints what does without it."
    yield from _head("Role" if role.namespace else "ClusterRole", name, role.namespace)
    yield "rules:"
    told = ""
    for rule in role.rules:
        if rule.lost != told:
            yield from _comment(f"Optional. Without it, {rule.lost}.")
            told = rule.lost
        yield from _rule(rule)


def _rule(rule: Rule) -> Iterator[str]:
    groups = (group or '""' for group in rule.groups)
    yield f"- apiGroups: [{', '.join(groups)}]"
    yield f"  resources: [{', '.join(rule.resources)}]"
    yield f"  verbs: [{', '.join(rule.verbs)}]"


def _binding(role: Role, name: str, subjects: Sequence[Subject]) -> Iterator[str]:
    kind = "Role" if role.namespace else "ClusterRole"
    yield from _head(f"{kind}Binding", name, role.namespace)
    yield f"roleRef: {{apiGroup: {_GROUP}, kind: {kind}, name: {json.dumps(name)}}}"
    yield "subjects:"
    for subject in subjects:
        where = f"namespace: {json.dumps(subject.namespace)}" if subject.namespace else f"apiGroup: {_GROUP}"
        yield f"- {{kind: {subject.kind}, name: {json.dumps(subject.name)}, {where}}}"


def _head(kind: str, name: str, namespace: str | None) -> Iterator[str]:
    yield f"apiVersion: {_GROUP}/v1"
    yield f"kind: {kind}"
    yield "metadata:"
    yield f"  name: {json.dumps(name)}"
    if namespace:
        yield f"  namespace: {json.dumps(namespace)}"
    yield "  labels: {app.kubernetes.io/name: kubectl-safe}"


def _comment(text: str) -> Iterator[str]:
    return (f"# {line}" for line in wrap(text, _WIDTH))
