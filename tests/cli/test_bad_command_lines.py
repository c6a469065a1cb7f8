"""Hundreds of command lines that can't be meant: exit code 1 or 2, a line that says what is wrong, nothing written."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubectl_safe.model.errors import FROM_SERVER
from tests.cli.conftest import EmptyCluster

DRAIN = ["drain", "node-1"]
RESTART = ["rollout", "restart", "deployment/web"]
WATCH = ["rollout", "status", "deployment/web", "--watch=false"]
ABORT = ["abort", "deployment/web"]
UNCORDON = ["uncordon", "node-1"]
STARTS = {
    "drain": DRAIN,
    "restart": RESTART,
    "rollout status": WATCH,
    "abort": ABORT,
    "uncordon": UNCORDON,
    "check": ["check"],
    "status": ["status"],
}
RUNS = (DRAIN, RESTART)

NO_DURATION = ["", "x", "5", "-5s", "5x", "1h 5m", "s", "1e3s", "٣s", "9999999999999h", "1m-5s"]
NO_COUNT = ["", "-1", "1.5", "x", "25 %", "%", "٣", "1e3", "99999999999", "0x10", "--1"]
NO_NAME = ["a/b", "a%2fb", "..", ".", "../x", "%"]
NO_NAMESPACE = ["a/b", "..", ".", "UPPER", "-a", "a-", "a_b", "a b", "a" * 64, "é", "a.b", "\x1b[2J", "a\nb"]
NO_LEVEL = ["", "11", "-1", "x", "1.0", "debug", "٣"]
NO_SELECTOR = ["a=b=", "a>b", "a in (b", "a,", ",", "=b", "a in b", "!", "a!", "a notin", "a in ()x", "(a)", "a=b c"]
NO_FORMAT = ["xml", "JSON", "yaml,json", "jsonpath={.x}", "go-template=x", "custom-columns=A:.b"]
NO_DRY_RUN = ["maybe", "true", "Client", "server,client", "1"]
NO_HEADER = ["a\nb", "a\x1bb", "a\x00b"]
NO_TOKEN = ["a b", "a\nb", "é", "a\x00b", " "]


def lines() -> Iterator[list[str]]:
    """Yield them."""
    yield from of_values()
    yield from of_flags()
    yield from of_arguments()
    yield from of_connections()
    yield from by_hand()


def of_values() -> Iterator[list[str]]:
    """Yield flags with values that they don't take."""
    for start in RUNS:
        yield from ([*start, flag, value] for flag in ("--settle", "--timeout") for value in NO_DURATION)
        yield from ([*start, f"--drain-wait={value}", "--allow=unseen-targets"] for value in NO_DURATION)
        yield from ([*start, f"{flag}={v}"] for flag in ("--max-surge", "--max-unavailable") for v in NO_COUNT)
        yield from ([*start, f"--max-draining={value}"] for value in [*NO_COUNT, "0", "10%"])
        yield from ([*start, "--allow", value] for value in ("", "all", "Downtime", "downtime,x", "downtime mesh"))
        yield from ([*start, "--probe", url] for url in ("", "x", "ftp://x/", "http://", "http://[::1", "http://a b/"))
        yield from ([*start, f"--dry-run={value}"] for value in NO_DRY_RUN)
        yield from ([*start, "--report", path] for path in ("", "/nowhere/report.html", "/", "a\x00b"))
    yield from ([*DRAIN, f"--grace-period={value}"] for value in ("", "x", "1.5", "10s", "9" * 11, "٣"))
    yield from ([*DRAIN, "--pod-selector", value] for value in NO_SELECTOR)
    yield from (["rollout", "restart", "deployment", "-l", value] for value in NO_SELECTOR)
    yield from (["status", "-l", value] for value in NO_SELECTOR)
    yield from ([*WATCH, f"--revision={value}"] for value in ("", "-1", "x", "1.5"))
    yield from ([*STARTS[name], "-o", value] for name in STARTS if name != "rollout status" for value in NO_FORMAT)
    yield from (["check", "--fail-on", value] for value in ("", "x", "ERROR", "none"))
    yield from (["check", flag, value] for flag in ("--ignore", "--explain") for value in ("x", "gates", "a,b"))


