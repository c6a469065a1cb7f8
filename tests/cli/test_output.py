"""`-o`: what stdout has for a program, whatever becomes of the command."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubectl_safe.cli.main import run
from kubectl_safe.model.errors import KubectlSafeError, UsageError
from tests.cli.conftest import CommandLine
from tests.render.schema import check
from tests.support.api_server import GRANTED, Answer, ApiServer, Asked, Feed, is_review
from tests.support.raw import a_list, a_raw_pod

FORMS = [["-o", "json"], ["-ojson"], ["-o=json"], ["--output", "json"], ["--output=json"]]
COMMANDS = [["drain", "node-1"], ["rollout", "restart", "deploy/web"]]


def document(text: str) -> Any:
    """Return the one document that stdout has; it must be as the schema says."""
    read = json.loads(text)
    check(read)
    return read


def events(text: str) -> list[Any]:
    """Return the events that stdout has; each must be as the schema says."""
    read = [json.loads(line) for line in text.splitlines()]
    for event in read:
        check(event)
    return read


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("form", FORMS, ids=" ".join)
def test_a_format_is_named_in_every_form_that_kubectl_takes(
    safe: CommandLine, command: list[str], form: list[str]
) -> None:
    ended = safe(*command, *form)
    assert (ended.code, ended.err) == (0, "")
    assert document(ended.out)["command"] == [*command, *form]


@pytest.mark.parametrize("form", [[], ["-o="], ["--output="]], ids=" ".join)
def test_without_a_format_people_are_told(safe: CommandLine, form: list[str]) -> None:
    assert safe("drain", "node-1", *form).out == ""
    assert safe.commons[0].output.format == ""


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("name", ["yaml", "JSON", "wide"])
def test_another_format_is_refused_in_kubectls_words(safe: CommandLine, command: list[str], name: str) -> None:
    ended = safe(*command, "-o", name)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        f'error: unable to match a printer suitable for the output format "{name}", allowed formats are: json,jsonl\n'
    )
    assert safe.requests == []


FAILURES = [
    pytest.param(None, 0, None, id="done"),
    pytest.param(KubectlSafeError("pod a\x1b is stuck"), 1, "pod a\x1b is stuck", id="failed"),
    pytest.param(UsageError("not that"), 2, "not that", id="usage"),
    pytest.param(
        KeyboardInterrupt(),
        130,
        "interrupted: nothing that serves was harmed; run the same command again to go on",
        id="interrupted",
    ),
]


@pytest.mark.parametrize(("failure", "code", "error"), FAILURES)
def test_whatever_comes_of_a_run_stdout_is_one_document_with_the_error_and_the_exit_code(
    safe: CommandLine, failure: BaseException | None, code: int, error: str | None
) -> None:
    safe.failure = failure
    ended = safe("drain", "node-1", "-o", "json", "--dry-run=server")
    told = document(ended.out)
    assert (ended.code, told["exitCode"], told["error"], told["dryRun"]) == (code, code, error, "server")
    assert bool(ended.err) == (error is not None)


@pytest.mark.parametrize(("failure", "code", "error"), FAILURES)
def test_whatever_comes_of_a_run_its_last_event_has_the_error_and_the_exit_code(
    safe: CommandLine, failure: BaseException | None, code: int, error: str | None
) -> None:
    safe.failure = failure
    [last] = events(safe("drain", "node-1", "-o", "jsonl").out)
    assert (last["type"], last["report"]["exitCode"], last["report"]["error"]) == ("ended", code, error)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["drain", "node-1", "--settle", "5x", "-o", "json"], id="a bad value before it"),
        pytest.param(["drain", "-o", "json", "pod/web-1"], id="a bad name"),
        pytest.param(["rollout", "restart", "-o", "json"], id="no name"),
    ],
)
def test_bad_usage_is_told_to_programs_too(safe: CommandLine, arguments: list[str]) -> None:
    ended = safe(*arguments)
    told = document(ended.out)
    assert (ended.code, told["exitCode"], told["outcome"]) == (2, 2, "refused")
    assert ended.err == f"error: {told['error']}\n"


def test_a_fault_of_ours_is_told_to_programs_too(safe: CommandLine) -> None:
    safe.failure = ZeroDivisionError("division by zero")
    ended = safe("drain", "node-1", "-o", "json")
    told = document(ended.out)
    assert (ended.code, told["exitCode"]) == (1, 1)
    assert told["error"].startswith("kubectl-safe failed: ZeroDivisionError: division by zero")


def a_node_with_a_bare_pod(asked: Asked) -> Answer | Feed:
    """Answer as an API server with node-1, and on it a pod that `kubectl drain` refuses."""
    if asked.path == "/apis":
        return Answer(body={"groups": []})
    if asked.is_watch:
        return Feed()
    if is_review(asked):
        return GRANTED
    bare = a_raw_pod("bare-1")
    bare["spec"] = {**bare["spec"], "nodeName": "node-1"}
    lists = {"nodes": a_list(a_raw_pod("node-1"), version=1), "pods": a_list(bare, version=1)}
    return Answer(body=lists.get(asked.path.rpartition("/")[2], a_list(version=1)))


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Iterator[str]:
    with ApiServer(a_node_with_a_bare_pod) as server:
        yield server.kubeconfig(tmp_path)


def test_a_refused_drain_is_one_document_and_its_error_is_on_stderr_too(
    kubeconfig: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["drain", "node-1", "-o", "json", "--kubeconfig", kubeconfig]) == 1
    captured = capsys.readouterr()
    told = document(captured.out)
    assert captured.err == f"error: {told['error']}\n"
    assert told["error"].startswith('unable to drain node "node-1" due to error: cannot delete')
    assert (told["outcome"], told["exitCode"], told["plan"], told["pods"]) == ("refused", 1, None, [])


def test_a_dry_run_tells_its_plan_event_by_event_and_warnings_go_to_people_too(
    kubeconfig: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["drain", "node-1", "--force", "--dry-run", "-o", "jsonl", "--kubeconfig", kubeconfig]
    assert run(arguments) == 0
    captured = capsys.readouterr()
    told = events(captured.out)
    assert [event["type"] for event in told] == ["warning", "planned", *["message"] * 3, "ended"]
    assert captured.err == f"{told[0]['message']}\n"
    assert [pod["name"] for pod in told[1]["plan"]["pods"]] == ["bare-1"]
    assert (told[-1]["report"]["dryRun"], told[-1]["report"]["outcome"]) == ("client", "succeeded")
