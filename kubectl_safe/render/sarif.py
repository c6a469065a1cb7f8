"""The findings of a check in the Static Analysis Results Interchange Format, for what gathers those of many tools.

Source: SARIF 2.1.0 (OASIS standard); the sections that are named are its. A Kubernetes object is a logical location
(3.33); its address stands in for a file too, as code scanning services show no result without one, and its first line.
"""

import hashlib
from collections.abc import Sequence
from urllib.parse import quote

from kubectl_safe.decide.check import RULES
from kubectl_safe.decide.check.finding import Finding, Rule, Subject
from kubectl_safe.decide.check.verdict import Checked
from kubectl_safe.render.document import Json
from kubectl_safe.render.findings import severity_of

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_BY_GITHUB = "primaryLocationLineHash"


def log(checked: Checked, *, version: str, command: Sequence[str]) -> Json:
    """Return a SARIF log with one run: its rules are those that found something."""
    rules = list(dict.fromkeys(its.code for its in checked.findings))
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "kubectl-safe",
                        "version": version,
                        "rules": [_rule(RULES[code]) for code in rules],
                    }
                },
                "invocations": [
                    {
                        "executionSuccessful": True,
                        "arguments": list(command),
                        "toolExecutionNotifications": [
                            {"level": "warning", "message": {"text": text}} for text in checked.unread
                        ],
                    }
                ],
                "results": [_result(its, rules.index(its.code)) for its in checked.findings],
            }
        ],
    }


def _rule(rule: Rule) -> Json:
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.why},
        "defaultConfiguration": {"level": rule.severity.name.lower()},
    }


def _result(finding: Finding, index: int) -> Json:
    return {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": severity_of(finding),
        "message": {"text": f"{finding.subject}: {finding.fact}\n\n{finding.remedy}"},
        "locations": [_location(finding.subject)],
        # Figures of a fact change from day to day, and it stays the same finding (3.27.17). GitHub's code scanning goes
        # by a fingerprint of that name, which others take from the lines of a file.
        "partialFingerprints": {_BY_GITHUB: _fingerprint(finding)},
    }


def _location(subject: Subject) -> Json:
    path = "/".join(part for part in (subject.namespace, subject.kind, subject.name.lstrip("/")) if part)
    return {
        "physicalLocation": {"artifactLocation": {"uri": quote(path)}, "region": {"startLine": 1}},
        "logicalLocations": [{"name": subject.name, "fullyQualifiedName": path, "kind": "resource"}],
    }


def _fingerprint(finding: Finding) -> str:
    subject = finding.subject
    text = f"{finding.code} {subject.namespace}/{subject}"
    return hashlib.sha256(text.encode()).hexdigest()
