"""Reads are tried again, writes never; every failure has words; credentials outlive their first token."""

import json
import socket
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kubectl_safe.kube import config
from kubectl_safe.kube.client import connect
from kubectl_safe.kube.errors import ApiError, ConfigError, Unreachable
from kubectl_safe.model.connection import Connection
from tests.kube.conftest import NOON, Serve
from tests.support.api_server import Answer, ApiServer, Asked, Cut, Feed, a_status, write_kubeconfig

PATH = "/api/v1/namespaces/default/pods/a"
WRITES = ["POST", "PUT", "PATCH", "DELETE"]


def in_turn(*answers: Answer | Feed | Cut) -> Any:
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


@pytest.mark.parametrize(
    "failure",
    [
        a_status(429, "TooManyRequests", "too many requests, please try again later"),
        a_status(500, "InternalError"),
        a_status(503, "ServiceUnavailable"),
        a_status(504, "Timeout"),
        Cut(),
    ],
    ids=["flow control", "internal error", "unavailable", "timeout", "cut"],
)
def test_a_read_that_fails_for_the_moment_is_tried_again(serve: Serve, failure: Answer | Cut) -> None:
    server, client = serve(in_turn(failure, Answer(body={"kind": "Pod"})))
    assert client.request("GET", PATH) == {"kind": "Pod"}
    assert len(server.asked) == 2


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize(
    "failure",
    [a_status(429), a_status(500), a_status(503), Cut()],
    ids=["flow control", "internal error", "unavailable", "cut"],
)
def test_a_write_is_never_sent_twice(serve: Serve, method: str, failure: Answer | Cut) -> None:
    server, client = serve(lambda _: failure)
    with pytest.raises(ApiError):
        client.request(method, PATH, body={})
    assert len(server.asked) == 1


@pytest.mark.parametrize("code", [400, 403, 404, 409, 410, 422])
def test_a_refusal_of_a_read_is_final(serve: Serve, code: int) -> None:
    server, client = serve(lambda _: a_status(code))
    with pytest.raises(ApiError) as raised:
        client.request("GET", PATH)
    assert raised.value.status == code
    assert len(server.asked) == 1


