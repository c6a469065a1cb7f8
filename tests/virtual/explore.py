"""`python -m tests.virtual.explore SCENARIO [FAMILY ...]` lives through all that can befall a scenario.

`python -m tests.virtual.explore SCENARIO --only NUMBER:NAME` replays one thing that befell it.
"""

import argparse
import os
import sys
import time

from tests.virtual.alike import run_alike
from tests.virtual.explorer import FAMILIES, explore
from tests.virtual.scenarios import SCENARIOS


def main() -> int:
    """Explore, print what was found, and return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("scenario", help=f"{', '.join(SCENARIOS)}, perhaps with a seed (NAME/7); or all")
    parser.add_argument("families", nargs="*", help=f"{', '.join(FAMILIES)}; by default all that can befall it")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    run_alike("tests.virtual.explore")
    failures = 0
    for name in SCENARIOS if asked.scenario == "all" else [asked.scenario]:
        began = time.perf_counter()
        found = explore(name, tuple(asked.families) or FAMILIES, jobs=asked.jobs, only=asked.only)
        seconds = time.perf_counter() - began
        for label, failure in found.failures.items():
            point = label.split()[1]
            replay = f"python -m tests.virtual.explore {name} --only {point}"
            sys.stdout.write(f"{label}\n    {failure}\n    replay it: {replay}\n")
        missed = [family for family in asked.families if not (found.explored[family] or asked.only)]
        sys.stdout.writelines(f"nothing of {family} can befall {name}\n" for family in missed)
        sys.stdout.write(f"{name}: {found}, {seconds:.0f} s\n")
        failures += len(found.failures) + len(missed)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
