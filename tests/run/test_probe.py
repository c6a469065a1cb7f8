"""A probe is what a client sees: one failed request fails it for good, and none may fail before a run."""

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
import requests
import responses

from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.run import probe as probing
from kubectl_safe.run.probe import Probe
from tests.support.api_server import Answer, ApiServer, Asked, Cut, Feed

URL = "http://shop.example.com/health"
NOON = datetime(2026, 1, 2, 12, 0, 3, tzinfo=UTC)
SOON = timedelta(milliseconds=5)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    """The web, without a network."""
    with responses.RequestsMock() as mock:
        yield mock


def a_probe(*urls: str, signal: threading.Event | None = None) -> Probe:
    return Probe(urls or (URL,), signal=signal or threading.Event(), now=lambda: NOON, every=SOON)


def in_turn(*answers: Answer | Feed | Cut) -> tuple[Callable[[Asked], Answer | Feed | Cut], threading.Event]:
    """Return a script that gives each answer once, and then the last one; and what tells that all were given."""
    left, are_given = list(answers), threading.Event()

    def script(_: Asked) -> Answer | Feed | Cut:
        if len(left) > 1:
            return left.pop(0)
        are_given.set()
        return left[0]

    return script, are_given


REFUSALS = [
    pytest.param({"status": 502, "body": "no healthy\nupstream"}, "502 Bad Gateway: no healthy upstream", id="words"),
    pytest.param({"status": 502, "body": "<b>x</b>", "content_type": "text/html"}, "502 Bad Gateway", id="HTML"),
    pytest.param({"status": 400, "body": ""}, "400 Bad Request", id="the first status that is a failure"),
    pytest.param({"status": 404, "body": "x" * 999}, f"404 Not Found: {'x' * 100}", id="many words"),
    pytest.param({"body": requests.ReadTimeout("read")}, "no whole answer within 5 s", id="no answer in time"),
    pytest.param({"body": requests.ConnectTimeout("c")}, "no whole answer within 5 s", id="no connection in time"),
    pytest.param({"body": requests.ConnectionError("refused")}, "refused", id="no connection"),
    pytest.param(
        {"status": 503, "body": "token=hunter2"}, "503 Service Unavailable: token=<masked>", id="a credential"
    ),
]


@pytest.mark.parametrize(("answer", "fact"), REFUSALS)
def test_nothing_begins_where_the_first_probe_fails(
    web: responses.RequestsMock, answer: dict[str, Any], fact: str
) -> None:
    web.get(URL, **answer)
    with pytest.raises(KubectlSafeError) as raised, a_probe():
        raise AssertionError("it has begun")
    assert str(raised.value) == (
        f"nothing was changed: probe GET {URL} failed: {fact}; a probe has to succeed before any pod is moved"
    )


@pytest.mark.parametrize("status", [200, 204, 301, 302, 304, 399])
def test_any_status_below_400_is_an_answer_and_no_redirect_is_followed(
    web: responses.RequestsMock, status: int
) -> None:
    web.get(URL, status=status, headers={"Location": "http://elsewhere.example.com/"})
    with a_probe() as probe:
        pass
    assert probe.failure is None
    assert {call.request.url for call in web.calls} == {URL}


def test_each_request_has_a_connection_of_its_own_and_says_so() -> None:
    script, are_given = in_turn(*[Answer()] * 5)
    with ApiServer(script) as server, a_probe(server.url):
        assert are_given.wait(10)
    connections = [asked.headers["Connection"] for asked in server.asked]
    assert len(connections) >= 5
    assert set(connections) == {"close"}
    assert {asked.method for asked in server.asked} == {"GET"}


