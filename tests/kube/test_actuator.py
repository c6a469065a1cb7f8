"""What became of each write, in the server's own words, and what is known of the object after it."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from kubectl_safe.decide.actions import (
    Action,
    AskEviction,
    Cordon,
    Evict,
    ExcludeNode,
    Nudge,
    Record,
    Release,
    Undo,
    Withdraw,
)
from kubectl_safe.kube.actuator import Actuator
from kubectl_safe.kube.outcome import Busy, Conflict, Denied, Done, Gone, Refused, Result, Undone, Untried
from kubectl_safe.model import marks
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.marks import Handoff, Operation
from tests.kube.conftest import NOON, Serve
from tests.kube.objects import HASH, OWNER, a_binding, a_node, a_pod, a_replica_set
from tests.support.api_server import Answer, ApiServer, Asked, Cut, a_status
from tests.support.raw import a_raw_pod

HANDOFF = Handoff(dropped={"app": "web"}, in_service=3).dumps()
WITHDRAWN = a_pod(labels={marks.WITHDRAWN: ""}, annotations={marks.HANDOFF: HANDOFF})
RELEASE = Release(pod=a_pod(), drop=HASH, owner=OWNER, targets=(), in_service=3)
WITHDRAW = Withdraw(pod=a_pod(), drop=frozenset({"app"}), targets=(), owner=OWNER, in_service=3)
EVICT = Evict(pod=WITHDRAWN, pins_resource_version=False)
ASK = AskEviction(pod=a_pod())
CORDON = Cordon(node=a_node())


class Caches:
    """Takes note of what would be known."""

    def __init__(self) -> None:
        self.put_versions: list[tuple[str, str]] = []
        self.forgotten: list[tuple[str, str]] = []

    def put(self, kind: str, raw: Mapping[str, Any]) -> None:
        self.put_versions.append((kind, raw["metadata"]["resourceVersion"]))

    def forget(self, kind: str, uid: str) -> None:
        self.forgotten.append((kind, uid))


def a_raw_withdrawn_pod(*, version: int = 7, **metadata: Any) -> dict[str, Any]:
    labels, annotations = {marks.WITHDRAWN: ""}, {marks.HANDOFF: HANDOFF}
    return a_raw_pod("a", version=version, **{"labels": labels, "annotations": annotations, **metadata})


def read_as(raw: dict[str, Any] | Answer, written: Answer | Cut) -> Callable[[Asked], Answer | Cut]:
    """Answer reads with an object, and writes with an answer."""
    read = Answer(body=raw) if isinstance(raw, dict) else raw
    return lambda asked: read if asked.method == "GET" else written


def act(
    serve: Serve, script: Callable[[Asked], Answer | Cut], action: Action, *, dry_run: bool = False
) -> tuple[Result, Caches, ApiServer]:
    server, client = serve(script)
    caches = Caches()
    result = Actuator(client, caches, now=lambda: NOON).act(action, dry_run=dry_run)
    return result, caches, server


def writes(server: ApiServer) -> list[Asked]:
    return [asked for asked in server.asked if asked.method != "GET"]


def an_eviction_refused(message: str = "Cannot evict pod.") -> Answer:
    return a_status(429, "TooManyRequests", message, causes=(("DisruptionBudget", "web needs 2"),))


DENIAL = 'pods "a" is forbidden: User "me" cannot patch resource "pods"'
WEBHOOK = 'admission webhook "policy.example" does not support dry run'
MANY_BUDGETS = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (a_status(404, "NotFound"), Gone()),
        (Answer(status=404, body=b"404 page not found"), Busy(message="404 page not found", retry_after=1)),
        (a_status(403, "Forbidden", DENIAL), Denied(message=DENIAL)),
        (a_status(422, "Invalid", "invalid"), Denied(message="invalid")),
        (a_status(401, "Unauthorized", "Unauthorized"), Denied(message="Unauthorized")),
        (an_eviction_refused(), Refused(message="Cannot evict pod. web needs 2")),
        (a_status(429, "TooManyRequests", "slow down"), Busy(message="slow down", retry_after=1)),
        (
            Answer(status=429, body=b"slow down", headers={"Retry-After": "9"}),
            Busy(message="slow down", retry_after=9),
        ),
        (a_status(500, "InternalError", "oh"), Busy(message="oh", retry_after=1)),
        (a_status(500, "InternalError", MANY_BUDGETS), Denied(message=MANY_BUDGETS)),
        (a_status(503, "ServiceUnavailable", "oh"), Busy(message="oh", retry_after=1)),
        (a_status(504, "Timeout", "oh"), Busy(message="oh", retry_after=1)),
        (
            a_status(403, "Forbidden", "being terminated", causes=(("NamespaceTerminating", ""),)),
            Busy(message="being terminated", retry_after=1),
        ),
    ],
    ids=[
        "404 is gone",
        "404 of a proxy says nothing of the object",
        "403 is denied",
        "422 is denied",
        "401 is denied",
        "429 of a budget is a refusal with its figures",
        "429 of flow control is busy",
        "429 with Retry-After is busy for so long",
        "500 is busy",
        "500 of two budgets is denied",
        "503 is busy",
        "504 is busy",
        "403 of a terminating namespace is busy",
    ],
)
def test_each_refusal_has_its_meaning(serve: Serve, answer: Answer, expected: Result) -> None:
    result, _, _ = act(serve, lambda _: answer, ASK)
    assert result == expected


def test_a_cut_connection_is_busy_and_the_write_is_not_sent_again(serve: Serve) -> None:
    result, _, server = act(serve, lambda _: Cut(), RELEASE)
    assert isinstance(result, Busy)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("action", "dry_run", "expected"),
    [
        pytest.param(RELEASE, True, Untried(message=WEBHOOK), id="a dry run is untried"),
        pytest.param(RELEASE, False, Denied(message=WEBHOOK), id="what is no dry run is denied"),
        pytest.param(ASK, True, Untried(message=WEBHOOK), id="a question is untried beforehand"),
        pytest.param(ASK, False, Untried(message=WEBHOOK), id="and in the middle of a run, for it is always a dry run"),
    ],
)
def test_a_webhook_that_knows_no_dry_run_leaves_it_untried(
    serve: Serve, action: Action, dry_run: bool, expected: Result
) -> None:
    result, _, _ = act(serve, lambda _: a_status(400, "BadRequest", WEBHOOK), action, dry_run=dry_run)
    assert result == expected


def released(labels: dict[str, str]) -> dict[str, Any]:
    return a_raw_pod("a", version=9, labels=labels, annotations={marks.HANDOFF: HANDOFF})


def test_what_a_write_returns_is_known_at_once(serve: Serve) -> None:
    result, caches, server = act(serve, lambda _: Answer(body=released({"app": "web"})), RELEASE)
    assert result == Done()
    assert caches.put_versions == [("pods", "9")]
    assert server.asked[0].query == {"fieldManager": "kubectl-safe"}


def test_a_dry_run_changes_nothing_that_is_known(serve: Serve) -> None:
    result, caches, server = act(serve, lambda _: Answer(body=released({"app": "web"})), RELEASE, dry_run=True)
    assert result == Done()
    assert caches.put_versions == []
    assert server.asked[0].query["dryRun"] == "All"


@pytest.mark.parametrize(
    ("action", "returned", "words"),
    [
        (RELEASE, released({HASH: "1"}), f"keeps its label {HASH}"),
        (WITHDRAW, released({"app": "web", marks.WITHDRAWN: ""}), "keeps its label app"),
        (WITHDRAW, released({}), "doesn't keep the marks"),
        (RELEASE, a_raw_pod("a", labels={}), "doesn't keep the marks"),
        (CORDON, {"metadata": {"name": "node-a", "resourceVersion": "9"}, "spec": {}}, "stays schedulable"),
        (
            ExcludeNode(node=a_node()),
            {"metadata": {"name": "node-a", "resourceVersion": "9"}},
            "doesn't get label node.kube",
        ),
    ],
    ids=[
        "the hash is back",
        "a Service's label is back",
        "no withdrawn label",
        "no annotation",
        "not cordoned",
        "not excluded",
    ],
)
@pytest.mark.parametrize("dry_run", [False, True], ids=["in earnest", "in a dry run"])
def test_what_came_back_unchanged_is_undone(
    serve: Serve, action: Action, returned: dict[str, Any], words: str, dry_run: bool
) -> None:
    result, _, _ = act(serve, lambda _: Answer(body=returned), action, dry_run=dry_run)
    assert isinstance(result, Undone)
    assert words in result.message


def test_a_conflict_reads_the_pod_so_that_the_next_decision_sees_it(serve: Serve) -> None:
    script = read_as(a_raw_pod("a", version=12), a_status(409, "Conflict"))
    result, caches, server = act(serve, script, RELEASE)
    assert result == Conflict()
    assert caches.put_versions == [("pods", "12")]
    read = next(asked for asked in server.asked if asked.method == "GET")
    assert "resourceVersion" not in read.query


def test_a_conflict_over_another_pod_of_that_name_is_gone(serve: Serve) -> None:
    script = read_as(a_raw_pod("a", uid="another"), a_status(409, "Conflict"))
    result, caches, _ = act(serve, script, RELEASE)
    assert result == Gone()
    assert caches.forgotten == [("pods", "uid-a")]


def test_a_conflict_over_what_is_no_pod_is_left_to_the_watch(serve: Serve) -> None:
    record = Record(bearer=a_replica_set(), operation=Operation(id="1", started="", options="", pods=frozenset()))
    result, _, server = act(serve, lambda _: a_status(409, "Conflict"), record)
    assert result == Conflict()
    assert len(server.asked) == 1


def test_a_nudge_of_a_binding_that_is_gone_is_gone(serve: Serve) -> None:
    result, caches, _ = act(serve, lambda _: a_status(404, "NotFound"), Nudge(binding=a_binding()))
    assert result == Gone()
    assert caches.forgotten == []


def test_an_eviction_of_what_was_decided_on_is_sent_once(serve: Serve) -> None:
    result, _, server = act(serve, read_as(a_raw_withdrawn_pod(), Answer(status=201)), EVICT)
    assert result == Done()
    assert [asked.path for asked in writes(server)] == ["/api/v1/namespaces/default/pods/a/eviction"]


@pytest.mark.parametrize(
    ("fresh", "pins", "expected"),
    [
        (a_raw_withdrawn_pod(uid="another"), False, Gone()),
        (a_status(404, "NotFound"), False, Gone()),
        (Answer(status=404, body=b"no page"), False, Busy(message="no page", retry_after=1)),
        (a_raw_withdrawn_pod(deletionTimestamp="2026-01-01T00:00:00Z"), False, Done()),
        (a_raw_withdrawn_pod(labels={}), False, Conflict()),
        (a_raw_withdrawn_pod(labels={marks.WITHDRAWN: "", "app": "web"}), False, Conflict()),
        (a_raw_withdrawn_pod(annotations={}), False, Conflict()),
        (a_raw_withdrawn_pod(version=8), True, Conflict()),
        (a_status(403, "Forbidden", DENIAL), False, Denied(message=DENIAL)),
    ],
    ids=[
        "another pod by that name",
        "gone",
        "not found by a proxy",
        "terminating already",
        "the withdrawn label is gone",
        "a Service's label is back",
        "the handoff's annotation is gone",
        "pinned, and changed since",
        "may not be read",
    ],
)
def test_an_eviction_is_not_sent_for(
    serve: Serve, fresh: dict[str, Any] | Answer, pins: bool, expected: Result
) -> None:
    script = read_as(fresh, Answer(status=201))
    result, _, server = act(serve, script, Evict(pod=WITHDRAWN, pins_resource_version=pins))
    assert result == expected
    assert writes(server) == []


def a_raw_replacement(*, is_ready: bool, **changes: Any) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": str(is_ready)}]
    return a_raw_pod("b", version=8, **changes) | {"status": {"conditions": conditions}}


@pytest.mark.parametrize(
    ("fresh", "expected"),
    [
        (a_raw_replacement(is_ready=False), Done()),
        (a_raw_replacement(is_ready=True), Conflict()),
        (a_raw_replacement(is_ready=False, deletionTimestamp="2026-01-01T00:00:00Z"), Conflict()),
        (a_raw_replacement(is_ready=False, uid="another"), Conflict()),
        (a_status(404, "NotFound"), Conflict()),
        (a_status(503, "ServiceUnavailable", "oh"), Busy(message="oh", retry_after=1)),
    ],
    ids=["still not ready", "ready", "terminating", "another pod by that name", "gone", "not told"],
)
def test_a_pod_is_given_back_while_the_one_that_goes_for_it_is_by_the_newest_word(
    serve: Serve, fresh: dict[str, Any] | Answer, expected: Result
) -> None:
    undo = Undo(pod=a_pod(annotations={marks.HANDOFF: HANDOFF}), owner=OWNER, idle=(a_pod(name="b", uid="uid-b"),))
    result, _, server = act(serve, read_as(fresh, Answer(body=a_raw_pod("a", labels={"app": "web"}))), undo)
    assert result == expected
    assert server.asked[0].path == "/api/v1/namespaces/default/pods/b"
    assert [asked.path for asked in writes(server)] == ["/api/v1/namespaces/default/pods/a"] * (expected == Done())


def test_a_change_of_status_does_not_keep_a_pod_from_its_eviction(serve: Serve) -> None:
    result, caches, _ = act(serve, read_as(a_raw_withdrawn_pod(version=8), Answer(status=201)), EVICT)
    assert result == Done()
    assert caches.put_versions == [("pods", "8")]


def test_a_nudge_carries_the_time(serve: Serve) -> None:
    _, _, server = act(serve, lambda _: Answer(body=a_raw_pod("web")), Nudge(binding=a_binding()))
    assert server.asked[0].json["metadata"]["annotations"] == {marks.NUDGE: "2026-01-02T12:00:00.000Z"}


def test_an_eviction_carries_the_grace_period(serve: Serve) -> None:
    server, client = serve(read_as(a_raw_withdrawn_pod(), Answer(status=201)))
    Actuator(client, Caches(), now=lambda: NOON, grace_period=3).act(EVICT)
    assert writes(server)[0].json["deleteOptions"]["gracePeriodSeconds"] == 3


def test_whether_it_may_write_is_asked_after_the_pod_was_read_and_right_before_the_eviction(serve: Serve) -> None:
    server, client = serve(read_as(a_raw_withdrawn_pod(), Answer(status=201)))
    asked: list[list[str]] = []

    def fence() -> Busy | None:
        asked.append([it.method for it in server.asked])
        return Busy(message="stopped for too long", retry_after=1) if len(asked) == 1 else None

    actuator = Actuator(client, Caches(), now=lambda: NOON, fence=fence)
    assert actuator.act(EVICT) == Busy(message="stopped for too long", retry_after=1)
    assert writes(server) == []
    assert actuator.act(EVICT) == Done()
    assert asked == [["GET"], ["GET", "GET"]]


def test_a_dry_run_may_always_be_sent(serve: Serve) -> None:
    server, client = serve(read_as(a_raw_withdrawn_pod(), Answer(status=201)))

    def fence() -> Busy | None:
        raise KubectlSafeError("another has taken over")

    actuator = Actuator(client, Caches(), now=lambda: NOON, fence=fence)
    assert actuator.act(EVICT, dry_run=True) == Done()
    with pytest.raises(KubectlSafeError, match="another has taken over"):
        actuator.act(EVICT)
    assert len(writes(server)) == 1
