"""`python -m tests.virtual.nightly` does at night what the tests do in a few minutes: the same, many times over.

It prints what was found, and how long it took; what fails comes with the command that replays it.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.virtual.scenarios import SCENARIOS

BLOCK = 500
"""Schedules in one process."""


def main() -> int:
    """Run everything, and return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=7, help="orders of each scenario: about 9,000 faults each")
    parser.add_argument("--schedules", type=int, default=100_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    names = [f"{name}/{seed}" for seed in range(1, asked.seeds + 1) for name in SCENARIOS]
    explorations = [["tests.virtual.explore", name, "--jobs", "1"] for name in names]
    blocks = range(0, asked.schedules, BLOCK)
    schedules = [["tests.virtual.schedule", str(first), str(min(BLOCK, asked.schedules - first))] for first in blocks]
    failed = [_all("faults", explorations, asked.jobs), _all("schedules", schedules, asked.jobs)]
    return 1 if any(failed) else 0


def _all(what: str, commands: Sequence[Sequence[str]], jobs: int) -> int:
    """Run commands side by side, print what they print, and return how many failed."""
    began = time.perf_counter()
    with ThreadPoolExecutor(jobs) as threads:
        failed = sum(_told(threads.map(_run, commands)))
    minutes = (time.perf_counter() - began) / 60
    sys.stdout.write(
        f"== {what}: {len(commands)} processes, {failed} of them failed, {minutes:.0f} min, {jobs} at a time\n"
    )
    return failed


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)


def _told(processes: Iterable[subprocess.CompletedProcess[str]]) -> Iterable[bool]:
    for done in processes:
        sys.stdout.write(f"{done.stdout}{done.stderr}")
        sys.stdout.flush()
        yield done.returncode != 0


if __name__ == "__main__":
    sys.exit(main())
