"""What the page on running in the cluster has its readers apply is enough for a drain, and goes where it should."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml  # type: ignore[import-untyped]

from tests.readme.commands import ROOT, shown
from tests.support.scenario import SETTLE, Scene
from tests.support.stage import Stage

pytestmark = pytest.mark.controlplane

IN_POD = ROOT / "tests" / "support" / "in_pod.py"
PAGE = ".github/IN_CLUSTER.md"
ACCOUNT = "system:serviceaccount:ops:drain"


def applied(stage: Stage) -> None:
    """Do what the page says before its Job, as a reader would."""
    for command in (
        shown("kubectl create namespace ", PAGE),
        shown("kubectl create serviceaccount ", PAGE),
        shown("kubectl safe rbac --cluster ", PAGE),
    ):
        subprocess.run(["/bin/sh", "-ec", command], env=stage.environment(), check=True)


def mounted(stage: Stage, folder: Path) -> dict[str, str]:
    """Make what a kubelet mounts for the service account, and return the environment of its pods' containers."""
    control_plane = stage.rig.control_plane
    (folder / "token").write_text(stage.kubectl("create", "token", "drain", "-n", "ops").strip())
    (folder / "namespace").write_text("ops")
    shutil.copy(control_plane.ca_file, folder / "ca.crt")
    server = urlsplit(control_plane.url)
    inherited = {name: value for name, value in stage.environment().items() if name != "KUBECONFIG"}
    return inherited | {
        "HOME": str(folder),
        "KUBERNETES_SERVICE_HOST": str(server.hostname),
        "KUBERNETES_SERVICE_PORT": str(server.port),
        "SERVICE_ACCOUNT": str(folder),
    }


def test_its_job_drains_a_node_from_another_one_with_the_rights_that_it_prints(scene: Scene, tmp_path: Path) -> None:
    scene.deploy("web", replicas=3, is_load_balanced=True)
    stage, node = scene.stage, scene.busiest_node()
    planned = scene.names(node=node)
    applied(stage)
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    [block] = [its for its in text.split("```") if its.startswith("yaml\n")]
    [job] = yaml.safe_load_all(block.removeprefix("yaml\n").replace("node-1", node))
    (tmp_path / "job.json").write_text(json.dumps(job))
    stage.kubectl("apply", "--validate=strict", "-f", str(tmp_path / "job.json"))
    stage.wait_until(lambda: bool(_bound(stage)), what="the Job's pod")
    [pod] = _bound(stage)
    assert pod["spec"]["nodeName"] != node
    assert (pod["metadata"]["namespace"], pod["spec"]["serviceAccountName"]) == ("ops", ACCOUNT.rpartition(":")[2])

    command = stage.safe_command([*pod["spec"]["containers"][0]["args"], "--settle", SETTLE], IN_POD)
    with scene.traffic() as counted:
        done = subprocess.run(
            command, env=mounted(stage, tmp_path), capture_output=True, text=True, check=False, timeout=120
        )
    report = json.loads(done.stdout.splitlines()[-1])["report"]
    assert (report["outcome"], done.returncode) == ("succeeded", 0), done.stderr
    assert scene.evicted(ACCOUNT) == sorted(planned)
    scene.assert_floor_held(counted)
    stage.kubectl("delete", "namespace", "ops", "--wait=false")


def _bound(stage: Stage) -> list[dict[str, Any]]:
    return [pod for pod in stage.rig.controller.pods.of("ops") if pod["spec"].get("nodeName")]
