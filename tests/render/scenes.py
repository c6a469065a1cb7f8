"""Moments of a run, decided on by the real `decide`."""

from datetime import datetime

from kubectl_safe.decide.next import Outcome, next_actions
from kubectl_safe.decide.progress import Progress
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import a_cluster, a_pod, ago, an_intent, health

DRAINING = health("draining", "Target.DeregistrationInProgress")

BEGAN = ago(30)


def a_moment() -> Snapshot:
    """Return a cluster in the middle: web-1 drains, web-2 is released, its replacement web-7 is not ready."""
    return a_cluster(
        a_pod(withdrawn=True),
        a_pod("web-2", released=True),
        a_pod("web-7", ready=False, waiting_reason="ContainerCreating"),
        a_pod("web-8"),
        target_health={"web-1": DRAINING},
    )


def looked_at(snapshot: Snapshot, *names: str, began: datetime = BEGAN) -> tuple[Snapshot, Outcome, Progress]:
    """Return what a reporter gets when a run over these pods has looked once."""
    intent = an_intent(snapshot, *names)
    outcome, progress = next_actions(snapshot, intent), Progress(intent=intent, began=began)
    progress.count(snapshot, outcome)
    return snapshot, outcome, progress
