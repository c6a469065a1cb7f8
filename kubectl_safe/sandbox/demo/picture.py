"""How trials are told: a table that fills while they run, a line where there is no terminal, and the closing table."""

from collections.abc import Mapping, Sequence

from tabulate import tabulate

from kubectl_safe.sandbox.demo.settings import LAG_SECONDS, SETTLE_SECONDS, Settings
from kubectl_safe.sandbox.demo.trial import Trial, counts
from kubectl_safe.sandbox.traffic import STREAM_SECONDS, STREAM_SHARE, TrafficReport


def introduction(settings: Settings) -> str:
    """Return what is shown, and what the settle time is made of."""
    delay, pods = settings.deregistration_delay, settings.pods
    return (
        f"Two Kubernetes clusters in Python, on 127.0.0.1, one for each tool: {settings.nodes} nodes; "
        f"web, {pods} pods with readiness gates behind a load balancer that drains for {delay:g}s; "
        f"api, {pods} pods behind a Service; {settings.rate:g} requests a second, of which {STREAM_SHARE:.0%} take "
        f"{STREAM_SECONDS:g}s. Pods settle for {SETTLE_SECONDS:g}s: proxies hear within {LAG_SECONDS[1]:g}s, "
        f"requests take {STREAM_SECONDS:g}s, and 1s more."
    )


def live_table(trials: Sequence[Trial], width: int) -> list[str]:
    """Return the trials as they are now, in lines of a width."""
    return _table(["", "TIME", "REQUESTS", "LOST", "IN SERVICE"], [_live_row(trial) for trial in trials], width)


def live_line(trial: Trial) -> str:
    """Return a trial as it is now, in one line."""
    report, now = trial.report, counts(trial.stage.in_service(), trial.settings.pods)
    return f"{report.total} requests, {words(report.lost_by_reason)}; in service: {now}"


def closing_table(trials: Sequence[Trial], width: int) -> list[str]:
    """Return what became of the trials, in lines of a width."""
    heads = ["", "REQUESTS", "LOST", "LOWEST CAPACITY", "FULL AFTER"]
    rows = [
        [t.title, str(t.report.total), _cell(t.report), counts(t.lowest, t.settings.pods), f"{t.seconds:.1f}s"]
        for t in trials
    ]
    return _table(heads, rows, width)


def words(lost_by_reason: Mapping[str, int]) -> str:
    """Return how many requests were lost, and how: `70 lost (52 refused, 18 502)`."""
    count, how = sum(lost_by_reason.values()), _reasons(lost_by_reason)
    return f"{count} lost ({how})" if count else "0 lost"


def _cell(report: TrafficReport) -> str:
    return f"{report.lost} ({_reasons(report.lost_by_reason)})" if report.lost else "0"


def _reasons(lost_by_reason: Mapping[str, int]) -> str:
    """Return how many requests were lost in each way, most first."""
    ordered = sorted(lost_by_reason.items(), key=lambda entry: (-entry[1], entry[0]))
    return ", ".join(f"{count} {reason}" for reason, count in ordered)


def _live_row(trial: Trial) -> list[str]:
    if trial.began is None:
        return [trial.title, "", "", "", ""]
    pods = trial.settings.pods
    capacity = counts(trial.stage.in_service(), pods) if trial.is_running else f"lowest {counts(trial.lowest, pods)}"
    return [trial.title, f"{trial.seconds:.1f}s", str(trial.report.total), _cell(trial.report), capacity]


def _table(heads: list[str], rows: list[list[str]], width: int) -> list[str]:
    """Return a table; one that is too wide has its enumerations one below the other."""
    lines = _lines(heads, rows)
    if all(len(line) <= width for line in lines):
        return lines
    return _lines(heads, [[cell.replace(" (", "\n(").replace(", ", ",\n") for cell in row] for row in rows])


def _lines(heads: list[str], rows: list[list[str]]) -> list[str]:
    # Text stays as it is: tabulate would write 1.0 for 1, and align by the point.
    return tabulate(rows, headers=heads, tablefmt="plain", disable_numparse=True).splitlines()