def of_flags() -> Iterator[list[str]]:
    """Yield flags that there are not, or that lack their value."""
    for start in STARTS.values():
        yield [*start, "--frobnicate"]
        yield [*start, "--frobnicate=1"]
        yield [*start, "-Z"]
        yield [*start, "--context"]
        yield [*start, "-s"]
        yield [*start, "---"]
        yield from ([*start, f"-v={value}"] for value in NO_LEVEL)
    for start in RUNS:
        yield from ([*start, flag] for flag in ("--settle", "--max-surge", "--allow", "--report", "-n", "-o"))
        yield [*start, "--nudge=maybe"]
        yield [*start, "--fail-fast=maybe"]
        yield [*start, "--allow", "unseen-targets"]
        yield [*start, "--drain-wait", "5m"]
        yield [*start, "--max-surge=0", "--max-unavailable=0%"]
        yield [*start, "--dry-run", "--report", "r.html"]


def of_arguments() -> Iterator[list[str]]:
    """Yield what is named in a way that names nothing."""
    for name in NO_NAME:
        yield ["drain", name]
        yield ["drain", f"node/{name}"]
        yield ["uncordon", name]
        yield ["rollout", "restart", f"deployment/{name}"]
        yield ["rollout", "restart", "deployment", name]
        yield ["rollout", "status", f"deployment/{name}"]
        yield ["check", f"deployment/{name}"]
        yield ["status", f"deployment/{name}"]
        yield ["abort", f"deployment/{name}/x"]
    for value in NO_NAMESPACE:
        yield from ([*start, "-n", value] for start in STARTS.values() if start is not UNCORDON)
    for kind in ("job/x", "pod/x", "svc/x", "", "/", "/x", "deployment/", "x/y/z"):
        yield ["rollout", "restart", kind]
        yield ["rollout", "status", kind]
        yield ["abort", kind]
        yield ["drain", kind]


def of_connections() -> Iterator[list[str]]:
    """Yield what leads to no cluster."""
    for start in STARTS.values():
        yield [*start, "--context=there"]
        yield [*start, "--cluster=there"]
        yield [*start, "--user=there"]
        yield [*start, "--as-group=dev"]
        yield [*start, "--as-uid=7"]
        yield [*start, "-s=https://"]
        yield [*start, "-s=http://[::1"]
        yield [*start, "-s=ftp://127.0.0.1:1"]
        yield [*start, "--certificate-authority=/nowhere", "-s=https://127.0.0.1:1"]
        yield [*start, "--insecure-skip-tls-verify", "--certificate-authority=/nowhere", "-s=https://127.0.0.1:1"]
        yield [*start, "--client-certificate=/nowhere", "--client-key=/nowhere", "-s=https://127.0.0.1:1"]
        yield [*start, "--client-certificate=/dev/null", "-s=https://127.0.0.1:1"]
        yield from ([*start, f"--request-timeout={value}"] for value in ("", "x", "-1", "5x", "1.5"))
    for value in NO_HEADER:
        yield from ([*DRAIN, f"{flag}={value}"] for flag in ("--as", "--as-group", "--as-uid"))
    yield from ([*DRAIN, f"--token={value}"] for value in NO_TOKEN)


