"""Findings as a table, as JSON and as SARIF."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import kubectl_safe.render
from kubectl_safe.decide.check import RULES
from kubectl_safe.decide.check.finding import Finding, Subject
from kubectl_safe.decide.check.verdict import Checked, near
from kubectl_safe.render.findings import explained, table
from kubectl_safe.render.findings_document import document
from kubectl_safe.render.sarif import log
from tests.render.schema import objects
from tests.support.builders import NOW

FACT = (
    "2 pods in the middle of a handoff that nobody goes on with, 1 released and 1 withdrawn: web-75b544cb47-mdwb2, "
    "web-75b544cb47-sb8jm"
)
HANDOFF = Finding(
    code="leftover-handoff",
    subject=Subject(kind="deployment.apps", name="web", namespace="shop"),
    fact=FACT,
    remedy="kubectl safe abort deployment/web -n shop",
)
CORDON = Finding(
    code="leftover-cordon",
    subject=Subject(kind="node", name="node-a"),
    fact="it is cordoned by kubectl safe drain, and no drain of it is under way",
    remedy="kubectl safe uncordon node-a",
)
BOTH = Checked(findings=(HANDOFF, CORDON), workloads=2, pods=10, unread=("namespaces: forbidden",))
NONE = Checked(findings=(), workloads=1, pods=1)


def test_at_200_columns_the_fact_is_beside_the_object_and_the_remedy_below_it() -> None:
    head, handoff, ending, cordon, undoing, _, *end = table(BOTH, width=200)
    assert head == "SEVERITY    CODE              NAMESPACE    OBJECT               FACT"
    assert handoff == f"error       leftover-handoff  shop         deployment.apps/web  {FACT}"
    assert ending == f"{'':66}kubectl safe abort deployment/web -n shop"
    assert cordon == f"note        leftover-cordon                node/node-a          {CORDON.fact}"
    assert undoing == f"{'':66}kubectl safe uncordon node-a"
    assert end == [
        "1 error, 1 note: 10 pods of 2 workloads checked",
        "why: kubectl safe check --explain leftover-handoff",
    ]


def test_at_80_columns_the_fact_is_below_the_object() -> None:
    assert table(BOTH, width=80)[:7] == [
        "SEVERITY    CODE              NAMESPACE    OBJECT",
        "error       leftover-handoff  shop         deployment.apps/web",
        "  2 pods in the middle of a handoff that nobody goes on with, 1 released and 1",
        "  withdrawn: web-75b544cb47-mdwb2, web-75b544cb47-sb8jm",
        "    kubectl safe abort deployment/web -n shop",
        "note        leftover-cordon                node/node-a",
        "  it is cordoned by kubectl safe drain, and no drain of it is under way",
    ]


def test_without_a_width_no_line_is_broken() -> None:
    assert any(line.endswith(FACT) for line in table(BOTH, width=None))


def test_nothing_of_a_fact_is_cut_off_and_nothing_of_it_moves_a_cursor() -> None:
    long = Finding(code="downtime", subject=HANDOFF.subject, fact="word\x1b[2J " * 300, remedy="none")
    lines = table(Checked(findings=(long,), workloads=1, pods=1), width=80)
    assert sum(line.count("word\\x1b[2J") for line in lines) == 300
    assert max(map(len, lines)) <= 80


def test_what_was_looked_at_is_told_also_where_nothing_is_found() -> None:
    assert table(NONE, width=80) == ["nothing found: 1 pod of 1 workload checked"]
    ignoring = Checked(findings=(), workloads=1, pods=1, ignored=frozenset({"mesh", "downtime"}))
    assert table(ignoring, width=80) == ["nothing found: 1 pod of 1 workload checked; downtime, mesh ignored"]


@pytest.mark.parametrize("code", RULES)
def test_every_rule_can_be_explained_in_80_columns(code: str) -> None:
    lines = explained(RULES[code], width=80)
    assert lines[0] == f"{code} ({RULES[code].severity.name.lower()})"
    assert max(map(len, lines)) <= 80
    assert f"leave it out:  kubectl safe check --ignore {code}" in lines


SCHEMA = json.loads((Path(kubectl_safe.render.__file__).parent / "findings.schema.json").read_text(encoding="utf-8"))


def strict() -> Any:
    schema = json.loads(json.dumps(SCHEMA))
    for _, its in objects(schema):
        its["additionalProperties"] = False
    return schema


def a_document(checked: Checked, fail_on: str = "error") -> Any:
    ended = NOW + timedelta(seconds=2)
    return json.loads(json.dumps(document(checked, command=["check"], began=NOW, ended=ended, fail_on=fail_on)))


@pytest.mark.parametrize("checked", [BOTH, NONE], ids=["findings", "none"])
def test_the_document_is_as_its_schema_says_with_nothing_besides(checked: Checked) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(strict()).validate(a_document(checked))


def test_every_field_of_the_document_is_always_there() -> None:
    assert all(set(its["properties"]) == set(its["required"]) for _, its in objects(SCHEMA))


def test_a_finding_in_the_document() -> None:
    written = a_document(BOTH)
    assert written["counts"] == {"error": 1, "warning": 0, "note": 1}
    assert written["exitCode"] == 1
    assert written["findings"][1]["object"] == {"kind": "node", "namespace": None, "name": "node-a"}
    assert written["findings"][0]["why"] == RULES["leftover-handoff"].why
    assert a_document(BOTH, fail_on="never")["exitCode"] == 0


def test_a_sarif_log_has_what_the_standard_requires() -> None:
    """SARIF 2.1.0: 3.13 the log, 3.14 a run, 3.19 a driver, 3.27 a result, 3.20 an invocation."""
    written = json.loads(json.dumps(log(BOTH, version="1.0", command=["check", "-A"])))
    assert (written["version"], set(written)) == ("2.1.0", {"$schema", "version", "runs"})
    [run] = written["runs"]
    driver = run["tool"]["driver"]
    assert (driver["name"], [rule["id"] for rule in driver["rules"]]) == (
        "kubectl-safe",
        ["leftover-handoff", "leftover-cordon"],
    )
    assert all(rule["shortDescription"]["text"] and rule["help"]["text"] for rule in driver["rules"])
    assert run["invocations"][0]["executionSuccessful"] is True
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert driver["rules"][result["ruleIndex"]]["defaultConfiguration"]["level"] == result["level"]
        assert result["level"] in {"error", "warning", "note"}
        assert result["message"]["text"]
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"]
        # GitHub's code scanning takes no result without a line, and tells results apart by this fingerprint.
        assert place["region"] == {"startLine": 1}
        assert result["partialFingerprints"]["primaryLocationLineHash"]
    assert run["results"][0]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "shop/deployment.apps/web"


def test_a_finding_whose_figures_changed_is_the_same_in_sarif() -> None:
    later = Finding(code=HANDOFF.code, subject=HANDOFF.subject, fact="3 pods", remedy="none")
    logs: list[Any] = [
        log(Checked(findings=(its,), workloads=1, pods=1), version="1", command=[]) for its in (HANDOFF, later)
    ]
    one, other = (its["runs"][0]["results"][0]["partialFingerprints"] for its in logs)
    assert one == other


@pytest.mark.parametrize(("fail_on", "fails"), [("error", True), ("warning", True), ("note", True), ("never", False)])
def test_an_error_fails_unless_nothing_does(fail_on: str, fails: bool) -> None:
    assert BOTH.fails(fail_on) is fails
    assert not NONE.fails(fail_on)


def test_a_note_fails_only_where_it_is_told_to() -> None:
    note = Checked(findings=(CORDON,), workloads=0, pods=0)
    assert [its for its in ("error", "warning", "note", "never") if note.fails(its)] == ["note"]


@pytest.mark.parametrize(
    ("code", "codes"),
    [
        ("downtme", ["downtime"]),
        ("gate", ["gate-false-healthy", "gate-missing", "gate-never-set"]),
        ("zzz", []),
        ("", []),
    ],
)
def test_near_codes(code: str, codes: list[str]) -> None:
    assert near(code) == codes
