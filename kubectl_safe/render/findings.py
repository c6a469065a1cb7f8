"""The findings of a check for people: a table, with the fact beside each or below it, as the width has it."""

from collections.abc import Iterable, Iterator, Sequence

from kubectl_safe.decide.check import severity_of as severity
from kubectl_safe.decide.check.finding import Finding, Rule, Severity
from kubectl_safe.decide.check.verdict import Checked
from kubectl_safe.render.text import cells, plain, wrap

FACT_CELLS = 60
"""As many a fact needs to be worth reading beside the other columns; where there are fewer, it goes below."""
_INDENT = "  "
_LINES = 1000
"""More than any text has: nothing of a fact is cut off."""


def severity_of(finding: Finding) -> str:
    """Return the severity of a finding as it is written: `error`, `warning`, `note`."""
    return severity(finding).name.lower()


def table(checked: Checked, *, width: int | None) -> list[str]:
    """Return the findings and a line about them all, in lines of at most `width` cells where words allow it.

    Commands of remedies are never broken, as they are to be copied. Without a width no line is.
    """
    from tabulate import tabulate

    if not checked.findings:
        return summary(checked)
    heads, rows = _columns(checked.findings)
    lines = tabulate(rows, heads, tablefmt="plain", disable_numparse=True).split("\n")
    left = max(map(cells, lines)) + len(_INDENT)
    is_wide = width is None or width - left >= FACT_CELLS
    found = [f"{lines[0]:{left}}FACT" if is_wide else lines[0]]
    for line, finding in zip(lines[1:], checked.findings, strict=True):
        details = list(_details(finding, None if width is None else width - (left if is_wide else len(_INDENT))))
        found += _beside(line, details, left) if is_wide else _below(line, details)
    return [*found, "", *summary(checked)]


def summary(checked: Checked) -> list[str]:
    """Return a line about all findings, and one that says where to read on."""
    looked = f"{_counted(checked.pods, 'pod')} of {_counted(checked.workloads, 'workload')} checked"
    ignored = f"; {', '.join(sorted(checked.ignored))} ignored" if checked.ignored else ""
    if not checked.findings:
        return [f"nothing found: {looked}{ignored}"]
    counts = ", ".join(_counted(n, severity.name.lower()) for severity, n in checked.counts.items() if n)
    return [f"{counts}: {looked}{ignored}", f"why: kubectl safe check --explain {checked.findings[0].code}"]


def explained(rule: Rule, *, width: int) -> list[str]:
    """Return what a rule is about, and why."""
    return [
        f"{rule.code} ({rule.severity.name.lower()})",
        rule.title,
        "",
        *wrap(rule.why, width, _LINES),
        "",
        *_fate(rule),
    ]


def _fate(rule: Rule) -> Iterator[str]:
    yield f"leave it out:  kubectl safe check --ignore {rule.code}"
    if rule.severity < Severity.ERROR:
        yield f"fail on it:    kubectl safe check --fail-on {rule.severity.name.lower()}"


def _columns(findings: Iterable[Finding]) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Return the heads and cells of all columns but the fact; the namespace only where there is one."""
    has_namespaces = any(its.subject.namespace for its in findings)
    heads = ["SEVERITY", "CODE", *(["NAMESPACE"] if has_namespaces else []), "OBJECT"]
    rows: list[Sequence[str]] = [
        [
            severity_of(its),
            its.code,
            *([plain(its.subject.namespace)] if has_namespaces else []),
            plain(str(its.subject)),
        ]
        for its in findings
    ]
    return heads, rows


def _details(finding: Finding, room: int | None) -> Iterator[str]:
    fact = plain(finding.fact.replace("\n", " "))
    yield from [fact] if room is None else wrap(fact, max(1, room), _LINES)
    yield from (f"{_INDENT}{line}" for line in plain(finding.remedy).split("\n"))


def _beside(line: str, details: Sequence[str], left: int) -> Iterator[str]:
    first, *more = details
    yield f"{line}{' ' * (left - cells(line))}{first}"
    yield from (" " * left + detail for detail in more)


def _below(line: str, details: Sequence[str]) -> Iterator[str]:
    yield line.rstrip()
    yield from (_INDENT + detail for detail in details)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
