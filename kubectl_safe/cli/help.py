"""Help that reads like kubectl's: a sentence, examples, flags in groups, and the usage at the end.

It imports next to nothing: every command's help is made of it.
"""

import inspect
from collections.abc import Mapping, Sequence

import click

from kubectl_safe.decide.allow import ALLOWABLE

OWN = {
    "drain": "What to drain",
    "restart": "What to restart",
    "check": "What to check",
    "status": "What to show",
    "rbac": "What the roles are for",
    "demo": "What to run",
}
"""What flags of a command are about that no other has."""

GROUPS: Mapping[str, Sequence[str]] = {
    "Run": ("dry_run", "timeout", "fail_fast", "uncordon_on_failure"),
    "Handoff": (
        *("settle", "max_surge", "max_unavailable", "max_draining", "grace_period", "skip_wait_for_delete_timeout"),
        *("disable_eviction", "probe", "nudge", "allow", "drain_wait"),
    ),
    "AWS": ("aws_profile", "aws_region", "assumed"),
    "Output": ("output", "form", "fail_on", "report", "verbosity", "help"),
    "Connection": (
        *("kubeconfig", "context", "namespace", "cluster", "user", "server", "token", "as_user", "as_groups"),
        *("as_uid", "certificate_authority", "client_certificate", "client_key", "tls_server_name", "is_insecure"),
        *("request_timeout", "chunk_size"),
    ),
}
"""The titles of groups, in their order, and the flags in each, in theirs."""

OF_RBAC = frozenset({"cluster", "users", "groups", "accounts"})
"""Flags of that command that have names which are about connections elsewhere."""


class _Help(click.Command):
    """Prints its help as kubectl does."""

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write all of it."""
        _write_text(self, formatter)
        self.format_options(ctx, formatter)
        with formatter.section("Usage"):
            formatter.write_text(" ".join([ctx.command_path, *_usage(self, ctx)]))
        if isinstance(self, click.Group):
            formatter.write_paragraph()
            formatter.write_text(f'Use "{ctx.command_path} COMMAND --help" for more information about a given command.')

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the flags, in groups."""
        flags: dict[str, tuple[str, str]] = {}
        for param in self.get_params(ctx):
            # Arguments are in the usage.
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if record is not None:
                flags["help" if "--help" in param.opts else param.name or ""] = record
        own = [name for name in flags if _is_own(self, name)]
        groups = {OWN.get(self.name or "", "Options"): own, **GROUPS}
        for title, names in groups.items():
            rows = [flags[name] for name in names if name in flags and (names is own or name not in own)]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
        if "allow" in flags:
            with formatter.section("Names for --allow"):
                formatter.write_dl(sorted(ALLOWABLE.items()))


class Command(_Help):
    """A command whose help reads like kubectl's."""


class Group(_Help, click.Group):
    """A group of commands whose help reads like kubectl's."""

    command_class = Command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, then the flags."""
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Write the list of commands."""
        with formatter.section("Available Commands"):
            formatter.write_dl(sorted(self.listed().items()))

    def listed(self) -> dict[str, str]:
        """Return what is said of each command."""
        return {name: command.get_short_help_str(limit=80) for name, command in self.commands.items()}


def _is_own(command: click.Command, name: str) -> bool:
    if command.name == "rbac" and name in OF_RBAC:
        return True
    return not any(name in names for names in GROUPS.values())


def _usage(command: click.Command, ctx: click.Context) -> list[str]:
    arguments = [piece for param in command.get_params(ctx) for piece in param.get_usage_pieces(ctx)]
    return ["COMMAND [options]"] if isinstance(command, click.Group) else [*arguments, "[options]"]


def _write_text(command: click.Command, formatter: click.HelpFormatter) -> None:
    """Write what is said of a command, as wide as the page: paragraphs, and examples as they are."""
    for number, paragraph in enumerate(inspect.cleandoc(command.help or "").split("\n\n")):
        if number:
            formatter.write_paragraph()
        if paragraph.startswith("\b\n"):
            formatter.write(paragraph.removeprefix("\b\n") + "\n")
        else:
            formatter.write_text(" ".join(paragraph.split()))
