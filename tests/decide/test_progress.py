"""What the closing line tells is counted from what each look led to."""

from dataclasses import replace
from datetime import timedelta

from kubectl_safe.decide.decision import For, Step
from kubectl_safe.decide.next import next_actions
from kubectl_safe.decide.progress import Longest, Progress
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import NOW, a_cluster, a_deployment, a_pod, an_answer, an_intent, uid


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
STOPPING = a_cluster(a_pod(terminating=True))


def test_the_longest_wait_is_that_for_one_thing_without_a_break() -> None:
    progress = counted(UNSEEN, RELEASED, RELEASED, RELEASED, STOPPING, RELEASED)
    assert progress.longest is not None
    assert (progress.longest.on, progress.longest.lasted) == (For.REPLACEMENT, timedelta(seconds=30))


def test_what_nobody_can_tell_for_a_moment_ends_no_wait_and_does_not_count() -> None:
    """Or a wait behind a load balancer, whose answers get old, would begin anew every 15 s, and never be too long."""
    web = counted(RELEASED).intent.pods[0]
    looks = [RELEASED, RELEASED, UNSEEN, UNSEEN, RELEASED, RELEASED]
    assert counted(*looks).waiting_since(web) == NOW + timedelta(seconds=20)
    assert counted(*looks, STOPPING).longest == Longest(pod=web, on=For.REPLACEMENT, lasted=timedelta(seconds=40))
    assert counted(*looks[:4]).waiting_since(web) == NOW + timedelta(seconds=20)
    assert counted(UNSEEN, UNSEEN).waiting_since(web) == NOW


def test_time_in_which_nobody_looked_does_not_count() -> None:
    """Woken up, a run would give up at once what has long come, and is about to be seen."""
    progress = counted(RELEASED, RELEASED)
    web = progress.intent.pods[0]
    outcome = next_actions(RELEASED, progress.intent)
    progress.count(replace(RELEASED, at=NOW + timedelta(seconds=40)), outcome)
    assert progress.waiting_since(web) == NOW
    progress.count(replace(RELEASED, at=NOW + timedelta(seconds=3640)), outcome)
    assert progress.waiting_since(web) == NOW + timedelta(seconds=3600)


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


def test_each_step_keeps_the_instant_at_which_it_was_first_seen() -> None:
    progress = counted(a_cluster(), RELEASED, a_cluster(), RELEASED, WITHDRAWN)
    reached = {step: (at - NOW).total_seconds() for step, at in progress.reached[uid("web-1")].items()}
    assert reached == {Step.QUEUED: 0, Step.RELEASED: 10, Step.WITHDRAWN: 40}


def test_only_a_pod_that_is_gone_is_told() -> None:
    intent = an_intent(a_cluster(), "web-1", "web-2")
    progress = Progress(intent=intent, began=NOW)
    look = a_cluster(without=["web-1"])
    assert progress.count(look, next_actions(look, intent)) == intent.pods[:1]
    assert progress.left == intent.pods[1:]


def test_of_waits_that_last_as_long_the_first_one_is_told() -> None:
    progress = counted(UNSEEN, RELEASED, a_cluster(a_pod(released=True), a_pod("web-7")))
    assert progress.longest is not None
    assert progress.longest.on is For.CACHE, "web-1 waited as long for its replacement after that"
    waited = progress.waits_of(progress.intent.pods[0], NOW)
    assert [(it.on, it.longest.total_seconds()) for it in waited] == [(For.CACHE, 10), (For.REPLACEMENT, 10)]


def test_the_first_of_the_lowest_capacities_is_kept() -> None:
    fewer = {uid("web"): a_deployment(replicas=5)}
    progress = counted(a_cluster(a_pod("web-3", ready=False)), a_cluster(without=["web-3", "web-4"], workloads=fewer))
    assert [(it.in_service, it.wanted) for it in progress.lowest.values()] == [(5, 6)]


def test_a_wait_is_over_when_something_is_done_unless_that_is_to_ask_for_leave_again() -> None:
    replaced = a_cluster(a_pod(released=True), a_pod("web-7"))
    refused = replace(replaced, answers={uid("web-1"): an_answer(allowed=False)})
    asks = replace(replaced, answers={})
    for looks, since in (
        ((RELEASED, replaced), None),
        ((refused, asks), NOW),
        ((refused, asks, refused), NOW),
        ((refused, asks, replaced), None),
    ):
        progress = counted(*looks)
        assert progress.waiting_since(progress.intent.pods[0]) == since


def test_waits_for_one_thing_add_up_and_the_present_one_counts_with_them() -> None:
    progress = counted(UNSEEN, RELEASED, RELEASED, STOPPING, RELEASED)
    planned = progress.intent.pods[0]
    told = progress.waits_of(planned, NOW + timedelta(seconds=45))
    assert [waited.on for waited in told] == [For.CACHE, For.REPLACEMENT, For.TERMINATION]
    waits = {waited.on: waited for waited in told}
    replacement = waits[For.REPLACEMENT]
    assert replacement.since == NOW + timedelta(seconds=10)
    assert (replacement.times, replacement.total.total_seconds(), replacement.longest.total_seconds()) == (2, 25, 20)
