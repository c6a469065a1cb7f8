"""What only the embedded API server can be asked to do: forget its history, and keep what it has told as it was."""

import json
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from kubectl_safe.sandbox.cluster.model import Model
from kubectl_safe.sandbox.cluster.refusals import RefusalError
from kubectl_safe.sandbox.cluster.requests import Answer, Request
from kubectl_safe.sandbox.cluster.server import Server

PODS = "/api/v1/namespaces/default/pods"


@pytest.fixture
def server() -> Server:
    return Server(Model(now=lambda: datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC), random=Random(0)))


def ask(server: Server, method: str, path: str, body: Any = None, **query: str) -> Answer:
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    return server.answer(Request(method=method, path=path, body=body, query=query, content_type=kind))


def a_pod(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "a", "image": "b"}]}}


def test_watch_from_a_forgotten_version_is_gone(server: Server) -> None:
    ask(server, "POST", PODS, a_pod("a"))
    server.model.store.compact()
    request = Request(method="GET", path=PODS, query={"watch": "true", "resourceVersion": "2"})
    with pytest.raises(RefusalError) as raised:
        server.watch(request, lambda _: None)
    assert (raised.value.code, raised.value.reason) == (410, "Expired")
    assert raised.value.message.startswith("too old resource version: 2 (")


def test_watch_from_the_newest_version_is_not(server: Server) -> None:
    server.model.store.compact()
    told: list[Any] = []
    version = str(server.model.store.version)
    request = Request(method="GET", path=PODS, query={"watch": "true", "resourceVersion": version})
    watch = server.watch(request, told.append)
    ask(server, "POST", PODS, a_pod("a"))
    watch.close()
    ask(server, "POST", PODS, a_pod("b"))
    assert [(event["type"], event["object"]["metadata"]["name"]) for event in told] == [("ADDED", "a")]


def test_page_of_a_forgotten_version_is_gone(server: Server) -> None:
    for name in "ab":
        ask(server, "POST", PODS, a_pod(name))
    first = ask(server, "GET", PODS, limit="1").body
    assert isinstance(first, dict)
    ask(server, "POST", PODS, a_pod("c"))
    server.model.store.compact()
    answer = ask(server, "GET", PODS, limit="1", **{"continue": first["metadata"]["continue"]})
    assert answer.status == 410


def test_long_history_is_cut(server: Server) -> None:
    ask(server, "POST", PODS, a_pod("a"))
    for number in range(20_100):
        server.model.update(
            _pods(server),
            "default",
            "a",
            lambda before, n=number: _labelled(before, str(n)),  # type: ignore[misc]
        )
    assert server.model.store.compacted > 0


def test_what_was_told_never_changes(server: Server) -> None:
    told: list[tuple[Any, str]] = []
    request = Request(method="GET", path=PODS, query={"watch": "true"})
    server.watch(request, lambda event: told.append((event, json.dumps(event))))
    ask(server, "POST", PODS, a_pod("a"))
    ask(server, "PATCH", f"{PODS}/a", {"metadata": {"labels": {"x": "1"}}})
    ask(server, "PATCH", f"{PODS}/a/status", {"status": {"phase": "Running"}})
    ask(server, "POST", f"{PODS}/a/binding", {"target": {"name": "node-a"}})
    ask(server, "POST", f"{PODS}/a/eviction", {"metadata": {"name": "a"}})
    ask(server, "DELETE", f"{PODS}/a", {"gracePeriodSeconds": 0})
    assert [event["type"] for event, _ in told] == ["ADDED", *["MODIFIED"] * 5, "DELETED"]
    assert all(json.dumps(event) == text for event, text in told)


def test_body_that_was_sent_never_changes(server: Server) -> None:
    body = a_pod("a")
    before = json.dumps(body)
    ask(server, "POST", PODS, body)
    assert json.dumps(body) == before


def test_method_that_makes_no_sense_is_refused(server: Server) -> None:
    assert ask(server, "POST", f"{PODS}/a", a_pod("a")).status == 405


def test_mutator_changes_a_pod_before_it_is_there(server: Server) -> None:
    gate = [{"op": "add", "path": "/spec/readinessGates", "value": [{"conditionType": "x/y"}]}]
    server.model.mutators.append(lambda _namespace, _pod: gate)
    created = ask(server, "POST", PODS, a_pod("a")).body
    assert isinstance(created, dict)
    assert created["spec"]["readinessGates"] == [{"conditionType": "x/y"}]


def _pods(server: Server) -> Any:
    return next(its for its in server.model.resources if its.plural == "pods")


def _labelled(before: dict[str, Any], value: str) -> dict[str, Any]:
    return {**before, "metadata": {**before["metadata"], "labels": {"n": value}}}
