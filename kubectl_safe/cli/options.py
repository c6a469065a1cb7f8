"""The flags that drains and restarts share, and what they come to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from kubectl_safe.cli.candidates import choices, contexts, files, namespaces, one_of, some_of
from kubectl_safe.cli.connection import CONNECTION
from kubectl_safe.cli.names import namespace_name
from kubectl_safe.cli.output import FORMATS, Output, chosen
from kubectl_safe.cli.types import (
    DRY_RUNS,
    LEVELS,
    at_most_all,
    count_or_percent,
    dry_run,
    duration,
    number_of_pods,
    probe_url,
    report_path,
    verbosity,
)
from kubectl_safe.decide.allow import ALLOWABLE
from kubectl_safe.model.connection import Connection, connection_of
from kubectl_safe.model.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

CHUNK_SIZE = 500
"""How many objects are listed at once, as kubectl does it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """The values of the shared flags; what a command does not take has its default."""

    connection: Connection = field(default_factory=Connection)
    namespace: str | None = None
    settle: timedelta | None = None
    max_surge: int | str | None = None
    max_draining: int | None = None
    max_unavailable: int | str | None = None
    timeout: timedelta = timedelta(0)
    fail_fast: bool = False
    dry_run: str = "none"
    nudge: bool = True
    allow: frozenset[str] = frozenset()
    drain_wait: timedelta | None = None
    aws_profile: str | None = None
    aws_region: str | None = None
    output: Output = field(default_factory=Output)
    verbosity: int = 0
    probe: tuple[str, ...] = ()
    report: "Path | None" = None


OUTPUT = click.option(
    "-o",
    "--output",
    metavar="json|jsonl",
    callback=chosen,
    # Read before every other flag, so that what is wrong with those is told in it too.
    is_eager=True,
    shell_complete=choices(*FORMATS),
    help="Output for programs: one JSON document at the end, or one JSON event a line as it happens.",
)
"""Every command that has an `Output` takes it."""

OPTIONS: Mapping[str, Callable[[Callable[..., None]], Callable[..., None]]] = {
    "output": OUTPUT,
    "verbosity": click.option(
        "-v",
        "--v",
        "verbosity",
        type=verbosity,
        shell_complete=one_of(lambda: LEVELS),
        metavar="LEVEL",
        default="0",
        show_default=True,
        help="Number for the log level verbosity: from 6 on each request is shown, from 7 on its headers, from 8 on "
        "its bodies.",
    ),
    "report": click.option(
        "--report",
        type=report_path,
        shell_complete=files,
        metavar="FILE",
        help="Write a page of HTML at the end that shows what became of each pod over time.",
    ),
    "aws_region": click.option(
        "--aws-region", metavar="REGION", help="Region of the target groups; otherwise the one in their ARNs."
    ),
    "aws_profile": click.option("--aws-profile", metavar="NAME", help="AWS profile to ask target groups with."),
    "probe": click.option(
        "--probe",
        type=probe_url,
        multiple=True,
        metavar="URL",
        help="Send a GET through the load balancer once a second, all along; it has to succeed before anything is "
        "changed, and once it fails no further pod is begun. May be given several times.",
    ),
    "drain_wait": click.option(
        "--drain-wait",
        type=duration,
        metavar="DURATION",
        help="With --allow unseen-targets: how long a target that can't be asked is taken to drain; at least the "
        "deregistration delay of its group.",
    ),
    "allow": click.option(
        "--allow",
        multiple=True,
        metavar="NAME",
        callback=lambda _, __, values: _allowed(values),
        shell_complete=some_of(lambda: ALLOWABLE),
        help="Go on where that would be refused: by one of the names below, or several with commas. May be given "
        "several times.",
    ),
    "nudge": click.option(
        "--nudge/--no-nudge",
        default=True,
        show_default=True,
        help="Annotate a TargetGroupBinding for a moment "
        "when a target is healthy and its readiness gate is not yet True, so that its controller looks at once.",
    ),
    "dry_run": click.option(
        "--dry-run",
        type=dry_run,
        shell_complete=choices(*DRY_RUNS),
        metavar="[none|client|server]",
        default="none",
        show_default=True,
        help="Print the plan and change nothing. With server, each kind of write is also tried as a dry run.",
    ),
    "timeout": click.option(
        "--timeout",
        type=duration,
        metavar="DURATION",
        default="0s",
        show_default=True,
        help="The length of time to wait before giving up, zero means infinite.",
    ),
    "fail_fast": click.option(
        "--fail-fast",
        is_flag=True,
        help="Begin no further pod once one has failed. Without it, the pods of other workloads go on.",
    ),
    "max_unavailable": click.option(
        "--max-unavailable",
        type=at_most_all,
        metavar="INT|PERCENT",
        help="How many pods of a workload may be missing from service. "
        "Default 0; 1 where pods are withdrawn before their replacements start.",
    ),
    "max_draining": click.option(
        "--max-draining",
        type=number_of_pods,
        metavar="INTEGER",
        help="How many withdrawn pods may drain at once. Default: no limit.",
    ),
    "max_surge": click.option(
        "--max-surge",
        type=count_or_percent,
        metavar="INT|PERCENT",
        help="How many pods of a workload may serve beyond its replicas. "
        "Default: the workload's own. With 0, pods are withdrawn before their replacements start.",
    ),
    "settle": click.option(
        "--settle",
        type=duration,
        metavar="DURATION",
        help="How long a pod is out of every EndpointSlice before it is evicted: at "
        "least the longest request and the lag of kube-proxy. Default 15s; 30s behind headless Services.",
    ),
    "namespace": click.option(
        "-n",
        "--namespace",
        type=namespace_name,
        shell_complete=namespaces,
        metavar="NAME",
        help="The namespace scope for this CLI request.",
    ),
    "context": click.option(
        "--context", shell_complete=contexts, metavar="NAME", help="The name of the kubeconfig context to use."
    ),
    "kubeconfig": click.option(
        "--kubeconfig",
        shell_complete=files,
        metavar="FILE",
        help="Path to the kubeconfig file to use for CLI requests.",
    ),
}
"""By the field of `Common`, or of its `connection`, that each becomes, from the last in the help to the first."""

