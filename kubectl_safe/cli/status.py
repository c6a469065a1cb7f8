"""`kubectl safe status`."""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from kubectl_safe.cli.candidates import choices
from kubectl_safe.cli.candidates import resources as resource_candidates
from kubectl_safe.cli.help import Command
from kubectl_safe.cli.names import namespace_name, resource_name
from kubectl_safe.cli.options import TO_LOOK, Common, common_options
from kubectl_safe.cli.progress import Progress, width
from kubectl_safe.cli.resources import KINDS, kind_of, named_resources
from kubectl_safe.cli.start import connect, onlooker_for
from kubectl_safe.cli.types import known_format, parse_selector
from kubectl_safe.model.errors import NotFoundError, UsageError
from kubectl_safe.render.output import echo

if TYPE_CHECKING:
    from kubectl_safe.decide.overview import Overview
    from kubectl_safe.run.scope import Scope

FORMATS = ("json", "name", "wide", "yaml")
PATIENCE = timedelta(seconds=5)
"""How long AWS is waited for: who looks wants to see what is known, and a watch shows later answers as they come."""
WITHOUT = "its targets are shown as unknown"


def _format(_: click.Context, __: click.Parameter, value: str) -> str:
    return known_format(value, FORMATS) if value else ""


@click.command("status", cls=Command, short_help="Show gates, slices, targets and handoffs of pods.")
@click.argument(
    "resources",
    nargs=-1,
    metavar="[TYPE/NAME... | TYPE [NAME...]]",
    shell_complete=resource_candidates(KINDS, takes_type_alone=True),
)
@click.option("-l", "--selector", metavar="SELECTOR", help="Selector (label query) to filter on.")
@click.option("-A", "--all-namespaces", is_flag=True, help="Show the pods of all namespaces.")
@click.option(
    "-o",
    "--output",
    "form",
    metavar="json|yaml|name|wide",
    default="",
    callback=_format,
    shell_complete=choices(*FORMATS),
    help="Output format.",
)
@click.option("-w/", "--watch/--no-watch", "is_watched", help="After showing it, show it again whenever it changes.")
@common_options(*TO_LOOK)
@click.pass_context
def command(
    ctx: click.Context,
    *,
    common: Common,
    resources: tuple[str, ...],
    selector: str | None,
    all_namespaces: bool,
    form: str,
    is_watched: bool,
) -> None:
    """Show gates, slices, targets and handoffs of pods.

    For each pod: its node and age, the step of its handoff, whether it is Ready, each readiness gate with its value and
    reason, its places in EndpointSlices (ready, serving, terminating), and each target with its target group, address,
    state and reason. Pods of a workload that were released or withdrawn are among them. Above them: who is at work on
    them, since when, and what each pod waits for; and what a dead run left, with the command that ends it.

    Nothing is written, to the cluster or to AWS. What may not be read, or asked of AWS, is said and left out.

    \b
    Examples:
      # Show the pods of the current namespace
      kubectl safe status

    \b
      # Show the pods of a deployment, and watch them
      kubectl safe status deployment/web -w

    \b
      # Show the pods on a node, of all namespaces
      kubectl safe status node/node-1

    \b
      # Show pods with a label, with all there is to say of them
      kubectl safe status -l app=web -o wide

    \b
      # List the states of all targets
      kubectl safe status -A -o json | jq -r '.pods[].targets[].state'
    """
    named = _named(resources)
    if all_namespaces and any(names for kind, names in named.items() if kind != "Node"):
        raise UsageError("a resource cannot be retrieved by name across all namespaces")
    if selector is not None and any(named.values()):
        raise UsageError("name cannot be provided when a selector is specified")
    label_selector = parse_selector(selector) if selector else None
    from kubectl_safe.decide.rights import to_look
    from kubectl_safe.model.masking import mask_arguments
    from kubectl_safe.run.clock import now
    from kubectl_safe.run.scope import Scope
    from kubectl_safe.run.status import Status

    client = connect(common)
    namespace = None if all_namespaces else common.namespace or namespace_name(client.namespace)
    scope = Scope(namespace=namespace, named=named, selector=label_selector)
    needs = to_look(scope.watched, kinds=named)
    printer = _Printer(form, scope, command=mask_arguments(ctx.obj.command), is_watched=is_watched)
    with (
        printer.progress,
        onlooker_for(
            common,
            client,
            namespace=scope.watched,
            needs=needs,
            warn=printer.warn,
            progress=printer.progress.tell,
            without=WITHOUT,
            patience=PATIENCE,
            leaves_out=True,
        ) as onlooker,
    ):
        status = Status(scope=scope, view=onlooker, client=client, warn=printer.warn, now=now)
        if is_watched:
            status.follow(printer.tell)
        else:
            printer.tell(status.look())


