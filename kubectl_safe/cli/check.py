"""`kubectl safe check`."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from kubectl_safe.cli.candidates import choices, one_of, some_of
from kubectl_safe.cli.candidates import resources as resource_candidates
from kubectl_safe.cli.help import Command
from kubectl_safe.cli.names import namespace_name
from kubectl_safe.cli.options import TO_LOOK, Common, common_options
from kubectl_safe.cli.progress import Progress, width
from kubectl_safe.cli.resources import KINDS, named_resources
from kubectl_safe.cli.start import connect, onlooker_for
from kubectl_safe.cli.types import known_format
from kubectl_safe.model.errors import Interrupted, KubectlSafeError, UncheckedError, UsageError
from kubectl_safe.render.output import echo

if TYPE_CHECKING:
    from datetime import datetime

    from kubectl_safe.decide.check.verdict import Checked

FOUND = 1
FORMATS = ("json", "sarif", "table")
WITHOUT = "what is said of its targets is left out"
SEVERITIES = ("error", "warning", "note", "never")
_SHADOWED = ("drain", "rollout", "rollout restart", "rollout status", "abort", "uncordon", "check", "status", "rbac")


def _format(_: click.Context, __: click.Parameter, value: str) -> str:
    return known_format(value, FORMATS)


def _codes(_: click.Context, __: click.Parameter, values: Sequence[str]) -> frozenset[str]:
    """Read the codes of `--ignore CODE,CODE`, which may be given again."""
    codes = frozenset(code.strip() for value in values for code in value.split(",") if code.strip())
    if codes:
        for code in sorted(codes):
            _known(code)
    return codes


def _known(code: str) -> str:
    """Return the code of a rule.

    Raises:
        UsageError: there is no such rule.
    """
    from kubectl_safe.decide.check import RULES
    from kubectl_safe.decide.check.verdict import near

    if code in RULES:
        return code
    likely = near(code)
    hint = f"did you mean {' or '.join(likely)}?" if likely else f"there are {', '.join(sorted(RULES))}"
    raise UsageError(f"there is no rule with the code {code!r}: {hint}")


def _titles() -> dict[str, str]:
    """Return what there are rules about, by their codes."""
    from kubectl_safe.decide.check import RULES

    return {code: rule.title for code, rule in RULES.items()}


@click.command("check", cls=Command, short_help="Find what loses requests, or keeps a pod from being moved.")
@click.argument(
    "resources",
    nargs=-1,
    metavar="[TYPE/NAME...]",
    shell_complete=resource_candidates(KINDS, takes_type_alone=False),
)
@click.option("-A", "--all-namespaces", is_flag=True, help="Check the workloads of all namespaces, and all nodes.")
@click.option(
    "-o",
    "--output",
    "form",
    metavar="table|json|sarif",
    default="table",
    show_default=True,
    callback=_format,
    shell_complete=choices(*FORMATS),
    help="Output format.",
)
@click.option(
    "--fail-on",
    type=click.Choice(SEVERITIES),
    default="error",
    show_default=True,
    help="Exit with 1 where something so severe, or worse, is found.",
)
@click.option(
    "--ignore",
    "ignored",
    multiple=True,
    metavar="CODE",
    callback=_codes,
    shell_complete=some_of(_titles),
    help="Leave a rule out. May be given several times, or with several codes joined by commas.",
)
@click.option(
    "--explain",
    metavar="CODE",
    shell_complete=one_of(_titles),
    help="Say what a rule is about, and why. It needs no cluster.",
)
@common_options(*TO_LOOK)
@click.pass_context
def command(
    ctx: click.Context,
    *,
    common: Common,
    resources: tuple[str, ...],
    all_namespaces: bool,
    form: str,
    fail_on: str,
    ignored: frozenset[str],
    explain: str | None,
) -> None:
    """Find what loses requests, or keeps a pod from being moved.

    Looks at the workloads of a namespace, at those that are named, or at what is on a node, and at what they depend on:
    readiness gates, probes and hooks, target groups, the load balancer controller, disruption budgets, autoscalers,
    and what dead runs left. Nothing is written, to the cluster or to AWS. Each finding has a code, a fact with its
    figures, and a remedy.

    Exit codes: 0 nothing found that --fail-on names, 1 something was, 2 it could not be checked.

    \b
    Examples:
      # Check all workloads of the current namespace
      kubectl safe check

    \b
      # Check a deployment, and what is on a node
      kubectl safe check deployment/web
      kubectl safe check node/node-1

    \b
      # Check a whole cluster in CI, but for one rule
      kubectl safe check -A -o sarif --fail-on warning --ignore controller-alone

    \b
      # See what a finding is about
      kubectl safe check --explain gates-not-injected
    """
    if explain is not None:
        _explain(_known(explain))
        return
    named = named_resources(resources, to="checked")
    if all_namespaces and named:
        raise UsageError("a resource cannot be retrieved by name across all namespaces")
    try:
        checked, began, ended = _check(common, named, everywhere=all_namespaces, ignored=ignored)
    except (UsageError, Interrupted):
        raise
    except KubectlSafeError as error:
        # An exit code of 1 says that something was found.
        raise UncheckedError(str(error)) from error
    _print(checked, form, command=ctx.obj.command, began=began, ended=ended, fail_on=fail_on)
    ctx.exit(FOUND if checked.fails(fail_on) else 0)


def _check(
    common: Common, named: dict[str, tuple[str, ...]], *, everywhere: bool, ignored: frozenset[str]
) -> "tuple[Checked, datetime, datetime]":
    """Look, and return what is found, with when that began and ended."""
    from kubectl_safe.decide.rights import to_check
    from kubectl_safe.run.check import check
    from kubectl_safe.run.clock import now
    from kubectl_safe.run.scope import Scope
    from kubectl_safe.run.shadowing import shadows

    began = now()
    client = connect(common)
    namespace = None if everywhere else common.namespace or namespace_name(client.namespace)
    scope = Scope(namespace=namespace, named=named)
    needs = to_check(scope.watched, has_nodes=scope.watched is None)
    with (
        Progress() as progress,
        onlooker_for(
            common,
            client,
            namespace=scope.watched,
            needs=needs,
            warn=progress.warn,
            progress=progress.tell,
            without=WITHOUT,
            leaves_out=True,
            is_thorough=True,
        ) as onlooker,
    ):
        checked = check(
            scope,
            onlooker,
            client,
            ignored=ignored,
            shadows=shadows(_SHADOWED, itself=sys.argv[0]),
            now=now,
            progress=progress.tell,
        )
        for what in checked.unread:
            progress.warn(f"Warning: {what}; rules about that found nothing")
    return checked, began, now()


def _print(
    checked: "Checked", form: str, *, command: Sequence[str], began: "datetime", ended: "datetime", fail_on: str
) -> None:
    import json

    from kubectl_safe import __version__
    from kubectl_safe.model.masking import mask_arguments
    from kubectl_safe.render.findings import table
    from kubectl_safe.render.findings_document import document
    from kubectl_safe.render.sarif import log

    told = mask_arguments(command)
    match form:
        case "json":
            written = document(checked, command=told, began=began, ended=ended, fail_on=fail_on)
            echo(json.dumps(written, indent=4), is_document=True)
        case "sarif":
            echo(json.dumps(log(checked, version=__version__, command=told), indent=2), is_document=True)
        case _:
            for line in table(checked, width=width()):
                echo(line)


def _explain(code: str) -> None:
    from kubectl_safe.decide.check import RULES
    from kubectl_safe.render.findings import explained

    for line in explained(RULES[code], width=min(width() or 80, 100)):
        echo(line)
