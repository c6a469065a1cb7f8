"""The order of the rows: those of a workload together, and a replacement beside the pod that it came for."""

from collections.abc import Iterable

from kubectl_safe.render.track import Track


def in_rows(tracks: Iterable[Track]) -> list[tuple[Track, str]]:
    """Return the pods of one workload in the order of their rows, each with the name of the pod that it replaces.

    Which that is can be told where a pod came while just one that had left was not replaced yet. Otherwise the name is
    empty, and a pod is where the order of leaving and coming puts it.
    """
    pods = list(tracks)
    came_for = _pairs(pods)
    by_replaced = {replaced.uid: pod for pod, replaced in came_for}
    told = {pod.uid: replaced.name for pod, replaced in came_for}
    found: list[tuple[Track, str]] = []
    for pod in sorted((pod for pod in pods if pod.uid not in told), key=_moment):
        chain: Track | None = pod
        # A replacement may be replaced in its turn.
        while chain is not None:
            found.append((chain, told.get(chain.uid, "")))
            chain = by_replaced.get(chain.uid)
    return found


def _moment(pod: Track) -> tuple[bool, float, bool, str]:
    """Return when something first became of a pod; last are those that nothing became of."""
    at = pod.first_seen if pod.is_new else pod.left
    return (at is None, at.timestamp() if at else 0.0, pod.is_new, pod.name)


def _pairs(pods: list[Track]) -> list[tuple[Track, Track]]:
    """Return each pod with the one that it came for, where there is no other that it could have come for."""
    leaving = sorted((pod for pod in pods if pod.left), key=lambda pod: (pod.left, pod.name))
    coming = sorted((pod for pod in pods if pod.is_new), key=lambda pod: (pod.first_seen, pod.name))
    found: list[tuple[Track, Track]] = []
    open_pods: list[Track] = []
    taken = 0
    for new in coming:
        while leaving and leaving[0].left and leaving[0].left <= new.first_seen:
            open_pods.append(leaving.pop(0))
        candidates = [pod for pod in open_pods if pod is not new]
        if not candidates:
            continue
        if len(candidates) == 1:
            found.append((new, candidates[0]))
        taken += 1
        if taken >= len(candidates):
            open_pods, taken = [], 0
    return found
