"""Proxies of the environment and of kubeconfigs are gone through, or not, as kubectl does it."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kubectl_safe.kube.client import connect
from kubectl_safe.kube.errors import ConfigError, Unreachable
from kubectl_safe.kube.proxies import environment_proxy
from kubectl_safe.model.connection import Connection
from kubectl_safe.run.clock import now
from kubectl_safe.sandbox.certificates import CertificateAuthority
from tests.controlplane.build import ensure_binaries
from tests.support.proxy import Proxy
from tests.support.tls_server import TlsServer, write_config

VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "ALL_PROXY")


@dataclass
class Place:
    """A server behind a proxy; only the proxy knows the way to `cluster.invalid`."""

    server: TlsServer
    proxy: Proxy
    folder: Path

    def taken(self) -> list[str]:
        """Return what the proxy was asked since the last time."""
        asked = self.proxy.asked[:]
        self.proxy.asked.clear()
        return asked

    def kubeconfig(self, server: str, **cluster: Any) -> str:
        whole = {
            "clusters": {"c": self.server.cluster(server=server, **{"tls-server-name": "localhost"}, **cluster)},
            "users": {"me": {"token": "mine"}},
            "contexts": {"here": {"cluster": "c", "user": "me"}},
        }
        return write_config(self.folder / "config", **whole, current="here")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("behind")
    with TlsServer("cluster", CertificateAuthority(folder)) as server, Proxy(server.port) as proxy:
        yield Place(server=server, proxy=proxy, folder=folder)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


FAR = "https://cluster.invalid:6443"
HTTP = "http://@proxy"
TABLE = [
    pytest.param(FAR, {"HTTPS_PROXY": HTTP}, "", id="HTTPS_PROXY"),
    pytest.param(FAR, {"https_proxy": HTTP}, "", id="https_proxy"),
    pytest.param(FAR, {"HTTPS_PROXY": "@proxy"}, "", id="without a scheme"),
    pytest.param(FAR, {"HTTPS_PROXY": "http://me:hunter2@@proxy"}, "", id="with a login"),
    pytest.param(FAR, {"HTTPS_PROXY": "socks5://@proxy"}, "", id="SOCKS in the environment"),
    pytest.param(FAR, {"HTTPS_PROXY": HTTP, "NO_PROXY": "other.invalid, example.com"}, "", id="another is left out"),
    pytest.param(FAR, {}, HTTP, id="proxy-url"),
    pytest.param(FAR, {}, "socks5://@proxy", id="SOCKS in proxy-url"),
    pytest.param(FAR, {}, "http://me:hunter2@@proxy", id="proxy-url with a login"),
    pytest.param(FAR, {"NO_PROXY": "*"}, HTTP, id="proxy-url goes before NO_PROXY"),
    pytest.param("@server", {"HTTPS_PROXY": HTTP}, "", id="this machine is asked without one"),
    pytest.param("@server", {}, HTTP, id="this machine through proxy-url"),
]


@pytest.mark.usefixtures("binaries")
@pytest.mark.parametrize(("server", "environment", "proxy_url"), TABLE)
def test_goes_the_way_that_kubectl_goes(
    place: Place, monkeypatch: pytest.MonkeyPatch, server: str, environment: dict[str, str], proxy_url: str
) -> None:
    kubectl = str(ensure_binaries() / "kubectl")
    for name, value in environment.items():
        monkeypatch.setenv(name, value.replace("@proxy", place.proxy.host))
    cluster = {"proxy-url": proxy_url.replace("@proxy", place.proxy.host)} if proxy_url else {}
    kubeconfig = place.kubeconfig(server.replace("@server", place.server.url), **cluster)
    subprocess.run([kubectl, "get", "--raw", "/probe", "--kubeconfig", kubeconfig], capture_output=True, check=True)
    theirs = place.taken()
    client = connect(Connection(kubeconfig=kubeconfig), now=now)
    client.request("GET", "/probe")
    client.close()
    assert place.taken() == theirs
    assert [visit.header("authorization") for visit in place.server.visits] == ["Bearer mine"] * 2
    place.server.visits.clear()


EXCLUDED = [
    ("*", True),
    ("cluster.example.com", True),
    ("example.com", True),
    (".example.com", True),
    ("*.example.com", True),
    ("EXAMPLE.com", True),
    ("ample.com", False),
    (".cluster.example.com", False),
    ("cluster.example.com:6443", True),
    ("cluster.example.com:443", False),
    ("other.com, example.com", True),
    ("", False),
    (",,", False),
]


@pytest.mark.parametrize(("no_proxy", "is_excluded"), EXCLUDED)
def test_names_in_no_proxy_are_read_as_go_reads_them(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, is_excluded: bool
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert environment_proxy("https://cluster.example.com:6443") == ("" if is_excluded else "http://proxy:3128")


ADDRESSES = [
    ("10.0.0.1", "10.0.0.1", True),
    ("10.0.0.1", "10.0.0.0/8", True),
    ("10.0.0.1", "11.0.0.0/8", False),
    ("10.0.0.1", "10.0.0.1:443", True),
    ("10.0.0.1", "10.0.0.1:6443", False),
    ("10.0.0.1", "0.0.1", False),
    ("10.0.0.1", "10.0.0.0/x", False),
    ("[fd00::1]", "fd00::1", True),
    ("[fd00::1]", "fd00::/16", True),
    ("[fd00::1]", "fd01::/16", False),
    ("127.0.0.1", "", True),
    ("[::1]", "", True),
    ("localhost", "", True),
    ("cluster", "10.0.0.0/8", False),
]


@pytest.mark.parametrize(("host", "no_proxy", "is_excluded"), ADDRESSES)
def test_addresses_in_no_proxy_are_read_as_go_reads_them(
    monkeypatch: pytest.MonkeyPatch, host: str, no_proxy: str, is_excluded: bool
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert environment_proxy(f"https://{host}") == ("" if is_excluded else "http://proxy:3128")


def test_a_proxy_of_https_is_not_one_of_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    assert environment_proxy("http://cluster") == ""
    monkeypatch.setenv("HTTP_PROXY", "http://other:3128")
    assert environment_proxy("http://cluster") == "http://other:3128"


@pytest.mark.parametrize("url", ["ftp://proxy", "http://", "nonsense", "http://[::1"])
def test_a_proxy_that_is_none_is_told_of(place: Place, url: str) -> None:
    with pytest.raises(ConfigError, match=f"no connection to {FAR} can be made: "):
        connect(Connection(kubeconfig=place.kubeconfig(FAR, **{"proxy-url": url})), now=now)


def test_a_proxy_that_is_not_there_is_named_without_its_password(place: Place) -> None:
    kubeconfig = place.kubeconfig(FAR, **{"proxy-url": "http://me:hunter2@127.0.0.1:1"})
    client = connect(Connection(kubeconfig=kubeconfig), now=now)
    with pytest.raises(Unreachable, match=r"can't be reached through the proxy 127\.0\.0\.1: ") as raised:
        client.request("PATCH", "/probe", body={})
    client.close()
    assert "hunter2" not in str(raised.value)
