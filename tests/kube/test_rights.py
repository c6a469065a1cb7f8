"""Which rights the API server says that we don't have."""

from collections.abc import Callable
from typing import Any

import pytest

from kubectl_safe.decide.rights import Right
from kubectl_safe.kube.bindings import BINDING_APIS
from kubectl_safe.kube.errors import ApiError
from kubectl_safe.kube.rights import REVIEWS, denied, pods_of
from tests.kube.conftest import Serve
from tests.support.api_server import Answer, Asked, a_status
from tests.support.raw import a_list, a_raw_pod

READ = Right(verb="list", resource="pods", namespace="shop")
EVICT = Right(verb="create", resource="pods", subresource="eviction", namespace="shop")
CORDON = Right(verb="patch", resource="nodes", name="node-1")
BINDINGS = Right(verb="list", group="elbv2.k8s.aws", resource="targetgroupbindings")
OF_AUTO_MODE = Right(verb="list", group="eks.amazonaws.com", resource="targetgroupbindings")


def allowing(*verbs: str, **status: Any) -> Callable[[Asked], Answer]:
    """Return a server that allows these verbs, and has no TargetGroupBindings."""

    def answer(asked: Asked) -> Answer:
        if asked.path == "/apis":
            return Answer(body={"groups": []})
        attributes = asked.json["spec"]["resourceAttributes"]
        return Answer(status=201, body={"status": {"allowed": attributes["verb"] in verbs, **status}})

    return answer


def test_each_right_is_asked_for_as_it_will_be_used(serve: Serve) -> None:
    server, client = serve(allowing())
    denied(client, [READ, EVICT, CORDON])
    assert {(a.method, a.path) for a in server.asked} == {("POST", REVIEWS)}
    sent = [asked.json for asked in server.asked]
    assert {(body["apiVersion"], body["kind"]) for body in sent} == {
        ("authorization.k8s.io/v1", "SelfSubjectAccessReview")
    }
    assert sorted((body["spec"]["resourceAttributes"] for body in sent), key=str) == [
        {"verb": "create", "resource": "pods", "subresource": "eviction", "namespace": "shop"},
        {"verb": "list", "resource": "pods", "namespace": "shop"},
        {"verb": "patch", "resource": "nodes", "name": "node-1"},
    ]


def test_the_same_right_is_asked_for_once(serve: Serve) -> None:
    server, client = serve(allowing("list"))
    assert denied(client, [READ, READ]) == {}
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({}, ""),
        ({"reason": "not on Fridays"}, "not on Fridays"),
        ({"evaluationError": "the webhook is down"}, "the webhook is down"),
    ],
)
def test_what_is_denied_is_returned_in_order_with_the_reason(serve: Serve, status: Any, reason: str) -> None:
    _, client = serve(allowing("list", **status))
    assert list(denied(client, [EVICT, READ, CORDON]).items()) == [(EVICT, reason), (CORDON, reason)]


@pytest.mark.parametrize("answer", [a_status(403, "Forbidden"), a_status(404, "NotFound")])
def test_a_server_that_answers_no_reviews_denies_nothing(serve: Serve, answer: Answer) -> None:
    _, client = serve(lambda _: answer)
    assert denied(client, [READ, EVICT, BINDINGS]) == {}


def test_rights_on_bindings_are_not_missed_where_there_are_none(serve: Serve) -> None:
    _, client = serve(allowing())
    assert list(denied(client, [BINDINGS, EVICT])) == [EVICT]


@pytest.mark.parametrize(
    ("apis", "missed"),
    [
        (["elbv2.k8s.aws"], [BINDINGS]),
        (["eks.amazonaws.com"], [OF_AUTO_MODE]),
        (["elbv2.k8s.aws", "eks.amazonaws.com"], [BINDINGS, OF_AUTO_MODE]),
    ],
    ids=["the controller's", "Auto Mode's", "both"],
)
def test_rights_on_bindings_are_missed_where_the_cluster_serves_them(
    serve: Serve, apis: list[str], missed: list[Right]
) -> None:
    crd = Answer(body={"resources": [{"name": "targetgroupbindings"}]})
    groups = Answer(body={"groups": [{"name": api} for api in apis]})
    found = {"/apis": groups, **{BINDING_APIS[api]: crd for api in apis}}
    _, client = serve(lambda asked: found.get(asked.path) or allowing()(asked))
    assert list(denied(client, [BINDINGS, OF_AUTO_MODE, EVICT])) == [*missed, EVICT]


def test_whether_there_are_bindings_is_only_asked_where_it_matters(serve: Serve) -> None:
    server, client = serve(allowing("list"))
    denied(client, [BINDINGS, EVICT])
    assert "/apis" not in {asked.path for asked in server.asked}


def test_a_question_is_asked_again_while_the_server_is_busy(serve: Serve) -> None:
    answers = iter([a_status(503, "ServiceUnavailable"), a_status(429, "TooManyRequests")])
    _, client = serve(lambda asked: next(answers, None) or allowing("list")(asked))
    assert denied(client, [READ]) == {}


def test_a_server_that_fails_again_and_again_is_an_error(serve: Serve) -> None:
    server, client = serve(lambda _: a_status(500, "InternalError", "etcd is gone"))
    with pytest.raises(ApiError, match="etcd is gone"):
        denied(client, [READ])
    assert len(server.asked) == 3


def test_the_pods_of_nodes_are_found_by_one_request_a_node(serve: Serve) -> None:
    server, client = serve(lambda asked: Answer(body=a_list(a_raw_pod(asked.query["fieldSelector"][-1]), version=1)))
    assert [pod.name for pod in pods_of(client, ["a", "b"])] == ["a", "b"]
    assert [asked.query["fieldSelector"] for asked in server.asked] == ["spec.nodeName=a", "spec.nodeName=b"]
