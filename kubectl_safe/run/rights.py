"""Before anything is watched or written: whether the command has the rights that it needs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from typing import Protocol

from kubectl_safe.decide.rights import Needs, Right, on_pods, refusal
from kubectl_safe.kube.client import Client
from kubectl_safe.kube.rights import denied, pods_of
from kubectl_safe.model.errors import KubectlSafeError


class Listener(Protocol):
    """Who is told of rights whose lack costs something, and stops nothing."""

    def warn(self, message: str) -> None:
        """Something needs the reader's eye, and the run goes on."""


def check_rights(client: Client, needs: Needs, listener: Listener) -> frozenset[Right]:
    """See that we may do all that a command may have to do; return the rights that it goes on without.

    Raises:
        KubectlSafeError: some rights are missing; all of them are named at once.
    """
    found = denied(client, [*needs.required, *needs.of_pods, *needs.optional])
    missing = {right: reason for right, reason in found.items() if right in needs.required}
    missing |= _missing_on_pods(client, needs, found)
    if missing:
        raise KubectlSafeError(refusal(missing, needs))
    lacking = [right for right in needs.optional if right in found]
    for right, lost in _as_told(lacking, needs.optional):
        listener.warn(f"Warning: without the right to {right}, {lost}")
    return frozenset(lacking)


def _as_told(lacking: Iterable[Right], lost: Mapping[Right, str]) -> Iterator[tuple[Right, str]]:
    """Put rights to the same objects together, such as `list and watch services`, with what is lost."""
    for _, found in groupby(lacking, key=lambda right: (replace(right, verb=""), lost[right])):
        its = list(found)
        yield replace(its[0], verb=" and ".join(right.verb for right in its)), lost[its[0]]


def missing_rights(client: Client, needs: Needs) -> Mapping[Right, str]:
    """Return the rights without which a command is refused, with the server's reason, which is mostly empty."""
    found = denied(client, [*needs.required, *needs.of_pods])
    missing = {right: reason for right, reason in found.items() if right in needs.required}
    missing |= _missing_on_pods(client, needs, found)
    return missing


def _missing_on_pods(client: Client, needs: Needs, found: Mapping[Right, str]) -> Mapping[Right, str]:
    """Return what is missing where the pods of the nodes are, for someone who may not do it everywhere."""
    everywhere = {right: reason for right, reason in found.items() if right in needs.of_pods}
    if not everywhere or any(right.resource == "pods" and right in needs.required for right in found):
        # Without the right to list pods nobody can tell where they are.
        return everywhere
    there = on_pods(pods_of(client, needs.nodes), deletes=needs.deletes)
    kinds = {(right.verb, right.group, right.resource, right.subresource) for right in everywhere}
    return denied(client, [r for r in there if (r.verb, r.group, r.resource, r.subresource) in kinds])
