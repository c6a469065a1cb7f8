"""Rights are put into as few rules as there can be, none of which allows more than was asked for."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from kubectl_safe.decide.rights import EVERY_NODE, NODE_LEASES, Needs, Right, to_drain, to_restart
from kubectl_safe.decide.roles import COMMANDS, OF_NODES, Role, Rule, needs_of, roles

PODS = Right(verb="list", resource="pods", namespace="shop")


def granted(found: Iterable[Role]) -> Iterator[Right]:
    """Return each right that roles allow, as often as they allow it."""
    for role in found:
        for rule in role.rules:
            for group in rule.groups:
                for name in rule.resources:
                    resource, _, subresource = name.partition("/")
                    for verb in rule.verbs:
                        yield Right(
                            verb=verb, group=group, resource=resource, subresource=subresource, namespace=role.namespace
                        )


def all_of(needs: Iterable[Needs]) -> set[Right]:
    found = {right for its in needs for right in (*its.required, *its.of_pods, *its.optional, *its.tried)}
    return {replace(right, name="") for right in found}


def made_of(*required: Right, optional: dict[Right, str] | None = None, has_optional: bool = True) -> tuple[Role, ...]:
    return roles([Needs(required=required, optional=optional or {})], has_optional=has_optional)


IN_A_NAMESPACE = tuple(command for command in COMMANDS if command not in OF_NODES)

EVERYTHING = [
    *(pytest.param((command,), None, id=f"{command} anywhere") for command in COMMANDS),
    *(pytest.param((command,), "shop", id=f"{command} in a namespace") for command in IN_A_NAMESPACE),
    pytest.param(IN_A_NAMESPACE, "shop", id="all of them in a namespace"),
    pytest.param(COMMANDS, None, id="all of them"),
]


@pytest.mark.parametrize(("commands", "namespace"), EVERYTHING)
def test_what_is_needed_is_granted_once_and_nothing_else(commands: tuple[str, ...], namespace: str | None) -> None:
    needs = needs_of(commands, namespace)
    found = list(granted(roles(needs, has_optional=True)))
    assert len(found) == len(set(found))
    wanted = all_of(needs)
    assert set(found) <= wanted
    everywhere = {(r.verb, r.group, r.resource, r.subresource) for r in found if r.namespace is None}
    missing = wanted - set(found)
    assert all((r.verb, r.group, r.resource, r.subresource) in everywhere for r in missing)


@pytest.mark.parametrize(("commands", "namespace"), EVERYTHING)
def test_what_can_be_done_without_may_be_left_out(commands: tuple[str, ...], namespace: str | None) -> None:
    needs = needs_of(commands, namespace)
    wanted = {right for its in needs for right in (*its.required, *its.of_pods)}
    found = roles(needs, has_optional=False)
    assert set(granted(found)) == wanted - {r for r in wanted if r.namespace == NODE_LEASES}
    assert not any(rule.lost for role in found for rule in role.rules)


def test_a_restart_needs_only_its_namespace_but_for_policies() -> None:
    own, others = roles(needs_of(("restart",), "shop"), has_optional=True)
    assert (own.namespace, own.is_optional, others.namespace, others.is_optional) == ("shop", False, None, True)
    [required] = roles(needs_of(("restart",), "shop"), has_optional=False)
    policies = ("networking.k8s.io",), ("networkpolicies",)
    # Seen in all namespaces they are seen in this one, too.
    assert policies not in [(rule.groups, rule.resources) for rule in own.rules]
    assert policies in [(rule.groups, rule.resources) for rule in required.rules]


def test_the_lease_of_a_node_is_among_those_of_all_namespaces() -> None:
    assert [role.namespace for role in roles([to_drain(EVERY_NODE, writes=True, nudges=True)], has_optional=True)] == [
        None
    ]


def test_rights_to_the_same_verbs_become_one_rule() -> None:
    patch = Right(verb="patch", resource="pods", namespace="shop")
    services = Right(verb="list", resource="services", namespace="shop")
    [role] = made_of(patch, PODS, services)
    assert role.rules == (
        Rule(groups=("",), resources=("pods",), verbs=("list", "patch")),
        Rule(groups=("",), resources=("services",), verbs=("list",)),
    )


def test_the_same_resource_of_two_groups_becomes_one_rule() -> None:
    theirs = [Right(verb="list", group=group, resource="bindings", namespace="shop") for group in ("b", "a")]
    [role] = made_of(*theirs)
    assert role.rules == (Rule(groups=("a", "b"), resources=("bindings",), verbs=("list",)),)


def test_a_subresource_is_named_with_its_resource() -> None:
    evict = Right(verb="create", resource="pods", subresource="eviction", namespace="shop")
    [role] = made_of(evict)
    assert role.rules[0].resources == ("pods/eviction",)


def test_what_can_be_done_without_comes_last_with_what_is_lost() -> None:
    events = Right(verb="list", resource="events", namespace="shop")
    needs = [Needs(required=(), optional={events: "no words"}), Needs(required=(PODS,))]
    [role] = roles(needs, has_optional=True)
    assert [(rule.resources, rule.lost) for rule in role.rules] == [(("pods",), ""), (("events",), "no words")]


@pytest.mark.parametrize("order", [1, -1])
def test_what_one_command_needs_can_not_be_done_without(order: int) -> None:
    needs = [Needs(required=(PODS,)), Needs(required=(), optional={PODS: "no pods"})][::order]
    [role] = roles(needs, has_optional=True)
    assert [rule.lost for rule in role.rules] == [""]


def test_a_right_in_all_namespaces_stands_for_that_in_one() -> None:
    everywhere = Right(verb="list", resource="pods")
    [role] = made_of(PODS, everywhere)
    assert (role.namespace, len(role.rules)) == (None, 1)


def test_roles_are_the_same_whatever_comes_first() -> None:
    every = needs_of(COMMANDS, None)
    assert {frozenset(granted(roles(its, has_optional=True))) for its in (every, every[::-1])} == {
        frozenset(granted(roles(every, has_optional=True)))
    }
    assert [n.nodes for n in every] == [EVERY_NODE, (), (), (), EVERY_NODE, EVERY_NODE, *[()] * 5]
    assert to_restart("shop", writes=True, nudges=True) in needs_of(("restart",), "shop")


@pytest.mark.parametrize("namespace", ["shop", None])
@pytest.mark.parametrize("command", COMMANDS)
def test_whoever_lacks_rights_is_shown_the_command_that_prints_a_role_with_them(
    command: str, namespace: str | None
) -> None:
    if namespace and command in OF_NODES:
        return
    where = f"-n {namespace}" if namespace else "--cluster"
    grants = {needs.grant for needs in needs_of((command,), namespace)}
    assert grants == {f"kubectl safe rbac {where} --for {command}"}
