"""What the closing line tells is counted from what each look led to."""

from dataclasses import replace
from datetime import timedelta

from kubectl_safe.decide.decision import For
from kubectl_safe.decide.next import next_actions
from kubectl_safe.decide.progress import Progress
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import NOW, a_cluster, a_pod, an_intent


def counted(*looks: Snapshot) -> Progress:
    """Return what looks, ten seconds apart, add up to."""
    intent = an_intent(a_cluster(), "web-1", "web-2")
    progress = Progress(intent=intent, began=NOW)
    for number, look in enumerate(looks):
        # Snapshots are of NOW; only the count's own clock goes on.
        outcome = next_actions(look, intent)
        progress.count(replace(look, at=NOW + timedelta(seconds=10 * number)), outcome)
    return progress


def test_a_pod_that_is_gone_is_told_once() -> None:
    intent = an_intent(a_cluster(), "web-1")
    progress = Progress(intent=intent, began=NOW)
    look = a_cluster(without=["web-1"])
    told = [progress.count(look, next_actions(look, intent)) for _ in range(2)]
    assert told == [intent.pods, ()]
    assert progress.left == ()


UNSEEN = a_cluster(a_pod(released=True), target_health={"web-1": None})
RELEASED = a_cluster(a_pod(released=True))
WITHDRAWN = a_cluster(a_pod(withdrawn=True))


def test_the_longest_wait_is_that_for_one_thing_without_a_break() -> None:
    progress = counted(UNSEEN, RELEASED, RELEASED, RELEASED, UNSEEN, RELEASED)
    assert progress.longest is not None
    assert (progress.longest.on, progress.longest.lasted) == (For.REPLACEMENT, timedelta(seconds=30))


def test_standing_in_the_queue_is_no_wait_of_a_handoff() -> None:
    progress = counted(UNSEEN, RELEASED, WITHDRAWN)
    assert progress.longest is not None
    assert progress.longest.lasted == timedelta(seconds=10), "web-2 stood in the queue for 20 s"


def test_the_lowest_capacity_is_kept() -> None:
    progress = counted(a_cluster(), a_cluster(a_pod("web-3", ready=False)), a_cluster())
    assert [(it.in_service, it.wanted) for it in progress.lowest.values()] == [(5, 6)]


def test_capacity_that_can_not_be_told_is_not_counted_as_lost() -> None:
    progress = counted(a_cluster(target_health={"web-3": None}))
    assert progress.lowest == {}
