"""Events for programs: each in one line, in order, and no more of them than say something new."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from kubectl_safe.decide.actions import Cordon, Evict
from kubectl_safe.decide.decision import Act, Decision, For, Gone, Step, Wait
from kubectl_safe.decide.estimate import estimate
from kubectl_safe.decide.next import Outcome
from kubectl_safe.decide.progress import Progress
from kubectl_safe.model.workload import Node
from kubectl_safe.render.document import Json
from kubectl_safe.render.events import Events
from kubectl_safe.render.jsonl import write_document, write_line, write_warning
from tests.render.scenes import BEGAN, a_moment, looked_at
from tests.render.schema import check
from tests.support.builders import NOW, a_cluster, a_pod, an_intent, uid

NODE = Node(name="node-1", resource_version="1")
PLAN = an_intent(a_cluster(), "web-1")
[WEB_1] = PLAN.pods


@dataclass
class Told:
    """What a program reads, and the clock that it is told by."""

    events: list[Any] = field(default_factory=list)
    at: datetime = NOW

    def write(self, event: Json) -> None:
        self.events.append(json.loads(json.dumps(event)))
        check(self.events[-1])

    def audience(self, write: Callable[[Json], None] | None = None) -> Events:
        return Events(write=write or self.write, warn=write_warning, now=lambda: self.at, command=("drain", "node-1"))

    def of(self, kind: str) -> list[Any]:
        return [event for event in self.events if event["type"] == kind]


@dataclass
class Run:
    """A run over web-1 that a test leads from look to look."""

    told: Told = field(default_factory=Told)
    progress: Progress = field(default_factory=lambda: Progress(intent=PLAN, began=BEGAN))

    def __post_init__(self) -> None:
        self.events = self.told.audience()

    def look(self, decision: Decision, step: Step = Step.RELEASED, *, after: float = 0.05) -> None:
        """Look once more, some seconds after the last time, and find this."""
        self.told.at += timedelta(seconds=after)
        snapshot = replace(a_cluster(), at=self.told.at)
        outcome = Outcome(decisions={uid("web-1"): decision}, steps={uid("web-1"): step})
        for planned in self.progress.count(snapshot, outcome):
            self.events.gone(planned, was_evicted=True)
        self.events.looked(snapshot, outcome, self.progress)


def a_wait(on: For = For.REPLACEMENT, why: str = "web-7 is not ready", **changes: Any) -> Wait:
    return Wait(on=on, why=why, **changes)


def test_everything_that_a_run_tells_is_an_event_of_its_kind() -> None:
    told = Told()
    events = told.audience()
    snapshot, outcome, progress = looked_at(a_moment(), "web-1", "web-2", "web-3")
    events.planned(progress.intent, snapshot, estimate(progress.intent, snapshot))
    events.acted(Cordon(node=NODE))
    events.say("node/node-1 cordoned")
    events.warn("Warning: slow")
    events.looked(snapshot, outcome, progress)
    events.ended(progress, NOW)
    events.finished(1, "global timeout reached")
    kinds = ["planned", "action", "message", "warning", *["step"] * 3, *["waiting"] * 3, "ended"]
    assert [event["type"] for event in told.events] == kinds
    assert {event["time"] for event in told.events} == {"2026-11-23T12:00:00.000Z"}


def test_a_step_is_told_from_which_to_which() -> None:
    run = Run()
    for step in (Step.QUEUED, Step.RELEASED, Step.RELEASED, Step.QUEUED):
        run.look(a_wait(), step)
    moves = [(event["from"], event["to"]) for event in run.told.of("step")]
    assert moves == [(None, "queued"), ("queued", "released"), ("released", "queued")]


def test_the_last_step_of_a_pod_is_told_before_its_end() -> None:
    run = Run()
    run.look(a_wait(For.TERMINATION), Step.TERMINATING)
    run.look(Gone(), Step.GONE)
    run.look(Gone(), Step.GONE)
    step, gone = run.told.events[-2:]
    assert (step["to"], gone["type"], gone["evicted"]) == ("gone", "gone", True)
    assert step["time"] == gone["time"] == "2026-11-23T12:00:00.100Z"


def test_a_wait_is_told_once_however_often_it_is_looked_at() -> None:
    run = Run()
    for _ in range(100):
        run.look(a_wait(until=NOW + timedelta(seconds=15)), after=1)
    [waiting] = run.told.of("waiting")
    assert waiting["pod"] == {"namespace": "shop", "name": "web-1", "uid": "web-1-uid"}
    assert (waiting["for"], waiting["why"]) == ("replacement", "web-7 is not ready")
    assert (waiting["since"], waiting["until"]) == ("2026-11-23T12:00:01.000Z", "2026-11-23T12:00:15.000Z")


def test_a_wait_that_an_action_ends_and_begins_anew_is_not_told_again() -> None:
    run = Run()
    for _ in range(20):
        run.look(a_wait(For.BUDGET), after=5)
        run.look(Act(action=Evict(pod=a_pod(), pins_resource_version=False)))
    assert len(run.told.of("waiting")) == 1


def test_a_wait_for_something_else_is_told_after_a_second() -> None:
    run = Run()
    for number in range(100):
        run.look(a_wait((For.REPLACEMENT, For.CACHE, For.ENDPOINTS)[number % 3]), after=0.1)
    times = [datetime.fromisoformat(event["time"]) for event in run.told.of("waiting")]
    assert len(times) == 10
    assert all(later - earlier >= timedelta(seconds=1) for earlier, later in pairwise(times))


def test_other_words_for_the_same_wait_are_told_twice_a_minute() -> None:
    run = Run()
    for number in range(120):
        run.look(a_wait(why=f"{number} of 120 are in service"), after=1)
    assert [event["why"].partition(" ")[0] for event in run.told.of("waiting")] == ["0", "30", "60", "90"]
    assert {event["since"] for event in run.told.of("waiting")} == {"2026-11-23T12:00:01.000Z"}


def test_the_queue_is_told_of_once_for_each_pod() -> None:
    run = Run()
    for number in range(120):
        run.look(a_wait(For.SURGE, why=f"{number} before it"), Step.QUEUED, after=1)
    assert len(run.told.of("waiting")) == 1


def test_the_last_event_has_the_account_of_the_run() -> None:
    run = Run()
    run.look(a_wait())
    run.events.finished(1, "it is stuck")
    [ended] = run.told.of("ended")
    assert ended["report"]["command"] == ["drain", "node-1"]
    assert (ended["report"]["exitCode"], ended["report"]["error"]) == (1, "it is stuck")
    assert [pod["why"] for pod in ended["report"]["left"]] == ["web-7 is not ready"]


HOSTILE = 'webhook "x" says: \x1b[2J\u2028 目標 \ud800 \x85 \n done'


def test_an_event_is_one_line_of_ascii_and_its_strings_are_what_they_were(capsys: pytest.CaptureFixture[str]) -> None:
    events = Told().audience(write_line)
    events.say(HOSTILE)
    events.finished(1, HOSTILE)
    out = capsys.readouterr().out
    assert out.isascii()
    assert out.replace("\n", "").isprintable()
    message, ended = (json.loads(line) for line in out.splitlines())
    assert message["message"] == ended["report"]["error"] == HOSTILE


def test_people_read_warnings_on_stderr_with_nothing_that_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    told = Told()
    told.audience().warn("Warning: \x1b[31mred")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "Warning: \\x1b[31mred\n")
    assert told.events[0]["message"] == "Warning: \x1b[31mred"


def test_a_document_is_written_once_and_is_the_account_that_the_last_event_has(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = Run()
    documents = run.told.audience(write_document)
    for events in (run.events, documents):
        events.say("node/node-1 cordoned")
        events.warn("Warning: slow")
        events.finished(0, "")
    document = json.loads(capsys.readouterr().out)
    assert document == run.told.of("ended")[0]["report"]
