"""Others who work on the same workload with the same tool, and those who undo by hand what it does to objects."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from kubectl_safe.model.marks import HANDOFF, PROTECTIONS, WITHDRAWN
from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.objects import Json
from kubectl_safe.sandbox.cluster.requests import Request
from tests.virtual.acts import LATER_AT_MOST, Act, Expected, Scene
from tests.virtual.others import PODS
from tests.virtual.scenario import NAMESPACE, NODE

OURS = "kubectl-safe"
DEADLINE_SECONDS = 600.0
"""`progressDeadlineSeconds`: for so long it waits for a pod that another has taken from it."""
SOON = 0.5
_LEASES = "/apis/coordination.k8s.io/v1"


def _run_the_other(scene: Scene) -> None:
    """Drain beside a restart, or restart beside a drain."""
    command = "drain" if scene.scenario.command == "restart" else "restart"
    other = replace(scene.scenario, command=command, drained=(NODE,))
    scene.start(other.run, needs=other.needs, namespace=other.namespace, about=command)


def _needs_zone(scene: Scene) -> bool:
    """Tell whether each zone has to keep its own targets."""
    return any(its.crosses_zones is False for app in scene.scenario.applications for its in app.balanced)


def _strip(scene: Scene) -> None:
    """Take away all our labels and annotations, but for those of Leases."""
    model = scene.stage.control_plane.model
    for resource in (kinds.PODS, kinds.REPLICA_SETS, kinds.STATEFUL_SETS, kinds.DAEMON_SETS, kinds.NODES):
        for subject in model.all(resource):
            metadata = subject["metadata"]
            ours = {
                kind: {mark: None for mark in metadata.get(kind, {}) if mark.startswith(OURS)}
                for kind in ("labels", "annotations")
            }
            where = f"/namespaces/{metadata['namespace']}" if resource.is_namespaced else ""
            root = f"/apis/{resource.api_version}" if resource.group else "/api/v1"
            if any(ours.values()):
                scene.ask("PATCH", f"{root}{where}/{resource.plural}/{metadata['name']}", {"metadata": ours})


def _delete_leases(scene: Scene) -> None:
    for lease in scene.read(f"{_LEASES}/leases")["items"]:
        metadata = lease["metadata"]
        if metadata["name"].startswith(OURS):
            scene.ask("DELETE", f"{_LEASES}/namespaces/{metadata['namespace']}/leases/{metadata['name']}")


def _set_back(*, annotations: bool, at_most: int | None) -> Callable[[Scene], None]:
    """Have an agent give each pod its first labels again some moments after they change, as long as the run lasts.

    It looks after the first application.
    """

    def begin(scene: Scene) -> None:
        known, done = scene.stage.rig.capacity.pods, Counter[str]()
        application = scene.scenario.applications[0].labels

        def is_changed(pod: Json) -> bool:
            metadata = pod["metadata"]
            first = known.get(metadata["uid"])
            is_due = at_most is None or done[metadata["uid"]] < at_most
            is_its = first is not None and first.belongs(NAMESPACE, application)
            return is_its and is_due and metadata.get("labels", {}) != dict(known[metadata["uid"]].labels)

        def told(event: Json) -> None:
            if event["type"] in ("ADDED", "MODIFIED") and is_changed(event["object"]):
                scene.later(SOON, set_back, event["object"]["metadata"]["uid"])

        def set_back(uid: str) -> None:
            found = [pod for pod in scene.read(PODS)["items"] if pod["metadata"]["uid"] == uid and is_changed(pod)]
            for pod in found if not scene.process.is_over else ():
                done[uid] += 1
                body: Json = {"labels": {**known[uid].labels, WITHDRAWN: None}}
                if annotations:
                    body["annotations"] = dict.fromkeys((HANDOFF, *PROTECTIONS))
                scene.ask("PATCH", f"{PODS}/{pod['metadata']['name']}", {"metadata": body})

        scene.stage.door.server.watch(Request(method="GET", path=PODS, query={"watch": "true"}), told)

    return begin


def _is_cut_off(error: str) -> bool:
    return "is controlled by nothing" in error


def _delete_cut_off(scene: Scene, runs: Sequence[str]) -> None:
    """Delete the pods that nothing leads to any more, and nobody controls."""
    for pod in scene.read(PODS)["items"]:
        metadata = pod["metadata"]
        if not any(owner.get("controller") for owner in metadata.get("ownerReferences", [])):
            remedy = f"kubectl delete pod {metadata['name']} -n {NAMESPACE}"
            assert any(remedy in run for run in runs), f"I6: {metadata['name']} is left: {runs}"
            scene.ask("DELETE", f"{PODS}/{metadata['name']}")


_TWICE = Expected(evicts=None)
# A ReplicaSet that is given old pods again deletes others, which may be all that serve.
_SET_BACK = Expected(is_same=False, takes=None, closes=True, evicts=None, later=3 * DEADLINE_SECONDS + LATER_AT_MOST)

MARK_ACTS: Mapping[str, Act] = {
    "same-command": Act(do=Scene.start_the_same, expected=Expected(is_done_beside=True, evicts=2)),
    "other-command": Act(
        do=_run_the_other, expected=_TWICE.but(is_same=False), is_possible=lambda scene: not _needs_zone(scene)
    ),
    # The drained node is all that its zone has: what it waits for never comes.
    "other-command-without-zone": Act(
        do=_run_the_other,
        expected=_TWICE.but(is_same=False, later=DEADLINE_SECONDS + LATER_AT_MOST),
        is_possible=_needs_zone,
    ),
    "aborted": Act(do=Scene.start_an_abort, expected=_TWICE.but(is_same=False, later=2 * LATER_AT_MOST)),
    "leases-deleted": Act(do=_delete_leases),
    "stripped": Act(
        do=_strip,
        expected=_TWICE.but(
            is_same=False,
            takes=None,
            later=DEADLINE_SECONDS + LATER_AT_MOST,
            is_over=_is_cut_off,
            remedy=_delete_cut_off,
        ),
    ),
    "labels-set-back-once": Act(do=_set_back(annotations=False, at_most=1), expected=_SET_BACK),
    "labels-set-back": Act(do=_set_back(annotations=False, at_most=None), expected=_SET_BACK),
    "all-set-back-once": Act(do=_set_back(annotations=True, at_most=1), expected=_SET_BACK),
    "all-set-back": Act(do=_set_back(annotations=True, at_most=None), expected=_SET_BACK),
}
