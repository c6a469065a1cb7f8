"""Rights that are missing, and programs that kubectl runs instead."""

from dataclasses import replace

from kubectl_safe.decide.check import RULES, findings
from kubectl_safe.decide.check.finding import Severity
from kubectl_safe.decide.rights import Lack, Right
from kubectl_safe.model.setup import Setup
from tests.decide.check.scenes import a_good_cluster, facts, found, told

EVICT = Right(verb="create", resource="pods", subresource="eviction", namespace="shop")
GRANT = "kubectl safe rbac -n shop --for restart"


def lacking(*rights: Right, reason: str = "") -> Lack:
    return Lack(missing=dict.fromkeys(rights, reason), grant=GRANT)


def test_missing_rights_are_told_of_the_command_that_needs_them_with_the_question_that_asks() -> None:
    seen = replace(
        facts(), denied={"rollout restart": lacking(EVICT, reason="no RBAC policy matched"), "drain": lacking()}
    )
    [its] = found("rights-missing", seen)
    assert str(its.subject) == "command/rollout restart"
    assert its.fact == "you may not create pods/eviction in namespace shop (no RBAC policy matched)"
    assert its.remedy.splitlines() == [
        f"{GRANT}  # prints a role with them: have it bound to you",
        "kubectl auth can-i create pods --subresource=eviction -n shop",
    ]


def test_of_many_missing_rights_the_first_are_told() -> None:
    many = lacking(*(Right(verb="list", resource=f"things{n}", namespace="shop") for n in range(5)))
    [its] = found("rights-missing", replace(facts(), denied={"check": many}))
    assert its.fact.endswith("list things2 in namespace shop, and 2 more")
    assert len(its.remedy.splitlines()) == 4


def test_a_program_that_shadows_a_command() -> None:
    seen = replace(facts(), shadows={"kubectl safe drain": "/opt/bin/kubectl-safe-drain"})
    [its] = found("shadowed-command", seen)
    assert (str(its.subject), its.fact) == (
        "file//opt/bin/kubectl-safe-drain",
        "kubectl runs it for `kubectl safe drain`, instead of what this command is of",
    )


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert told(findings(facts())) == []


def test_nothing_is_found_where_nothing_could_be_read() -> None:
    assert told(findings(facts(a_good_cluster(groups={}, health={}), setup=Setup()))) == []
    assert told(findings(facts(setup=Setup()))) == []


def test_the_worst_comes_first_and_what_is_ignored_does_not_come() -> None:
    seen = replace(facts(), shadows={"kubectl safe drain": "/x"}, denied={"drain": lacking(EVICT)})
    assert [its.code for its in findings(seen)] == ["shadowed-command", "rights-missing"]
    assert [its.code for its in findings(seen, {"shadowed-command"})] == ["rights-missing"]


def test_codes_are_words_in_lower_case_and_severities_are_those_of_sarif() -> None:
    assert all(code.replace("-", "").isalpha() and code == code.lower() for code in RULES)
    assert [its.name.lower() for its in Severity] == ["note", "warning", "error"]
    assert all(rule.why.endswith(".") and not rule.title.endswith(".") for rule in RULES.values())
