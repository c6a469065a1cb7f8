"""`status` on the command line: what it takes, what it prints, and how it exits."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # it ships no types

from kubectl_safe.cli.main import run
from kubectl_safe.cli.types import parse_selector
from kubectl_safe.decide.overview import Overview
from kubectl_safe.decide.rights import to_look
from kubectl_safe.run.scope import Scope
from tests.cli.conftest import CommandLine, EmptyCluster, Ended
from tests.decide.looking import a_lease, looked_at, with_record
from tests.render.terminal import Terminal
from tests.support.api_server import GRANTED, Answer, ApiServer, Asked, Feed, is_review
from tests.support.builders import a_cluster, a_pod, uid

MOMENT = with_record(a_cluster(a_pod(withdrawn=True), without=[f"web-{n}" for n in range(3, 7)]))
SEEN = looked_at(MOMENT, a_lease())
LATER = replace(SEEN, at=SEEN.at.replace(hour=13), pods=SEEN.pods[1:])


@pytest.fixture
def shown(safe: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """`kubectl safe` whose status looks at no cluster; its scope is left at `requests`."""

    @contextmanager
    def onlooker_for(*_: object, **options: Any) -> Iterator[None]:
        safe.sessions.append(options)
        yield

    def look(status: Any) -> Overview:
        safe.requests.append(status.scope)
        return SEEN

    monkeypatch.setattr("kubectl_safe.cli.status.connect", lambda _: type("Client", (), {"namespace": "shop"}))
    monkeypatch.setattr("kubectl_safe.cli.status.onlooker_for", onlooker_for)
    monkeypatch.setattr("kubectl_safe.run.status.Status.look", look)
    return safe


SCOPES: list[tuple[list[str], dict[str, Any]]] = [
    ([], {}),
    (["-n", "bank"], {"namespace": "bank"}),
    (["-A"], {"namespace": None}),
    (["deployment/web"], {"named": {"Deployment": ("web",)}}),
    (["deploy", "web", "api"], {"named": {"Deployment": ("web", "api")}}),
    (["sts/db", "po/web-1"], {"named": {"StatefulSet": ("db",), "Pod": ("web-1",)}}),
    (["node/node-1"], {"named": {"Node": ("node-1",)}}),
    (["nodes"], {"named": {"Node": ()}}),
    (["-l", "app=web"], {"selector": parse_selector("app=web")}),
    (
        ["ds", "-l", "app=web", "-A"],
        {"named": {"DaemonSet": ()}, "selector": parse_selector("app=web"), "namespace": None},
    ),
]


@pytest.mark.parametrize(("arguments", "scope"), SCOPES, ids=[" ".join(given) or "nothing" for given, _ in SCOPES])
def test_takes_what_kubectl_get_takes(shown: CommandLine, arguments: list[str], scope: dict[str, Any]) -> None:
    assert shown("status", *arguments).code == 0
    expected = Scope(**{"namespace": "shop", **scope})
    [options] = shown.sessions
    assert (shown.requests, options["namespace"]) == ([expected], expected.watched)
    assert options["needs"] == to_look(expected.watched, kinds=expected.named)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["-A", "deployment/web"], "a resource cannot be retrieved by name across all namespaces"),
        (["deployment/web", "-l", "app=web"], "name cannot be provided when a selector is specified"),
        (["deploy/web", "api"], "arguments must be of the form TYPE/NAME, such as deployment/web: 'api'"),
        (
            ["job/web"],
            (
                "'job' can't be shown: name a deployment, a statefulset, a daemonset, a replicaset, "
                "a replicationcontroller, a pod or a node"
            ),
        ),
        (["-l", "="], "unable to parse requirement '=': write app=web, app!=web or 'app in (a,b)'"),
        (
            ["-o", "table"],
            (
                'unable to match a printer suitable for the output format "table", allowed formats are: '
                "json,name,wide,yaml"
            ),
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(shown: CommandLine, arguments: list[str], why: str) -> None:
    ended = shown("status", *arguments)
    assert (ended.code, ended.out, ended.err.splitlines()[0]) == (2, "", f"error: {why}")
    assert shown.requests == []


def test_prints_a_table_without_any_line_broken_where_it_is_no_terminal(
    shown: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    lines = shown("status").out.splitlines()
    assert lines[0] == "rollout restart deployment/web, by alice@laptop (pid 4711) for 2m5s:"
    assert [line.split()[0] for line in lines[-3:]] == ["NAME", "web-1", "web-2"]
    wide = shown("status", "-owide").out.splitlines()
    assert "target-health.elbv2.k8s.aws/web True" in wide[-1]


@pytest.mark.parametrize("columns", [80, 200])
def test_prints_as_much_as_fits(shown: CommandLine, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = shown("status").out.splitlines()
    assert max(map(len, lines)) <= columns
    assert ("  gate    web True" in lines) is (columns == 80)


def test_prints_documents_and_names_for_programs(shown: CommandLine) -> None:
    written = json.loads(shown("status", "-o", "json").out)
    assert (written["kind"], written["command"]) == ("Status", ["status", "-o", "json"])
    assert [pod["name"] for pod in written["pods"]] == ["web-1", "web-2"]
    same = yaml.safe_load(shown("status", "-o", "yaml").out)
    assert same | {"command": []} == written | {"command": []}
    assert shown("status", "-o", "name") == Ended(code=0, out="pod/web-1\npod/web-2\n", err="")


@pytest.fixture
def watched(shown: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """`kubectl safe status --watch` that sees these, one after the other, until somebody presses Ctrl-C."""

    def call(*arguments: str, seen: list[Overview]) -> Ended:
        def follow(_: object, tell: Callable[[Overview], None]) -> None:
            for its in seen:
                tell(its)

        monkeypatch.setattr("kubectl_safe.run.status.Status.look", lambda _: seen[0])
        monkeypatch.setattr("kubectl_safe.run.status.Status.follow", follow)
        return shown("status", "-w", *arguments)

    return call


def test_prints_again_what_changes_where_it_is_no_terminal(watched: Callable[..., Ended]) -> None:
    older = replace(SEEN, at=LATER.at)
    lines = watched(seen=[SEEN, older, LATER, LATER]).out.split("\n\n")
    assert [text.count("\nweb-") for text in lines if text.startswith("NAME")] == [2, 1]
    assert watched("-o", "name", seen=[SEEN, LATER]).out.splitlines() == ["pod/web-1", "pod/web-2", "pod/web-2"]
    documents = yaml.safe_load_all(watched("-o", "yaml", seen=[SEEN, older, LATER]).out)
    assert [len(its["pods"]) for its in documents] == [2, 1]


def test_redraws_in_place_on_a_terminal(watched: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("LINES", "30")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    terminal = Terminal(120)
    terminal.write(watched(seen=[SEEN, LATER]).out)
    assert [line.split()[0] for line in terminal.lines[-2:]] == ["NAME", "web-2"]
    assert not any("web-1   " in line for line in terminal.lines)


def test_says_how_much_does_not_fit_on_a_terminal(
    watched: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("LINES", "6")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    terminal = Terminal(120)
    terminal.write(watched(seen=[SEEN]).out)
    assert len(terminal.lines) == 4
    assert terminal.lines[-1].startswith("... and ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "No resources found in default namespace."),
        (["-n", "shop"], "No resources found in shop namespace."),
        (["-A"], "No resources found"),
        (["deploy"], "No resources found in default namespace."),
    ],
)
def test_says_as_kubectl_that_there_is_nothing(empty_cluster: EmptyCluster, arguments: list[str], told: str) -> None:
    assert empty_cluster("status", *arguments) == Ended(code=0, out="", err=f"{told}\n")
    assert empty_cluster.writes == []


def test_an_empty_document_is_one(empty_cluster: EmptyCluster) -> None:
    ended = empty_cluster("status", "-o", "json")
    assert (ended.code, ended.err, json.loads(ended.out)["pods"]) == (0, "", [])


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("deployment/web", 'deployments.apps "web" not found'),
        ("pod/web-1", 'pods "web-1" not found'),
        ("node/a", 'nodes "a" not found'),
    ],
)
def test_what_is_named_has_to_be_there(empty_cluster: EmptyCluster, named: str, told: str) -> None:
    assert empty_cluster("status", named) == Ended(code=1, out="", err=f"Error from server (NotFound): {told}\n")


@pytest.mark.parametrize("arguments", [[], ["-w"]], ids=["once", "watched"])
def test_what_is_there_is_printed_before_what_is_not(
    shown: CommandLine, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    seen = replace(SEEN, missing=('pods "x"', 'pods "y"'))
    monkeypatch.setattr("kubectl_safe.run.status.Status.look", lambda _: seen)
    monkeypatch.setattr("kubectl_safe.run.status.Status.follow", lambda _, tell: tell(seen))
    ended = shown("status", "po", "web-1", "web-2", "x", "y", "-o", "name", *arguments)
    told = "".join(f'Error from server (NotFound): pods "{name}" not found\n' for name in "xy")
    assert ended == Ended(code=1, out="pod/web-1\npod/web-2\n", err=told)


@pytest.mark.parametrize(
    ("arguments", "columns", "names"),
    [
        pytest.param(["--watch=false"], "", ["web-1", "web-2"], id="in a pipe"),
        pytest.param(["--watch=false"], "80", ["web-2", "web-1"], id="on a screen"),
        pytest.param([], "", ["web-2", "web-1"], id="watched"),
        pytest.param(["-o", "name"], "", ["pod/web-1", "pod/web-2"], id="for programs"),
    ],
)
def test_who_is_under_way_comes_first_where_people_look(
    watched: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch, arguments: list[str], columns: str, names: list[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    seen = looked_at(a_cluster(a_pod("web-2", withdrawn=True), without=[f"web-{n}" for n in range(3, 7)]))
    lines = watched(*arguments, seen=[seen]).out.splitlines()
    assert [line.split()[0] for line in lines if line.startswith(("web-", "pod/"))] == names


def test_all_namespaces_have_a_column_also_where_there_is_one(shown: CommandLine) -> None:
    assert [line for line in shown("status", "-A").out.splitlines() if line.startswith("NAMESPACE ")]
    assert not [line for line in shown("status").out.splitlines() if line.startswith("NAMESPACE ")]


def test_an_interruption_ends_a_watch_as_any_other_command(
    empty_cluster: EmptyCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kubectl_safe.run.onlooker.Onlooker.wait", wait)
    ended = empty_cluster("status", "-w", "-n", "shop")
    assert (ended.code, ended.err.splitlines()[-1]) == (
        130,
        "error: interrupted: it was only looked at, and nothing was changed",
    )


@pytest.fixture
def reader(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """`kubectl safe` by somebody who may do these things only, in a namespace with one pod."""
    raw = {
        "metadata": {"namespace": "shop", "name": "web-1", "uid": uid("web-1"), "resourceVersion": "1"},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }

    @contextmanager
    def server(allowed: frozenset[str]) -> Iterator[str]:
        def script(asked: Asked) -> Answer | Feed:
            if is_review(asked):
                its = asked.json["spec"]["resourceAttributes"]
                return GRANTED if its["resource"] in allowed else Answer(body={"status": {"allowed": False}})
            resource = asked.path.rpartition("/")[2]
            if asked.path == "/apis":
                return Answer(body={"groups": []})
            if resource not in allowed:
                return Answer(status=403, body={"message": f"{resource} is forbidden"})
            if asked.is_watch:
                return Feed()
            return Answer(body={"metadata": {"resourceVersion": "1"}, "items": [raw] if resource == "pods" else []})

        with ApiServer(script) as its:
            yield its.kubeconfig(tmp_path)

    def call(*arguments: str, allowed: set[str]) -> Ended:
        with server(frozenset(allowed)) as kubeconfig:
            code = run([*arguments, "--kubeconfig", kubeconfig, "-n", "shop"])
        told = capsys.readouterr()
        return Ended(code=code, out=told.out, err=told.err)

    return call


def test_whoever_may_only_read_pods_sees_pods_and_is_told_what_is_missing(reader: Callable[..., Ended]) -> None:
    ended = reader("status", allowed={"pods"})
    assert ended.code == 0
    assert ended.out.splitlines()[1].split()[:3] == ["web-1", "True", "-"]
    warnings = ended.err.splitlines()
    assert all(line.startswith("Warning: ") for line in warnings)
    here = "in namespace shop"
    assert warnings[:2] == [
        f"Warning: without the right to list and watch services {here}, Services and target groups are not shown",
        f"Warning: without the right to list and watch endpointslices.discovery.k8s.io {here}, slices are not shown",
    ]
    assert len(warnings) == len({line.split(", ")[0] for line in warnings}) < 14


def test_a_right_without_which_there_is_nothing_to_see_is_named(reader: Callable[..., Ended]) -> None:
    ended = reader("status", allowed={"services"})
    assert (ended.code, ended.out) == (1, "")
    assert "  list pods in namespace shop\n  watch pods in namespace shop\n" in ended.err
    assert "  list deployments.apps in namespace shop\n" in reader("status", "deploy/web", allowed={"pods"}).err
