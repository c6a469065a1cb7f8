"""The same kubeconfigs, environment and flags lead to the same server, as the same somebody, as with kubectl."""

import base64
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kubectl_safe.cli.connection import CONNECTION
from kubectl_safe.cli.options import OPTIONS
from kubectl_safe.kube.client import connect
from kubectl_safe.model.connection import Connection, connection_of
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.run.clock import now
from kubectl_safe.sandbox.certificates import CertificateAuthority
from tests.support.tls_server import TlsServer, Visit, write_config

NAMES = ("one", "two")


@dataclass
class Place:
    """Two clusters, and kubeconfigs that lead there."""

    folder: Path
    servers: dict[str, TlsServer]
    certificates: dict[str, tuple[Path, Path]]

    def fill(self, value: Any) -> Any:
        """Put paths and ports of this place into what a row of the table says."""
        match value:
            case dict():
                return {key: self.fill(item) for key, item in value.items()}
            case list() | tuple():
                return type(value)(self.fill(item) for item in value)
            case str():
                for name, server in self.servers.items():
                    value = value.replace(f"@{name}:url", server.url).replace(f"@{name}:port", str(server.port))
                    value = value.replace(f"@{name}:ca", str(server.authority))
                for name, (certificate, key) in self.certificates.items():
                    for suffix, file in (("crt", certificate), ("key", key)):
                        value = value.replace(f"@{name}.{suffix}:data", base64.b64encode(file.read_bytes()).decode())
                        value = value.replace(f"@{name}.{suffix}", str(file))
                return value.replace("@folder", str(self.folder))
            case _:
                return value

    def visits(self) -> list[Visit]:
        found = [visit for server in self.servers.values() for visit in server.visits]
        for server in self.servers.values():
            server.visits.clear()
        return found


@pytest.fixture(scope="session")
def kubectl(binaries: Path) -> str:
    # Before HOME is another one: the binaries are in a cache of the user's.
    return str(binaries / "kubectl")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("clusters")
    authorities = {}
    for name in NAMES:
        (folder / name).mkdir()
        authorities[name] = CertificateAuthority(folder / name)
    clients = {name: authorities["one"].issue(name, is_client=True) for name in ("me", "you")}
    with TlsServer("one", authorities["one"]) as one, TlsServer("two", authorities["two"]) as two:
        yield Place(folder=folder, servers={"one": one, "two": two}, certificates=clients)


CLUSTERS = {name: {"server": f"@{name}:url", "certificate-authority": f"@{name}:ca"} for name in NAMES}
USERS = {
    "me": {"token": "mine"},
    "you": {"token": "yours"},
    "basic": {"username": "b", "password": "secret:é"},
    "file": {"tokenFile": "token"},
    "both": {"tokenFile": "token", "token": "inline"},
    "certificate": {"client-certificate-data": "@me.crt:data", "client-key-data": "@me.key:data"},
    "as": {
        "token": "mine",
        "as": "jane",
        "as-groups": ["dev", "ops"],
        "as-uid": "7",
        "as-user-extra": {"Why/x": ["y"]},
    },
    "plugin": {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": "./plugin",
            "args": ["of-a-plugin"],
            "env": [{"name": "SUFFIX", "value": "-in-$0"}],
            "interactiveMode": "Never",
        }
    },
    "by-name": {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "command": "named-plugin",
            "provideClusterInfo": True,
        }
    },
}
CONTEXTS = {
    **{f"{user}-at-one": {"cluster": "one", "user": user} for user in USERS},
    "me-at-two": {"cluster": "two", "user": "me", "namespace": "shop"},
    "nobody-at-one": {"cluster": "one", "user": "who"},
    "me-nowhere": {"cluster": "nowhere", "user": "me"},
    "me": {"user": "me"},
    "ip": {"cluster": "ip", "user": "me"},
    "bad-tls": {"cluster": "bad-tls", "user": "me"},
    "named": {"cluster": "named", "user": "me"},
    "insecure": {"cluster": "insecure", "user": "me"},
    "both-tls": {"cluster": "both-tls", "user": "me"},
    "no-scheme": {"cluster": "no-scheme", "user": "me"},
    "slash": {"cluster": "slash", "user": "me"},
    "path": {"cluster": "path", "user": "me"},
}
MORE = {
    "bad-tls": {"server": "@one:url", "certificate-authority": "@two:ca"},
    "named": {"server": "@one:url", "certificate-authority": "@one:ca", "tls-server-name": "localhost"},
    "insecure": {"server": "@one:url", "insecure-skip-tls-verify": True},
    "both-tls": {"server": "@one:url", "insecure-skip-tls-verify": True, "certificate-authority": "@one:ca"},
    "no-scheme": {"server": "127.0.0.1:@one:port", "certificate-authority": "@one:ca"},
    "slash": {"server": "@one:url/", "certificate-authority": "@one:ca"},
    "path": {"server": "@one:url/k8s/clusters/c-1", "certificate-authority": "@one:ca"},
}
WHOLE = {"clusters": {**CLUSTERS, **MORE}, "users": USERS, "contexts": CONTEXTS, "current": "me-at-one"}
TOLD = """'$(echo $KUBERNETES_EXEC_INFO | sed 's/,"config":null//' | fold -w1 | sort | cksum | tr -dc 0-9)'"""
"""All that a plugin is told, whatever its order."""
PLUGIN = """#!/bin/sh
echo '{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/VERSION", "status": {"token": "TOKEN"}}'
"""


