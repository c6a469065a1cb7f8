"""How a Lease looks on the wire, and what each answer means."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.kube.leases import Absent, Found, LeaseApi, Taken, leases_of_runs, parse
from kubectl_safe.kube.outcome import Busy, Conflict, Denied
from kubectl_safe.model.lease import Lease, lease_of_node
from kubectl_safe.model.marks import RUN
from tests.kube.conftest import Serve
from tests.support.api_server import Answer, Asked, Cut, a_status
from tests.support.leases import a_lease

NODE = lease_of_node("node-a")
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
OURS = a_lease(NODE, holder="alice@laptop pid 4711 3f2a9c1b", about="drain node-a", transitions=2)
RAW: dict[str, Any] = {
    "apiVersion": "coordination.k8s.io/v1",
    "kind": "Lease",
    "metadata": {
        "namespace": "kube-node-lease",
        "name": "kubectl-safe.node-a",
        "uid": "uid",
        "resourceVersion": "7",
        "labels": {"app.kubernetes.io/managed-by": "kubectl-safe"},
        "annotations": {RUN: "drain node-a"},
    },
    "spec": {
        "holderIdentity": "alice@laptop pid 4711 3f2a9c1b",
        "leaseDurationSeconds": 30,
        "acquireTime": "2026-11-23T11:00:00.000000Z",
        "renewTime": "2026-11-23T11:59:50.000000Z",
        "leaseTransitions": 2,
    },
}

Ask = Callable[[LeaseApi], object]
READ: Ask = lambda api: api.read(NODE)  # noqa: E731 - rows of a table
CREATE: Ask = lambda api: api.create(OURS)  # noqa: E731
UPDATE: Ask = lambda api: api.update(OURS)  # noqa: E731
DELETE: Ask = lambda api: api.delete(OURS)  # noqa: E731


def ask(serve: Serve, asking: Ask, answer: Answer | Cut) -> tuple[object, list[Asked]]:
    server, client = serve(lambda _: answer)
    return asking(LeaseApi(client)), server.asked


def test_a_lease_survives_the_round_trip(serve: Serve) -> None:
    result, asked = ask(serve, UPDATE, Answer(body=RAW))
    assert result == Taken(lease=OURS)
    assert asked[0].json == RAW
    assert parse(asked[0].json) == OURS


@pytest.mark.parametrize(
    ("asking", "method", "path"),
    [
        pytest.param(READ, "GET", f"{LEASES}/kubectl-safe.node-a", id="read"),
        pytest.param(CREATE, "POST", LEASES, id="create"),
        pytest.param(UPDATE, "PUT", f"{LEASES}/kubectl-safe.node-a", id="update"),
        pytest.param(DELETE, "DELETE", f"{LEASES}/kubectl-safe.node-a", id="delete"),
    ],
)
def test_one_request_each(serve: Serve, asking: Ask, method: str, path: str) -> None:
    _, asked = ask(serve, asking, Answer(body=RAW))
    assert [(it.method, it.path) for it in asked] == [(method, path)]


def test_a_new_lease_names_no_version(serve: Serve) -> None:
    server, client = serve(lambda _: Answer(body=RAW))
    LeaseApi(client).create(replace(OURS, uid="", resource_version=""))
    assert server.asked[0].json["metadata"].keys() == {"namespace", "name", "labels", "annotations"}


def test_only_the_version_that_was_seen_is_deleted(serve: Serve) -> None:
    result, asked = ask(serve, DELETE, Answer())
    assert result == Absent()
    assert asked[0].json == {"preconditions": {"uid": "uid", "resourceVersion": "7"}}


GONE, CONFLICT = a_status(404, "NotFound", "not found"), a_status(409, "Conflict", "changed")


@pytest.mark.parametrize(
    ("asking", "answer", "expected"),
    [
        pytest.param(READ, Answer(body=RAW), Found(lease=OURS), id="what is read is found"),
        pytest.param(READ, GONE, Absent(), id="what is not there is absent"),
        pytest.param(CREATE, CONFLICT, Conflict(), id="what exists can't be created"),
        pytest.param(UPDATE, CONFLICT, Conflict(), id="another version can't be replaced"),
        pytest.param(UPDATE, GONE, Conflict(), id="nor what is gone"),
        pytest.param(DELETE, CONFLICT, Conflict(), id="another version can't be deleted"),
        pytest.param(DELETE, GONE, Absent(), id="what is gone is deleted"),
    ],
)
def test_each_answer_has_its_meaning(serve: Serve, asking: Ask, answer: Answer, expected: object) -> None:
    assert ask(serve, asking, answer)[0] == expected


@pytest.mark.parametrize(
    ("asking", "verb"), [(READ, "get"), (CREATE, "create"), (UPDATE, "update"), (DELETE, "delete")]
)
def test_a_missing_right_is_told_with_its_remedy(serve: Serve, asking: Ask, verb: str) -> None:
    result, _ = ask(serve, asking, a_status(403, "Forbidden", "leases is forbidden"))
    assert isinstance(result, Denied)
    assert result.message == (
        f"{verb} of lease kube-node-lease/kubectl-safe.node-a failed: leases is forbidden; a role must allow get, "
        "create, update and delete on leases.coordination.k8s.io in namespace kube-node-lease"
    )


def test_a_missing_namespace_is_denied_without_talk_of_roles(serve: Serve) -> None:
    result, _ = ask(serve, CREATE, a_status(404, "NotFound", 'namespaces "kube-node-lease" not found'))
    assert isinstance(result, Denied)
    assert result.message.endswith('failed: namespaces "kube-node-lease" not found')


@pytest.mark.parametrize("asking", [CREATE, UPDATE, DELETE], ids=["create", "update", "delete"])
def test_a_write_without_an_answer_is_not_sent_again(serve: Serve, asking: Ask) -> None:
    result, asked = ask(serve, asking, Cut())
    assert isinstance(result, Busy)
    assert len(asked) == 1


def changed(**spec: Any) -> dict[str, Any]:
    return {**RAW, "spec": {**RAW["spec"], **spec}}


def test_a_holder_that_a_policy_changes_is_not_ours(serve: Serve) -> None:
    result, _ = ask(serve, UPDATE, Answer(body=changed(holderIdentity="policy")))
    assert isinstance(result, Denied)
    assert "a mutating policy" in result.message


@pytest.mark.parametrize("raw", [{}, {"metadata": {}}, changed(leaseDurationSeconds="long")], ids=str)
def test_what_is_no_lease_is_no_answer(serve: Serve, raw: dict[str, Any]) -> None:
    assert isinstance(ask(serve, READ, Answer(body=raw))[0], Busy)


def test_an_empty_lease_is_nobodys() -> None:
    lease = parse({"metadata": RAW["metadata"]})
    assert (lease.holder, lease.since, lease.renewed, lease.duration) == ("", "", "", timedelta(0))
    assert isinstance(lease, Lease)
    assert lease.held_by.since is None


NONSENSE = (
    "leases in all namespaces can't be listed: "
    "the list at /apis/coordination.k8s.io/v1/leases can't be read: KeyError('metadata')"
)


@pytest.mark.parametrize(
    ("answer", "found", "told"),
    [
        pytest.param(Answer(body={"items": [RAW]}), (OURS,), [], id="some"),
        pytest.param(Answer(body={"items": []}), (), [], id="none"),
        pytest.param(
            a_status(403, "Forbidden", "no"), None, ["leases in all namespaces can't be listed: no"], id="forbidden"
        ),
        pytest.param(
            Answer(body={"items": [{}]}),
            None,
            [NONSENSE],
            id="nonsense",
        ),
    ],
)
def test_whoever_looks_on_reads_the_leases_of_all_runs(
    serve: Serve, answer: Answer, found: tuple[Lease, ...] | None, told: list[str]
) -> None:
    server, client = serve(lambda _: answer)
    assert leases_of_runs(client, None) == (found, told)
    [asked] = server.asked
    assert asked.query["labelSelector"] == "app.kubernetes.io/managed-by=kubectl-safe"
