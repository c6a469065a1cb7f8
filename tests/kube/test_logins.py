"""Logins outlive their first token, lead to one cluster all along, and are told in words where they can't be had."""

import json
import stat
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kubectl_safe.kube import config, credentials
from kubectl_safe.kube.client import Client, connect
from kubectl_safe.kube.errors import ApiError, ConfigError, Unreachable
from kubectl_safe.model.connection import Connection
from kubectl_safe.run.clock import now
from kubectl_safe.sandbox.certificates import CertificateAuthority
from tests.support.api_server import Answer, ApiServer, Asked, Feed, a_status, write_kubeconfig
from tests.support.tls_server import TlsServer, Visit, write_config

PATH = "/api/v1/namespaces/default/pods/a"
BEGIN = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)


class Clock:
    """A clock that a test sets, and that plugins of the test read from a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.at = BEGIN
        self.forward(0)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self._file.write_text(f"{self.at.timestamp():.0f}")


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "clock")


def a_plugin(folder: Path, *, lives: int) -> dict[str, Any]:
    """Return a user whose plugin gives tokens that say when they expire, and live so many seconds."""
    file = folder / "plugin"
    told = '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"until-%s","expirationTimestamp":"%s"}}'  # noqa: E501 - one line, as plugins write it
    file.write_text(
        f"#!/bin/sh\necho run >> {folder}/runs\nuntil=$(($(cat {folder}/clock) + {lives}))\n"
        f"printf '{told}' $until $(date -u -d @$until +%Y-%m-%dT%H:%M:%SZ)\n"
    )
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    version = "client.authentication.k8s.io/v1"
    return {"exec": {"apiVersion": version, "command": "./plugin", "interactiveMode": "Never"}}


def runs(folder: Path) -> int:
    return (folder / "runs").read_text().count("run")


def checking(clock: Clock) -> Any:
    """Return a server's script that takes no token after its time."""

    def script(asked: Asked) -> Answer:
        until = int(asked.headers["Authorization"].removeprefix("Bearer until-"))
        return Answer() if clock.at.timestamp() < until else a_status(401, "Unauthorized", "Unauthorized")

    return script


def test_a_run_outlives_tokens_of_twenty_seconds_and_the_plugin_is_run_once_for_each(
    tmp_path: Path, clock: Clock
) -> None:
    with ApiServer(checking(clock)) as server:
        kubeconfig = server.kubeconfig(tmp_path, user=a_plugin(tmp_path, lives=20))
        client = connect(Connection(kubeconfig=kubeconfig), now=clock)
        for _ in range(120):
            client.request("PATCH", PATH, body={})
            clock.forward(1)
        client.close()
    # 120 writes, each sent once: none was refused for its token.
    assert len(server.asked) == 120
    assert runs(tmp_path) == 6


def test_a_token_that_the_server_refuses_before_its_time_is_replaced(tmp_path: Path, clock: Clock) -> None:
    refused: list[Asked] = []

    def script(asked: Asked) -> Answer:
        if refused:
            return Answer()
        refused.append(asked)
        return a_status(401, "Unauthorized", "Unauthorized")

    with ApiServer(script) as server:
        kubeconfig = server.kubeconfig(tmp_path, user=a_plugin(tmp_path, lives=900))
        client = connect(Connection(kubeconfig=kubeconfig), now=clock)
        client.request("PATCH", PATH, body={})
        client.close()
    assert (len(server.asked), runs(tmp_path)) == (2, 2)


