"""How long `--help` and `version` take over kubectl's own, in pairs, by the median.

python -m tests.benchmarks.startup [--pairs 20]
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from tests.controlplane.build import ensure_binaries


def main() -> None:
    """Measure, and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=20)
    pairs = parser.parse_args().pairs
    kubectl, ours = str(ensure_binaries() / "kubectl"), str(Path(sys.executable).parent / "kubectl-safe")
    for mine, theirs in (
        ([ours, "--help"], [kubectl, "--help"]),
        ([ours, "version"], [kubectl, "version", "--client"]),
    ):
        taken = [(_seconds(mine), _seconds(theirs)) for _ in range(pairs + 1)][1:]
        ratio = median(a / b for a, b in taken)
        own, other = median(a for a, _ in taken), median(b for _, b in taken)
        print(f"kubectl-safe {mine[1]}: {own:.3f} s, kubectl: {other:.3f} s, {ratio:.2f}x")  # noqa: T201 - its result


def _seconds(command: Sequence[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
