"""The demo with many seeds: what each tool lost, its lowest capacity, the time to full strength, and the whole's time.

python -m tests.benchmarks.demo [--seeds 20] [--first 0] [drain|restart]

About 50 s a seed. It ends with 1 where kubectl safe lost a request, or kubectl lost none.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from statistics import median

from tabulate import tabulate

from kubectl_safe.sandbox.demo.picture import words
from kubectl_safe.sandbox.demo.play import Demonstration
from kubectl_safe.sandbox.demo.running import until_stopped
from kubectl_safe.sandbox.demo.settings import Disruption, Settings
from kubectl_safe.sandbox.demo.trial import Trial, counts

MOST_SEEDS = 100
HEADS = ["SEED", "", "REQUESTS", "LOST", "LOWEST CAPACITY", "FULL AFTER", "WHOLE DEMO"]


class Mute:
    """Nobody looks on."""

    is_live = False
    width = 100

    def say(self, line: str) -> None:
        """Print nothing."""

    def draw(self, lines: Sequence[str]) -> None:
        """Draw nothing."""


def main() -> None:
    """Measure, print each seed's rows as they come, and at the end the table and what is typical."""
    arguments = _arguments()
    disruptions: tuple[Disruption, ...] = (arguments.disruption,) if arguments.disruption else ("drain", "restart")
    rows: list[list[str]] = []
    trials: list[Trial] = []
    took: list[float] = []
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        began = time.perf_counter()
        demonstration = Demonstration(Settings(disruptions=disruptions, seed=seed), Mute())
        until_stopped(demonstration.run)
        took.append(time.perf_counter() - began)
        for trial in demonstration.trials:
            rows.append(_row(seed, trial, took[-1]))
            print("  ".join(rows[-1]), flush=True)  # noqa: T201 - its result
        trials += demonstration.trials
    print(tabulate(rows, headers=HEADS, tablefmt="plain", disable_numparse=True))  # noqa: T201 - its result
    for title in dict.fromkeys(trial.title for trial in trials):
        same = [trial for trial in trials if trial.title == title]
        lost = [trial.report.lost for trial in same]
        seconds = f"{median(trial.seconds for trial in same):.1f} s"
        print(f"{title}: lost {min(lost)} to {max(lost)}, full strength after {seconds} (median)")  # noqa: T201 - its result
    print(f"the whole demo: {min(took):.0f} to {max(took):.0f} s")  # noqa: T201 - its result
    sys.exit(any((trial.report.lost > 0) is (trial.tool.name == "kubectl safe") for trial in trials))


def _row(seed: int, trial: Trial, took: float) -> list[str]:
    report, lowest = trial.report, counts(trial.lowest, trial.settings.pods)
    lost = words(report.lost_by_reason)
    return [str(seed), trial.title, str(report.total), lost, lowest, f"{trial.seconds:.1f}s", f"{took:.0f}s"]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("disruption", nargs="?", choices=["drain", "restart"])
    parser.add_argument("--seeds", type=int, default=20, choices=range(1, MOST_SEEDS + 1), metavar="INTEGER")
    parser.add_argument("--first", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
