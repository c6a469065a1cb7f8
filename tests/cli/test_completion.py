"""How a command line may go on, in the words of cobra's `__complete`; tests/completions has it in real shells."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from kubectl_safe.cli.completion import words_to_complete
from kubectl_safe.cli.main import COMMANDS, main
from kubectl_safe.decide.allow import ALLOWABLE
from kubectl_safe.decide.check import RULES
from kubectl_safe.kube.listing import PAGE
from tests.support.api_server import Answer, ApiServer, Asked, a_status

Complete = Callable[..., list[str]]

NAMES = {
    "/api/v1/nodes": ["node-1", "node-2"],
    "/api/v1/namespaces": ["default", "shop", "shop-test"],
    "/apis/apps/v1/namespaces/default/deployments": ["web"],
    "/apis/apps/v1/namespaces/shop/deployments": ["api", "cart"],
    "/apis/apps/v1/namespaces/shop/statefulsets": ["db"],
    "/apis/apps/v1/namespaces/shop/daemonsets": ["ingress"],
    "/apis/apps/v1/namespaces/shop/replicasets": ["api-1"],
    "/api/v1/namespaces/shop/replicationcontrollers": ["old"],
    "/api/v1/namespaces/shop/pods": ["api-1-x"],
}


def _answer(asked: Asked) -> Answer:
    if asked.path not in NAMES:
        return a_status(404, "NotFound")
    assert "as=Table" in asked.headers["Accept"]
    assert asked.query["includeObject"] == "None"
    names = NAMES[asked.path]
    at = int(asked.query.get("continue") or 0)
    rest = {"continue": str(at + PAGE)} if at + PAGE < len(names) else {}
    return Answer(body={"metadata": rest, "rows": [{"cells": [name, "1d"]} for name in names[at : at + PAGE]]})


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer(_answer) as running:
        yield running


@pytest.fixture
def complete(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, server: ApiServer, tmp_path: Path
) -> Complete:
    """Complete the last of some words, with a cluster; look-ups are made in this process."""

    def complete(*words: str) -> list[str]:
        with pytest.raises(SystemExit) as ended:
            main(["__complete", *words])
        told = capsys.readouterr()
        assert (ended.value.code, told.err) == (0, "")
        return told.out.splitlines()

    def look_here(look: Callable[[], Iterable[str]]) -> list[str]:
        return list(look())

    monkeypatch.setattr("kubectl_safe.run.lookup.lookup", look_here)
    monkeypatch.setenv("KUBECONFIG", server.kubeconfig(tmp_path))
    return complete


def _values(lines: list[str]) -> list[str]:
    return [line.partition("\t")[0] for line in lines]


def test_a_command_is_offered_with_what_it_does(complete: Complete) -> None:
    assert complete("dr") == ["drain\tDrain nodes without losing a request", ":4"]
    assert _values(complete("")) == [*sorted([*COMMANDS, "help", "version"]), ":4"]
    assert _values(complete("rollout", "")) == ["restart", "status", ":4"]


@pytest.mark.parametrize("words", [["bogus", ""], ["rollout", "bogus", ""]], ids=" ".join)
def test_nothing_follows_an_unknown_command(complete: Complete, words: list[str]) -> None:
    assert complete(*words) == [":4"]


def test_nothing_typed_at_all_is_an_empty_word(complete: Complete) -> None:
    assert complete() == complete("")


def test_flags_are_offered_with_the_first_sentence_of_their_help(complete: Complete) -> None:
    assert complete("drain", "--igno") == ["--ignore-daemonsets\tIgnore DaemonSet-managed pods", ":4"]
    assert complete("drain", "--chunk") == ["--chunk-size\tReturn large lists in chunks rather than all at once", ":4"]
    assert complete("drain", "--force", "--forc") == [":4"]
    assert "-o" in _values(complete("drain", "-"))


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (["drain", "-o", ""], ["json", "jsonl"]),
        (["drain", "--output=jsonl"], ["jsonl"]),
        (["status", "-o", ""], ["json", "name", "wide", "yaml"]),
        (["check", "-o", "s"], ["sarif"]),
        (["check", "--fail-on", ""], ["error", "warning", "note", "never"]),
        (["rbac", "-o", ""], ["yaml", "iam"]),
        (["rbac", "--for", ""], ["drain", "restart", "abort", "uncordon", "rollout-status", "status", "check"]),
        (["rbac", "--for", "drain,r"], ["drain,restart", "drain,rollout-status"]),
        (["drain", "--dry-run="], ["none", "client", "server"]),
        (["drain", "--dry-run=s"], ["server"]),
        (["demo", ""], ["drain", "restart"]),
        (["drain", "-v", ""], ["6", "7", "8"]),
        (["drain", "--settle", ""], []),
    ],
    ids=lambda value: " ".join(value) or "nothing",
)
def test_choices_of_a_flag_are_offered(complete: Complete, words: list[str], values: list[str]) -> None:
    assert _values(complete(*words)) == [*values, ":4"]


def test_reasons_to_allow_are_offered_with_what_happens(complete: Complete) -> None:
    assert complete("drain", "--allow", "downt") == [f"downtime\t{ALLOWABLE['downtime']}", ":4"]
    assert _values(complete("drain", "--allow", "mesh,d")) == ["mesh,data-plane", "mesh,downtime", ":4"]
    others = [f"mesh,{name}" for name in ALLOWABLE if name != "mesh"]
    assert _values(complete("rollout", "restart", "--allow=mesh,")) == [*others, ":4"]


def test_codes_of_rules_are_offered_with_their_titles(complete: Complete) -> None:
    assert _values(complete("check", "--explain", "")) == [*RULES, ":4"]
    code, title = "gates-not-injected", RULES["gates-not-injected"].title
    assert complete("check", "--explain", "gates-n") == [f"{code}\t{title}", ":4"]
    assert _values(complete("check", "--ignore", f"{code},gate-m")) == [f"{code},gate-missing", ":4"]


@pytest.mark.parametrize(
    "words", [["drain", "--kubeconfig", ""], ["drain", "--kubeconfig=/e"], ["drain", "--report", "x"]], ids=" ".join
)
def test_files_are_left_to_the_shell(complete: Complete, words: list[str]) -> None:
    assert complete(*words) == [":0"]


def test_nodes_are_offered_that_are_not_named_yet(complete: Complete) -> None:
    assert complete("drain", "") == ["node-1", "node-2", ":4"]
    assert complete("drain", "node-1", "--force", "no") == ["node-2", ":4"]
    assert complete("uncordon", "node-2", "") == ["node-1", ":4"]


def test_a_dry_run_takes_no_word_after_it(complete: Complete) -> None:
    assert complete("drain", "--dry-run", "") == ["node-1", "node-2", ":4"]


def test_workloads_are_offered_by_type_and_name(complete: Complete) -> None:
    assert complete("rollout", "restart", "") == ["deployment", "statefulset", "daemonset", ":4"]
    assert complete("rollout", "restart", "-n", "shop", "deploy/") == ["deploy/api", "deploy/cart", ":4"]
    assert complete("rollout", "restart", "-n", "shop", "deploy/api", "deploy/") == ["deploy/cart", ":4"]
    assert complete("rollout", "status", "-n", "shop", "sts", "") == ["db", ":4"]
    assert complete("rollout", "restart", "-n", "shop", "deployment", "api", "") == ["cart", ":4"]
    assert complete("rollout", "restart", "pod/") == [":4"]
    assert complete("rollout", "restart", "pod", "") == [":4"]


def test_no_space_follows_a_type_whose_name_is_still_to_come(complete: Complete) -> None:
    assert complete("abort", "d") == ["deployment/", "daemonset/", ":6"]
    assert complete("rollout", "restart", "sts/db", "d") == ["deployment/", "daemonset/", ":6"]
    assert complete("abort", "node/") == ["node/node-1", "node/node-2", ":4"]


@pytest.mark.parametrize(
    ("kind", "name"),
    [("daemonset", "ingress"), ("rs", "api-1"), ("replicationcontroller", "old"), ("pod", "api-1-x")],
)
def test_what_is_looked_at_is_offered_by_type_and_name(complete: Complete, kind: str, name: str) -> None:
    assert complete("check", "-n", "shop", f"{kind}/") == [f"{kind}/{name}", ":4"]
    assert complete("status", "-n", "shop", kind, "") == [name, ":4"]


def test_the_namespace_is_the_one_that_is_typed_else_the_contexts(
    complete: Complete, server: ApiServer, tmp_path: Path
) -> None:
    assert complete("rollout", "restart", "deployment/") == ["deployment/web", ":4"]
    assert complete("rollout", "restart", "-n=shop", "deployment/a") == ["deployment/api", ":4"]
    server.kubeconfig(tmp_path, namespace="shop")
    assert complete("rollout", "restart", "deployment/a") == ["deployment/api", ":4"]
    # What is refused when the command is run says nothing here.
    assert complete("rollout", "restart", "-n", "a/b", "deployment/a") == ["deployment/api", ":4"]


def test_namespaces_are_offered(complete: Complete) -> None:
    assert complete("drain", "-n", "shop") == ["shop", "shop-test", ":4"]
    assert complete("rbac", "--namespace=d") == ["default", ":4"]


def test_the_cluster_is_the_one_of_the_kubeconfig_and_the_context_that_are_typed(
    complete: Complete, server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubeconfig = _with_a_second_context(server.kubeconfig(tmp_path))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    assert complete("drain", "--kubeconfig", kubeconfig, "--context", "here", "") == ["node-1", "node-2", ":4"]
    assert complete("drain", "--kubeconfig", kubeconfig, "--context", "") == ["here", "arn:aws:eks:x:cluster/a", ":4"]
    assert complete("drain", "--kubeconfig", kubeconfig, "--context=arn") == ["arn:aws:eks:x:cluster/a", ":4"]


def test_the_cluster_is_the_one_of_the_other_flags_that_are_typed(
    complete: Complete, server: ApiServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    assert complete("drain", "-s", server.url, "--as", "jane", "--token=t0ken", "node-2", "") == ["node-1", ":4"]
    assert server.asked[0].headers["Impersonate-User"] == "jane"


def test_clusters_and_users_of_the_kubeconfig_are_offered(complete: Complete) -> None:
    assert complete("drain", "--cluster", "") == ["here", ":4"]
    assert complete("drain", "--user=") == ["me", ":4"]


def test_the_flag_of_rbac_that_is_called_as_the_one_of_a_cluster_leads_to_none(complete: Complete) -> None:
    assert complete("rbac", "--cluster", "-n", "d") == ["default", ":4"]
    assert complete("rbac", "--user", "") == [":4"]


def _with_a_second_context(kubeconfig: str) -> str:
    file = Path(kubeconfig)
    config = json.loads(file.read_text())
    second = {"cluster": "gone", "user": "me"}
    config["contexts"] += [
        {"name": "arn:aws:eks:x:cluster/a", "context": second},
        {"name": "with space", "context": second},
        {"name": "$(reboot)", "context": second},
    ]
    file.write_text(json.dumps(config))
    return kubeconfig


def test_contexts_of_several_files_are_offered_once(
    complete: Complete, server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "second").mkdir()
    first, second = server.kubeconfig(tmp_path), _with_a_second_context(server.kubeconfig(tmp_path / "second"))
    monkeypatch.setenv("KUBECONFIG", f"{first}:{second}:{tmp_path / 'none'}")
    assert complete("drain", "--context", "") == ["here", "arn:aws:eks:x:cluster/a", ":4"]


def test_a_name_that_a_shell_would_read_otherwise_is_not_offered(
    complete: Complete, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(NAMES, "/api/v1/nodes", ["node-1", "$(reboot)", "a b", "a\nb", "\x1b[2J", "'", "a;b", ""])
    assert complete("drain", "") == ["node-1", ":4"]
    assert [asked.path for asked in server.asked] == ["/api/v1/nodes"]


def test_names_are_offered_of_all_pages_of_a_list(complete: Complete, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NAMES, "/api/v1/nodes", [f"node-{number}" for number in range(2 * PAGE + 1)])
    assert len(complete("drain", "")) == 2 * PAGE + 2


@pytest.mark.parametrize("body", [[], {"rows": [{}]}, {"rows": 5}, {"rows": [{"cells": []}]}, "rows"], ids=json.dumps)
def test_what_no_api_server_answers_is_not_offered(complete: Complete, server: ApiServer, body: object) -> None:
    server.script = lambda _: Answer(body=body)
    assert complete("drain", "") == [":4"]


def test_a_refused_look_up_is_not_tried_again(complete: Complete, server: ApiServer) -> None:
    server.script = lambda _: a_status(503, "ServiceUnavailable")
    assert complete("drain", "") == [":4"]
    assert len(server.asked) == 1


def test_nothing_is_touched_for_a_report_that_is_not_asked_for_yet(
    complete: Complete, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubectl_safe.render.whole.check_writable", lambda path: pytest.fail(f"{path} is touched"))
    assert complete("drain", "--report", str(tmp_path / "report.html"), "node-2", "") == ["node-1", ":4"]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["/usr/bin/kubectl-safe", "drain", ""], None),
        (["/usr/bin/kubectl-safe"], None),
        (["kubectl-safe", "__complete", "drain", ""], ["drain", ""]),
        (["kubectl-safe", "__complete"], [""]),
        (["/home/me/.krew/bin/kubectl_complete-safe", "drain", ""], ["drain", ""]),
        (["kubectl_complete-safe"], [""]),
        (["kubectl_complete-safe", "__complete", ""], ["__complete", ""]),
    ],
    ids=lambda value: " ".join(value) if value else "runs",
)
def test_what_is_to_be_completed_is_told_by_a_word_or_by_our_name(command: list[str], words: list[str] | None) -> None:
    assert words_to_complete(command) == words


HEAVY = ("kubernetes", "boto3", "botocore", "tabulate", "requests", "urllib3", "yaml", "asyncio")


@pytest.mark.parametrize(
    "words",
    [
        [""],
        ["drain", "-"],
        ["drain", "--allow", ""],
        ["drain", "--dry-run="],
        ["check", "--explain", ""],
        ["rbac", "-o", ""],
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_imported_without_a_look_up(words: list[str]) -> None:
    code = (
        "import sys, kubectl_safe.cli.main as m; m.complete(sys.argv[1:]);"
        f"print(*(name for name in {HEAVY!r} if name in sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == "\n"
    assert done.stdout.endswith("\n:4\n")
