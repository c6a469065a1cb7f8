"""Runs outlive their logins, and act as somebody else all along, on a real API server and under traffic."""

import json
from pathlib import Path

import pytest

from tests.support.api_server import write_kubeconfig
from tests.support.scenario import Scene
from tests.support.stage import USER
from tests.support.token_gate import TokenGate, write_plugin

pytestmark = pytest.mark.controlplane

LIVES = 20
SETTLE = "25s"
"""Longer than a token lives."""


def impersonated(scene: Scene) -> set[str]:
    """Return as whom all was asked in a scene's namespace that `USER` has asked for."""
    lines = scene.stage.rig.control_plane.audit_log.read_text().rpartition("\n")[0].splitlines()
    events = [json.loads(line) for line in lines]
    return {
        (event.get("impersonatedUser") or {}).get("username", "")
        for event in events
        if event["user"]["username"] == USER and event.get("objectRef", {}).get("namespace") == scene.namespace
    }


def test_a_run_outlives_tokens_of_twenty_seconds(scene: Scene, tmp_path: Path) -> None:
    scene.deploy("web", replicas=2, is_load_balanced=True)
    control_plane = scene.stage.rig.control_plane
    gate = TokenGate(control_plane.url, token=control_plane.token)
    with scene.stage.loop.entered(gate), scene.traffic():
        kubeconfig = write_kubeconfig(
            tmp_path, f"http://127.0.0.1:{gate.port}", user=write_plugin(tmp_path, lives=LIVES)
        )
        command = ("rollout", "restart", "deployment/web", "-n", scene.namespace, "--settle", SETTLE)
        done = scene.stage.safe(*command, "--kubeconfig", kubeconfig)
    assert "2 of 2 pods handed over" in done.stdout
    assert "Warning" not in done.stderr
    runs = [int(line) for line in (tmp_path / "runs").read_text().split()]
    # Each token was used, and asked for once; a refusal is possible where one expires on its way.
    assert len(runs) >= 2
    assert set(gate.taken) == set(runs)
    assert gate.refused <= len(runs)


def test_a_run_acts_as_whom_it_is_told_in_all_that_it_does(scene: Scene) -> None:
    scene.deploy("web", replicas=2)
    with scene.traffic():
        done = scene.stage.safe(*scene.restart("web"), "--as", "jane", "--as-group", "system:masters")
    assert "2 of 2 pods handed over" in done.stdout
    assert impersonated(scene) == {"jane"}


def test_as_somebody_without_rights_it_is_refused_and_writes_nothing(scene: Scene) -> None:
    scene.deploy("web", replicas=1)
    done = scene.stage.safe(*scene.restart("web"), "--as", "jane", check=False)
    assert done.returncode == 1
    assert f"kubectl safe rbac -n {scene.namespace}" in done.stderr
    assert scene.writes() == []
