"""What a check came to: its findings, what it looked at, and whether that fails it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from kubectl_safe.decide.check import RULES, severity_of
from kubectl_safe.decide.check.finding import Finding, Severity

NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The findings of one check, the worst first."""

    findings: tuple[Finding, ...]
    workloads: int
    """How many were looked at."""
    pods: int
    """How many were looked at."""
    ignored: frozenset[str] = frozenset()
    """The codes of rules that were left out."""
    unread: tuple[str, ...] = ()
    """What could not be looked at, and why: rules about it found nothing."""

    @property
    def counts(self) -> Mapping[Severity, int]:
        """How many findings there are of each severity, the worst first."""
        found = Counter(map(severity_of, self.findings))
        return {severity: found[severity] for severity in sorted(Severity, reverse=True)}

    def fails(self, fail_on: str) -> bool:
        """Tell whether there is a finding at or above a severity (`error`, `warning`, `note`); `never` is above all."""
        if fail_on == NEVER:
            return False
        least = Severity[fail_on.upper()]
        return any(severity_of(its) >= least for its in self.findings)


def near(code: str) -> list[str]:
    """Return the codes that somebody may have meant."""
    return get_close_matches(code, RULES, n=3, cutoff=0.7) or sorted(its for its in RULES if code and code in its)[:3]