@dataclass(frozen=True)
class Row:
    """Kubeconfigs by their path, KUBECONFIG, and flags."""

    files: dict[str, Any]
    paths: str
    flags: list[str]


def row(files: dict[str, Any], paths: str, *flags: str, id: str) -> Any:  # noqa: A002 - as pytest.param has it
    return pytest.param(Row(files, paths, list(flags)), id=id)


def at(*contexts: str) -> list[Any]:
    return [row({"a/config": WHOLE}, "a/config", f"--context={name}", id=name) for name in contexts]


def with_flags(*flags: str) -> Any:
    return row({"a/config": WHOLE}, "a/config", *flags, id=" ".join(flags) or "no flag")


ONE = {"clusters": CLUSTERS, "contexts": CONTEXTS, "current": "me-at-one", "users": {"me": {"token": "of-one"}}}
TWO = {"users": {"me": {"token": "of-two"}, "you": {"token": "of-two"}}, "current": "you-at-one"}
HALF = {
    "users": {"file": {"tokenFile": "token"}, "certificate": {"client-certificate": "me.crt", "client-key": "me.key"}}
}
OTHER = {"clusters": {"one": {"server": "@two:url", "certificate-authority": "@two:ca"}}, "current": "me-at-two"}
FIRST = {"contexts": {"me-at-one": {"cluster": "two", "user": "you"}}}