def test_many_threads_with_one_expired_token_run_the_plugin_once(tmp_path: Path, clock: Clock) -> None:
    with ApiServer(checking(clock)) as server:
        kubeconfig = server.kubeconfig(tmp_path, user=a_plugin(tmp_path, lives=20))
        client = connect(Connection(kubeconfig=kubeconfig), now=clock)
        clock.forward(30)
        threads = [threading.Thread(target=client.request, args=("GET", PATH)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        client.close()
    assert (len(server.asked), runs(tmp_path)) == (8, 2)


def test_a_watch_is_opened_with_a_token_of_now(tmp_path: Path, clock: Clock) -> None:
    with ApiServer(lambda _: Feed().end()) as server:
        kubeconfig = server.kubeconfig(tmp_path, user=a_plugin(tmp_path, lives=20))
        client = connect(Connection(kubeconfig=kubeconfig), now=clock)
        clock.forward(30)
        list(client.stream(PATH, {"watch": "true"}, 5))
        client.close()
    [asked] = server.asked
    assert asked.headers["Authorization"] == f"Bearer until-{clock.at.timestamp() + 20:.0f}"


def test_a_plugin_that_fails_later_is_an_error_of_that_request_and_may_come_back(tmp_path: Path, clock: Clock) -> None:
    with ApiServer(lambda _: Answer()) as server:
        kubeconfig = server.kubeconfig(tmp_path, user=a_plugin(tmp_path, lives=20))
        client = connect(Connection(kubeconfig=kubeconfig), now=clock)
        clock.forward(30)
        (tmp_path / "plugin").rename(tmp_path / "away")
        with pytest.raises(ApiError, match=r"expired: getting credentials: exec: executable .*/plugin not found"):
            client.request("GET", PATH)
        (tmp_path / "away").rename(tmp_path / "plugin")
        assert client.request("GET", PATH) == {}
        client.close()


def saying(status: str, version: str = "client.authentication.k8s.io/v1") -> str:
    return f"""echo '{{"kind":"ExecCredential","apiVersion":"{version}","status":{status}}}'"""


ODD = [
    pytest.param("echo no", "its output is no ExecCredential", id="no JSON"),
    pytest.param("echo 5", "its output is no ExecCredential", id="a number"),
    pytest.param("echo '{}'", "its output is no ExecCredential", id="nothing"),
    pytest.param("printf '[%.0s' $(seq 100000)", "its output is no ExecCredential", id="deep JSON"),
    pytest.param("exit 3", "exec: process returned 3", id="a failure"),
    pytest.param("echo no such profile >&2; exit 255", "process returned 255. no such profile", id="its own words"),
    pytest.param("echo hunter2; exit 1", "exec: process returned 1", id="a failure after a token"),
    pytest.param(saying("{}", "x/v9"), "wanted is", id="another version"),
    pytest.param(saying("{}"), "neither a token nor a certificate", id="no token"),
    pytest.param(saying('{"token":"hunter2 x"}'), "plugin can't be sent", id="a token with a space"),
    pytest.param(saying('{"token":["hunter2"]}'), "its output is no ExecCredential", id="a token that is no text"),
    pytest.param(
        saying('{"clientCertificateData":"hunter2"}'), "have to come together", id="a certificate without its key"
    ),
]


@pytest.mark.parametrize(("script", "why"), ODD)
def test_what_a_plugin_says_amiss_is_told_and_its_output_is_not_shown(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], script: str, why: str
) -> None:
    user = a_plugin(tmp_path, lives=1)
    (tmp_path / "plugin").write_text(f"#!/bin/sh\n{script}\n")
    kubeconfig = write_kubeconfig(tmp_path, "https://127.0.0.1:1", user=user)
    with pytest.raises(ConfigError) as raised:
        connect(Connection(kubeconfig=kubeconfig), now=now)
    assert why in str(raised.value)
    assert "hunter2" not in str(raised.value)
    assert capfd.readouterr() == ("", "")


def test_whoever_makes_another_context_the_current_one_does_not_lead_a_run_elsewhere(tmp_path: Path) -> None:
    def script(asked: Asked) -> Answer:
        is_old = asked.headers["Authorization"] == "Bearer old"
        return a_status(401, "Unauthorized", "Unauthorized") if is_old else Answer()

    with ApiServer(script) as mine, ApiServer(lambda _: Answer()) as theirs:
        whole: dict[str, Any] = {
            "clusters": {"mine": {"server": mine.url}, "theirs": {"server": theirs.url}},
            "users": {"me": {"token": "old"}},
            "contexts": {name: {"cluster": name, "user": "me"} for name in ("mine", "theirs")},
        }
        file = tmp_path / "config"
        client = connect(Connection(kubeconfig=write_config(file, **whole, current="mine")), now=now)
        write_config(file, **{**whole, "users": {"me": {"token": "new"}}}, current="theirs")
        client.request("PATCH", PATH, body={})
        assert [asked.headers["Authorization"] for asked in mine.asked] == ["Bearer old", "Bearer new"]
        whole["clusters"]["mine"]["server"] = theirs.url
        write_config(file, **whole, current="mine")
        mine.script = lambda _: a_status(401, "Unauthorized", "Unauthorized")
        with pytest.raises(ApiError, match="has another server now"):
            client.request("PATCH", PATH, body={})
        assert theirs.asked == []
        client.close()


@pytest.fixture
def in_pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TlsServer]:
    """The server of the cluster that we run in; the service account is in the test's folder."""
    authority = CertificateAuthority(tmp_path)
    monkeypatch.setattr(config, "_SERVICE_ACCOUNT", tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("KUBECONFIG", "POD_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "token").write_text("of-the-pod\n")
    (tmp_path / "namespace").write_text("team\n")
    with TlsServer("cluster", authority) as server:
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.port))
        yield server


