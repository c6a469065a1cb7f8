"""The closing line, durations and counts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kubectl_safe.decide.decision import For, Step
from kubectl_safe.decide.progress import Longest, Lowest, Progress
from kubectl_safe.render.closing import NAMES, closing_line, stopping_line
from kubectl_safe.render.durations import about, pods, short
from tests.render.scenes import a_moment, looked_at
from tests.support.builders import NOW, a_cluster, a_pod, ago, an_intent, decide, uid


def finished(*left: str) -> Progress:
    """Return a run over web-1 to web-6 that began two minutes ago, with these pods left."""
    intent = an_intent(a_cluster())
    steps = {planned.uid: Step.RELEASED if planned.name in left else Step.GONE for planned in intent.pods}
    return Progress(
        intent=intent,
        began=ago(125),
        steps=steps,
        longest=Longest(pod=intent.pods[1], on=For.TARGETS, lasted=timedelta(seconds=62)),
        lowest={uid("web"): Lowest(workload="web", in_service=6, wanted=6)},
    )


def test_a_run_that_succeeded_ends_with_its_figures() -> None:
    assert closing_line(finished(), NOW) == (
        "6 of 6 pods handed over in 2m5s; longest wait 62s to leave its target groups (web-2); "
        "lowest capacity 6 of 6 web; nothing left"
    )


def test_a_run_that_failed_says_what_is_left_and_what_goes_on() -> None:
    line = closing_line(finished("web-2", "web-5"), NOW)
    assert line.startswith("4 of 6 pods handed over in 2m5s; ")
    assert line.endswith("; left: web-2 (released), web-5 (released); run the same command again to go on")


def test_a_pod_that_was_not_waited_for_is_named_and_needs_no_further_run() -> None:
    progress = finished("web-2")
    progress.skipped = {uid("web-2")}
    assert closing_line(progress, NOW).endswith("lowest capacity 6 of 6 web; not waited for: web-2 (released)")


def test_what_is_left_is_told_apart_from_what_was_not_waited_for() -> None:
    progress = finished("web-2", "web-5")
    progress.skipped = {uid("web-2")}
    line = closing_line(progress, NOW)
    assert "; not waited for: web-2 (released); left: web-5 (released); run the same command" in line


def test_no_more_pods_are_named_than_fit_a_line() -> None:
    line = closing_line(finished(*(f"web-{n}" for n in range(1, 7))), NOW)
    assert "web-5 (released) and 1 more; run the same command again" in line


def test_a_wait_that_never_ended_is_the_longest() -> None:
    progress = finished("web-2", "web-3")
    progress.waits = {uid("web-3"): (For.REPLACEMENT, ago(100)), uid("web-2"): (For.SURGE, ago(125))}
    assert "longest wait 100s for its replacement (web-3)" in closing_line(progress, NOW)


def test_a_run_over_nothing_says_so() -> None:
    progress = Progress(intent=replace(an_intent(a_cluster()), pods=()), began=NOW)
    assert closing_line(progress, NOW) == "0 of 0 pods handed over in 0s; nothing left"


def test_pods_that_were_never_looked_at_are_untouched() -> None:
    progress = Progress(intent=an_intent(a_cluster(), "web-1"), began=NOW)
    assert "left: web-1 (untouched)" in closing_line(progress, NOW)


def test_steps_are_named_as_in_the_table() -> None:
    _, _, progress = looked_at(a_moment())
    assert "left: web-1 (withdrawn), web-2 (released), web-3 (queued)" in closing_line(progress, NOW)


@pytest.mark.parametrize("wait", For)
def test_every_wait_has_words(wait: For) -> None:
    assert NAMES[wait]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0s"),
        (0, "0s"),
        (7.4, "7s"),
        (119, "119s"),
        (119.6, "2m"),
        (125, "2m5s"),
        (3599, "59m59s"),
        (4200, "1h10m"),
    ],
)
def test_a_duration_is_written_as_kubectl_writes_ages(seconds: float, words: str) -> None:
    assert short(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "about 1 s"), (40.2, "about 40 s"), (119, "about 119 s"), (120, "about 2 min"), (1500, "about 25 min")],
)
def test_an_estimate_claims_no_more_than_it_knows(seconds: float, words: str) -> None:
    assert about(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("count", "kind", "words"),
    [(0, "", "0 pods"), (1, "", "1 pod"), (2, "more ", "2 more pods"), (1, "more ", "1 more pod")],
)
def test_one_pod_is_no_pods(count: int, kind: str, words: str) -> None:
    assert pods(count, kind) == words


@pytest.mark.parametrize(
    ("why", "hint"),
    [
        ("interrupted (SIGTERM)", " (the same signal once more leaves at once)"),
        ("probe GET http://shop/ failed at noon: 502 Bad Gateway", ""),
    ],
)
def test_the_line_that_tells_of_a_stop_tells_of_a_second_signal_only_after_a_first(why: str, hint: str) -> None:
    outcome = decide(a_cluster(a_pod(withdrawn=True)), "web-1")
    line = f"{why}: no further pod is begun; 1 pod withdrawn, to be finished"
    assert stopping_line(why, outcome) == line + hint
