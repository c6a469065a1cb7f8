"""The findings of a check as one JSON document, whose fields `findings.schema.json` promises."""

from collections.abc import Sequence
from datetime import datetime

from kubectl_safe.decide.check import RULES
from kubectl_safe.decide.check.finding import Finding
from kubectl_safe.decide.check.verdict import Checked
from kubectl_safe.render.document import API_VERSION, Json, instant
from kubectl_safe.render.findings import severity_of


def document(checked: Checked, *, command: Sequence[str], began: datetime, ended: datetime, fail_on: str) -> Json:
    """Return all that was found, and what it means for the exit code."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Findings",
        "command": list(command),
        "startedAt": instant(began),
        "endedAt": instant(ended),
        "checked": {"workloads": checked.workloads, "pods": checked.pods},
        "unread": list(checked.unread),
        "ignored": sorted(checked.ignored),
        "failOn": fail_on,
        "exitCode": int(checked.fails(fail_on)),
        "counts": {severity.name.lower(): count for severity, count in checked.counts.items()},
        "findings": [_entry(its) for its in checked.findings],
    }


def _entry(finding: Finding) -> Json:
    rule = RULES[finding.code]
    return {
        "code": finding.code,
        "severity": severity_of(finding),
        "title": rule.title,
        "object": {
            "kind": finding.subject.kind,
            "namespace": finding.subject.namespace or None,
            "name": finding.subject.name,
        },
        "fact": finding.fact,
        "why": rule.why,
        "remedy": finding.remedy,
    }