def test_the_first_failure_stays_and_wakes_the_loop_once() -> None:
    woken = Woken()
    bad = Answer(status=503, body=b"one", headers={"Content-Type": "text/plain"})
    worse = Answer(status=500, body=b"two", headers={"Content-Type": "text/plain"})
    script, are_given = in_turn(Answer(), Answer(), bad, worse, Answer())
    with ApiServer(script) as server, Probe([server.url], signal=woken, now=lambda: NOON, every=SOON) as probe:
        assert are_given.wait(10)
    assert probe.failure == (
        f"probe GET {server.url} failed at 2026-01-02T12:00:03+00:00: 503 Service Unavailable: one"
    )
    assert woken.times == 1
    assert probe.summary == f"probe: {len(server.asked)} requests, 2 failed"


class Woken:
    """The loop's signal."""

    times = 0

    def set(self) -> None:
        self.times += 1


def test_a_run_without_a_failure_has_none_and_counts_its_requests(web: responses.RequestsMock) -> None:
    web.get(URL)
    woken = Woken()
    with Probe([URL], signal=woken, now=lambda: NOON) as probe:
        pass
    assert (probe.failure, woken.times, probe.summary) == (None, 0, "probe: 1 request, 0 failed")


def test_a_connection_that_is_cut_before_an_answer_is_a_failure() -> None:
    failed = threading.Event()
    script, _ = in_turn(Answer(), Cut())
    with ApiServer(script) as server, a_probe(server.url, signal=failed) as probe:
        assert failed.wait(10)
    assert probe.failure is not None
    assert probe.failure.endswith(": Remote end closed connection without response")


HALVES = [
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", id="less than its length"),
    pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf", id="half a chunk"),
    pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", id="no last chunk"),
]


@pytest.mark.parametrize("sent", HALVES)
def test_half_an_answer_is_a_failure_though_its_status_is_200(sent: bytes) -> None:
    def answer() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(1 << 16)
            connection.sendall(sent)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(KubectlSafeError, match="failed: the answer was cut short"):
            a_probe(f"http://127.0.0.1:{server.getsockname()[1]}/").__enter__()
        thread.join()


def test_an_answer_that_comes_in_drops_is_no_answer_in_time() -> None:
    """Each drop comes within the timeout, the whole answer doesn't."""
    feed = Feed(*[b"."] * 20)
    seconds = count()
    with ApiServer(lambda _: feed) as server:
        probe = Probe(
            [server.url], signal=threading.Event(), now=lambda: NOON + timedelta(seconds=next(seconds)), every=SOON
        )
        with pytest.raises(KubectlSafeError, match="failed: no whole answer within 5 s"), probe:
            raise AssertionError("it has begun")


def test_a_server_that_says_nothing_has_failed_after_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "TIMEOUT", timedelta(milliseconds=100))
    with ApiServer(lambda _: Feed()) as server, pytest.raises(KubectlSafeError, match="no whole answer"):
        a_probe(server.url).__enter__()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://me:hunter2@127.0.0.1:1/", "http://<masked>@127.0.0.1:1/"),
        ("http://127.0.0.1:1/?token=hunter2&a=b", "http://127.0.0.1:1/?token=<masked>&a=b"),
    ],
)
def test_a_credential_of_the_url_is_shown_nowhere(url: str, shown: str) -> None:
    with pytest.raises(KubectlSafeError) as raised:
        a_probe(url).__enter__()
    assert f"probe GET {shown} failed: [Errno 111] Connection refused" in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_several_urls_are_asked_beside_each_other() -> None:
    """One that takes its time must not keep the others from being asked."""
    script, are_given = in_turn(*[Answer()] * 5)
    slow, _ = in_turn(Answer(), Feed())
    with ApiServer(slow) as other, ApiServer(script) as server, a_probe(other.url, server.url, server.url) as probe:
        assert are_given.wait(4)
        assert probe.failure is None
        other.closing.set()
    assert len(other.asked) == 2


def test_whatever_breaks_a_probe_is_a_failure_and_never_silence(
    web: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.get(URL)
    failed = threading.Event()
    with a_probe(signal=failed) as probe:
        monkeypatch.setattr(probing, "_fact", lambda *_, **__: 1 / 0)
        assert failed.wait(10)
    assert probe.failure is not None
    assert probe.failure.endswith("division by zero")
