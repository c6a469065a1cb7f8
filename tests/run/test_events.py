"""A whole run as programs are told it: the events tell what was done, in the order in which it was."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from kubectl_safe.decide.actions import AskEviction, Evict, Release
from kubectl_safe.decide.drain import Options
from kubectl_safe.decide.giving_up import Limits
from kubectl_safe.decide.settings import Settings
from kubectl_safe.kube.outcome import Denied, Refused, Result
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.render.document import Json
from kubectl_safe.render.events import NAMES, Events
from kubectl_safe.run.drain import Drain, drain
from kubectl_safe.run.restart import Restart, restart
from kubectl_safe.run.session import Session
from tests.render.schema import check
from tests.run.conftest import OpenSession
from tests.run.world import World, a_world
from tests.support.builders import a_pod

STEPS = ["queued", "released", "withdrawn", "terminating", "gone"]


@dataclass
class Read:
    """What a program reads of a run in this world; each event must be as the schema says."""

    world: World
    events: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.audience = Events(write=self._read, warn=lambda _: None, now=self.world.now, dry_run="none")

    def _read(self, event: Json) -> None:
        self.events.append(json.loads(json.dumps(event)))
        check(self.events[-1])

    def of(self, kind: str) -> list[Any]:
        return [event for event in self.events if event["type"] == kind]

    def story(self) -> list[str]:
        """Return the actions as the world tells them."""
        kinds = {name: kind.__name__ for kind, name in NAMES.items()}
        return [f"{kinds[event['action']]} {event['object']['name']}" for event in self.of("action")]

    def steps(self, name: str) -> list[str]:
        return [event["to"] for event in self.of("step") if event["pod"]["name"] == name]


def drained(session: Session, *nodes: str) -> None:
    drain(Drain(nodes=nodes or ("node-1",), options=Options(force=True), settings=Settings()), session)


@pytest.fixture
def read() -> Read:
    return Read(a_world())


def test_the_actions_are_those_that_were_carried_out_in_that_order(read: Read, open_session: OpenSession) -> None:
    restart(Restart(namespace="shop", names=("web",), settings=Settings()), open_session(read.world, read.audience))
    assert read.story() == read.world.story()
    assert len(read.story()) == 2 + 3 * 3


def test_the_cordon_of_a_drain_is_told_too(read: Read, open_session: OpenSession) -> None:
    drained(open_session(read.world, read.audience))
    assert read.story() == read.world.story()
    assert read.story()[0] == "Cordon node-1"
    assert [event["message"] for event in read.of("message")] == ["node/node-1 cordoned", "node/node-1 drained"]


@pytest.mark.parametrize("name", ["web-1", "web-2", "web-3"])
def test_every_pod_goes_through_its_steps_and_then_is_gone(read: Read, open_session: OpenSession, name: str) -> None:
    drained(open_session(read.world, read.audience))
    assert read.steps(name) == STEPS
    assert [event["evicted"] for event in read.of("gone") if event["pod"]["name"] == name] == [True]


def test_time_never_goes_back(read: Read, open_session: OpenSession) -> None:
    drained(open_session(read.world, read.audience))
    read.audience.finished(0, "")
    times = [event["time"] for event in read.events]
    assert all(earlier <= later for earlier, later in pairwise(times))
    assert times[0] < times[-1]


def test_the_account_has_the_instants_of_the_events(read: Read, open_session: OpenSession) -> None:
    drained(open_session(read.world, read.audience))
    read.audience.finished(0, "")
    report = read.events[-1]["report"]
    told = {(event["pod"]["name"], event["to"]): event["time"] for event in read.of("step")}
    kept = {(pod["name"], step["step"]): step["time"] for pod in report["pods"] for step in pod["steps"]}
    assert told == kept
    assert (report["outcome"], report["left"]) == ("succeeded", [])
    assert report["lowestCapacity"] == [{"workload": "web", "inService": 3, "wanted": 3}]
    assert all(pod["evicted"] for pod in report["pods"])


def test_a_pod_that_came_in_before_the_cordon_is_in_the_account(read: Read, open_session: OpenSession) -> None:
    session = open_session(read.world, read.audience)
    late = a_pod("bare-1", owners=(), labels={"app": "bare"}, gates={})
    read.world.before = lambda action: read.world.add(late) if isinstance(action, Evict) else None
    drained(session)
    read.audience.finished(0, "")
    report = read.events[-1]["report"]
    assert [(pod["name"], pod["workload"]) for pod in report["pods"] if pod["name"] == "bare-1"] == [("bare-1", None)]
    assert "bare-1" not in [pod["name"] for pod in report["plan"]["pods"]]


def test_what_is_refused_is_told_as_refused_with_nothing_done(read: Read, open_session: OpenSession) -> None:
    read.world.scripted[Release] = [Denied(message="no right")]
    with pytest.raises(KubectlSafeError) as raised:
        drained(open_session(read.world, read.audience))
    read.audience.finished(1, str(raised.value))
    [ended] = read.events
    assert ended["report"]["outcome"] == "refused"
    assert ended["report"]["error"].startswith("nothing was changed: no right\n")


def test_a_run_that_fails_tells_what_is_left_and_why(read: Read, open_session: OpenSession) -> None:
    read.world.start_seconds = None
    session = open_session(read.world, read.audience, limits=Limits(timeout=timedelta(seconds=30)))
    with pytest.raises(KubectlSafeError) as raised:
        drained(session)
    read.audience.finished(1, str(raised.value))
    report = read.events[-1]["report"]
    assert report["outcome"] == "failed"
    assert [pod["name"] for pod in report["left"]] == ["web-1", "web-2", "web-3"]
    assert report["left"][0]["step"] == "queued"
    assert [step["step"] for step in report["pods"][0]["steps"]] == ["queued", "released"]
    assert all(pod["why"] for pod in report["left"])


def test_a_budget_that_refuses_for_minutes_fills_no_log(open_session: OpenSession) -> None:
    read = Read(a_world("web-1"))
    refusals: list[Result] = [
        Refused(message="Cannot evict pod as it would violate the pod's disruption budget.")
    ] * 100
    read.world.scripted[AskEviction] = refusals
    drained(open_session(read.world, read.audience))
    read.audience.finished(0, "")
    [pod] = read.events[-1]["report"]["pods"]
    [budget] = [wait for wait in pod["waits"] if wait["for"] == "budget"]
    assert budget["seconds"] > 300
    assert len(read.events) < 30