def ask(client: Client) -> None:
    client.request("GET", "/probe")


def shown(server: TlsServer) -> list[str]:
    return [visit.header("authorization") for visit in server.visits]


def test_in_a_pod_its_service_account_is_used(in_pod: TlsServer) -> None:
    client = connect(Connection(), now=now)
    assert client.namespace == "team"
    ask(client)
    assert shown(in_pod) == ["Bearer of-the-pod"]
    client.close()


def test_in_a_pod_the_token_is_read_again_after_a_minute_and_at_once_where_it_is_refused(
    in_pod: TlsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [0.0]
    monkeypatch.setattr(credentials, "monotonic", lambda: seconds[0])
    client = connect(Connection(), now=now)
    ask(client)
    (tmp_path / "token").write_text("second\n")
    seconds[0] = 59
    ask(client)
    seconds[0] = 61
    ask(client)
    (tmp_path / "token").write_text("third\n")
    in_pod.status = lambda visit: 200 if visit.header("authorization") == "Bearer third" else 401
    ask(client)
    client.close()
    tokens = ["of-the-pod", "of-the-pod", "second", "second", "third"]
    assert shown(in_pod) == [f"Bearer {token}" for token in tokens]


def test_in_a_pod_flags_go_before_its_service_account(in_pod: TlsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POD_NAMESPACE", "mine")
    client = connect(Connection(token="of-the-flag", as_user="jane", as_groups=("dev",)), now=now)
    assert client.namespace == "mine"
    ask(client)
    client.close()
    headers = (("authorization", "Bearer of-the-flag"), ("impersonate-group", "dev"), ("impersonate-user", "jane"))
    assert in_pod.visits == [Visit(server="cluster", path="/probe", headers=headers, subject="")]


@pytest.mark.parametrize(
    ("file", "text", "why"),
    [
        ("token", "", "the file is empty"),
        ("token", "a b", "has characters that no token has"),
        ("ca.crt", "no", "the certificate authority can't be used"),
        ("ca.crt", "é", "it is not PEM"),
    ],
)
def test_a_service_account_that_can_not_be_used_is_told_of(
    in_pod: TlsServer, tmp_path: Path, file: str, text: str, why: str
) -> None:
    (tmp_path / file).write_text(text)
    with pytest.raises(ConfigError, match="the service account of this pod can't be used: ") as raised:
        connect(Connection(), now=now)
    assert why in str(raised.value)
    assert in_pod.visits == []


def test_impersonation_reaches_watches_writes_and_reviews(tmp_path: Path) -> None:
    answers = {"watch": Feed().end()}
    with ApiServer(lambda asked: answers["watch"] if asked.is_watch else Answer()) as server:
        connection = Connection(kubeconfig=server.kubeconfig(tmp_path), as_user="jane", as_groups=("dev",), as_uid="7")
        client = connect(connection, now=now)
        list(client.stream(PATH, {"watch": "true"}, 5))
        client.request("PATCH", PATH, body={})
        client.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body={})
        client.close()
    who = {"Impersonate-User": "jane", "Impersonate-Group": "dev", "Impersonate-Uid": "7"}
    assert [{name: asked.headers.get(name) for name in who} for asked in server.asked] == [who] * 3


def test_a_timeout_of_requests_ends_no_watch(tmp_path: Path) -> None:
    feed = Feed(b'{"a":1}\n')
    with ApiServer(lambda asked: feed if asked.is_watch else Feed()) as server:
        connection = Connection(kubeconfig=server.kubeconfig(tmp_path), request_timeout=timedelta(seconds=0.2))
        client = connect(connection, now=now)
        stream = client.stream(PATH, {"watch": "true"}, 5)
        lines = iter(stream)
        assert next(lines) == b'{"a":1}'
        with pytest.raises(ApiError, match="can't be reached: "):
            client.request("POST", PATH, body={})
        # That took longer than a request may take, and the watch goes on.
        feed.send(b'{"b":2}\n')
        assert next(lines) == b'{"b":2}'
        stream.close()
        with pytest.raises(Unreachable, match="was cut"):
            next(lines)
        client.close()


def test_a_timeout_of_requests_is_for_the_whole_answer(tmp_path: Path) -> None:
    answer = Feed()
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.05):
            answer.send(b" ")

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        with ApiServer(lambda _: answer) as server:
            connection = Connection(kubeconfig=server.kubeconfig(tmp_path), request_timeout=timedelta(seconds=0.5))
            client = connect(connection, now=now)
            with pytest.raises(ApiError, match="gave no whole answer in time; --request-timeout may be longer"):
                client.request("POST", PATH, body={})
            client.close()
    finally:
        stop.set()
        thread.join()


