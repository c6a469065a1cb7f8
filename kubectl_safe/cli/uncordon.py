"""`kubectl safe uncordon`."""

import click

from kubectl_safe.cli import candidates
from kubectl_safe.cli.drain import node_names
from kubectl_safe.cli.help import Command
from kubectl_safe.cli.options import TO_WRITE_ONCE, Common, common_options
from kubectl_safe.cli.start import connect


@click.command("uncordon", cls=Command, short_help="Make nodes schedulable that kubectl safe cordoned.")
@click.argument("nodes", nargs=-1, metavar="NODE...", shell_complete=candidates.nodes)
@common_options(*TO_WRITE_ONCE)
def command(*, common: Common, nodes: tuple[str, ...]) -> None:
    """Make nodes schedulable again that kubectl safe drain cordoned.

    Where the drain excluded them from load balancers, that is taken back, too.
    A node that somebody else cordoned stays as it is: that is for kubectl uncordon.

    \b
    Examples:
      # Take back the cordon of a drain
      kubectl safe uncordon node-1
    """
    names = node_names(nodes, command="uncordon")
    from kubectl_safe.run.clock import now
    from kubectl_safe.run.terms import DryRun
    from kubectl_safe.run.uncordon import uncordon

    client = connect(common)
    try:
        uncordon(names, client, common.output.audience, now=now, dry_run=DryRun(common.dry_run))
    finally:
        client.close()
