"""Shells with kubectl, kubectl-safe and the completion of both, and a cluster to look things up in."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubectl_safe.sandbox.cluster.controlplane import EmbeddedControlPlane
from tests.support.loop import LoopThread
from tests.support.shells import KINDS, Shell

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "completions"
BASH_COMPLETION = Path("/usr/share/bash-completion/bash_completion")

SETUP = {
    "bash": ["source <(kubectl completion bash)", f"source {SCRIPTS}/kubectl-safe.bash"],
    # The other one is found by compinit.
    "zsh": ["source <(kubectl completion zsh)"],
    "fish": ["kubectl completion fish | source", f"source {SCRIPTS}/kubectl-safe.fish"],
}

OBJECTS: list[dict[str, Any]] = [
    {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-a"}},
    {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-b"}},
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}},
    *(
        {
            "apiVersion": "apps/v1",
            "kind": kind,
            "metadata": {"name": name, "namespace": "shop"},
            "spec": {
                **({} if kind == "DaemonSet" else {"replicas": 0}),
                "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {"containers": [{"name": "app", "image": "sandbox.invalid/app:1"}]},
                },
            },
        }
        for kind, name in (("Deployment", "web"), ("StatefulSet", "db"), ("DaemonSet", "ingress"))
    ),
]
"""What there is in the cluster."""

CONTEXT = "arn:aws:eks:eu-west-1:123456789012:cluster/shop"
"""Another context of its kubeconfig, as EKS names them."""


@pytest.fixture(scope="session")
def programs(binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with kubectl and with what pip installs; kubectl's way to complete us is a link, as with krew."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "kubectl").symlink_to(binaries / "kubectl")
    script = folder / "kubectl-safe"
    script.write_text(f"#!{sys.executable}\nfrom kubectl_safe.cli.main import main\nmain()\n")
    script.chmod(0o755)
    (folder / "kubectl_complete-safe").symlink_to("kubectl-safe")
    return folder


@pytest.fixture(scope="session")
def environment(programs: Path, kubeconfig: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What shells know of the world."""
    home = tmp_path_factory.mktemp("home")
    return {
        "PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "HOME": str(home),
        "TERM": "xterm",
        "LANG": "C.UTF-8",
        "COMPLETIONS": str(SCRIPTS),
        "KUBECONFIG": kubeconfig,
    }


@pytest.fixture(scope="session")
def kubeconfig(binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The kubeconfig of an embedded cluster with `OBJECTS`."""
    with LoopThread() as loop, loop.entered(EmbeddedControlPlane()) as control_plane:
        config = json.loads(control_plane.kubeconfig.read_text())
        config["contexts"].append({**config["contexts"][0], "name": CONTEXT})
        file = tmp_path_factory.mktemp("kubeconfig") / "config"
        file.write_text(json.dumps(config))
        subprocess.run(
            [
                str(binaries / "kubectl"),
                "--cache-dir",
                str(file.parent),
                "--kubeconfig",
                str(file),
                "apply",
                "--validate=false",
                "-f",
                "-",
            ],
            input=json.dumps({"apiVersion": "v1", "kind": "List", "items": OBJECTS}),
            text=True,
            check=True,
            capture_output=True,
            timeout=60,
        )
        yield str(file)


def _missing(name: str) -> str:
    if shutil.which(name) is None:
        return f"{name} is not on PATH: install it"
    if name == "bash" and not BASH_COMPLETION.exists():
        return f"there is no {BASH_COMPLETION}: install bash-completion"
    return ""


@pytest.fixture(scope="session", params=list(KINDS))
def shell(request: pytest.FixtureRequest, environment: dict[str, str]) -> Iterator[Shell]:
    """A shell in its home folder; one that is not installed is skipped, and in CI fails."""
    if missing := _missing(request.param):
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    setup = SETUP[request.param]
    with Shell(request.param, environment=environment, directory=Path(environment["HOME"]), setup=setup) as running:
        yield running
