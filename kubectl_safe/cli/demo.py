"""`kubectl-safe demo`. The only part of the tool that knows the sandbox; it is imported when the demo is run."""

import os
import re
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from kubectl_safe.cli.candidates import choices, files
from kubectl_safe.cli.help import Command
from kubectl_safe.cli.types import duration, report_path
from kubectl_safe.model.errors import Interrupted, KubectlSafeError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from kubectl_safe.cli.demo_report import DemoReport
    from kubectl_safe.sandbox.demo.play import Demonstration
    from kubectl_safe.sandbox.demo.screen import Screen
    from kubectl_safe.sandbox.demo.settings import Disruption, Settings

LONGEST_DELAY = timedelta(minutes=10)


def _between(least: int, most: int) -> Callable[[str], int]:
    """Return what reads a whole number of a range."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise click.BadParameter(f"{text!r} is not a whole number from {least} to {most}")
        return int(text)

    return read


def _disruption(text: str) -> str:
    """Read what is to be shown."""
    if text not in {"drain", "restart"}:
        raise UsageError(f"demo shows a drain, a restart or, without a name, both: it knows no {text!r}")
    return text


def _delay(text: str) -> timedelta:
    """Read a deregistration delay."""
    delay = duration(text)
    if delay > LONGEST_DELAY:
        raise click.BadParameter(f"{text!r} is too long for a demonstration: at most 10m, and 4s by default")
    return delay


@click.command("demo", cls=Command, short_help="See what kubectl loses and kubectl safe does not.")
@click.argument(
    "disruption",
    type=_disruption,
    required=False,
    metavar="[drain|restart]",
    shell_complete=choices("drain", "restart"),
)
@click.option(
    "--pods",
    type=_between(1, 50),
    metavar="INTEGER",
    default="4",
    show_default=True,
    help="Pods of each of the two applications.",
)
@click.option(
    "--nodes", type=_between(2, 20), metavar="INTEGER", default="3", show_default=True, help="Nodes of the cluster."
)
@click.option(
    "--rate", type=_between(1, 1000), metavar="INTEGER", default="200", show_default=True, help="Requests a second."
)
@click.option(
    "--deregistration-delay",
    type=_delay,
    metavar="DURATION",
    default="4s",
    show_default=True,
    help="How long the load balancer's target group drains a target; AWS's default is 5m.",
)
@click.option(
    "--seed",
    type=_between(0, 999_999_999),
    metavar="INTEGER",
    default="0",
    show_default=True,
    help="Seed of all that is random.",
)
@click.option(
    "--keep",
    is_flag=True,
    help="Run a cluster with its traffic until Ctrl-C, and say how to get at it from another terminal. Nothing is "
    "compared, unless drain or restart is named: then that is shown first.",
)
@click.option(
    "--report",
    type=report_path,
    shell_complete=files,
    metavar="FILE",
    help="Write a page that shows all of it over time, the plain way above the safe way.",
)
def command(
    *,
    disruption: str | None,
    pods: int,
    nodes: int,
    rate: int,
    deregistration_delay: timedelta,
    seed: int,
    keep: bool,
    report: "Path | None",
) -> None:
    """See what kubectl loses and kubectl safe does not.

    It needs no cluster and changes none: it starts its own on 127.0.0.1, with an application behind a load balancer,
    one behind a Service, and traffic to both. It drains a node and restarts both applications, first with kubectl
    (or, without one on the PATH, in its way), then with kubectl safe, and tells the requests that each of them lost.

    It ends with 1 where kubectl safe lost a request, and leaves no process and no file.

    \b
    Examples:
      # See both, in less than a minute
      kubectl-safe demo

    \b
      # See a drain, with more pods on more nodes
      kubectl-safe demo drain --pods 12 --nodes 5

    \b
      # Have a cluster to try things on
      kubectl-safe demo --keep
    """
    from kubectl_safe.sandbox.demo.errors import DemoFailedError, DemoStoppedError
    from kubectl_safe.sandbox.demo.play import Demonstration
    from kubectl_safe.sandbox.demo.running import until_stopped
    from kubectl_safe.sandbox.demo.settings import Settings

    settings = Settings(
        disruptions=_disruptions(disruption, keeps=keep),
        pods=pods,
        nodes=nodes,
        rate=rate,
        deregistration_delay=deregistration_delay.total_seconds(),
        seed=seed,
    )
    onlooker = _reporter(report, settings)
    demonstration = Demonstration(settings, _screen(), onlooker=onlooker, keeps=keep)
    try:
        until_stopped(demonstration.run)
    except DemoStoppedError as stop:
        # What is kept has no other end.
        if not demonstration.is_kept:
            raise Interrupted(f"interrupted ({stop}): nothing of the demo is left") from stop
    except DemoFailedError as error:
        raise KubectlSafeError(str(error)) from error
    if onlooker and report:
        onlooker.write(report)
    _judge(demonstration, seed)


def _disruptions(named: str | None, *, keeps: bool) -> "tuple[Disruption, ...]":
    match named:
        case "drain" | "restart":
            return (named,)
        case _:
            return () if keeps else ("drain", "restart")


def _reporter(path: "Path | None", settings: "Settings") -> "DemoReport | None":
    """Return what follows the trials for a report, where one is wished for."""
    if path is None:
        return None
    if not settings.disruptions:
        raise UsageError("--report shows a drain or a restart, and --keep alone does neither: name one of them")
    from kubectl_safe.cli.demo_report import DemoReport

    return DemoReport()


def _screen() -> "Screen":
    from kubectl_safe.render.screen import LiveScreen, PlainScreen

    is_live = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    return LiveScreen() if is_live else PlainScreen()


def _judge(demonstration: "Demonstration", seed: int) -> None:
    """Fail where the safe way lost anything."""
    from kubectl_safe.sandbox.demo.picture import words

    failed = [f"{t.title}: {words(t.report.lost_by_reason)}" for t in demonstration.safe_trials if t.report.lost]
    if failed:
        raise KubectlSafeError(f"{'; '.join(failed)}: please report this, with --seed {seed}")