def _named(resources: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return names by kind in `TYPE/NAME...` or `TYPE NAME...`; no names for all of a kind.

    Raises:
        UsageError: they are put in another way, or of another kind.
    """
    if not resources or any("/" in resource for resource in resources):
        return named_resources(resources, to="shown")
    kind, *names = resources
    return {kind_of(kind, to="shown"): tuple(dict.fromkeys(map(resource_name, names)))}


def _can_redraw(form: str) -> bool:
    return form in {"", "wide"} and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


class _Printer:
    """Prints what is seen, where it is another thing than before."""

    def __init__(self, form: str, scope: "Scope", *, command: Sequence[str], is_watched: bool) -> None:
        from kubectl_safe.render.in_place import InPlace

        self.progress = Progress()
        self._form = form
        self._scope = scope
        self._command = command
        self._is_watched = is_watched
        self._warnings: list[str] = []
        self._screen = InPlace() if is_watched and _can_redraw(form) else None
        self._last: list[str] | None = None

    def warn(self, message: str) -> None:
        """Print a warning to stderr, above what is drawn."""
        self._warnings.append(message.removeprefix("Warning: "))
        if self._screen:
            with self._screen.above():
                self.progress.warn(message)
        else:
            self.progress.warn(message)

    def tell(self, seen: "Overview") -> None:
        """Print what is seen.

        Raises:
            NotFoundError: something that is named is not there; what is there is printed before.
        """
        self.progress.clear()
        if seen.pods or not seen.missing:
            self._show(seen)
        if seen.missing:
            raise NotFoundError(*seen.missing)

    def _show(self, seen: "Overview") -> None:
        if self._screen:
            columns, rows = self._screen.room
            self._screen.draw(_fitting(self._lines(seen, columns), rows))
            return
        # Ages change without anything happening, and so does the time of each look.
        lasting = self._lines(seen, width(), has_ages=False)
        if lasting != self._last:
            if self._last and self._form in {"", "wide"}:
                echo("")
            self._last = lasting
            self._print(seen)

    def _lines(self, seen: "Overview", columns: int | None, *, has_ages: bool = True) -> list[str]:
        from kubectl_safe.decide.status import by_urgency
        from kubectl_safe.render.status import status_lines

        if self._is_watched or columns is not None:
            # What is below the edge of a screen is seen last, if at all.
            seen = replace(seen, pods=by_urgency(seen.pods))
        lines = status_lines(
            seen,
            width=columns,
            is_wide=self._form == "wide",
            has_ages=has_ages,
            has_namespaces=self._scope.watched is None,
        )
        return lines if seen.pods or not self._screen else [*lines, _none(self._scope)]

    def _print(self, seen: "Overview") -> None:
        if self._form in {"json", "yaml"}:
            from kubectl_safe.render.status_document import document, in_json, in_yaml

            written = document(seen, command=self._command, warnings=self._warnings)
            echo(
                in_json(written) if self._form == "json" else in_yaml(written),
                nl=self._form == "json",
                is_document=True,
            )
            return
        from kubectl_safe.render.status import name_lines

        lines = name_lines(seen) if self._form == "name" else self._lines(seen, width())
        for line in lines:
            echo(line)
        if not seen.pods:
            echo(_none(self._scope), err=True)


def _none(scope: "Scope") -> str:
    """Return kubectl's words for what is not there."""
    return "No resources found" if scope.watched is None else f"No resources found in {scope.watched} namespace."


def _fitting(lines: Sequence[str], rows: int) -> list[str]:
    if len(lines) <= rows:
        return list(lines)
    return [*lines[: rows - 1], f"... and {len(lines) - rows + 1} more lines"]
