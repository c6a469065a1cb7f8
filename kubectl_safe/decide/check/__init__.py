"""What is wrong with the set-up of workloads: what loses requests whenever a pod goes, or keeps it from going.

Each module has rules about one part of it, in its `RULES`.
"""

from collections.abc import Collection, Iterator, Mapping

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
    refusals,
    shutdown,
    targets,
)
from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.finding import Finding, Rule

RULES: Mapping[str, Rule] = {
    rule.code: rule
    for module in (
        refusals,
        gates,
        controller,
        shutdown,
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


def findings(facts: Facts, ignored: Collection[str] = ()) -> Iterator[Finding]:
    """Return all that is found, the worst first; not by the rules whose codes are ignored."""
    for rule in sorted(RULES.values(), key=lambda rule: -rule.severity):
        if rule.code not in ignored:
            yield from rule.find(facts)
