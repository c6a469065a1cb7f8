"""A kubeconfig that can't be used is refused in one line that names the file, as kubectl does, and nothing is asked."""

import json
from pathlib import Path
from typing import Any

import pytest

from kubectl_safe.cli.main import run
from tests.cli.conftest import EmptyCluster

CONTEXT = {"name": "here", "context": {"cluster": "c", "user": "me"}}
CLUSTER = {"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}
USER = {"name": "me", "user": {"token": "abc"}}
WHOLE = {"current-context": "here", "contexts": [CONTEXT], "clusters": [CLUSTER], "users": [USER]}

CONTENTS = [
    pytest.param(b"", "file is empty", id="empty"),
    pytest.param(b"\x00\x01\xff\xfe", "yaml: invalid UTF-8", id="binary"),
    pytest.param(b"a: \x01", "yaml: special characters are not allowed", id="control characters"),
    pytest.param(b"a: [b", "yaml: line 1: expected ',' or ']', but got '<stream end>'", id="half of it"),
    pytest.param(b"a: b: c", "yaml: line 1: mapping values are not allowed here", id="no YAML"),
    pytest.param(b"[]", "it is a list where a Config is expected", id="a list"),
    pytest.param(b"words", "it is a str where a Config is expected", id="words"),
    pytest.param(b"5", "it is a int where a Config is expected", id="a number"),
    pytest.param(b"{}", "no current context is set", id="nothing in it"),
]


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Don't wait long for a server that isn't there to come back."""
    monkeypatch.setattr("kubectl_safe.kube.backoff.random.uniform", lambda *_: 0.001)


def ended(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = run(arguments)
    told = capsys.readouterr()
    return code, told.out, told.err


@pytest.mark.parametrize(("content", "why"), CONTENTS)
def test_a_file_that_is_no_kubeconfig_is_named_with_what_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, why: str
) -> None:
    file = tmp_path / "kubeconfig"
    file.write_bytes(content)
    code, out, err = ended(["drain", "n", "--kubeconfig", str(file)], capsys)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("error: ")
    assert str(file) in err
    assert why in err
    assert "kubectl-safe failed" not in err


ODD: list[Any] = [None, 5, "words", [], {}, [5], [None], [{}], [{"name": "here"}], [{"name": None}], True]


@pytest.mark.parametrize("value", ODD, ids=repr)
@pytest.mark.parametrize("field", list(WHOLE))
def test_a_field_of_another_shape_is_never_a_fault_of_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], field: str, value: object
) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps({**WHOLE, field: value}))
    code, _, err = ended(["drain", "n", "--kubeconfig", str(file)], capsys)
    assert code == 1
    assert err.startswith("error: ")
    assert "kubectl-safe failed" not in err


# No word alone, which would be looked up as the name of a host.
URLS = [value for value in ODD if value != "words"] + [
    "127.0.0.1:1",
    "http://[::1",
    "ftp://127.0.0.1:1/",
    "",
    "http://",
]


@pytest.mark.parametrize("value", URLS, ids=repr)
@pytest.mark.parametrize("field", ["server", "certificate-authority-data", "certificate-authority", "proxy-url"])
def test_a_cluster_of_another_shape_is_never_a_fault_of_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], field: str, value: object
) -> None:
    file = tmp_path / "kubeconfig"
    cluster = {"server": "https://127.0.0.1:1", field: value}
    file.write_text(json.dumps({**WHOLE, "clusters": [{"name": "c", "cluster": cluster}]}))
    code, _, err = ended(["drain", "n", "--kubeconfig", str(file)], capsys)
    assert code == 1
    assert err.startswith("error: ")
    assert "kubectl-safe failed" not in err


@pytest.mark.parametrize("value", ODD, ids=repr)
@pytest.mark.parametrize("field", ["token", "tokenFile", "client-certificate-data", "client-key", "exec", "username"])
def test_a_user_of_another_shape_is_never_a_fault_of_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], field: str, value: object
) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps({**WHOLE, "users": [{"name": "me", "user": {field: value}}]}))
    code, _, err = ended(["drain", "n", "--kubeconfig", str(file)], capsys)
    assert code == 1
    assert err.startswith("error: ")
    assert "kubectl-safe failed" not in err


def test_a_file_that_can_not_be_opened_is_refused_in_kubectls_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    long = "a" * 5000
    for path, why in [
        (tmp_path, f'error loading config file "{tmp_path}": read {tmp_path}: is a directory'),
        ("/nowhere/config", "stat /nowhere/config: no such file or directory"),
        (loop, f"stat {loop}: too many levels of symbolic links"),
        ("/dev/null/config", "stat /dev/null/config: not a directory"),
        (long, f"stat {long}: file name too long"),
    ]:
        assert ended(["drain", "n", "--kubeconfig", str(path)], capsys) == (1, "", f"error: {why}\n")


def test_a_file_that_may_not_be_read_is_refused_in_kubectls_words(
    locked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    why = f'error loading config file "{locked}": open {locked}: permission denied'
    assert ended(["drain", "n", "--kubeconfig", str(locked)], capsys) == (1, "", f"error: {why}\n")


def test_of_several_files_the_broken_one_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, empty_cluster: EmptyCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken"
    broken.write_text("a: [b")
    monkeypatch.setenv("KUBECONFIG", f"{empty_cluster.kubeconfig}:{broken}")
    code, _, err = ended(["drain", "n"], capsys)
    assert code == 1
    assert err.startswith(f'error: error loading config file "{broken}": yaml: line 1: ')
    assert empty_cluster.server.asked == []


@pytest.mark.parametrize("paths", ["/nowhere/config:{}", ":{}", "{}:", "{}:/dev/null/config"])
def test_of_several_files_those_that_are_not_there_are_passed_over(
    monkeypatch: pytest.MonkeyPatch, empty_cluster: EmptyCluster, capsys: pytest.CaptureFixture[str], paths: str
) -> None:
    monkeypatch.setenv("KUBECONFIG", paths.format(empty_cluster.kubeconfig))
    assert ended(["drain", "n"], capsys) == (1, "", 'Error from server (NotFound): nodes "n" not found\n')


def test_an_empty_flag_means_that_there_is_none(
    monkeypatch: pytest.MonkeyPatch, empty_cluster: EmptyCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBECONFIG", empty_cluster.kubeconfig)
    arguments = ["rollout", "restart", "deploy/web", "--kubeconfig", "", "--context", "", "-n", ""]
    assert ended(arguments, capsys) == (1, "", 'Error from server (NotFound): deployments.apps "web" not found\n')
