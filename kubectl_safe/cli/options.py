"""The flags that drains and restarts share, and what they come to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any

import click

from kubectl_safe.cli.output import Output, chosen
from kubectl_safe.cli.types import count_or_percent, duration, probe_url, verbosity
from kubectl_safe.model.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """The values of the shared flags."""

    kubeconfig: str | None
    context: str | None
    namespace: str | None
    settle: timedelta | None
    max_surge: int | str | None
    max_draining: int | None
    max_unavailable: int | str | None
    timeout: timedelta
    fail_fast: bool
    dry_run: str
    nudge: bool
    allow: frozenset[str]
    drain_wait: timedelta | None
    aws_profile: str | None
    aws_region: str | None
    output: Output
    verbosity: int
    probe: tuple[str, ...]


OUTPUT = click.option(
    "-o",
    "--output",
    metavar="json|jsonl",
    callback=chosen,
    # Read before every other flag, so that what is wrong with those is told in it too.
    is_eager=True,
    help="Output for programs: one JSON document at the end, or one JSON event a line as it happens.",
)
"""Every command that has an `Output` takes it."""

OPTIONS = (
    OUTPUT,
    click.option(
        "-v",
        "--v",
        "verbosity",
        type=verbosity,
        metavar="LEVEL",
        default="0",
        show_default=True,
        help="Number for the log level verbosity: from 6 on each request is shown, from 7 on its headers, from 8 on "
        "its bodies.",
    ),
    click.option(
        "--aws-region", metavar="REGION", help="Region of the target groups; otherwise the one in their ARNs."
    ),
    click.option("--aws-profile", metavar="NAME", help="AWS profile to ask target groups with."),
    click.option(
        "--probe",
        type=probe_url,
        multiple=True,
        metavar="URL",
        help="Send a GET through the load balancer once a second, all along; it has to succeed before anything is "
        "changed, and once it fails no further pod is taken from service. May be given several times.",
    ),
    click.option(
        "--drain-wait",
        type=duration,
        metavar="DURATION",
        help="With --allow unseen-targets: how long a target that can't be asked is taken to drain; at least the "
        "deregistration delay of its group.",
    ),
    click.option(
        "--allow",
        multiple=True,
        metavar="NAME",
        callback=lambda _, __, values: _allowed(values),
        help="Go on where that would be refused. The one name is unseen-targets: target groups that we may not ask "
        "are gone by their pods' readiness gates, and by --drain-wait.",
    ),
    click.option(
        "--nudge/--no-nudge",
        default=True,
        show_default=True,
        help="Annotate a TargetGroupBinding for a moment "
        "when a target is healthy and its readiness gate is not yet True, so that its controller looks at once.",
    ),
    click.option(
        "--dry-run",
        type=click.Choice(["none", "client", "server"]),
        default="none",
        show_default=True,
        help="Print the plan and change nothing. With server, each kind of write is also tried as a dry run.",
    ),
    click.option(
        "--timeout",
        type=duration,
        metavar="DURATION",
        default="0s",
        show_default=True,
        help="The length of time to wait before giving up, zero means infinite.",
    ),
    click.option(
        "--fail-fast",
        is_flag=True,
        help="Begin no further pod once one has failed. Without it, the pods of other workloads go on.",
    ),
    click.option(
        "--max-unavailable",
        type=count_or_percent,
        metavar="INT|PERCENT",
        help="How many pods of a workload may be missing from service. "
        "Default 0; 1 where pods are withdrawn before their replacements start.",
    ),
    click.option(
        "--max-draining",
        type=click.IntRange(min=1),
        metavar="INTEGER",
        help="How many withdrawn pods may drain at once. Default: no limit.",
    ),
    click.option(
        "--max-surge",
        type=count_or_percent,
        metavar="INT|PERCENT",
        help="How many pods of a workload may serve beyond its replicas. "
        "Default: the workload's own. With 0, pods are withdrawn before their replacements start.",
    ),
    click.option(
        "--settle",
        type=duration,
        metavar="DURATION",
        help="How long a pod is out of every EndpointSlice before it is evicted: at "
        "least the longest request and the lag of kube-proxy. Default 15s; 30s behind headless Services.",
    ),
    click.option("-n", "--namespace", metavar="NAME", help="The namespace scope for this CLI request."),
    click.option("--context", metavar="NAME", help="The name of the kubeconfig context to use."),
    click.option("--kubeconfig", metavar="FILE", help="Path to the kubeconfig file to use for CLI requests."),
)


def common_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the shared flags to a command; they arrive as one `Common`, by the name `common`."""

    @wraps(command)
    def gathered(**values: Any) -> None:
        shared = {name: values.pop(name) for name in Common.__dataclass_fields__}
        common = Common(**shared)
        common.output.dry_run = common.dry_run
        if _is_nothing(common.max_surge) and _is_nothing(common.max_unavailable):
            raise UsageError("--max-surge 0 and --max-unavailable 0 together let no pod move: one of them must be more")
        _check_drain_wait(common)
        command(common=common, **values)

    decorated: Callable[..., None] = gathered
    for option in OPTIONS:
        decorated = option(decorated)
    return decorated


def _allowed(values: Sequence[str]) -> frozenset[str]:
    """Return the names in `--allow NAME,NAME`, which may be given again."""
    names = frozenset(name.strip() for value in values for name in value.split(","))
    if not names:
        return names
    from kubectl_safe.decide.settings import ALLOWABLE

    for name in sorted(names - ALLOWABLE):
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
