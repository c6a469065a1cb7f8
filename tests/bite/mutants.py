"""`python -m tests.bite.mutants [MODULE ...]`: change what decides in every small way, and tell what no test notices.

What survives is a hole in the tests, or changes nothing that anybody could see: `equivalent.toml` says why. Tests of
random clusters are left out, for what only they find is found by chance.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from tests.bite.conditions import conditions
from tests.bite.explained import explained
from tests.bite.mutating import Mutant, mutants
from tests.bite.suite import ROOT, Answer, Question, Suite, path_of

PACKAGES = ("kubectl_safe.decide", "kubectl_safe.model")
RANDOM = {"tests/decide/test_abstract.py", "tests/decide/test_invariants.py"}


def modules() -> list[str]:
    """Return all modules that decide, and those that they decide on."""
    files = [file for package in PACKAGES for file in sorted(path_of(package).with_suffix("").glob("*.py"))]
    return [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files if file.stem != "__init__"]


def tests_of(module: str) -> tuple[list[str], list[str]]:
    """Return the files that are likely to notice a change of a module, and all others."""
    folders = [ROOT / "tests" / package.rpartition(".")[2] for package in PACKAGES]
    files = [str(file.relative_to(ROOT)) for folder in folders for file in sorted(folder.glob("test_*.py"))]
    likely = {condition.tests for condition in conditions() if condition.module == module}
    likely |= {file for file in files if module.rpartition(".")[2] in file}
    return sorted(likely), [file for file in files if file not in likely | RANDOM]


def tried(names: Sequence[str], suite: Suite) -> Iterator[tuple[Mutant, Answer]]:
    """Run the tests on every mutant of modules, up to the first that breaks."""
    for name in names:
        likely, others = tests_of(name)
        for mutant in mutants(name):
            answer = Answer(broken="")
            for tests in (likely, others):
                if tests and not answer.broken:
                    answer = suite.run(Question(tests=tests, module=name, source=mutant.source))
            yield mutant, answer


def report(survived: Sequence[Mutant], killed: Mapping[str, int], known: Mapping[str, str], *, is_whole: bool) -> int:
    """Print what came of it, and return the exit code: 1 where a survivor is not explained, or one is no survivor."""
    count = sum(killed.values()) + len(survived)
    unexplained = [mutant for mutant in survived if str(mutant) not in known]
    out = [f"{mutant.module}:{mutant.line}\n  {mutant}" for mutant in unexplained]
    over = sorted(known.keys() - {str(mutant) for mutant in survived}) if is_whole else []
    out += [f"explained, and is no survivor: {mutant}" for mutant in over]
    out.append(
        f"{count} mutants, {sum(killed.values())} killed ({sum(killed.values()) / max(1, count):.1%}; "
        f"{killed['by a crash']} of them because the code raised), {len(survived)} survived, "
        f"{len(unexplained)} of them not explained"
    )
    sys.stdout.write("\n".join(out) + "\n")
    return 1 if unexplained or over else 0


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    names = [name for name in modules() if not arguments or name.removeprefix("kubectl_safe.") in arguments]
    killed, survived, began = Counter[str](), list[Mutant](), time.monotonic()
    with Suite() as suite:
        for mutant, answer in tried(names, suite):
            if answer.broken:
                killed["by a crash" if answer.crash else "by a claim"] += 1
            else:
                survived.append(mutant)
            sys.stderr.write("." if answer.broken else "S")
            sys.stderr.flush()
    sys.stderr.write(f"\n{(time.monotonic() - began) / 60:.1f} minutes\n")
    return report(survived, killed, explained(), is_whole=not arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
