"""Plain lines: kubectl's words, and waits that last."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kubectl_safe.decide.actions import (
    Action,
    AskEviction,
    Cordon,
    Evict,
    ExcludeNode,
    IncludeNode,
    Nudge,
    Record,
    Release,
    RemoveNudge,
    RemoveRecord,
    RemoveTouch,
    Touch,
    Withdraw,
)
from kubectl_safe.decide.decision import Decision, For, Wait
from kubectl_safe.decide.estimate import Estimate
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.model.marks import Operation
from kubectl_safe.model.workload import Node
from kubectl_safe.render.lines import Lines
from kubectl_safe.render.words import words_for
from tests.render.scenes import looked_at
from tests.support.builders import (
    NOW,
    a_binding,
    a_budget,
    a_cluster,
    a_deployment,
    a_pod,
    a_replica_set,
    an_intent,
    uid,
)

OWNER = reference_to(a_deployment())
NODE = Node(name="node-1", resource_version="1")

WORDS = [
    (Evict(pod=a_pod(), pins_resource_version=True), "evicting pod shop/web-1"),
    (
        Release(pod=a_pod(), drop="x", owner=OWNER, targets=(), in_service=6),
        "pod/web-1 released: it serves on until its replacement does",
    ),
    (
        Withdraw(pod=a_pod(), drop=frozenset({"app"}), targets=(), owner=OWNER, in_service=6),
        "pod/web-1 withdrawn: no new requests, it answers those it has",
    ),
    (
        Nudge(binding=a_binding()),
        "targetgroupbinding.elbv2.k8s.aws/web nudged: its target is healthy, its gate not yet True",
    ),
    (AskEviction(pod=a_pod()), ""),
    (RemoveNudge(binding=a_binding()), ""),
    (Touch(pod=a_pod(), budget=a_budget()), ""),
    (RemoveTouch(pod=a_pod()), ""),
    (Cordon(node=NODE), ""),
    (
        ExcludeNode(node=NODE),
        f"node/{NODE.name} excluded from load balancers: it leaves the target groups that register nodes",
    ),
    (IncludeNode(node=NODE), f"node/{NODE.name} included again: load balancers may send it requests"),
    (
        Record(bearer=a_replica_set(), operation=Operation(id="1", started="", options="", pods=frozenset())),
        "",
    ),
    (RemoveRecord(bearer=a_replica_set()), ""),
]


@pytest.mark.parametrize(("action", "words"), WORDS)
def test_an_action_is_told_in_one_line_or_not_at_all(
    action: Action, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words_for(action) == words
    Lines(shows_plan=False).acted(action)
    assert capsys.readouterr().out == (f"{words}\n" if words else "")


@pytest.mark.parametrize(("was_evicted", "line"), [(True, "pod/web-1 evicted"), (False, "pod/web-1 is gone")])
def test_a_pod_that_is_gone_is_told_of(was_evicted: bool, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    Lines(shows_plan=False).gone(an_intent(a_cluster()).pods[0], was_evicted=was_evicted)
    assert capsys.readouterr().out == f"{line}\n"


def test_a_pod_that_was_deleted_was_not_evicted(capsys: pytest.CaptureFixture[str]) -> None:
    lines, planned = Lines(shows_plan=False), an_intent(a_cluster(), "web-1").pods[0]
    lines.acted(Evict(pod=a_pod(), pins_resource_version=True, is_deletion=True))
    lines.gone(planned, was_evicted=True)
    assert capsys.readouterr().out == "deleting pod shop/web-1\npod/web-1 deleted\n"


def test_what_happens_goes_to_stdout_and_warnings_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(shows_plan=False)
    lines.say("node/node-1 cordoned")
    lines.warn("Warning: \x1b[31mred")
    told = capsys.readouterr()
    assert (told.out, told.err) == ("node/node-1 cordoned\n", "Warning: \\x1b[31mred\n")


ESTIMATE = Estimate(total=timedelta(seconds=90), why="1 batch x 90s")


@pytest.mark.parametrize(
    ("names", "estimate", "line"),
    [
        (("web-1", "web-2"), ESTIMATE, "2 pods to move, about 90 s: 1 batch x 90s\n"),
        (("web-1",), ESTIMATE, "1 pod to move, about 90 s: 1 batch x 90s\n"),
        (
            ("web-1",),
            Estimate(total=timedelta(0), why="no pod has to be handed over"),
            "1 pod to move, no pod has to be handed over\n",
        ),
    ],
)
def test_a_run_begins_with_how_long_it_will_take(
    names: tuple[str, ...], estimate: Estimate, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshot = a_cluster()
    Lines(shows_plan=False).planned(an_intent(snapshot, *names), snapshot, estimate)
    assert capsys.readouterr().out == line


class Waiting:
    """A run whose pods wait as a test says, second by second."""

    def __init__(self, *names: str) -> None:
        self._snapshot, self._outcome, self._progress = looked_at(a_cluster(), *names)
        self._lines = Lines(shows_plan=False)

    def look(self, seconds: float, *decisions: Decision) -> None:
        snapshot = replace(self._snapshot, at=NOW + timedelta(seconds=seconds))
        decided = dict(zip(self._outcome.decisions, decisions, strict=True))
        outcome = replace(self._outcome, decisions=decided)
        self._progress.count(snapshot, outcome)
        self._lines.looked(snapshot, outcome, self._progress)


SETTLING = Wait(on=For.SETTLE, why="pod shop/web-1 is settling")
PENDING = Wait(on=For.REPLACEMENT, why="pod shop/web-7 is Pending", remedy="see its events")
QUEUED = Wait(on=For.SURGE, why="it is not its turn")


def test_a_wait_is_told_when_it_has_lasted_and_again_while_it_lasts(capsys: pytest.CaptureFixture[str]) -> None:
    run = Waiting("web-1")
    for seconds in range(0, 75, 5):
        run.look(seconds, PENDING)
    assert capsys.readouterr().out == "".join(
        f"pod/web-1 waits since {since}: pod shop/web-7 is Pending; see its events\n" for since in ("10s", "40s", "70s")
    )


def test_another_wait_is_counted_anew(capsys: pytest.CaptureFixture[str]) -> None:
    run = Waiting("web-1")
    run.look(0, PENDING)
    run.look(9, SETTLING)
    run.look(18, SETTLING)
    assert capsys.readouterr().out == ""
    run.look(19, SETTLING)
    assert capsys.readouterr().out == "pod/web-1 waits since 10s: pod shop/web-1 is settling\n"


def test_standing_in_the_queue_is_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    run = Waiting("web-1")
    for seconds in range(0, 300, 10):
        run.look(seconds, QUEUED)
    assert capsys.readouterr().out == ""


def test_pods_that_wait_for_the_same_are_told_of_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    run = Waiting("web-1", "web-2", "web-3", "web-4")
    run.look(0, PENDING, PENDING, SETTLING, PENDING)
    run.look(10, PENDING, PENDING, SETTLING, PENDING)
    assert capsys.readouterr().out == (
        "pod/web-1 and 2 more pods wait since 10s: pod shop/web-7 is Pending; see its events\n"
        "pod/web-3 waits since 10s: pod shop/web-1 is settling\n"
    )


def test_pods_that_came_to_wait_a_little_later_are_told_of_with_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    run = Waiting("web-1", "web-2")
    run.look(0, SETTLING, QUEUED)
    run.look(5, SETTLING, SETTLING)
    for seconds in range(10, 40, 5):
        run.look(seconds, SETTLING, SETTLING)
    assert capsys.readouterr().out == "pod/web-1 and 1 more pod wait since 10s: pod shop/web-1 is settling\n"


def test_a_wait_for_another_run_is_told_at_once_and_then_as_any_other(capsys: pytest.CaptureFixture[str]) -> None:
    lines, taken = Lines(shows_plan=False), "deployment shop/web is in the hands of bob@desk (pid 12)"
    snapshot = a_cluster(taken={uid("web"): taken})
    _, outcome, progress = looked_at(snapshot, "web-1", began=NOW)
    told = []
    for seconds in (0, 1, 2, 3, 31, 32):
        lines.looked(replace(snapshot, at=NOW + timedelta(seconds=seconds)), outcome, progress)
        told.append(capsys.readouterr().out)
    assert told == [
        "",
        "",
        f"pod/web-1 waits since 2s: {taken}; see kubectl safe status deployment/web -n shop\n",
        "",
        "",
        f"pod/web-1 waits since 32s: {taken}; see kubectl safe status deployment/web -n shop\n",
    ]
