"""`kubectl safe abort`."""

from collections.abc import Sequence

import click

from kubectl_safe.cli.candidates import resources as resource_candidates
from kubectl_safe.cli.drain import KINDS as NODE_KINDS
from kubectl_safe.cli.help import Command
from kubectl_safe.cli.options import TO_END, Common, common_options
from kubectl_safe.cli.rollout import KINDS
from kubectl_safe.cli.start import connect, session_for, settings_of
from kubectl_safe.model.errors import UsageError

ENDABLE = {"Node": NODE_KINDS, **KINDS}
"""What there is something to end on, and what kubectl calls it."""


@click.command("abort", cls=Command, short_help="End what a drain or a restart began.")
@click.argument(
    "resources", nargs=-1, metavar="TYPE/NAME...", shell_complete=resource_candidates(ENDABLE, takes_type_alone=False)
)
@common_options(*TO_END)
def command(*, common: Common, resources: tuple[str, ...]) -> None:
    """End what a drain or a restart began and did not end.

    A run that still goes on is stopped first, which takes half a minute. Then every pod that was released is given
    back to its controller, where no pod in service pays for that, and every pod that was withdrawn is finished, because
    there is no way back from there. Nothing new is begun. At last a cordon or a record of kubectl safe is taken away.

    \b
    Examples:
      # End a drain
      kubectl safe abort node/node-1

    \b
      # End a restart
      kubectl safe abort deployment/web -n shop
    """
    nodes, workloads = named(resources)
    from kubectl_safe.decide.rights import to_abort
    from kubectl_safe.run.abort import Abort, abort

    client = connect(common)
    namespace = common.namespace or client.namespace
    request = Abort(nodes=nodes, namespace=namespace, workloads=workloads, settings=settings_of(common))
    watched = None if nodes else namespace
    needs = to_abort(nodes, workloads, namespace)
    about = f"abort {' '.join(resources)}"
    with session_for(common, client, about=about, namespace=watched, needs=needs) as session:
        abort(request, session)


def named(resources: Sequence[str]) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Return the names of nodes, and those of workloads by their kind, in `TYPE/NAME...`.

    Raises:
        UsageError: there is none, it is put in another way, or of another kind.
    """
    if not resources:
        raise UsageError("say what to end: node/NAME, deployment/NAME, statefulset/NAME or daemonset/NAME")
    found: dict[str, list[str]] = {}
    for resource in resources:
        text, slash, name = resource.partition("/")
        if not slash or not name or "/" in name:
            raise UsageError(f"arguments must be of the form TYPE/NAME, such as node/node-1: {resource!r}")
        kind = next((kind for kind, names in ENDABLE.items() if text.lower() in names), None)
        if kind is None:
            raise UsageError(
                f"there is nothing to end on a {text!r}: name a node, a deployment, a statefulset or a daemonset"
            )
        found.setdefault(kind, []).append(name)
    each = {kind: tuple(dict.fromkeys(names)) for kind, names in found.items()}
    return each.pop("Node", ()), each
