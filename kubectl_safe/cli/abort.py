"""`kubectl safe abort`."""

from collections.abc import Sequence

import click

from kubectl_safe.cli.drain import KINDS as NODE_KINDS
from kubectl_safe.cli.options import TO_END, Common, common_options
from kubectl_safe.cli.rollout import DEPLOYMENT
from kubectl_safe.cli.start import connect, session_for, settings_of
from kubectl_safe.model.errors import UsageError


@click.command("abort", short_help="End what a drain or a restart began.")
@click.argument("resources", nargs=-1, metavar="node/NAME... | deployment/NAME...")
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
    nodes, deployments = named(resources)
    from kubectl_safe.decide.rights import to_abort
    from kubectl_safe.run.abort import Abort, abort

    client = connect(common)
    namespace = common.namespace or client.namespace
    request = Abort(nodes=nodes, namespace=namespace, deployments=deployments, settings=settings_of(common))
    watched = None if nodes else namespace
    needs = to_abort(nodes, namespace if deployments else None)
    about = f"abort {' '.join(resources)}"
    with session_for(common, client, about=about, namespace=watched, needs=needs) as session:
        abort(request, session)


def named(resources: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of nodes and those of Deployments in `TYPE/NAME...`.

    Raises:
        UsageError: there is none, it is put in another way, or of another kind.
    """
    if not resources:
        raise UsageError("say what to end: node/NAME or deployment/NAME")
    nodes, deployments = [], []
    for resource in resources:
        kind, slash, name = resource.partition("/")
        if not slash or not name or "/" in name:
            raise UsageError(f"arguments must be of the form TYPE/NAME, such as node/node-1: {resource!r}")
        if kind.lower() in NODE_KINDS:
            nodes.append(name)
        elif kind.lower() in DEPLOYMENT:
            deployments.append(name)
        else:
            raise UsageError(f"there is nothing to end on a {kind!r}: name a node or a deployment")
    return tuple(dict.fromkeys(nodes)), tuple(dict.fromkeys(deployments))