def oidc(**fields: str) -> dict[str, Any]:
    return {"auth-provider": {"name": "oidc", "config": fields}}


def test_the_token_of_an_auth_provider_is_used(tmp_path: Path) -> None:
    # Of a token that tells when it expires; it does so in 2100.
    token = "e30.eyJleHAiOjQxMDI0NDQ4MDB9.c2ln"
    with ApiServer(lambda _: Answer()) as server:
        client = connect(Connection(kubeconfig=server.kubeconfig(tmp_path, user=oidc(**{"id-token": token}))), now=now)
        client.request("GET", PATH)
        client.close()
    assert [asked.headers["Authorization"] for asked in server.asked] == [f"Bearer {token}"]


@pytest.mark.parametrize("fields", [{}, {"id-token": "hunter2"}, {"id-token": "e30.hunter2.x"}], ids=repr)
def test_an_auth_provider_without_a_token_is_told_of(tmp_path: Path, fields: dict[str, str]) -> None:
    kubeconfig = write_kubeconfig(tmp_path, "https://127.0.0.1:1", user=oidc(**fields))
    with pytest.raises(ConfigError, match="auth-provider") as raised:
        connect(Connection(kubeconfig=kubeconfig), now=now)
    assert "hunter2" not in str(raised.value)


def test_an_auth_provider_where_nothing_can_read_it_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kubernetes.config.kube_config", None)
    kubeconfig = write_kubeconfig(tmp_path, "https://127.0.0.1:1", user=oidc(**{"id-token": "x"}))
    with pytest.raises(ConfigError, match=r"an auth-provider can't be used here; use a plugin \(exec\)"):
        connect(Connection(kubeconfig=kubeconfig), now=now)


def test_no_credential_is_sent_in_clear_to_another_machine(tmp_path: Path) -> None:
    for server, is_shown in (("http://127.0.0.1:1", True), ("http://localhost:1", True), ("http://192.0.2.1", False)):
        client = connect(Connection(kubeconfig=write_kubeconfig(tmp_path, server)), now=now)
        assert ("Authorization" in client._session.headers()) is is_shown
        client.close()


def test_a_token_that_the_server_repeats_is_not_shown(tmp_path: Path) -> None:
    with ApiServer(lambda asked: a_status(403, "Forbidden", f"not with {asked.headers['Authorization']}")) as server:
        client = connect(Connection(kubeconfig=server.kubeconfig(tmp_path), token="a-long-token"), now=now)
        with pytest.raises(ApiError) as raised:
            client.request("PATCH", PATH, body={})
        client.close()
    assert str(raised.value) == "not with Bearer <masked>"
    assert "a-long-token" not in repr(Connection(token="a-long-token"))


def test_no_key_is_left_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = CertificateAuthority(tmp_path)
    certificate, key = authority.issue("me", is_client=True)
    temp = tmp_path / "temp"
    temp.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temp))
    with TlsServer("one", authority) as server:
        fields = {"client-certificate": str(certificate), "client-key": str(key)}
        whole = {"clusters": {"c": server.cluster()}, "users": {"me": fields}}
        context = {"here": {"cluster": "c", "user": "me"}}
        file = write_config(tmp_path / "config", **whole, contexts=context, current="here")
        client = connect(Connection(kubeconfig=file), now=now)
        assert list(temp.iterdir()) == []
        ask(client)
        client.close()
    assert [visit.subject for visit in server.visits] == ["me"]


def test_a_kubeconfig_that_is_nested_without_end_is_told_of(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(json.dumps({"a": "b"}).replace('"b"', "[" * 5000))
    with pytest.raises(ConfigError, match=r'error loading config file ".*": yaml'):
        connect(Connection(kubeconfig=str(file)), now=now)
