"""What others do to the ways into a workload, and to its budgets, in the middle of a run."""

from collections.abc import Mapping, Sequence
from typing import Any

from kubectl_safe.sandbox import applications, targetgroupbinding
from kubectl_safe.sandbox.application import POD_PORT
from kubectl_safe.sandbox.cluster.objects import Json
from kubectl_safe.sandbox.elbv2 import TargetGroup
from kubectl_safe.sandbox.pod import TARGET_HEALTH_PATH
from tests.virtual.acts import LATER_AT_MOST, Act, Expected, Scene
from tests.virtual.others import PODS, is_unguarded, may_shrink
from tests.virtual.scenario import NAMESPACE

SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"
BUDGETS = f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets"
BINDINGS = targetgroupbinding.collection(NAMESPACE)
HOLD_SECONDS = 600.0
"""As long as `progressDeadlineSeconds`: so long it waits for a pod that does not come into service."""


def _name(scene: Scene) -> str:
    return scene.scenario.applications[0].name


def _delete_service(scene: Scene) -> None:
    scene.ask("DELETE", f"{SERVICES}/{_name(scene)}")


def _select(scene: Scene, selector: Json) -> None:
    scene.ask("PATCH", f"{SERVICES}/{_name(scene)}", {"spec": {"selector": selector}})


def _select_nothing(scene: Scene) -> None:
    _select(scene, {"tier": "none"})


def _select_anew(scene: Scene) -> None:
    """Select all pods by another label, the withdrawn ones too."""

    def labelled(_namespace: Json, _pod: Json) -> list[Json]:
        return [{"op": "add", "path": "/metadata/labels/tier", "value": "front"}]

    scene.stage.control_plane.admit_pods_through(labelled)
    for pod in (*scene.pods(old=True), *scene.pods(old=False)):
        scene.ask("PATCH", f"{PODS}/{pod['metadata']['name']}", {"metadata": {"labels": {"tier": "front"}}})
    _select(scene, {"app": None, "tier": "front"})


def _select_by_hash(scene: Scene) -> None:
    """Select the pods of the current ReplicaSet, and no released ones any more."""
    owned = [*scene.pods(old=False), *scene.pods(old=True)]
    hashes = [pod["metadata"]["labels"].get("pod-template-hash") for pod in owned]
    _select(scene, {"pod-template-hash": next(its for its in hashes if its)})


def _delete_binding(scene: Scene) -> None:
    scene.ask("DELETE", f"{BINDINGS}/{_name(scene)}")


def _bind_again(scene: Scene) -> None:
    """Bind the Service to one more target group."""
    application = scene.scenario.applications[0]
    group = TargetGroup(
        name=f"{application.group_name}-2",
        port=POD_PORT,
        deregistration_delay=application.deregistration_delay,
        interval=application.health_interval,
        health_path=TARGET_HEALTH_PATH,
    )
    body = applications.target_group_binding(application, scene.stage.rig.elbv2.add(group).arn)
    body["metadata"]["name"] = f"{application.name}-2"
    scene.ask("POST", BINDINGS, body)


def _guard(scene: Scene, **allowed: Any) -> None:
    budget = applications.pod_disruption_budget(scene.scenario.applications[0], **allowed)
    budget["metadata"]["name"] = "late"
    scene.ask("POST", BUDGETS, budget)


def _forbid(scene: Scene) -> None:
    """Allow no disruption for a while."""
    _guard(scene, minAvailable=100)
    scene.later(HOLD_SECONDS, scene.ask, "DELETE", f"{BUDGETS}/late")


def _delete_budgets(scene: Scene) -> None:
    scene.ask("DELETE", BUDGETS)


def _has_hashes(scene: Scene) -> bool:
    """Tell whether pods have hashes, and there are several: the only one may be released at that very moment."""
    app = scene.scenario.applications[0]
    return app.replicas > 1 and app.kind != "StatefulSet" and may_shrink(scene)


def _is_bound(scene: Scene) -> bool:
    return scene.scenario.applications[0].is_load_balanced


def _abort_what_failed(scene: Scene, runs: Sequence[str]) -> None:
    if "kubectl safe abort" in runs[-1]:
        scene.abort()


def _has_budgets(scene: Scene) -> bool:
    return bool(scene.read(BUDGETS)["items"])


_CLOSED = Expected(is_same=False, is_whole=False, takes=None, closes=True)
_OTHER = Expected(is_same=False)

WAY_IN_ACTS: Mapping[str, Act] = {
    "service-deleted": Act(do=_delete_service, expected=_CLOSED),
    "selects-nothing": Act(
        do=_select_nothing,
        expected=_CLOSED.but(
            later=HOLD_SECONDS + LATER_AT_MOST,
            evicts=None,
            is_over=lambda error: "waits for its readiness gate" in error,
            remedy=_abort_what_failed,
        ),
    ),
    "selects-anew": Act(do=_select_anew, expected=_OTHER),
    "selects-by-hash": Act(do=_select_by_hash, expected=_OTHER.but(takes=None), is_possible=_has_hashes),
    # A pod that got its gate a moment before has nobody to set it any more: it is waited for, and named.
    "unbound": Act(do=_delete_binding, expected=_CLOSED.but(later=HOLD_SECONDS + LATER_AT_MOST), is_possible=_is_bound),
    "bound-again": Act(do=_bind_again, expected=_OTHER.but(takes=None)),
    "guarded": Act(do=lambda scene: _guard(scene, maxUnavailable=1), expected=_OTHER, is_possible=is_unguarded),
    "forbidden": Act(do=_forbid, expected=_OTHER.but(later=HOLD_SECONDS + LATER_AT_MOST), is_possible=is_unguarded),
    "unguarded": Act(do=_delete_budgets, expected=_OTHER, is_possible=_has_budgets),
}
