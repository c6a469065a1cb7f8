"""Whoever answers may be anybody: what no API server says ends in an error, in little memory."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from kubectl_safe.kube import listing, session
from kubectl_safe.kube.cache import Cache, Signal
from kubectl_safe.kube.errors import ApiError, Unreachable
from kubectl_safe.kube.listing import listed
from kubectl_safe.kube.watch import Watcher
from tests.kube.conftest import Serve
from tests.support.api_server import Answer, Asked, Feed, a_status

PATH = "/api/v1/pods"
DEEP = b'{"items":' + b"[" * 200_000


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubectl_safe.kube.backoff.random.uniform", lambda *_: 0.001)


def a_pod(**meta: Any) -> dict[str, Any]:
    return {"metadata": {"uid": "u", "name": "a", "namespace": "n", "resourceVersion": "1", **meta}}


def a_list(*items: Any, token: str = "") -> Answer:
    return Answer(body={"metadata": {"resourceVersion": "1", "continue": token}, "items": list(items)})


def test_json_that_is_nested_without_end_is_no_answer(serve: Serve) -> None:
    _, client = serve(lambda _: Answer(body=DEEP))
    with pytest.raises(Unreachable, match="answered JSON that is nested without end; is it an API server"):
        client.request("POST", PATH)


def test_a_refusal_that_is_nested_without_end_is_told_by_its_status(serve: Serve) -> None:
    _, client = serve(lambda _: Answer(status=403, body=DEEP))
    with pytest.raises(ApiError) as raised:
        client.request("POST", PATH)
    assert raised.value.status == 403
    assert len(str(raised.value)) <= 500


def test_an_answer_that_is_too_large_is_given_up_at_once(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_LARGEST", 8 << 20)
    server, client = serve(lambda _: Answer(body=b" " * (9 << 20)))
    with pytest.raises(ApiError, match="answered with more than 8 MiB at once; is it an API server"):
        client.request("GET", PATH)
    assert len(server.asked) == 1
    server.script = lambda _: Answer(body=json.dumps({"a": "b" * (7 << 20)}).encode())
    assert len(client.request("GET", PATH)["a"]) == 7 << 20


def test_a_large_answer_of_nothing_but_small_values_is_not_parsed(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_MOST_VALUES", 1_000_000)
    _, client = serve(lambda _: Answer(body=b'{"items":[' + b"{}," * 1_500_000 + b"{}]}"))
    with pytest.raises(ApiError, match="answered with more than 1000000 values at once; is it an API server"):
        client.request("POST", PATH)


def test_of_a_long_refusal_the_beginning_is_told(serve: Serve) -> None:
    _, client = serve(lambda _: a_status(403, "Forbidden", "no! " * 10_000))
    with pytest.raises(ApiError) as raised:
        client.request("POST", PATH)
    assert raised.value.reason == "Forbidden"
    assert len(str(raised.value)) < 5000
    _, client = serve(lambda _: Answer(status=500, body=b"x" * (5 << 20)))
    with pytest.raises(ApiError, match=r"^x{500}$"):
        client.request("POST", PATH)


def test_an_event_without_an_end_cuts_the_watch(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubectl_safe.kube.client._LONGEST_LINE", 1 << 14)
    feed = Feed(b"{}\n", b"x" * (1 << 14), b"x")
    _, client = serve(lambda _: feed)
    lines = iter(client.stream(PATH, {"watch": "true"}, 5))
    assert next(lines) == b"{}"
    with pytest.raises(Unreachable, match="told more than 0 MiB at once"):
        next(lines)


ODD = [
    pytest.param({"name": "n" * 10_240}, "an object has a name of 10240 characters, and at most 253", id="10 KB"),
    pytest.param({"namespace": "n" * 10_240}, "a namespace of 10240 characters", id="a namespace of 10 KB"),
    pytest.param({"name": "a\x1b[2J"}, "an object has a name that is no name", id="what a terminal would obey"),
    pytest.param({"name": "a evicted\npod/b"}, "an object has a name that is no name", id="two lines"),
    pytest.param({"name": ["a"]}, "an object has a name that is no name", id="a list"),
]


@pytest.mark.parametrize(("meta", "why"), ODD)
def test_an_object_with_a_name_that_is_none_makes_no_list(serve: Serve, meta: dict[str, Any], why: str) -> None:
    _, client = serve(lambda asked: Feed() if asked.is_watch else a_list(a_pod(), a_pod(**meta)))
    with pytest.raises(ApiError, match=why) as raised:
        listed(client, PATH)
    assert len(str(raised.value)) < 300
    cache: Cache[Any] = Cache(Signal())
    watcher = Watcher(client, kind="pods", path=PATH, parse=dict, cache=cache, signal=Signal())
    watcher.start()
    assert watcher.settled.wait(5)
    watcher.stop()
    watcher.join()
    assert not watcher.is_live
    assert why in str(watcher.trouble)


def pages(count: int) -> Iterator[Answer]:
    number = 0
    while True:
        number += 1
        yield a_list(*[a_pod(uid=f"{number}-{index}") for index in range(count)], token=f"{number}")


@pytest.mark.parametrize("count", [0, 3])
def test_a_list_without_an_end_is_given_up(serve: Serve, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(listing, "MOST_OBJECTS", 20)
    endless = pages(count)
    server, client = serve(lambda _: next(endless))
    with pytest.raises(ApiError, match="has no end after"):
        listed(client, PATH)
    assert len(server.asked) < 25


def test_a_list_without_an_end_is_given_up_by_a_watch(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubectl_safe.kube.watch.MOST_OBJECTS", 20)
    endless = pages(3)

    def script(asked: Asked) -> Answer:
        return next(endless) if not asked.is_watch else a_status(500)

    server, client = serve(script)
    watcher = Watcher(client, kind="pods", path=PATH, parse=dict, cache=Cache(Signal()), signal=Signal())
    watcher.start()
    assert watcher.settled.wait(5)
    watcher.stop()
    watcher.join()
    assert "a list of pods has no end after 18 of them" in str(watcher.trouble)
    assert server.asked
