"""Every request to the API server is seen once, whatever comes of it."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from kubectl_safe.kube.errors import ApiError, Unreachable
from tests.kube.conftest import NOON, Serve
from tests.support.api_server import Answer, Cut, Feed, a_status

if TYPE_CHECKING:
    from kubectl_safe.model.trace import Exchange

PATH = "/api/v1/namespaces/default/pods/a"


def test_a_write_is_seen_with_what_was_sent_and_what_came(serve: Serve) -> None:
    server, client = serve(lambda _: Answer(body={"kind": "Pod"}, headers={"Audit-Id": "7"}))
    seen: list[Exchange] = []
    client.trace = seen.append
    ticks = iter([NOON, *[NOON + timedelta(seconds=2)] * 9])
    client._now = lambda: next(ticks)
    client.request("PATCH", PATH, query={"dryRun": "All"}, body={"a": 1})
    [exchange] = seen
    assert exchange.asked == f"PATCH {server.url}{PATH}?dryRun=All"
    assert exchange.answered == "200 OK"
    assert exchange.took == timedelta(seconds=2)
    assert exchange.asked_body == b'{"a": 1}'
    assert exchange.asked_headers["Authorization"] == "Bearer secret"
    assert exchange.answered_body == b'{"kind": "Pod"}'
    assert exchange.answered_headers["Audit-Id"] == "7"


def test_each_try_of_a_read_is_seen(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubectl_safe.kube.backoff.random.uniform", lambda *_: 0.01)
    answers: list[Answer | Cut] = [a_status(503, "ServiceUnavailable"), Cut(), Answer(body={})]
    _, client = serve(lambda _: answers.pop(0))
    seen: list[Exchange] = []
    client.trace = seen.append
    client.request("GET", PATH)
    assert [exchange.answered.split(":")[0] for exchange in seen] == ["503 Service Unavailable", "failed", "200 OK"]


def test_a_request_without_an_answer_is_seen_with_the_reason(serve: Serve) -> None:
    _, client = serve(lambda _: Cut())
    seen: list[Exchange] = []
    client.trace = seen.append
    with pytest.raises(Unreachable):
        client.request("POST", PATH, body={})
    [exchange] = seen
    assert exchange.answered.startswith("failed: the API server http://127.0.0.1:")


def test_a_watch_is_seen_when_it_opens_and_its_lines_are_left_to_the_watch(serve: Serve) -> None:
    _, client = serve(lambda _: Feed({"type": "ADDED"}).end())
    seen: list[Exchange] = []
    client.trace = seen.append
    stream = client.stream(PATH, {"watch": "true"}, 5)
    assert [(exchange.answered, exchange.answered_body) for exchange in seen] == [("200 OK", None)]
    assert list(stream) == [b'{"type": "ADDED"}']
    assert len(seen) == 1


def test_a_watch_that_is_refused_is_seen_with_the_refusal(serve: Serve) -> None:
    _, client = serve(lambda _: a_status(403, "Forbidden", "pods is forbidden"))
    seen: list[Exchange] = []
    client.trace = seen.append
    with pytest.raises(ApiError, match="pods is forbidden"):
        client.stream(PATH, {"watch": "true"}, 5)
    [exchange] = seen
    assert exchange.answered == "403 Forbidden"
    assert isinstance(exchange.answered_body, bytes)
    assert b"pods is forbidden" in exchange.answered_body
