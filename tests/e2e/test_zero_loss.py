"""The main job: the real kubectl loses requests on this rig, and `kubectl safe` loses none."""

import pytest

from kubectl_safe.sandbox.pod import Sigterm
from tests.support.claims import (
    assert_audited,
    assert_every_handoff_was_under_load,
    assert_nothing_left,
    assert_the_floor_held,
)
from tests.support.figures import Figures
from tests.support.stage import Counted, Stage, api, web

pytestmark = pytest.mark.controlplane

SIGTERM = pytest.mark.parametrize("sigterm", ["abrupt", "graceful"])
NODE = "node-a"


@SIGTERM
def test_kubectl_loses_requests(stage: Stage, sigterm: Sigterm, figures: Figures) -> None:
    stage.deploy(web(sigterm=sigterm), api(sigterm=sigterm))
    with stage.traffic() as drained:
        stage.kubectl("drain", NODE)
        stage.await_full_strength()
    stage.kubectl("uncordon", NODE)
    with stage.traffic() as restarted:
        stage.kubectl("rollout", "restart", "deployment/web", "deployment/api", "-n", "shop")
        for name in ("web", "api"):
            stage.kubectl("rollout", "status", f"deployment/{name}", "-n", "shop")
        stage.await_full_strength()
    figures.add(f"kubectl drain, {sigterm}", _figures(drained, stage))
    figures.add(f"kubectl rollout restart, {sigterm}", _figures(restarted, stage))
    assert drained.lost > 0
    assert restarted.lost > 0


@SIGTERM
def test_kubectl_safe_loses_none(stage: Stage, sigterm: Sigterm, figures: Figures) -> None:
    stage.deploy(web(sigterm=sigterm), api(sigterm=sigterm))
    with stage.kept_connections() as kept:
        with stage.traffic() as drained:
            out = stage.safe("drain", NODE).stdout
            stage.await_full_strength()
        stage.kubectl("uncordon", NODE)
        with stage.traffic() as restarted:
            stage.safe("rollout", "restart", "deployment/web", "deployment/api", "-n", "shop")
            stage.await_full_strength()
    figures.add(f"kubectl safe drain, {sigterm}", _figures(drained, stage))
    figures.add(f"kubectl safe rollout restart, {sigterm}", _figures(restarted, stage))
    figures.add(f"connections kept open to one pod, {sigterm}", f"{kept.answered} answered, {kept.broken} broken")
    assert drained.losses == ()
    assert restarted.losses == ()
    assert f"node/{NODE} cordoned\n" in out
    assert out.endswith(f"node/{NODE} drained\n")
    assert_every_handoff_was_under_load(stage)
    assert_the_floor_held(stage, drained, restarted)
    assert_audited(stage, settle_seconds=15.0)
    assert_nothing_left(stage)


def _figures(counted: Counted, stage: Stage) -> str:
    lowest = ", ".join(f"{stage.lowest(a, counted)} of {a.replicas} {a.name}" for a in stage.applications)
    return f"{counted}; lowest capacity {lowest}; {counted.ended - counted.began:.0f} s"