def test_a_read_is_given_up_after_some_tries(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubectl_safe.kube.backoff.random.uniform", lambda *_: 0.01)
    server, client = serve(lambda _: a_status(503))
    with pytest.raises(ApiError):
        client.request("GET", PATH)
    assert len(server.asked) == 5


def test_a_read_waits_as_long_as_the_server_wants(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    busy = Answer(status=429, body=b"slow down", headers={"Retry-After": "7"})
    endless = Answer(status=429, body=b"slow down", headers={"Retry-After": "3600"})
    _, client = serve(in_turn(busy, endless, Answer()))
    monkeypatch.setattr(client._closed, "wait", waited.append)
    client.request("GET", PATH)
    assert waited == [7, 30]


def test_a_refusal_keeps_the_servers_words_and_the_budgets_figures(serve: Serve) -> None:
    words = "Cannot evict pod as it would violate the pod's disruption budget."
    figures = "The disruption budget web needs 2 healthy pods and has 2 currently"
    _, client = serve(lambda _: a_status(429, "TooManyRequests", words, causes=(("DisruptionBudget", figures),)))
    with pytest.raises(ApiError) as raised:
        client.request("POST", PATH, body={})
    assert str(raised.value) == f"{words} {figures}"
    assert (raised.value.reason, raised.value.causes) == ("TooManyRequests", ("DisruptionBudget",))


def test_a_refusal_tells_when_to_come_back(serve: Serve) -> None:
    _, client = serve(lambda _: Answer(status=429, body=b"slow down", headers={"Retry-After": "7"}))
    with pytest.raises(ApiError) as raised:
        client.request("POST", PATH, body={})
    assert raised.value.retry_after == 7
    assert raised.value.message == "slow down"


def test_an_answer_that_is_no_json_is_no_answer(serve: Serve) -> None:
    _, client = serve(lambda _: Answer(body=b"<html>log in</html>"))
    with pytest.raises(Unreachable, match="is it an API server"):
        client.request("POST", PATH)


def test_a_server_that_refuses_connections_is_named_with_a_remedy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client = connect(Connection(kubeconfig=write_kubeconfig(tmp_path, f"http://127.0.0.1:{port}")), now=lambda: NOON)
    with pytest.raises(Unreachable, match=rf"http://127.0.0.1:{port} can't be reached.*kubeconfig"):
        client.request("POST", PATH, body={})
    client.close()


def test_a_server_that_says_nothing_is_unreachable_after_the_timeout(serve: Serve) -> None:
    _, client = serve(lambda _: Feed())
    with pytest.raises(Unreachable):
        client.request("POST", PATH, body={}, timeout=0.1)


def test_body_and_query_go_as_they_were_given(serve: Serve) -> None:
    server, client = serve(lambda _: Answer())
    client.request(
        "PATCH", PATH, query={"dryRun": "All"}, body={"a": None}, content_type="application/merge-patch+json"
    )
    asked = server.asked[0]
    assert (asked.method, asked.path, asked.query, asked.json) == ("PATCH", PATH, {"dryRun": "All"}, {"a": None})
    assert asked.headers["Content-Type"] == "application/merge-patch+json"
    assert asked.headers["Authorization"] == "Bearer secret"
    assert asked.headers["User-Agent"].startswith("kubectl-safe/")


def test_the_servers_clock_is_compared_with_ours(serve: Serve) -> None:
    _, client = serve(lambda _: Answer())
    client.request("GET", PATH)
    # http.server sends a Date of its own; the year of our clock here is another.
    assert client.clock_offset > timedelta(days=1) or client.clock_offset < timedelta(days=-1)


def expect_token(token: str) -> Any:
    def script(asked: Asked) -> Answer:
        is_known = asked.headers.get("Authorization") == f"Bearer {token}"
        return Answer(body={"ok": True}) if is_known else a_status(401, "Unauthorized", "Unauthorized")

    return script


def test_a_token_file_that_was_replaced_is_read_again_and_the_write_done_once(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old")
    with ApiServer(expect_token("new")) as server:
        kubeconfig = server.kubeconfig(tmp_path, user={"tokenFile": str(token)})
        client = connect(Connection(kubeconfig=kubeconfig), now=lambda: NOON)
        token.write_text("new")
        assert client.request("PATCH", PATH, body={}) == {"ok": True}
        assert len(server.asked) == 2
        client.close()


def test_a_login_that_is_refused_twice_is_an_error(serve: Serve) -> None:
    server, client = serve(expect_token("other"))
    with pytest.raises(ApiError) as raised:
        client.request("GET", PATH)
    assert raised.value.status == 401
    assert len(server.asked) == 2


def a_plugin(directory: Path, script: str) -> dict[str, Any]:
    file = directory / "plugin"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": str(file),
            "interactiveMode": "Never",
        }
    }


def test_a_plugins_token_that_expired_is_replaced_before_the_next_request(tmp_path: Path) -> None:
    credential = {
        "kind": "ExecCredential",
        "apiVersion": "client.authentication.k8s.io/v1",
        "status": {"expirationTimestamp": "2020-01-01T00:00:00Z", "token": "token-COUNT"},
    }
    text = json.dumps(credential).replace("COUNT", "'$(wc -l < calls)'")
    plugin = a_plugin(tmp_path, f"cd {tmp_path}; echo >> calls; echo '{text}'")
    with ApiServer(lambda _: Answer()) as server:
        client = connect(Connection(kubeconfig=server.kubeconfig(tmp_path, user=plugin)), now=lambda: NOON)
        client.request("GET", PATH)
        client.request("GET", PATH)
        client.close()
    assert [asked.headers["Authorization"] for asked in server.asked] == ["Bearer token-2", "Bearer token-3"]


def test_a_plugin_that_fails_is_told_of_in_its_own_words(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    plugin = a_plugin(tmp_path, "exit 3")
    with pytest.raises(ConfigError, match=r"getting credentials: exec: process returned 3"):
        connect(Connection(kubeconfig=write_kubeconfig(tmp_path, "https://127.0.0.1:1", user=plugin)), now=lambda: NOON)
    assert capfd.readouterr().err == ""


def test_the_namespace_is_the_contexts(tmp_path: Path) -> None:
    for namespace, expected in (("team", "team"), ("", "default")):
        kubeconfig = write_kubeconfig(tmp_path, "http://127.0.0.1:1", namespace=namespace)
        assert connect(Connection(kubeconfig=kubeconfig, context="here"), now=lambda: NOON).namespace == expected


def test_a_context_that_is_not_there_is_an_error_in_kubectls_words(tmp_path: Path) -> None:
    kubeconfig = write_kubeconfig(tmp_path, "http://127.0.0.1:1")
    with pytest.raises(ConfigError, match=r'^context "there" does not exist$'):
        connect(Connection(kubeconfig=kubeconfig, context="there"), now=lambda: NOON)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{", "error loading config file"),
        ("", "error loading config file"),
        ("[]", "error loading config file"),
        ("contexts: []", "no current context is set"),
        ("{contexts: [{name: a, context: {cluster: b}}], current-context: a}", "can't be used"),
    ],
    ids=["not YAML", "empty", "a list", "without a current context", "without its cluster"],
)
def test_a_kubeconfig_that_cant_be_used_is_named(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(text)
    with pytest.raises(ConfigError, match=words) as raised:
        connect(Connection(kubeconfig=str(file)), now=lambda: NOON)
    assert str(file) in str(raised.value)


def test_a_kubeconfig_that_is_not_there_is_an_error_in_kubectls_words() -> None:
    with pytest.raises(ConfigError, match=r"^stat /nowhere/config: no such file or directory$"):
        connect(Connection(kubeconfig="/nowhere/config"), now=lambda: NOON)


@pytest.fixture
def no_kubeconfig(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)


@pytest.mark.usefixtures("no_kubeconfig")
def test_without_any_kubeconfig_it_is_said_how_to_name_one() -> None:
    with pytest.raises(ConfigError, match="name one with --kubeconfig or in KUBECONFIG"):
        connect(Connection(), now=lambda: NOON)


@pytest.mark.usefixtures("no_kubeconfig")
def test_in_a_pod_its_service_account_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "1")
    for name, text in (("token", "mine"), ("ca.crt", "none"), ("namespace", "team\n")):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(config, "_SERVICE_ACCOUNT", tmp_path)
    with pytest.raises(ConfigError, match="service account of this pod can't be used"):
        # The library looks in the real place, which tests don't have: that it got there is the claim.
        connect(Connection(), now=lambda: NOON)
    assert config.login(Connection()).namespace == "team"


def test_kubeconfigs_in_a_list_are_merged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = write_kubeconfig(tmp_path, "http://127.0.0.1:1", namespace="team")
    monkeypatch.setenv("KUBECONFIG", f"/nowhere/config:{file}")
    assert connect(Connection(), now=lambda: NOON).namespace == "team"


@pytest.mark.parametrize("ends", ["good", "cut", "closed"])
def test_a_stream_yields_whole_lines_until_it_ends(serve: Serve, ends: str) -> None:
    feed = Feed(b'{"a":', b"1}\n{", b'"b":2}\n')
    _, client = serve(lambda _: feed)
    stream = client.stream(PATH, {"watch": "true"}, 5)
    lines = iter(stream)
    assert [next(lines), next(lines)] == [b'{"a":1}', b'{"b":2}']
    if ends == "good":
        feed.end()
        assert list(lines) == []
        return
    if ends == "cut":
        feed.cut()
    else:
        stream.close()
    with pytest.raises(Unreachable):
        next(lines)


def test_a_stream_that_is_silent_for_too_long_is_cut(serve: Serve) -> None:
    _, client = serve(lambda _: Feed())
    with pytest.raises(Unreachable):
        list(client.stream(PATH, {"watch": "true"}, 0.1))


def test_a_stream_that_is_refused_says_so(serve: Serve) -> None:
    _, client = serve(lambda _: a_status(410, "Expired", "too old resource version"))
    with pytest.raises(ApiError, match="too old resource version"):
        client.stream(PATH, {"watch": "true"}, 5)