TABLE = [
    with_flags(),
    *at(*CONTEXTS),
    with_flags("--cluster=two"),
    with_flags("--user=you"),
    with_flags("--user=certificate"),
    with_flags("--cluster=two", "--user=you", "--context=nobody-at-one"),
    with_flags("--server=@two:url"),
    with_flags("--server=@two:url", "--certificate-authority=@two:ca"),
    with_flags("--server=@two:url", "--insecure-skip-tls-verify"),
    with_flags("-s", "127.0.0.1:@one:port"),
    with_flags("--context=named", "--server=@one:url"),
    with_flags("--context=named", "--tls-server-name=example.com"),
    with_flags("--tls-server-name=localhost"),
    with_flags("--tls-server-name=example.com"),
    with_flags("--insecure-skip-tls-verify"),
    with_flags("--insecure-skip-tls-verify", "--certificate-authority=@one:ca"),
    with_flags("--context=bad-tls", "--certificate-authority=@one:ca"),
    with_flags("--context=bad-tls", "--insecure-skip-tls-verify"),
    with_flags("--token=of-the-flag"),
    with_flags("--token=of-the-flag", "--user=plugin"),
    with_flags("--token=of-the-flag", "--user=certificate"),
    with_flags("--as=john"),
    with_flags("--as=john", "--as-group=a", "--as-group=b, c", "--as-uid=9"),
    with_flags("--as=jané"),
    with_flags("--as-group=a"),
    with_flags("--as-uid=9"),
    with_flags("--user=as", "--as=john"),
    with_flags("--user=as", "--as-group=x"),
    with_flags("--client-certificate=@you.crt", "--client-key=@you.key"),
    with_flags("--user=certificate", "--client-certificate=@you.crt", "--client-key=@you.key"),
    with_flags("--client-certificate=@you.crt"),
    with_flags("--client-certificate=/nowhere", "--client-key=/nowhere"),
    with_flags("--certificate-authority=/nowhere"),
    with_flags("--context=there"),
    with_flags("--cluster=there"),
    with_flags("--user=there"),
    row({"a/config": ONE, "b/config": TWO}, "a/config:b/config", id="the first current context"),
    row({"a/config": ONE, "b/config": TWO}, "b/config:a/config", id="in another order"),
    row({"a/config": ONE, "b/config": OTHER}, "a/config:b/config", id="the first cluster of a name"),
    row({"a/config": ONE, "b/config": OTHER}, "b/config:a/config", id="the first cluster of a name, turned"),
    row({"a/config": FIRST, "b/config": WHOLE}, "a/config:b/config", id="the first context of a name"),
    row({"a/config": ONE, "b/config": HALF}, "a/config:b/config", "--user=file", id="a path in a file's folder"),
    row({"a/config": ONE, "b/config": HALF}, "a/config:b/config", "--user=certificate", id="a user of another folder"),
    row({"a/config": ONE}, "nowhere:a/config::a/config", id="what is not there, or twice"),
    row({"a/config": ONE, "b/config": TWO}, "b/config", "--kubeconfig=a/config", id="the flag's file alone"),
    row({"a/config": ONE}, "a/config", "--kubeconfig=nowhere", id="no file"),
    row({"a/config": {**ONE, "current": ""}}, "a/config", "--cluster=one", "--user=me", id="no context"),
    row({"a/config": {**ONE, "current": ""}}, "a/config", "--cluster=one", id="no user either"),
    row({"a/config": {**ONE, "current": "gone"}}, "a/config", id="a current context that is not there"),
    row({}, "", "-s=@one:url", "--certificate-authority=@one:ca", "--token=x", id="flags alone"),
    row({}, "", "--context=there", id="a context without a file"),
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kubectl: str, place: Place) -> Path:  # noqa: ARG001 - first
    """A folder to be in, with tokens, keys and plugins."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    _lay_out(tmp_path, place)
    return tmp_path


@pytest.mark.parametrize("row", TABLE)
def test_leads_where_kubectl_goes(
    kubectl: str, place: Place, home: Path, monkeypatch: pytest.MonkeyPatch, row: Row
) -> None:
    monkeypatch.setenv("KUBECONFIG", row.paths)
    for name, fields in row.files.items():
        write_config(home / name, **place.fill(fields))
    wanted = place.fill(row.flags)
    done = subprocess.run([kubectl, "get", "--raw", "/probe", *wanted], capture_output=True, text=True, check=False)
    theirs = place.visits()[:1]
    told = ""
    try:
        client = connect(_read(wanted), now=now)
        # What can't be reached is not tried again.
        client.request("GET" if theirs else "POST", "/probe")
        client.close()
    except KubectlSafeError as error:
        told = str(error)
    assert place.visits()[:1] == theirs, f"kubectl: {done.stderr}; we: {told}"
    assert bool(told) is bool(done.returncode)


def test_a_token_on_the_command_line_goes_before_a_file(place: Place, tmp_path: Path) -> None:
    # Unlike with kubectl, which takes the file's and doesn't tell.
    (tmp_path / "token").write_text("in-a-file")
    config = write_config(tmp_path / "config", **place.fill(WHOLE))
    connection = Connection(kubeconfig=config, context="file-at-one", token="of-the-flag")
    client = connect(connection, now=now)
    client.request("GET", "/probe")
    client.close()
    assert [visit.header("authorization") for visit in place.visits()] == ["Bearer of-the-flag"]


def _lay_out(folder: Path, place: Place) -> None:
    """Put what kubeconfigs name into their folders; each folder has other tokens."""
    for sub in ("a", "b", "bin"):
        (folder / sub).mkdir(exist_ok=True)
    for sub in ("a", "b"):
        (folder / sub / "token").write_text(f"in-{sub}\n")
        for suffix, file in zip(("crt", "key"), place.certificates["me"], strict=True):
            (folder / sub / f"me.{suffix}").write_bytes(file.read_bytes())
    for file, version, token in (
        (folder / "a" / "plugin", "v1", "'$1$SUFFIX'"),
        (folder / "bin" / "named-plugin", "v1beta1", TOLD),
    ):
        file.write_text(PLUGIN.replace("VERSION", version).replace("TOKEN", token))
        file.chmod(0o755)


def _read(flags: list[str]) -> Connection:
    """Return what our own command line makes of flags."""
    import click

    def command(**values: Any) -> Connection:
        return connection_of(values)

    taking: Any = command
    for option in (*CONNECTION.values(), OPTIONS["kubeconfig"], OPTIONS["context"]):
        taking = option(taking)
    arguments = [f"-s{flag[3:]}" if flag.startswith("-s=") else flag for flag in flags]
    read = click.command()(taking).main(arguments, standalone_mode=False)
    assert isinstance(read, Connection)
    return read
