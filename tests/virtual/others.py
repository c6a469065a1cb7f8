"""What other people and programs do to a workload in the middle of a run, and what has to hold all the same."""

from collections.abc import Callable, Mapping, Sequence

from kubectl_safe.model.marks import HANDOFF, WITHDRAWN
from kubectl_safe.sandbox.cluster.objects import Json
from tests.virtual.acts import Act, Expected, Scene
from tests.virtual.scenario import NAMESPACE, NODE

PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


def workload_of(scene: Scene) -> str:
    """Return the path of the first application's Deployment or StatefulSet."""
    application = scene.scenario.applications[0]
    kinds = f"{application.kind.lower()}s"
    return f"/apis/apps/v1/namespaces/{NAMESPACE}/{kinds}/{application.name}"


def is_unguarded(scene: Scene) -> bool:
    """Tell whether no budget guards the first application: of nothing, a budget lets nothing go."""
    return scene.scenario.applications[0].name not in scene.scenario.budgets


def may_shrink(scene: Scene) -> bool:
    """Tell whether its budget, where it has one, lets pods go also where there are fewer than it wants now."""
    return "minAvailable" not in scene.scenario.budgets.get(scene.scenario.applications[0].name, {})


def _delete(policy: str) -> Callable[[Scene], object]:
    return lambda scene: scene.ask("DELETE", workload_of(scene), {"propagationPolicy": policy})


def _scale(by: int | None) -> Callable[[Scene], object]:
    def scale(scene: Scene) -> None:
        replicas = 0 if by is None else scene.scenario.applications[0].replicas + by
        scene.ask("PATCH", workload_of(scene), {"spec": {"replicas": replicas}})

    return scale


def _roll_out(scene: Scene) -> None:
    """As `kubectl rollout restart` does."""
    annotations = {"kubectl.kubernetes.io/restartedAt": scene.stage.loop.now().isoformat()}
    scene.ask("PATCH", workload_of(scene), {"spec": {"template": {"metadata": {"annotations": annotations}}}})


def _pods(step: str, *, old: bool = True) -> Callable[[Scene], list[Json]]:
    return lambda scene: scene.pods(old=old, has=lambda pod: not step or _step(pod) == step)


def _step(pod: Json) -> str:
    if WITHDRAWN in pod["metadata"].get("labels", {}):
        return "withdrawn"
    return "released" if HANDOFF in pod["metadata"].get("annotations", {}) else "queued"


def _delete_one(found: Callable[[Scene], list[Json]]) -> Act:
    def delete(scene: Scene) -> None:
        scene.ask("DELETE", f"{PODS}/{found(scene)[0]['metadata']['name']}")

    # One that was withdrawn a moment ago may still be in a slice.
    return Act(do=delete, expected=Expected(takes=1, evicts=None), is_possible=lambda scene: bool(found(scene)))


def _uncordon(scene: Scene) -> None:
    scene.ask("PATCH", f"/api/v1/nodes/{NODE}", {"spec": {"unschedulable": None}})


def _is_a_drain(scene: Scene) -> bool:
    return scene.scenario.command == "drain"


def _is_deleted(error: str) -> bool:
    return "was deleted meanwhile" in error or "not found" in error


def _is_orphaned(error: str) -> bool:
    """Tell whether it is about pods of a Deployment that is gone, or of a ReplicaSet that has none any more."""
    return any(told in error for told in ("--cascade=orphan", "not found"))


def _delete_what_is_left(scene: Scene, runs: Sequence[str]) -> None:
    """Do what is told of pods without a Deployment: all that are in the middle of a handoff were named."""
    for pod in scene.read(PODS)["items"]:
        if HANDOFF in pod["metadata"].get("annotations", {}):
            assert any(pod["metadata"]["name"] in run for run in runs), f"I6: {pod['metadata']['name']} is left: {runs}"
            scene.ask("DELETE", f"{PODS}/{pod['metadata']['name']}")


_GONE = Expected(is_same=False, is_whole=False, takes=None, evicts=None, closes=True)
# Released at the same moment, a pod may be cut off from its Deployment first, and then let go by its ReplicaSet.
_DELETED = _GONE.but(is_over=lambda error: _is_deleted(error) or _is_orphaned(error), remedy=_delete_what_is_left)
_ORPHANED = _GONE.but(is_over=_is_orphaned, remedy=_delete_what_is_left, closes=False)
_RESIZED = Expected(is_same=False, is_whole=False, evicts=None)

WORKLOAD_ACTS: Mapping[str, Act] = {
    "deleted": Act(do=_delete("Background"), expected=_DELETED),
    "orphaned": Act(do=_delete("Orphan"), expected=_ORPHANED),
    "scaled-to-zero": Act(do=_scale(None), expected=_GONE, is_possible=is_unguarded),
    "scaled-down": Act(do=_scale(-1), expected=_RESIZED.but(takes=1), is_possible=may_shrink),
    "scaled-up": Act(do=_scale(1), expected=_RESIZED),
    "rolled-out": Act(do=_roll_out, expected=Expected(is_same=False, takes=None, evicts=None)),
    "queued-deleted": _delete_one(_pods("queued")),
    "released-deleted": _delete_one(_pods("released")),
    "withdrawn-deleted": _delete_one(_pods("withdrawn")),
    "new-deleted": _delete_one(_pods("", old=False)),
    "uncordoned": Act(do=_uncordon, expected=Expected(is_same=False), is_possible=_is_a_drain),
}
