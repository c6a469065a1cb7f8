"""What is wrong with the set-up of workloads: what loses requests whenever a pod goes, or keeps it from going.

Each module has rules about one part of it, in its `RULES`.
"""

from collections.abc import Collection, Mapping

from kubectl_safe.decide.check import (
    access,
    capacity,
    connections,
    controller,
    disruptions,
    gates,
    groups,
    leftovers,
    probes,
    programs,
    refusals,
    shutdown,
    targets,
)
from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.finding import Finding, Rule, Severity

RULES: Mapping[str, Rule] = {
    rule.code: rule
    for module in (
        refusals,
        gates,
        controller,
        shutdown,
        programs,
        probes,
        groups,
        targets,
        capacity,
        disruptions,
        connections,
        leftovers,
        access,
    )
    for rule in module.RULES
}
"""Every rule, by its code, in the order in which findings are told."""


def severity_of(finding: Finding) -> Severity:
    """Return how bad a finding is: as its rule says, where it doesn't itself."""
    return finding.severity or RULES[finding.code].severity


def findings(facts: Facts, ignored: Collection[str] = ()) -> list[Finding]:
    """Return all that is found, the worst first; not by the rules whose codes are ignored."""
    found = (its for rule in RULES.values() if rule.code not in ignored for its in rule.find(facts))
    return sorted(found, key=lambda its: -severity_of(its))
