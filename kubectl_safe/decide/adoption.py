"""Pods that another controller would take for its own once they have lost a label: it deletes one for each it gains."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from kubectl_safe.decide.allow import ADOPTION
from kubectl_safe.decide.decision import Blocked, Step
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.labels import adopter_of, label_to_release, labels_that_release, labels_to_withdraw
from kubectl_safe.decide.settings import Settings
from kubectl_safe.decide.step import step_of
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Workload


def adoptions(workload: Workload, intent: Intent, snapshot: Snapshot) -> Iterator[Blocked]:
    """Refuse to hand pods over that another controller would adopt on the way, telling one of them."""
    for pod in snapshot.pods_of(workload):
        if pod.uid in intent.uids and step_of(pod) is Step.QUEUED:
            blocked = adoption(pod, workload, intent.settings, snapshot)
            if blocked is not None:
                yield blocked
                return


def adoption(pod: Pod, workload: Workload, settings: Settings, snapshot: Snapshot) -> Blocked | None:
    """Return why a queued pod can't begin its handoff, where another controller would adopt it on its way.

    Source: Kubernetes adopts what a selector matches and nobody controls (pkg/controller/controller_ref_manager.go).
    """
    if ADOPTION in settings.allow:
        return None
    for dropped in _ways(pod, workload, settings, snapshot):
        adopter = adopter_of(pod, dropped, snapshot)
        if adopter is not None:
            names = " and ".join(sorted(dropped))
            return Blocked(
                reason=ADOPTION,
                why=f"{adopter.kind.lower()} {adopter.name} would adopt pod {pod} without its label {names}, and "
                "delete a pod for it: let its selector match its own pods only, or answer for it with "
                f"--allow {ADOPTION}",
            )
    return None


def _ways(pod: Pod, workload: Workload, settings: Settings, snapshot: Snapshot) -> Iterator[AbstractSet[str]]:
    """Return the labels that a pod is without after each step of its handoff that takes it from its controller."""
    selector = snapshot.selector_of(pod)
    if selector is None:
        return
    released = frozenset[str]()
    if settings.surge_of(workload) > 0:
        # Where each of them has an adopter, the first one stands for all.
        labels = (label_to_release(pod, selector, snapshot), *labels_that_release(pod, selector, snapshot))
        released = frozenset([label for label in labels if label][:1])
        if released:
            yield released
    drop = released | (labels_to_withdraw(pod, snapshot) or frozenset())
    if not selector.matches({key: value for key, value in pod.labels.items() if key not in drop}):
        yield drop
