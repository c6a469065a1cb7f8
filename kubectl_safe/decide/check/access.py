"""Whether the commands can be run at all: the rights that they need, and whose programs kubectl runs for them."""

from collections.abc import Iterator

from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.finding import Finding, Rule, Severity, Subject

_SHOWN = 3


def _rights(facts: Facts) -> Iterator[Finding]:
    for command, lack in facts.denied.items():
        if not lack.missing:
            continue
        words = [f"{right}{f' ({reason})' if reason else ''}" for right, reason in lack.missing.items()]
        rest = f", and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
        yield Finding(
            code="rights-missing",
            subject=Subject(kind="command", name=command),
            fact=f"you may not {', '.join(words[:_SHOWN])}{rest}",
            remedy="\n".join(
                [
                    f"{lack.grant}  # prints a role with them: have it bound to you",
                    *(right.question for right in list(lack.missing)[:_SHOWN]),
                ]
            ),
        )


def _shadows(facts: Facts) -> Iterator[Finding]:
    for line, path in facts.shadows.items():
        yield Finding(
            code="shadowed-command",
            subject=Subject(kind="file", name=path),
            fact=f"kubectl runs it for `{line}`, instead of what this command is of",
            remedy=f"kubectl plugin list\nrm {path}  # or take its folder off the PATH",
        )


RULES = (
    Rule(
        code="shadowed-command",
        severity=Severity.ERROR,
        title="Another program that kubectl runs instead",
        why="Of several plugins kubectl runs that with the longest name that fits the command line, and of several "
        "of one name the first on the PATH: what you type is not what is checked here.",
        find=_shadows,
    ),
    Rule(
        code="rights-missing",
        severity=Severity.NOTE,
        title="Rights that you don't have",
        why="A drain or a restart is refused before anything is written where rights are missing; a check leaves out "
        "what it may not read.",
        find=_rights,
    ),
)