def by_hand() -> Iterator[list[str]]:
    """Yield what fits nowhere else."""
    yield from (
        ["frobnicate"],
        ["Drain", "node-1"],
        ["drain"],
        ["drain", "--force"],
        ["drain", "node-1", "-l", "a=b"],
        ["drain", "--", "--force"],
        ["uncordon"],
        ["abort"],
        ["abort", "node-1"],
        ["abort", "node", "node-1"],
        ["rollout", "undo", "deployment/web"],
        ["rollout", "restart"],
        ["rollout", "restart", "deployment"],
        ["rollout", "restart", "deployment/web", "sts/db"],
        ["rollout", "restart", "deployment/web", "-l", "a=b"],
        ["rollout", "restart", "deployment", "web", "sts/db"],
        ["rollout", "restart", "--all"],
        ["rollout", "status"],
        ["rollout", "pause", "deployment/web"],
        ["status", "-A", "deployment/web"],
        ["status", "job/x"],
        ["status", "deployment", "a", "-l", "a=b"],
        ["check", "-A", "deployment/web"],
        ["check", "job/x"],
        ["check", "deployment"],
        ["rbac", "--for", "x"],
        ["rbac", "--for", "drain", "-n", "shop"],
        ["rbac", "--cluster", "-n", "shop"],
        ["rbac", "--serviceaccount", "x"],
        ["rbac", "--serviceaccount", ":x"],
        ["rbac", "--name", "a/b"],
        ["rbac", "-o", "json"],
        ["rbac", "--assume-role", "x"],
        ["rbac", "x"],
        ["demo", "x"],
        ["demo", "--pods", "0"],
        ["demo", "--pods", "many"],
        ["demo", "--nodes", "1"],
        ["demo", "--rate", "-1"],
        ["demo", "--seed", "x"],
        ["demo", "--deregistration-delay", "11m"],
        ["demo", "--keep", "--report", "r.html"],
        ["version", "x"],
        ["version", "--short"],
        ["--frobnicate"],
        ["-x"],
        [""],
        ["\x1b[2J"],
        ["drain", "a\x1b[2J"],
        ["drain", "node-1", "--\x1b[2J"],
    )


LINES = list(dict.fromkeys(map(tuple, lines())))
OF_FAULTS = ("Traceback", "kubectl-safe failed", "Error:", "Exception")


def test_there_are_hundreds() -> None:
    assert len(LINES) >= 300


@pytest.fixture
def cluster(empty_cluster: EmptyCluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[EmptyCluster]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", empty_cluster.kubeconfig)
    monkeypatch.setattr("kubectl_safe.kube.backoff.random.uniform", lambda *_: 0.001)
    yield empty_cluster
    assert empty_cluster.writes == []


def refused(arguments: tuple[str, ...], code: int, out: str, err: str) -> str:
    """Return what is wrong with how a command line was refused."""
    first = err.split("\n", 1)[0]
    if code not in {1, 2}:
        return f"{arguments}: exit code {code}: {out[-200:]}"
    if not first.startswith(("error: ", FROM_SERVER)) or len(first) < len("error: 12345"):
        return f"{arguments}: {first!r} says nothing"
    if any(word in err for word in OF_FAULTS) or err.count("\n") > 6:
        return f"{arguments}: {err}"
    if any(not letter.isprintable() and letter != "\n" for letter in out + err):
        return f"{arguments}: {err!r} has what a terminal obeys"
    return ""


@pytest.mark.parametrize("slot", range(16))
def test_a_bad_command_line_is_refused_in_a_line_and_writes_nothing(cluster: EmptyCluster, slot: int) -> None:
    found = []
    for arguments in LINES[slot::16]:
        ended = cluster.run(*arguments)
        found.append(refused(arguments, ended.code, ended.out, ended.err))
    assert list(filter(None, found)) == []


REAL = [DRAIN, ["drain", "node-1", "--settle", "x"], ["frobnicate"], [*RESTART, "--token=a b"], ["check", "job/x"]]


@pytest.mark.parametrize("arguments", REAL, ids=" ".join)
def test_the_executable_refuses_as_its_entry_point_does(cluster: EmptyCluster, arguments: list[str]) -> None:
    command = [sys.executable, "-m", "kubectl_safe", *arguments]
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path})
    ended = cluster.run(*arguments)
    assert refused(tuple(arguments), done.returncode, done.stdout, done.stderr) == ""
    assert (done.returncode, done.stdout, done.stderr) == (ended.code, ended.out, ended.err)
