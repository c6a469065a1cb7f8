"""Nothing of the cluster's that a terminal would obey gets to one: not in tables, lines, documents or errors."""

import json
import re
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from kubectl_safe.render.in_place import InPlace
from kubectl_safe.render.output import echo
from tests.cli.conftest import EmptyCluster
from tests.support.api_server import Answer, Asked, Cut, Feed, a_status

EVIL = "\x1b]0;owned\x07\x1b[2J\r\x08\x9b31m\u202egnp.exe\x00\u2028"
OBEYED = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def a_pod() -> dict[str, Any]:
    condition = {"type": EVIL, "status": "False", "reason": EVIL, "message": EVIL}
    return {
        "metadata": {
            "uid": "u",
            "name": "web-1",
            "namespace": "shop",
            "resourceVersion": "1",
            "creationTimestamp": "2026-01-02T12:00:00Z",
            "labels": {"app": EVIL, EVIL: "x"},
            "annotations": {"kubectl-safe/released": EVIL, EVIL: EVIL},
            "ownerReferences": [
                {"apiVersion": "evil/v1", "kind": EVIL, "name": EVIL, "uid": EVIL, "controller": True},
            ],
        },
        "spec": {
            "nodeName": "node-1",
            "readinessGates": [{"conditionType": EVIL}],
            "containers": [{"name": EVIL, "image": EVIL}],
        },
        "status": {"phase": "Running", "reason": EVIL, "message": EVIL, "conditions": [condition]},
    }


@pytest.fixture
def evil(empty_cluster: EmptyCluster) -> EmptyCluster:
    """A cluster whose one pod says of itself what no terminal should read."""
    empty = empty_cluster.server.script

    def script(asked: Asked) -> Answer | Feed | Cut:
        answer = empty(asked)
        if asked.path.endswith("/pods") and isinstance(answer, Answer):
            answer.body["items"] = [a_pod()]
        return answer

    empty_cluster.server.script = script
    return empty_cluster


LOOKING = [
    ["status", "-n", "shop"],
    ["status", "-n", "shop", "-o", "wide"],
    ["status", "-n", "shop", "-o", "json"],
    ["status", "-n", "shop", "-o", "yaml"],
    ["status", "-n", "shop", "-o", "name"],
    ["status", "-A", "-v=9"],
    ["check", "-n", "shop"],
    ["check", "-n", "shop", "-o", "json"],
    ["check", "-n", "shop", "-o", "sarif"],
    ["check", "-A", "--fail-on", "never"],
    ["rollout", "status", "deployment/web", "-n", "shop", "-v=9"],
    ["drain", "node-1", "--dry-run", "-v=9"],
]


@pytest.mark.parametrize("arguments", LOOKING, ids=" ".join)
def test_what_a_pod_says_of_itself_is_shown_escaped(evil: EmptyCluster, arguments: list[str]) -> None:
    ended = evil(*arguments)
    assert ended.out or ended.err
    assert not OBEYED.search(ended.out + ended.err)
    assert "kubectl-safe failed" not in ended.err
    if arguments[0] == "status" and "name" not in arguments:
        # It is there, as something to read.
        assert re.search(r"\\(x1b|u001b|e)\]0;owned", ended.out)


@pytest.mark.parametrize(("form", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_in_documents_it_is_what_it_was(evil: EmptyCluster, form: str, read: Any) -> None:
    document = read(evil("status", "-n", "shop", "-o", form).out)
    assert json.dumps(EVIL) in json.dumps(document)


@pytest.mark.parametrize(
    "arguments", [["drain", "node-1"], ["uncordon", "node-1"], ["check"], ["status"], ["abort", "node/node-1"]]
)
@pytest.mark.parametrize("output", [[], ["-v=9"]], ids=["plain", "traced"])
def test_what_a_server_refuses_with_is_shown_escaped(
    empty_cluster: EmptyCluster, arguments: list[str], output: list[str]
) -> None:
    empty_cluster.server.script = lambda _: a_status(403, EVIL, f"no {EVIL} at all")
    ended = empty_cluster(*arguments, *output)
    assert ended.code in {1, 2}
    assert not OBEYED.search(ended.out + ended.err)
    assert "\\x1b]0;owned\\x07" in ended.err


def test_what_is_printed_is_escaped_whoever_forgot_it(capsys: pytest.CaptureFixture[str]) -> None:
    echo(f"{EVIL}\nb")
    echo(EVIL, err=True)
    told = capsys.readouterr()
    assert not OBEYED.search(told.out + told.err)
    assert told.out.endswith("\nb\n")


def test_what_is_drawn_is_escaped_and_stays_in_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    InPlace(size=lambda: (200, 10)).draw([f"{EVIL}\nb"])
    told = capsys.readouterr().out
    own = re.compile(r"\x1b\[[0-9]*[KJA]|\r")
    assert not OBEYED.search(own.sub("", told))
    assert told.count("\n") == 1
