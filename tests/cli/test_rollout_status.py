"""What `kubectl safe rollout status` takes, and what it says where there is nothing to watch."""

from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.cli.types import parse_selector
from kubectl_safe.decide.rights import to_watch_rollouts
from kubectl_safe.run.rollout_status import RolloutStatus
from tests.cli.conftest import CommandLine, EmptyCluster, Ended

Status = Callable[..., Ended]


@pytest.fixture
def status(safe: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Status:
    """`kubectl safe rollout status`; what is accepted leaves its request at `safe`."""

    def follow(request: RolloutStatus, _: object, **__: object) -> None:
        safe.carry_out(request, None)

    @contextmanager
    def onlooker_for(*_: object, **options: Any) -> Any:
        safe.sessions.append(options)
        yield

    monkeypatch.setattr("kubectl_safe.cli.rollout.onlooker_for", onlooker_for)
    monkeypatch.setattr("kubectl_safe.run.rollout_status.follow", follow)
    return lambda *arguments: safe("rollout", "status", *arguments)


ACCEPTED = [
    (["deployment/web"], {"named": (("Deployment", "web"),)}),
    (["deploy", "web", "api"], {"named": (("Deployment", "web"), ("Deployment", "api"))}),
    (
        ["sts/db", "statefulset/queue"],
        {"kinds": ("StatefulSet",), "named": (("StatefulSet", "db"), ("StatefulSet", "queue"))},
    ),
    (["ds"], {"kinds": ("DaemonSet",)}),
    (
        ["sts/db", "deploy/web", "sts/queue"],
        {
            "kinds": ("StatefulSet", "Deployment"),
            "named": (("StatefulSet", "db"), ("Deployment", "web"), ("StatefulSet", "queue")),
        },
    ),
    (
        ["deploy,sts", "web"],
        {"kinds": ("Deployment", "StatefulSet"), "named": (("Deployment", "web"), ("StatefulSet", "web"))},
    ),
    (["deploy", "-l", "app=web"], {"selector": parse_selector("app=web")}),
    (["deploy/web", "-n", "other"], {"named": (("Deployment", "web"),), "namespace": "other"}),
    (["deploy/web", "--timeout", "1m30s"], {"named": (("Deployment", "web"),), "timeout": timedelta(seconds=90)}),
    (["deploy/web", "--timeout=0s"], {"named": (("Deployment", "web"),)}),
    (["deploy/web", "--revision", "3"], {"named": (("Deployment", "web"),), "revision": 3}),
]


@pytest.mark.parametrize(("arguments", "expected"), ACCEPTED, ids=[" ".join(given) for given, _ in ACCEPTED])
def test_takes_what_kubectl_takes(
    safe: CommandLine, status: Status, arguments: list[str], expected: dict[str, Any]
) -> None:
    assert status(*arguments) == Ended(code=0, out="", err="")
    [request] = safe.requests
    assert request == RolloutStatus(**{"namespace": "shop", **expected})
    [options] = safe.sessions
    assert options["namespace"] == request.namespace
    assert options["needs"] == to_watch_rollouts(request.namespace, kinds=request.kinds)


WATCHED = {
    "-w": True,
    "--watch": True,
    "-w=true": True,
    "--watch=true": True,
    "-w=false": False,
    "--watch=false": False,
}


@pytest.mark.parametrize(("flag", "is_watched"), WATCHED.items(), ids=WATCHED)
def test_watches_unless_told_not_to(safe: CommandLine, status: Status, flag: str, *, is_watched: bool) -> None:
    assert status(flag, "deploy/web").code == 0
    assert [request.is_watched for request in safe.requests] == [is_watched]


REFUSED = [
    ([], 2, "required resource not specified"),
    (["deploy/web", "-l", "a=b"], 2, "name cannot be provided when a selector is specified"),
    (["deploy/web", "--revision=-1"], 2, "revision must be a positive integer: -1"),
    (["job/a"], 1, "'job' has no rollout to watch: name a deployment, a statefulset or a daemonset"),
    (["job", "a"], 1, "'job' has no rollout to watch: name a deployment, a statefulset or a daemonset"),
]


@pytest.mark.parametrize(("arguments", "code", "why"), REFUSED, ids=[" ".join(given) for given, _, _ in REFUSED])
def test_refuses_in_kubectls_words_where_it_has_some(
    safe: CommandLine, status: Status, arguments: list[str], code: int, why: str
) -> None:
    ended = status(*arguments)
    assert (ended.code, ended.out, ended.err.splitlines()[0]) == (code, "", f"error: {why}")
    assert safe.requests == []


def test_what_is_not_there(empty_cluster: EmptyCluster) -> None:
    absent = empty_cluster("rollout", "status", "sts/db")
    assert absent == Ended(code=1, out="", err='Error from server (NotFound): statefulsets.apps "db" not found\n')
    none = empty_cluster("rollout", "status", "deploy", "-n", "shop")
    assert none == Ended(code=0, out="", err="No resources found in shop namespace.\n")
    assert empty_cluster.writes == []


def test_an_interruption_ends_it_as_any_other_command(
    empty_cluster: EmptyCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def follow(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kubectl_safe.run.rollout_status.follow", follow)
    ended = empty_cluster("rollout", "status", "deploy/web")
    assert ended == Ended(code=130, out="", err="error: interrupted: it was only looked at, and nothing was changed\n")


def test_reads_nothing_that_it_has_no_use_for(empty_cluster: EmptyCluster) -> None:
    empty_cluster("rollout", "status", "sts/db")
    read = {asked.path.rpartition("/")[2] for asked in empty_cluster.server.asked if asked.method == "GET"}
    assert read - {"apis"} == {"statefulsets", "pods", "services", "endpointslices", "replicasets"}
