"""`python -m tests.virtual.schedule FIRST [COUNT]` runs random schedules; one that fails is shrunk to what it takes.

`python -m tests.virtual.schedule SEED --only NUMBER ...` replays one with some of its disturbances, `--only` with none.
"""

import argparse
import sys
from collections import Counter

from tests.virtual.alike import run_alike
from tests.virtual.runs import a_scenario
from tests.virtual.schedules import disturbances, failure_of, run, shrunk


def main() -> int:
    """Run schedules, print what was found, and return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("first", type=int)
    parser.add_argument("count", type=int, nargs="?", default=1)
    parser.add_argument("--only", type=int, nargs="*")
    asked = parser.parse_args()
    run_alike("tests.virtual.schedule")
    if asked.only is not None:
        return _replay(asked.first, asked.only)
    befell: Counter[str] = Counter()
    failures = 0
    for seed in range(asked.first, asked.first + asked.count):
        befell.update(its.kind for its in disturbances(seed))
        if failure_of(seed, disturbances(seed)):
            failures += 1
            kept, why = shrunk(seed)
            numbers = " ".join(map(str, kept))
            sys.stdout.write(f"{why}\n    replay it: python -m tests.virtual.schedule {seed} --only {numbers}\n")
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(befell.items()))
    sys.stdout.write(f"{asked.count} schedules with {befell.total()} disturbances ({told}); {failures} failures\n")
    return 1 if failures else 0


def _replay(seed: int, only: list[int]) -> int:
    chosen = [disturbances(seed)[number] for number in only]
    sys.stdout.write(f"{a_scenario(seed)}\n{chosen}\n")
    result = run(seed, chosen)
    sys.stdout.write("".join(f"{write}\n" for write in result.writes))
    sys.stdout.write(f"{result.runs}, {result.seconds:.0f} s of virtual time\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
