"""The entry point: finds the command, and turns what comes of it into kubectl's exit codes."""

import sys
from collections.abc import Sequence
from importlib import import_module

import click

from kubectl_safe import __version__
from kubectl_safe.model.errors import KubectlSafeError, UsageError

FAILED, USAGE, INTERRUPTED = 1, 2, 130

COMMANDS = {
    "drain": "kubectl_safe.cli.drain:command",
    "rollout": "kubectl_safe.cli.rollout:group",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for: start-up is paid for one of them only."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted([*super().list_commands(ctx), *COMMANDS])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = place.partition(":")
        found = getattr(import_module(module), attribute)
        assert isinstance(found, click.Command)
        return found


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def cli() -> None:
    """Drain nodes and restart workloads without losing a request.

    A pod's traffic is handed over before the pod is stopped: its replacement is in service first, then it leaves its
    Services and target groups, and only when both are seen to have let go of it, it is evicted.

    \b
    Examples:
      # Drain a node
      kubectl safe drain node-1 --ignore-daemonsets

    \b
      # Restart a deployment
      kubectl safe rollout restart deployment/web
    """


@cli.command()
def version() -> None:
    """Print the version."""
    click.echo(f"kubectl-safe {__version__}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and exit as kubectl would."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code."""
    try:
        cli.main(args=_with_dry_run_values(arguments), prog_name="kubectl safe", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return USAGE
    except UsageError as error:
        click.echo(f"error: {error}", err=True)
        return USAGE
    except KubectlSafeError as error:
        click.echo(f"error: {error}", err=True)
        return FAILED
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted: nothing that serves was harmed; run the same command again to go on", err=True)
        return INTERRUPTED
    return 0


def _with_dry_run_values(arguments: Sequence[str]) -> list[str]:
    """Let `--dry-run` stand alone, as kubectl does: a value has to be joined to it with `=`."""
    return ["--dry-run=client" if argument == "--dry-run" else argument for argument in arguments]
