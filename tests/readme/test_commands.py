"""Every command of the documentation does what is said there, on the embedded control plane."""

import json
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import certifi
import pytest

from kubectl_safe.sandbox.application import Application
from kubectl_safe.sandbox.cluster.controlplane import EmbeddedControlPlane
from kubectl_safe.sandbox.rig import Rig
from tests.readme.commands import PAGES, arguments, commands
from tests.support.loop import LoopThread
from tests.support.stage import USER, USERS, Stage, api, web

NODES = {"node-1": "node-a", "node-2": "node-b"}
ROOT = Path(__file__).parents[2]
OTHERS = {
    "pip install -e . && ": "tests/packaging/test_wheel.py",
    "pip install -e '.[test]' && ": ".ci/run",
    "kubectl krew index add ": "tests/packaging/test_krew.py",
    "kubectl krew install kubectl-safe/": "tests/packaging/test_krew.py",
    "kubectl krew install --manifest=": "tests/packaging/test_krew.py",
    "pip install kubectl_safe-": "tests/packaging/test_wheel.py",
    "pipx install ": "tests/packaging/test_wheel.py",
    "uv tool install ": "tests/packaging/test_wheel.py",
    "ln -s ": "tests/packaging/test_krew.py",
    "kubectl create namespace ": "tests/e2e/test_in_cluster.py",
    "kubectl create serviceaccount ": "tests/e2e/test_in_cluster.py",
}
"""How what is no command of ours begins, and who runs it."""
ENDS_WITH = {"check": 1}
"""What is shown as an example of something wrong."""
OURS = [command for page in PAGES for command in commands(page) if not command.startswith(tuple(OTHERS))]
QUICK: dict[str, Any] = {"start_delay": 0.1, "deregistration_delay": 1.0, "health_interval": 0.2}


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """The cluster of the documentation: a shop, which is the current namespace, and a bank that is set up badly."""
    with LoopThread() as loop:
        control_plane = EmbeddedControlPlane(users=USERS)
        with loop.entered(control_plane), loop.entered(Rig(control_plane)) as rig:
            stage = Stage(loop=loop, rig=rig)
            stage.deploy(web(**QUICK), api(**QUICK))
            stage.deploy(Application(namespace="shop", name="db", replicas=2, kind="StatefulSet", **QUICK))
            till = Application(namespace="bank", name="till", replicas=1, is_load_balanced=True, **QUICK)
            stage.deploy(till, injects_gates=False)
            kubeconfig = control_plane.kubeconfig_for(USER)
            its = json.loads(kubeconfig.read_text())
            current = its["contexts"][0]
            current["context"]["namespace"] = "shop"
            its["contexts"].append({**current, "name": "prod"})
            kubeconfig.write_text(json.dumps(its))
            yield stage


def typed(command: str, stage: Stage) -> list[str]:
    """Return what a command gets: with names that this cluster has, its address, and no long wait to settle."""
    kubeconfig = json.loads(stage.rig.control_plane.kubeconfig_for(USER).read_text())
    here = {
        **NODES,
        "https://10.0.0.1:6443": kubeconfig["clusters"][0]["cluster"]["server"],
        "ca.crt": certifi.where(),
        "$TOKEN": "of-nobody",
    }
    words = [here.get(word, word.replace("node-1", "node-a")) for word in arguments(command)]
    moves = "drain" in words or words[:2] == ["rollout", "restart"]
    return [*words, "--settle", "2s"] if moves and "--settle" not in words else words


def test_only_what_is_known_is_shown() -> None:
    assert len(OURS) > 20
    assert [command for command in OURS if not command.startswith(("kubectl safe ", "kubectl-safe "))] == []


@pytest.mark.parametrize("beginning", OTHERS)
def test_what_is_no_command_of_ours_is_run_elsewhere(beginning: str) -> None:
    (shown,) = {command for page in PAGES for command in commands(page) if command.startswith(beginning)}
    runs = (ROOT / OTHERS[beginning]).read_text(encoding="utf-8")
    assert f'shown("{beginning}' in runs or shown.removeprefix(beginning) in runs.splitlines()


@pytest.mark.parametrize("command", OURS)
def test_it_does_what_it_is_shown_for(command: str, stage: Stage) -> None:
    words = typed(command, stage)
    if {"-w", "--watch"} & set(words):
        with stage.safe_in_background(*words) as watching:
            watching.await_line("web-")
            watching.process.send_signal(signal.SIGINT)
            assert watching.wait() == 130
        return
    for node in ("node-a", "node-b"):
        stage.loop.call(stage.rig.api.patch(f"/api/v1/nodes/{node}", {"spec": {"unschedulable": None}}))
    done = stage.safe(*words, check=False)
    assert done.returncode == ENDS_WITH.get(words[0], 0), done.stderr
    assert done.stdout or done.stderr
    if "| jq " in command:
        assert filtered(done.stdout, command)


def filtered(output: str, command: str) -> str:
    """Return what jq makes of an output, as a command has it."""
    if shutil.which("jq") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("jq is not on PATH")
    filters = shlex.split(command.partition("| ")[2])
    return subprocess.run(filters, input=output, capture_output=True, text=True, check=True).stdout
