"""How long a pod takes to stop, and how it tells that it serves, by what its containers say."""

from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.kube import parse
from kubectl_safe.model.autoscaler import Autoscaler
from kubectl_safe.model.container import Hook, Probe

META = {"namespace": "shop", "name": "web-1", "uid": "u", "resourceVersion": "1"}


def a_pod(*containers: dict[str, Any], **spec: Any) -> Any:
    return parse.pod({"metadata": META, "spec": {"containers": list(containers), **spec}})


def hook(raw: Any) -> Hook | None:
    [container] = a_pod({"name": "app", "lifecycle": {"preStop": raw}}).containers
    found = container.pre_stop
    assert found is None or isinstance(found, Hook)
    return found


@pytest.mark.parametrize(
    ("raw", "seconds", "is_pause"),
    [
        ({"sleep": {"seconds": 20}}, 20, True),
        ({"httpGet": {"port": 8080, "path": "/stop"}}, None, False),
        ({"exec": {"command": ["sleep", "15"]}}, 15, True),
        ({"exec": {"command": ["/bin/sleep", "1.5m"]}}, 90, True),
        ({"exec": {"command": ["sh", "-c", "sleep 15"]}}, 15, True),
        ({"exec": {"command": ["/bin/bash", "-ec", "exec sleep 15s"]}}, 15, True),
        ({"exec": {"command": ["/bin/sh", "-c", "sleep 10; sleep 5"]}}, 15, True),
        ({"exec": {"command": ["/bin/sh", "-c", "sleep 10", "its-name"]}}, 10, True),
        ({"exec": {"command": ["/bin/sh", "-c", "sleep 10 && nginx -s quit"]}}, 10, False),
        ({"exec": {"command": ["/bin/sh", "-c", "nginx -s quit\nsleep 10\n"]}}, 10, False),
        ({"exec": {"command": ["/bin/sh", "-c", "sleep $PAUSE"]}}, None, False),
        ({"exec": {"command": ["/bin/sh", "-c", "while busy; do sleep 1; done"]}}, None, False),
        ({"exec": {"command": ["/bin/sh", "-c", "sleep 10 &"]}}, None, False),
        ({"exec": {"command": ["/bin/sh", "-c", "sleep infinity"]}}, None, False),
        ({"exec": {"command": ["/drain", "sleep 10"]}}, None, False),
        ({"exec": {"command": ["/bin/sh", "/sleep.sh", "sleep 10"]}}, None, False),
    ],
)
def test_how_long_a_hook_takes_at_least(raw: Any, seconds: float | None, is_pause: bool) -> None:
    found = hook(raw)
    assert found is not None
    assert found.duration == (None if seconds is None else timedelta(seconds=seconds))
    assert found.is_pause is is_pause
    assert found.command == tuple(raw.get("exec", {}).get("command", ()))


def test_no_hook() -> None:
    assert hook(None) is None
    assert hook({}) is None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (None, None),
        ({"httpGet": {"port": "http", "path": "/healthz"}}, Probe(asks="GET http/healthz")),
        ({"httpGet": {"port": 8080}}, Probe(asks="GET 8080/")),
        ({"tcpSocket": {"port": 8080}, "periodSeconds": 5}, Probe(asks="TCP 8080", period=timedelta(seconds=5))),
        ({"grpc": {"port": 9000}, "failureThreshold": 1}, Probe(asks="gRPC 9000", failures=1)),
        ({"grpc": {"port": 9000, "service": "web"}}, Probe(asks="gRPC 9000/web")),
        ({"exec": {"command": ["cat", "/up"]}}, Probe(asks="exec cat /up")),
    ],
)
def test_what_a_probe_asks_for(raw: Any, expected: Probe | None) -> None:
    for kind, name in (("readinessProbe", "readiness"), ("livenessProbe", "liveness")):
        [container] = a_pod({"name": "app", kind: raw}).containers
        assert getattr(container, name) == expected


def test_sidecars_are_told_from_the_containers_that_stop_with_the_pod() -> None:
    its = a_pod({"name": "app"}, initContainers=[{"name": "proxy", "restartPolicy": "Always"}, {"name": "migrate"}])
    assert [(c.name, c.is_sidecar) for c in its.containers] == [("app", False), ("proxy", True)]


def test_pods_of_one_template_share_what_is_known_of_their_containers() -> None:
    one, two = (a_pod({"name": "app", "readinessProbe": {"httpGet": {"port": 80}}}) for _ in range(2))
    assert one.containers is two.containers


def test_an_autoscaler() -> None:
    raw: dict[str, Any] = {
        "metadata": META,
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "minReplicas": 2, "maxReplicas": 6},
        "status": {
            "currentReplicas": 6,
            "conditions": [
                {"type": "AbleToScale", "status": "True", "reason": "ReadyForNewScale"},
                {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas"},
            ],
        },
    }
    whole = Autoscaler(
        namespace="shop",
        name="web-1",
        kind="Deployment",
        target="web",
        minimum=2,
        maximum=6,
        current=6,
        is_limited=True,
    )
    assert parse.autoscaler(raw) == whole
    raw["status"]["conditions"][1]["reason"] = "TooFewReplicas"
    assert not parse.autoscaler(raw).is_limited
    del raw["status"], raw["spec"]["minReplicas"]
    found = parse.autoscaler(raw)
    assert (found.minimum, found.current, found.is_limited) == (1, 0, False)