TO_CONNECT = ("kubeconfig", "context")
"""What every command takes that speaks to a cluster, with all of `CONNECTION`."""

TO_END = (
    *("namespace", "settle", "timeout"),
    *("aws_profile", "aws_region", "output", "verbosity", "report"),
)
"""What a command takes that only ends what others began."""

TO_LOOK = ("namespace", "aws_profile", "aws_region", "verbosity")
"""What a command takes that only looks, once."""

TO_WATCH = ("namespace", "timeout", "aws_profile", "aws_region", "verbosity")
"""What a command takes that only watches."""

TO_WRITE_ONCE = ("dry_run", "output", "verbosity")
"""What a command takes that hands no pod over."""


def common_options(
    *chosen: str,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add shared flags to a command: those of these fields, or all, and those that lead to a cluster.

    They arrive as one `Common`, named `common`.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        return _decorated(command, chosen or tuple(name for name in OPTIONS if name not in TO_CONNECT))

    return decorate


def _decorated(command: Callable[..., None], chosen: Sequence[str]) -> Callable[..., None]:
    @wraps(command)
    def gathered(**values: Any) -> None:
        connection = connection_of(values)
        common = Common(connection=connection, **{name: values.pop(name) for name in chosen})
        common.output.dry_run = common.dry_run
        common.output.report = common.report
        if common.report and common.dry_run != "none":
            raise UsageError("--report shows what a run has done, and a dry run does nothing: leave out one of them")
        if _is_nothing(common.max_surge) and _is_nothing(common.max_unavailable):
            raise UsageError("--max-surge 0 and --max-unavailable 0 together let no pod move: one of them must be more")
        _check_drain_wait(common)
        command(common=common, **values)

    decorated: Callable[..., None] = gathered
    for name, option in {**CONNECTION, **OPTIONS}.items():
        if name in (*chosen, *TO_CONNECT, *CONNECTION):
            decorated = option(decorated)
    return decorated


def _allowed(values: Sequence[str]) -> frozenset[str]:
    """Return the names in `--allow NAME,NAME`, which may be given again."""
    names = frozenset(name.strip() for value in values for name in value.split(","))
    if not names:
        return names
    for name in sorted(names - ALLOWABLE.keys()):
        raise click.BadParameter(f"{name!r} is not one of {', '.join(map(repr, sorted(ALLOWABLE)))}")
    return names


def _check_drain_wait(common: Common) -> None:
    has_unseen = "unseen-targets" in common.allow
    if has_unseen and common.drain_wait is None:
        raise UsageError(
            "--allow unseen-targets needs --drain-wait: nobody tells when a target that can't be asked has drained, "
            "so only time can, such as the 5m that are AWS's default deregistration delay"
        )
    if common.drain_wait is not None and not has_unseen:
        raise UsageError(
            "--drain-wait needs --allow unseen-targets: target groups that can be asked tell when a target has drained"
        )


def _is_nothing(value: int | str | None) -> bool:
    return value is not None and int(str(value).removesuffix("%")) == 0
