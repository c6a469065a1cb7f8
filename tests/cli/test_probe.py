"""`--probe` on the command line: what it takes, what it refuses, and that a run begins only where it succeeds."""

import re
from collections.abc import Iterator

import pytest

from tests.cli.conftest import CommandLine, EmptyCluster
from tests.support.api_server import Answer, ApiServer

URLS = ["http://shop.example.com/", "https://shop.example.com:8443/health?a=b", "http://127.0.0.1", "http://[::1]:80/"]


@pytest.fixture
def shop() -> Iterator[ApiServer]:
    """What is probed."""
    with ApiServer(lambda _: Answer()) as server:
        yield server


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def test_it_may_be_given_several_times_to_drains_and_restarts(safe: CommandLine) -> None:
    flags = [f"--probe={url}" for url in URLS]
    assert safe("drain", "n", *flags).code == 0
    assert safe("rollout", "restart", "deploy/web", *flags).code == 0
    assert [common.probe for common in safe.commons] == [tuple(URLS)] * 2


NO_URLS = ["", "shop.example.com", "/health", "ftp://a/", "file:///etc/passwd", "http://", "http:///a", "http://a:b/"]
NO_URLS += ["http://a:99999/", "http://[::1", "http://a b/", "http://a/\x1b[2J", " http://a/", "javascript:1"]


@pytest.mark.parametrize("url", NO_URLS)
def test_what_is_no_url_to_probe_is_refused_in_words(safe: CommandLine, url: str) -> None:
    ended = safe("drain", "n", "--probe", url)
    assert (ended.code, ended.out, safe.requests) == (2, "", [])
    first, _ = ended.err.split("\n", 1)
    assert first == (
        f'error: invalid argument for "--probe" flag: {url!r} '
        "can't be probed: give a URL such as https://shop.example.com/"
    )


def test_a_credential_of_a_refused_url_is_not_repeated(safe: CommandLine) -> None:
    assert "hunter2" not in safe("drain", "n", "--probe", "ftp://me:hunter2@a/").err


def test_a_run_whose_probe_fails_at_once_changes_nothing(empty_cluster: EmptyCluster, shop: ApiServer) -> None:
    shop.script = lambda _: Answer(status=502, body=b"no upstream", headers={"Content-Type": "text/plain"})
    ended = empty_cluster("drain", "node-1", "--probe", shop.url)
    assert ended.code == 1
    assert ended.err.startswith(
        f"error: nothing was changed: probe GET {shop.url} failed: 502 Bad Gateway: no upstream"
    )
    assert len(shop.asked) == 1
    assert empty_cluster.writes == []


def test_the_last_line_counts_the_requests_of_a_probe_however_the_run_ends(
    empty_cluster: EmptyCluster, shop: ApiServer
) -> None:
    ended = empty_cluster("drain", "node-1", "--probe", shop.url)
    assert ended.code == 1
    assert re.fullmatch(r"probe: \d+ requests?, 0 failed\n", ended.out)
