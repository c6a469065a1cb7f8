"""When a run asks for Warning events, and where their words are told."""

from dataclasses import dataclass, field
from datetime import timedelta

from kubectl_safe.decide.decision import For, Wait
from kubectl_safe.decide.giving_up import Limits
from kubectl_safe.model.event import Subject
from kubectl_safe.run.warnings import Warnings
from tests.run.looping import left, run
from tests.run.world import Heard, World, a_world
from tests.support.builders import NOW, a_binding, a_deployment, a_pod, a_target, health, uid

REFUSED = "FailedReconcile 4s ago: api error AccessDenied"


@dataclass
class Complaints:
    """Events of every object, until `over`; remembers when it was asked, in seconds from the beginning."""

    world: World
    over: float = 1e9
    asked: list[tuple[str, float]] = field(default_factory=list)

    def __call__(self, subject: Subject) -> str:
        seconds = (self.world.at - NOW).total_seconds()
        self.asked.append((str(subject), seconds))
        return REFUSED if seconds < self.over else ""


def stuck() -> World:
    """Return a world in which a withdrawn pod's target never leaves its group."""
    pods = [a_pod("web-1", withdrawn=True, in_service=1), a_pod("web-9")]
    return a_world(
        pods={pod.uid: pod for pod in pods},
        workloads={uid("web"): a_deployment(replicas=1)},
        bindings=(a_binding(),),
        health={a_target("web-1"): health("healthy", asked=-1)},
    )


def test_a_pod_whose_target_never_leaves_is_given_up_in_the_words_of_its_controller() -> None:
    world = stuck()
    told = left(run(world, "web-1", warnings=Warnings(read=Complaints(world))))
    assert told["web-1"][1] == (
        "waited longer than 180s (deregistration delay and 2m): target 10.244.0.2:8080 in web is still healthy: the "
        f"load balancer controller has not deregistered it yet; targetgroupbinding shop/web: {REFUSED}; "
        "see kubectl safe check deployment/web -n shop"
    )


def test_a_wait_is_long_before_events_are_asked_for_and_then_each_half_minute() -> None:
    world = stuck()
    complaints = Complaints(world)
    run(world, "web-1", warnings=Warnings(read=complaints), limits=Limits(timeout=timedelta(seconds=90)))
    assert {subject for subject, _ in complaints.asked} == {"targetgroupbinding shop/web"}
    # It settles for 15 s before it waits for its target.
    assert [round(seconds) for _, seconds in complaints.asked] == [40, 65, 90]


def test_a_wait_that_is_told_as_long_has_the_words_by_then() -> None:
    world, heard = stuck(), Heard()
    run(world, "web-1", heard=heard, warnings=Warnings(read=Complaints(world)))
    found = (outcome.decisions[uid("web-1")] for outcome in heard.outcomes)
    waits = [decision.why for decision in found if isinstance(decision, Wait) and decision.on is For.TARGETS]
    untold = sum(REFUSED not in why for why in waits)
    assert all(REFUSED in why for why in waits[untold:])
    assert 24 <= untold <= 26


def test_what_is_not_complained_of_any_more_is_not_told() -> None:
    world = stuck()
    told = left(run(world, "web-1", warnings=Warnings(read=Complaints(world, over=60))))
    assert REFUSED not in told["web-1"][1]


def test_nothing_is_asked_where_no_wait_is_long() -> None:
    world = a_world(bindings=())
    complaints = Complaints(world)
    run(world, warnings=Warnings(read=complaints))
    assert world.story()[-1] == "Evict web-3"
    assert complaints.asked == []


def test_a_replacement_that_never_comes_is_told_in_the_words_of_its_events() -> None:
    short = a_deployment(replicas=3, progress_deadline=timedelta(seconds=8))
    world = a_world(start_seconds=None, workloads={uid("web"): short})
    complaints = Complaints(world)
    heard = run(world, warnings=Warnings(read=complaints))
    assert [subject for subject, _ in complaints.asked] == ["pod shop/web-101"]
    assert {why.partition(" is not ready")[2] for _, why in left(heard).values()} == {
        f": Running; pod shop/web-101: {REFUSED}"
    }
