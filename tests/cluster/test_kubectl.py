"""The real kubectl on the embedded cluster."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kubectl_safe.sandbox.cluster.controlplane import EmbeddedControlPlane
from kubectl_safe.sandbox.network import PodNetwork
from kubectl_safe.sandbox.node import Nodes
from tests.support.loop import LoopThread, eventually

pytestmark = pytest.mark.controlplane

Kubectl = Callable[..., str]


@pytest.fixture(scope="module")
def kubectl(binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """Run kubectl on an embedded cluster with two nodes, and return what it prints."""
    cache = tmp_path_factory.mktemp("home")
    with (
        LoopThread() as loop,
        loop.entered(EmbeddedControlPlane()) as control_plane,
        loop.entered(control_plane.api("kubelet")) as api,
    ):
        nodes = loop.spawn(Nodes(api, PodNetwork(), ["node-a", "node-b"]).run())
        environment = {**os.environ, "KUBECONFIG": str(control_plane.kubeconfig), "HOME": str(cache)}

        def run(*arguments: str, manifest: dict[str, Any] | None = None) -> str:
            done = subprocess.run(
                [str(binaries / "kubectl"), *arguments],
                env=environment,
                text=True,
                capture_output=True,
                timeout=60,
                check=False,
                input=None if manifest is None else json.dumps(manifest),
            )
            return done.stdout + done.stderr

        loop.call(eventually(lambda: len(control_plane.model.all(_nodes())) == 2, what="the nodes"))
        yield run
        nodes.cancel()


def _nodes() -> Any:
    from kubectl_safe.sandbox.cluster.resources import NODES

    return NODES


@pytest.fixture(scope="module")
def web(kubectl: Kubectl) -> str:
    """A Deployment that is applied and rolled out."""
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "app", "image": "sandbox.invalid/app:1"}], "terminationGracePeriodSeconds": 1},
    }
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": spec,
    }
    out = kubectl("apply", "--validate=false", "-f", "-", manifest=manifest)
    assert out == "deployment.apps/web created\n"
    out = kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    assert out.endswith('deployment "web" successfully rolled out\n')
    return "web"


def test_get_prints_rows(kubectl: Kubectl, web: str) -> None:
    header, *rows = kubectl("get", "pods", "-l", f"app={web}", "-o", "wide").splitlines()
    assert header.split()[:7] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE"]
    assert [row.split()[1:3] for row in rows] == [["1/1", "Running"]] * 2
    assert "web" in kubectl("get", "deployments,rs,svc,nodes,pdb")


def test_get_prints_json(kubectl: Kubectl, web: str) -> None:
    listed = json.loads(kubectl("get", "deploy", "-o", "json"))
    assert [its["metadata"]["name"] for its in listed["items"]] == [web]


SAYS = (
    (("annotate", "deployment/web", "a=b"), "deployment.apps/web annotated\n"),
    (("label", "deployment/web", "c=d"), "deployment.apps/web labeled\n"),
    (("scale", "deployment/web", "--replicas=3"), "deployment.apps/web scaled\n"),
    (("scale", "deployment/web", "--replicas=2"), "deployment.apps/web scaled\n"),
    (("patch", "deployment/web", "-p", '{"spec":{"minReadySeconds":1}}'), "deployment.apps/web patched\n"),
    (("cordon", "node-b"), "node/node-b cordoned\n"),
    (("cordon", "node-b"), "node/node-b already cordoned\n"),
    (("uncordon", "node-b"), "node/node-b uncordoned\n"),
    (("auth", "can-i", "create", "pods/eviction"), "yes\n"),
    (("create", "namespace", "shop"), "namespace/shop created\n"),
    (("delete", "namespace", "shop", "--timeout=20s"), 'namespace "shop" deleted\n'),
    (("get", "pod", "missing"), 'Error from server (NotFound): pods "missing" not found\n'),
)
"""One after the other: what is said of an object depends on what was done to it."""


@pytest.mark.usefixtures("web")
def test_says_what_it_says_of_a_real_cluster(kubectl: Kubectl) -> None:
    assert [kubectl(*arguments) for arguments, _ in SAYS] == [said for _, said in SAYS]


def test_applies_again(kubectl: Kubectl) -> None:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "default"}}
    for data, said in (({"a": "1"}, "created"), ({"a": "2"}, "configured"), ({"a": "2"}, "unchanged")):
        out = kubectl("apply", "--validate=false", "-f", "-", manifest={**manifest, "data": data})
        assert out == f"configmap/c {said}\n"


def test_restarts(kubectl: Kubectl, web: str) -> None:
    assert kubectl("rollout", "restart", f"deployment/{web}") == "deployment.apps/web restarted\n"
    assert "successfully rolled out" in kubectl("rollout", "status", f"deployment/{web}", "--timeout=40s")


@pytest.mark.usefixtures("web")
def test_drains(kubectl: Kubectl) -> None:
    out = kubectl("drain", "node-a", "--timeout=40s")
    assert out.endswith("node/node-a drained\n")
    assert (
        kubectl("get", "pods", "--field-selector", "spec.nodeName=node-a")
        == "No resources found in default namespace.\n"
    )
    kubectl("uncordon", "node-a")


@pytest.mark.usefixtures("web")
def test_is_refused_by_a_budget(kubectl: Kubectl) -> None:
    spec = {"maxUnavailable": 0, "selector": {"matchLabels": {"app": "web"}}}
    manifest = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web"}, "spec": spec}
    kubectl(
        "apply",
        "--validate=false",
        "-f",
        "-",
        manifest={**manifest, "metadata": {"name": "web", "namespace": "default"}},
    )
    out = kubectl("drain", "node-a", "node-b", "--timeout=1s")
    assert "Cannot evict pod as it would violate the pod's disruption budget." in out
    kubectl("uncordon", "node-a", "node-b")
    assert kubectl("delete", "pdb", "web") == 'poddisruptionbudget.policy "web" deleted from default namespace\n'
