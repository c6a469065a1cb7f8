"""`kubectl safe rbac`."""

from typing import TYPE_CHECKING

import click

from kubectl_safe.cli.candidates import choices, some_of
from kubectl_safe.cli.help import Command
from kubectl_safe.cli.names import namespace_name, resource_name
from kubectl_safe.cli.options import OPTIONS
from kubectl_safe.cli.types import known_format
from kubectl_safe.model.connection import Connection
from kubectl_safe.model.errors import UsageError
from kubectl_safe.render.output import echo

if TYPE_CHECKING:
    from kubectl_safe.render.rbac import Subject

FORMATS = ("yaml", "iam")


def _commands() -> dict[str, str]:
    from kubectl_safe.decide.roles import COMMANDS

    return dict.fromkeys(COMMANDS, "")


@click.command("rbac", cls=Command, short_help="Print the smallest roles that these commands need.")
@OPTIONS["kubeconfig"]
@OPTIONS["context"]
@OPTIONS["namespace"]
@click.option("--cluster", is_flag=True, help="For every namespace and node; no cluster is asked for it.")
@click.option(
    "--for",
    "commands",
    multiple=True,
    shell_complete=some_of(_commands),
    metavar="COMMAND",
    help="Which commands it is for: drain, restart, abort, uncordon, rollout-status, status, check. May be given "
    "several times, or with commas. Default: all that there are; in a namespace drain and uncordon are not.",
)
@click.option("--user", "users", multiple=True, metavar="NAME", help="Bind it to a user. May be given several times.")
@click.option("--group", "groups", multiple=True, metavar="NAME", help="Bind it to a group.")
@click.option(
    "--serviceaccount", "accounts", multiple=True, metavar="NAMESPACE:NAME", help="Bind it to a service account."
)
@click.option(
    "--name",
    type=resource_name,
    default="kubectl-safe",
    show_default=True,
    metavar="NAME",
    help="What roles and bindings are called.",
)
@click.option(
    "--disable-eviction",
    "deletes",
    is_flag=True,
    help="Allow drain --disable-eviction too, which needs to delete pods.",
)
@click.option("--required-only", is_flag=True, help="Leave out what can be done without.")
@click.option(
    "--assume-role",
    "assumed",
    multiple=True,
    metavar="ARN",
    help="With -o iam: a role that TargetGroupBindings name (iamRoleArnToAssume). It needs this policy, too.",
)
@click.option(
    "-o",
    "--output",
    default="yaml",
    show_default=True,
    metavar="yaml|iam",
    shell_complete=choices(*FORMATS),
    help="Output format.",
)
def command(
    *,
    kubeconfig: str | None,
    context: str | None,
    namespace: str | None,
    cluster: bool,
    commands: tuple[str, ...],
    users: tuple[str, ...],
    groups: tuple[str, ...],
    accounts: tuple[str, ...],
    name: str,
    deletes: bool,
    required_only: bool,
    assumed: tuple[str, ...],
    output: str,
) -> None:
    """Print the smallest roles that these commands need.

    What a restart needs is all in the namespace of its workloads, but for a look at the network policies of others; a
    check also looks at the load balancer controller. A drain reads in all namespaces, and writes to nodes and where
    their pods are. Rules that can be done without are marked, with what is lost.

    On AWS, credentials need the policy of -o iam: it only allows to describe target groups.

    \b
    Examples:
      # Let a team restart what is in its namespace
      kubectl safe rbac -n shop --group team-shop | kubectl apply -f -

    \b
      # Let a pipeline drain nodes
      kubectl safe rbac --cluster --serviceaccount ops:drain | kubectl apply -f -

    \b
      # Let somebody look, and change nothing
      kubectl safe rbac -n shop --for status,check --user alice

    \b
      # The IAM policy for either
      kubectl safe rbac -o iam
    """
    wanted = known_format(output, FORMATS)
    if assumed and wanted != "iam":
        raise UsageError("--assume-role is for the policy of -o iam")
    if deletes and not cluster:
        raise UsageError("--disable-eviction is for drains, which are in no namespace: give it with --cluster")
    if cluster and namespace:
        raise UsageError("--cluster is for all namespaces: leave out --namespace, or --cluster")
    chosen = _chosen(commands, is_of_cluster=cluster)
    subjects = _subjects(users, groups, accounts)
    from kubectl_safe.decide.roles import needs_of, roles
    from kubectl_safe.render.rbac import manifests, policy

    if wanted == "iam":
        echo(policy(assumed), is_document=True)
        return
    scope = "" if cluster else namespace or _namespace_of(kubeconfig, context)
    found = roles(needs_of(chosen, scope or None, deletes=deletes), has_optional=not required_only)
    where = f"in namespace {scope}" if scope else "in all namespaces"
    about = f"What kubectl safe {_listed(chosen)} may do {where}. All that is not said to be optional is needed."
    echo(manifests(found, name=name, subjects=subjects, about=about, scope=scope), is_document=True)


def _chosen(values: tuple[str, ...], *, is_of_cluster: bool) -> tuple[str, ...]:
    """Return the commands in `--for COMMAND,COMMAND`, which may be given again, in the order in which they are known.

    Raises:
        UsageError: there is no such command, or it is none of a namespace.
    """
    from kubectl_safe.decide.roles import COMMANDS, OF_NODES

    names = {name.strip() for value in values for name in value.split(",")}
    if unknown := sorted(names - set(COMMANDS)):
        raise UsageError(f'invalid argument for "--for" flag: {unknown[0]!r} is not one of {", ".join(COMMANDS)}')
    if not is_of_cluster and (found := [name for name in OF_NODES if name in names]):
        raise UsageError(f"--for {found[0]} is about nodes, which are in no namespace: --cluster is for all of them")
    usual = COMMANDS if is_of_cluster else [name for name in COMMANDS if name not in OF_NODES]
    return tuple(name for name in COMMANDS if name in (names or usual))


def _subjects(users: tuple[str, ...], groups: tuple[str, ...], accounts: tuple[str, ...]) -> "list[Subject]":
    """Return who a role is to be bound to.

    Raises:
        UsageError: a service account is put in another way.
    """
    from kubectl_safe.render.rbac import Subject

    found = [Subject(kind="User", name=name) for name in users]
    found += [Subject(kind="Group", name=name) for name in groups]
    for account in accounts:
        namespace, colon, name = account.partition(":")
        if not colon or not namespace or not name:
            raise UsageError(f"serviceaccount must be <namespace>:<name>, got {account!r}")
        found.append(Subject(kind="ServiceAccount", name=resource_name(name), namespace=namespace_name(namespace)))
    return found


def _namespace_of(kubeconfig: str | None, context: str | None) -> str:
    """Return the namespace of a context; its cluster is not asked."""
    from kubectl_safe.kube.config import login

    return namespace_name(login(Connection(kubeconfig=kubeconfig, context=context)).namespace)


def _listed(names: tuple[str, ...]) -> str:
    words = ["rollout restart" if name == "restart" else name.replace("-", " ") for name in names]
    return f"{', '.join(words[:-1])} and {words[-1]}" if words[1:] else words[0]
