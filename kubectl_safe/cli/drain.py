"""`kubectl safe drain`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from kubectl_safe.cli import candidates
from kubectl_safe.cli.help import Command
from kubectl_safe.cli.names import kind_and_name
from kubectl_safe.cli.options import CHUNK_SIZE, Common, common_options
from kubectl_safe.cli.start import connect, labelled_nodes, session_for, settings_of
from kubectl_safe.cli.types import parse_selector, whole_number
from kubectl_safe.model.errors import UsageError

if TYPE_CHECKING:
    from kubectl_safe.model.selector import LabelSelector

KINDS = frozenset({"node", "nodes", "no"})

NONE_FOUND = "No resources found"
"""What `kubectl get` says where a selector chooses nothing; `kubectl drain` says nothing, and exits with 0 as well."""


@click.command("drain", cls=Command, short_help="Drain nodes without losing a request.")
@click.argument("nodes", nargs=-1, metavar="NODE...", shell_complete=candidates.nodes)
@click.option("--ignore-daemonsets", is_flag=True, help="Ignore DaemonSet-managed pods.")
@click.option(
    "--delete-emptydir-data",
    is_flag=True,
    help="Continue even if there are pods using emptyDir (local data that will be deleted when the node is drained).",
)
@click.option("--force", is_flag=True, help="Continue even if there are pods that do not declare a controller.")
@click.option(
    "-l",
    "--selector",
    metavar="SELECTOR",
    help="Selector (label query) to filter nodes on, supports '=', '==', '!=', 'in', 'notin' "
    "(e.g. -l key1=value1,key2=value2,key3 in (value3)). Drained are those that satisfy all of it.",
)
@click.option("--pod-selector", metavar="SELECTOR", help="Label selector to filter pods on the node.")
@click.option(
    "--grace-period",
    type=whole_number,
    metavar="SECONDS",
    default="-1",
    show_default=True,
    help="Period of time in seconds given to each pod to terminate gracefully. If negative, the default value "
    "specified in the pod will be used.",
)
@click.option(
    "--disable-eviction",
    is_flag=True,
    help="Delete pods that are handed over in place of evicting them, which bypasses their disruption budgets. "
    "All else is waited for as ever.",
)
@click.option(
    "--skip-wait-for-delete-timeout",
    type=whole_number,
    metavar="SECONDS",
    default="0",
    show_default=True,
    help="If a pod's DeletionTimestamp is older than that, skip waiting for the pod. Must be greater than 0 to skip.",
)
@click.option(
    "--chunk-size",
    type=whole_number,
    metavar="INTEGER",
    default=str(CHUNK_SIZE),
    show_default=True,
    help="Return large lists in chunks rather than all at once. Pass 0 to disable.",
)
@click.option("--uncordon-on-failure", is_flag=True, help="Uncordon the nodes again where the drain fails.")
@common_options()
def command(
    *,
    common: Common,
    nodes: tuple[str, ...],
    ignore_daemonsets: bool,
    delete_emptydir_data: bool,
    force: bool,
    selector: str | None,
    pod_selector: str | None,
    grace_period: int,
    disable_eviction: bool,
    skip_wait_for_delete_timeout: int,
    chunk_size: int,
    uncordon_on_failure: bool,
) -> None:
    """Drain nodes without losing a request.

    All nodes are cordoned first. Then each pod that kubectl drain would evict is handed over: its replacement comes
    into service elsewhere, the pod leaves its Services and target groups, and when all of them have let go of it, it
    is evicted within its disruption budgets. Bare pods and pods of Jobs are evicted as kubectl does it.

    Killed at any moment it harms nothing: the same command again goes on where the dead one was.

    \b
    Examples:
      # Drain a node
      kubectl safe drain node-1 --ignore-daemonsets

    \b
      # See what would happen, and how long it would take
      kubectl safe drain node-1 node-2 --ignore-daemonsets --dry-run

    \b
      # Drain all nodes of a pool
      kubectl safe drain -l pool=old --ignore-daemonsets
    """
    if nodes and selector:
        raise UsageError("cannot specify both a node name and a --selector option")
    # To the API server, a selector of blanks would be one of all nodes.
    names = () if selector and selector.strip() else node_names(nodes)
    chosen = _pod_selector(pod_selector) if pod_selector else None
    from kubectl_safe.decide.drain import Options
    from kubectl_safe.decide.rights import to_drain
    from kubectl_safe.run.drain import Drain, drain

    client = connect(common)
    if selector and not names:
        names = labelled_nodes(common, client, selector, page=chunk_size)
    if not names:
        client.close()
        common.output.audience.warn(NONE_FOUND)
        return
    seconds = skip_wait_for_delete_timeout
    skip_wait = timedelta(seconds=seconds) if seconds > 0 else None
    request = Drain(
        nodes=names,
        pod_selector=chosen,
        options=Options(ignore_daemon_sets=ignore_daemonsets, delete_empty_dir_data=delete_emptydir_data, force=force),
        settings=replace(settings_of(common), skip_wait_for_delete=skip_wait, disable_eviction=disable_eviction),
        uncordons_on_failure=uncordon_on_failure,
    )
    grace = grace_period if grace_period >= 0 else None
    needs = to_drain(names, writes=common.dry_run != "client", nudges=common.nudge, deletes=disable_eviction)
    about = f"drain {' '.join(names)}"
    run = session_for(common, client, about=about, namespace=None, needs=needs, grace_period=grace, page=chunk_size)
    with run as session:
        drain(request, session)


def _pod_selector(text: str) -> "LabelSelector":
    """Read the value of `--pod-selector`.

    Raises:
        UsageError: it is none, in kubectl's words and with what is wrong with it.
    """
    try:
        return parse_selector(text)
    except UsageError as error:
        raise UsageError(f"--pod-selector=<pod_selector> must be a valid label selector: {error}") from error


def node_names(arguments: Sequence[str], *, command: str = "drain") -> tuple[str, ...]:
    """Return the names in `NODE...`, each perhaps as `node/NODE`, of the command of that name.

    Raises:
        UsageError: there is none, or another kind is named.
    """
    if not arguments:
        raise UsageError(f"USAGE: {command} NODE [NODE...] [flags]")
    return tuple(_node_name(argument) for argument in arguments)


def _node_name(argument: str) -> str:
    kind, name = kind_and_name(argument)
    if kind and kind.lower() not in KINDS:
        raise UsageError(f"expected resource of type node, got {kind!r}")
    return name
