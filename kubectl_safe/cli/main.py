"""The entry point: finds the command, and turns what comes of it into kubectl's exit codes."""

import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING

import click

from kubectl_safe import __version__
from kubectl_safe.cli.arguments import as_click_reads_them
from kubectl_safe.cli.candidates import one_of
from kubectl_safe.cli.completion import NO_FILES, completed, words_to_complete
from kubectl_safe.cli.help import Group
from kubectl_safe.cli.output import Output
from kubectl_safe.model.errors import FROM_SERVER, Interrupted, KubectlSafeError, UncheckedError, UsageError
from kubectl_safe.render.output import SAME_CLUSTER, echo, flush

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

FAILED, USAGE, INTERRUPTED = 1, 2, 130

INTERRUPTION = "interrupted: nothing that serves was harmed; run the same command again to go on"

COMMANDS = {
    "abort": ("kubectl_safe.cli.abort:command", "End what a drain or a restart began and did not end."),
    "check": ("kubectl_safe.cli.check:command", "Find what loses requests, or keeps a pod from being moved."),
    "demo": ("kubectl_safe.cli.demo:command", "See what kubectl loses and kubectl safe does not."),
    "drain": ("kubectl_safe.cli.drain:command", "Drain nodes without losing a request."),
    "rbac": ("kubectl_safe.cli.rbac:command", "Print the smallest roles that these commands need."),
    "status": ("kubectl_safe.cli.status:command", "Show gates, slices, targets and handoffs of pods."),
    "uncordon": ("kubectl_safe.cli.uncordon:command", "Make nodes schedulable again that kubectl safe drain cordoned."),
    "rollout": ("kubectl_safe.cli.rollout:group", "Restart workloads without losing a request, and watch rollouts."),
}
"""Where each command is, and what the list of commands says of it."""

ANSWERING = frozenset({"check"})
"""Commands whose exit code 1 is an answer, and so is no word for a fault of ours."""


class LazyGroup(Group):
    """A group whose commands are imported when they are asked for: start-up is paid for one of them only."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted([*super().list_commands(ctx), *COMMANDS])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        found = getattr(import_module(module), attribute)
        assert isinstance(found, click.Command)
        return found

    def listed(self) -> dict[str, str]:
        """Return what is said of each command; none of them is imported for it."""
        return super().listed() | {name: words for name, (_, words) in COMMANDS.items()}

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem[str]]":
        """Return the commands that begin so, and the flags; none of the commands is imported for it."""
        from click.shell_completion import CompletionItem

        listed = sorted(self.listed().items())
        found = [CompletionItem(name, help=words) for name, words in listed if name.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)


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
    echo(f"kubectl-safe {__version__}")


@cli.command("help", short_help="Help about any command.")
@click.argument("words", nargs=-1, metavar="[COMMAND]", shell_complete=one_of(cli.listed))
@click.pass_context
def help_(ctx: click.Context, words: Sequence[str]) -> None:
    """Help about any command."""
    assert ctx.parent is not None
    about = ctx.parent
    for word in words:
        group = about.command
        found = group.get_command(about, word) if isinstance(group, click.Group) else None
        if found is None:
            raise click.NoSuchCommand(word, ctx=about)
        about = click.Context(found, info_name=word, parent=about)
    echo(about.command.get_help(about))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and exit as kubectl would; or say how it may go on, where that is asked."""
    if isinstance(sys.stdout, TextIOWrapper):
        # A run must not end because a message has a letter that the terminal's encoding lacks.
        sys.stdout.reconfigure(errors="backslashreplace")
    given = sys.argv if arguments is None else ["", *arguments]
    words = words_to_complete(given)
    code = run(given[1:]) if words is None else complete(words)
    flush()
    sys.exit(code)


def complete(words: Sequence[str]) -> int:
    """Print how the last of some words may go on, and return the exit code."""
    *before, incomplete = words
    try:
        # As it is, with its tabs: of others it has nothing but words.
        echo(completed(cli, as_click_reads_them(before), incomplete), nl=False, color=True)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception:  # noqa: BLE001 - whatever it is, the place for it is not the line that somebody is typing
        echo(f":{NO_FILES}")
    return 0


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code."""
    output = Output(command=tuple(arguments))
    SAME_CLUSTER.set(())
    try:
        code, error = _run(arguments, output)
    except BaseException as fault:
        output.finished(FAILED, f"{type(fault).__name__}: {fault}")
        raise
    output.finished(code, error)
    return code


def _run(arguments: Sequence[str], output: Output) -> tuple[int, str]:
    """Run a command line; return its exit code, and the error that was told."""
    try:
        ended = cli.main(
            args=as_click_reads_them(arguments), prog_name="kubectl safe", standalone_mode=False, obj=output
        )
    except click.exceptions.NoArgsIsHelpError as error:
        # What click says here is the help.
        echo(error.format_message())
    except click.ClickException as error:
        return USAGE, _tell(_words_for(error), arguments)
    except KubectlSafeError as error:
        return _code_of(error), _tell(str(error), arguments)
    except (KeyboardInterrupt, click.Abort):
        echo(INTERRUPTION, err=True)
        return INTERRUPTED, INTERRUPTION
    except Exception as error:  # noqa: BLE001 - whatever it is, the reader gets a line and we get the details
        from kubectl_safe.cli import fault

        return USAGE if ANSWERING.intersection(arguments[:1]) else FAILED, fault.tell(error, arguments)
    else:
        # What a command exits with that has done its work, as `check` does where it found something.
        return (ended if isinstance(ended, int) else 0), ""
    return 0, ""


def _code_of(error: KubectlSafeError) -> int:
    if isinstance(error, UsageError | UncheckedError):
        return USAGE
    return INTERRUPTED if isinstance(error, Interrupted) else FAILED


def _tell(message: str, arguments: Sequence[str]) -> str:
    from kubectl_safe.model.masking import mask_known, mask_text
    from kubectl_safe.render.text import plain

    lines = [line.rstrip() for line in message.split("\n") if line.strip()] or ["unknown error"]
    masked = mask_known(mask_text("\n".join(lines)), arguments)
    echo(plain(masked) if masked.startswith(FROM_SERVER) else f"error: {plain(masked)}", err=True)
    return masked


def _words_for(error: click.ClickException) -> str:
    """Return what is wrong with a command line, in kubectl's words where it has some."""
    message = error.format_message()
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    if isinstance(error, click.BadParameter) and error.param is not None:
        message = f'invalid argument for "{", ".join(error.param.opts)}" flag: {error.message}'
    elif isinstance(error, click.BadOptionUsage) and not isinstance(error, click.NoSuchOption):
        message = f"flag needs an argument: {error.option_name}"
    elif isinstance(error, click.NoSuchOption):
        message = f"unknown flag: {error.option_name}"
        message += _meant(error.possibilities or ())
    elif isinstance(error, click.NoSuchCommand) and isinstance(ctx, click.Context):
        message = _unknown_command(error.command_name, ctx)
    return f"{message}\nSee '{ctx.command_path} --help' for usage." if ctx else message


def _unknown_command(name: str, ctx: click.Context) -> str:
    from difflib import get_close_matches

    commands = ctx.command.list_commands(ctx) if isinstance(ctx.command, click.Group) else []
    return f'unknown command "{name}" for "{ctx.command_path}"{_meant(get_close_matches(name, commands))}'


def _meant(names: Sequence[str]) -> str:
    return f"; did you mean {' or '.join(names)}?" if names else ""
