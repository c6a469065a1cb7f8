"""`check` on the command line: what it takes, what it prints, and how it exits."""

import json
from pathlib import Path
from typing import Any

import pytest

from kubectl_safe.decide.allow import ALLOWABLE
from kubectl_safe.decide.check import RULES
from tests.cli.conftest import CommandLine, EmptyCluster


def test_a_rule_is_explained_without_a_cluster(safe: CommandLine) -> None:
    ended = safe("check", "--explain", "gates-not-injected")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("gates-not-injected (error)\n")
    assert "Without its gate a pod is Ready before" in ended.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(
            ["--explain", "downtme"],
            "there is no rule with the code 'downtme': did you mean downtime?",
            id="a slip",
        ),
        pytest.param(
            ["--ignore", "mesh,downtme"],
            "there is no rule with the code 'downtme': did you mean downtime?",
            id="a slip among others",
        ),
        pytest.param(
            ["--ignore", "zzz"],
            f"there is no rule with the code 'zzz': there are {', '.join(sorted(RULES))}",
            id="nothing like it",
        ),
        pytest.param(
            ["-o", "yaml"],
            'unable to match a printer suitable for the output format "yaml", allowed formats are: json,sarif,table',
            id="no such format",
        ),
        pytest.param(["web"], "arguments must be of the form TYPE/NAME, such as deployment/web: 'web'", id="no type"),
        pytest.param(
            ["job/web"],
            "'job' can't be checked: name a deployment, a statefulset, a daemonset, a replicaset, "
            "a replicationcontroller, a pod or a node",
            id="another type",
        ),
        pytest.param(
            ["-A", "deployment/web"], "a resource cannot be retrieved by name across all namespaces", id="both"
        ),
        pytest.param(
            ["--fail-on", "all"],
            "invalid argument for \"--fail-on\" flag: 'all' is not one of 'error', 'warning', 'note', 'never'.\n"
            "See 'kubectl safe check --help' for usage.",
            id="no such severity",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(safe: CommandLine, arguments: list[str], told: str) -> None:
    ended = safe("check", *arguments)
    assert (ended.code, ended.out, ended.err) == (2, "", f"error: {told}\n")


@pytest.mark.parametrize(
    "arguments", [[], ["-A"], ["-A=true"], ["--all-namespaces=true"], ["-n", "shop"], ["-otable"]], ids=" ".join
)
def test_an_empty_cluster_has_no_fault(empty_cluster: EmptyCluster, arguments: list[str]) -> None:
    ended = empty_cluster("check", *arguments)
    assert (ended.code, ended.out) == (0, "nothing found: 0 pods of 0 workloads checked\n")
    assert empty_cluster.writes == []


def test_what_is_ignored_is_told(empty_cluster: EmptyCluster) -> None:
    ended = empty_cluster("check", "--ignore", "mesh,downtime", "--ignore", "adoption")
    assert ended.out == "nothing found: 0 pods of 0 workloads checked; adoption, downtime, mesh ignored\n"


def test_json_and_sarif_are_documents_and_nothing_else(empty_cluster: EmptyCluster) -> None:
    written: Any = json.loads(empty_cluster("check", "-o", "json").out)
    assert (written["kind"], written["findings"], written["exitCode"]) == ("Findings", [], 0)
    assert written["command"][:3] == ["check", "-o", "json"]
    log: Any = json.loads(empty_cluster("check", "-o=sarif").out)
    assert (log["version"], log["runs"][0]["results"]) == ("2.1.0", [])


def test_a_cluster_that_is_not_there_can_not_be_checked(safe: CommandLine) -> None:
    ended = safe("check", "--kubeconfig", "/nonexistent")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error: stat /nonexistent: no such file")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["deployment/web"], 'deployments.apps "web" not found'),
        (["rc/web"], 'replicationcontrollers "web" not found'),
        (["pod/web-1"], 'pods "web-1" not found'),
        (["node/a"], 'nodes "a" not found'),
    ],
)
def test_what_is_named_has_to_be_there(empty_cluster: EmptyCluster, arguments: list[str], told: str) -> None:
    ended = empty_cluster("check", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.endswith(f"Error from server (NotFound): {told}\n")


def test_a_fault_of_ours_is_no_finding(empty_cluster: EmptyCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("unheard of")

    monkeypatch.setattr("kubectl_safe.run.check.check", fail)
    ended = empty_cluster("check")
    assert (ended.code, ended.out) == (2, "")
    assert "kubectl-safe failed: RuntimeError: unheard of" in ended.err


def test_an_interruption_ends_it_as_any_other_command(
    empty_cluster: EmptyCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kubectl_safe.run.onlooker.Onlooker.look", look)
    ended = empty_cluster("check", "-o", "json")
    assert (ended.code, ended.out) == (130, "")
    assert ended.err == "error: interrupted: it was only looked at, and nothing was changed\n"


def test_the_readme_names_every_rule() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert [code for code in RULES if code not in ALLOWABLE and f"`{code}`" not in readme] == []
