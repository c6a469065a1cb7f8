"""`-o json` and `-o jsonl` of real drains: stdout is for programs alone, and tells what became of each pod and when."""

import json
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from kubectl_safe.sandbox.pod_fault import PodFault
from tests.render.schema import check
from tests.support.claims import assert_nothing_left
from tests.support.figures import Figures
from tests.support.stage import Stage
from tests.support.stuck import (
    Pods,
    as_they_are,
    await_in_service,
    bring_up,
    faults,
    small,
    traffic_to,
)
from tests.support.workloads import NODE

pytestmark = pytest.mark.controlplane

OTHERS = ("node-b", "node-c")
WAY = ["queued", "released", "withdrawn", "terminating", "gone"]
Json = dict[str, Any]


def test_one_document_tells_of_a_drain_that_fails_and_of_one_that_completes_it(
    shared_stage: Stage, namespace: str, figures: Figures
) -> None:
    whole, faulty = small(namespace, "whole-j", is_load_balanced=True), small(namespace, "faulty-j")
    planned, command = _set_the_stage(shared_stage, whole, faulty)
    with traffic_to(shared_stage, whole, faulty) as counted:
        with faults(shared_stage, {faulty.name: PodFault.CRASH_LOOP}):
            failed = shared_stage.safe(*command, "-o", "json", check=False)
        done = shared_stage.safe(*command, "-o", "json")
        await_in_service(shared_stage, whole, faulty)
    assert failed.returncode == 1
    report = json.loads(failed.stdout)
    check(report)
    assert report["command"] == [*command, "-o", "json"]
    _assert_tells_of_the_failure(report, planned)
    assert failed.stderr.endswith(f"\nerror: {report['error']}\n"), "people are told too"
    report = json.loads(done.stdout)
    check(report)
    _assert_tells_of_the_rest(report)
    assert done.stderr == ""
    assert_nothing_left(shared_stage)
    figures.add("drains in -o json", f"failed, then completed; {counted}")


def test_one_event_a_line_tells_of_a_drain_that_fails_and_of_one_that_completes_it(
    shared_stage: Stage, namespace: str, figures: Figures
) -> None:
    whole, faulty = small(namespace, "whole-l", is_load_balanced=True), small(namespace, "faulty-l")
    planned, command = _set_the_stage(shared_stage, whole, faulty)
    with traffic_to(shared_stage, whole, faulty) as counted:
        with (
            faults(shared_stage, {faulty.name: PodFault.CRASH_LOOP}),
            shared_stage.safe_in_background(*command, "-o", "jsonl") as run,
        ):
            run.await_line('"action":"withdrawn"')
            assert run.process.poll() is None, "lines come as it happens"
            assert run.wait() == 1
        done = shared_stage.safe(*command, "-o", "jsonl")
        await_in_service(shared_stage, whole, faulty)
    events = _events(run.stdout)
    _assert_tells_of_the_failure(events[-1]["report"], planned)
    assert _actions(events, "whole-l") == ["released", "withdrawn", "evicting"]
    assert _actions(events, "faulty-l") == ["released", "givenBack"]
    assert _steps(events, "whole-l") == WAY
    assert _steps(events, "faulty-l") == ["queued", "released", "queued"]
    (gone,) = [event for event in events if event["type"] == "gone"]
    assert (gone["pod"]["name"].startswith("whole-l-"), gone["evicted"]) == (True, True)
    waits = {event["for"] for event in events if event["type"] == "waiting"}
    assert {"replacement", "settle"} <= waits
    assert any("CrashLoopBackOff" in event["message"] for event in events if event["type"] == "warning")
    events = _events(done.stdout)
    _assert_tells_of_the_rest(events[-1]["report"])
    assert _actions(events, "faulty-l") == ["released", "withdrawn", "evicting"]
    assert_nothing_left(shared_stage)
    figures.add("drains in -o jsonl", f"failed, then completed; {counted}")


def _set_the_stage(stage: Stage, *applications: Any) -> tuple[Pods, tuple[str, ...]]:
    """Bring applications up on one node; return their pods, and the command that drains them."""
    stage.kubectl("cordon", *OTHERS)
    bring_up(stage, *applications, progress_deadline=5)
    stage.kubectl("uncordon", *OTHERS)
    selector = f"app in ({','.join(application.name for application in applications)})"
    return as_they_are(stage, *applications), ("drain", NODE, "--pod-selector", selector, "--settle", "6s")


def _events(stdout: str) -> list[Json]:
    """Return the events in the order of their lines: the plan comes first, the account last, and time goes on."""
    events: list[Json] = [json.loads(line) for line in stdout.splitlines()]
    for event in events:
        check(event)
    types = [event["type"] for event in events]
    assert types[0] == "planned"
    assert types.index("ended") == len(types) - 1
    # What a look has found bears the time of that look, which what was told meanwhile may be after.
    moments = [_instant(event) for event in events]
    assert all(later - earlier > timedelta(seconds=-1) for earlier, later in pairwise(moments))
    check(events[-1]["report"])
    return events


def _instant(event: Json) -> datetime:
    return datetime.fromisoformat(event["time"])


def _actions(events: list[Json], app: str) -> list[str]:
    """Return what was done to the pods of an application."""
    acted = (event for event in events if event["type"] == "action" and event["object"]["kind"] == "pod")
    return [event["action"] for event in acted if event["object"]["name"].startswith(f"{app}-")]


def _steps(events: list[Json], app: str) -> list[str]:
    stepped = (event for event in events if event["type"] == "step")
    return [event["to"] for event in stepped if event["pod"]["name"].startswith(f"{app}-")]


def _assert_tells_of_the_failure(report: Json, planned: Pods) -> None:
    """One pod was handed over, the other was given back for want of a replacement."""
    assert (report["outcome"], report["exitCode"], report["dryRun"]) == ("failed", 1, "none")
    assert {pod["uid"]: pod["name"] for pod in report["plan"]["pods"]} == {
        uid: pod["name"] for uid, pod in planned.items()
    }
    assert {pod["node"] for pod in report["plan"]["pods"]} == {NODE}
    assert report["plan"]["estimateSeconds"] > 0
    by_step = {pod["step"]: pod for pod in report["pods"]}
    _assert_went_the_whole_way(by_step["gone"])
    (left,) = report["left"]
    assert left["uid"] == by_step["queued"]["uid"]
    assert "CrashLoopBackOff: back-off" in left["why"]
    assert left["why"] in report["error"]
    assert by_step["queued"]["evicted"] is False
    assert "replacement" in {wait["for"] for wait in by_step["queued"]["waits"]}
    assert {(it["inService"], it["wanted"]) for it in report["lowestCapacity"]} == {(1, 1)}
    assert f"node/{NODE} cordoned" in [told["message"] for told in report["messages"]]
    assert f"node/{NODE} drained" not in [told["message"] for told in report["messages"]]
    assert any("is given up: " in warned["message"] for warned in report["warnings"])


def _assert_tells_of_the_rest(report: Json) -> None:
    """The other pod was handed over."""
    assert (report["outcome"], report["exitCode"], report["error"]) == ("succeeded", 0, None)
    (pod,) = report["pods"]
    _assert_went_the_whole_way(pod)
    assert report["left"] == []
    assert [told["message"] for told in report["messages"]][-1] == f"node/{NODE} drained"


def _assert_went_the_whole_way(pod: Json) -> None:
    """Each step came, at its time, and the settle time was waited for."""
    steps = [entry["step"] for entry in pod["steps"]]
    assert [step for step in WAY if step in steps] == steps
    assert {"queued", "released", "withdrawn", "gone"} <= set(steps)
    times = [datetime.fromisoformat(entry["time"]) for entry in pod["steps"]]
    assert times == sorted(times)
    at = dict(zip(steps, times, strict=True))
    assert (at["gone"] - at["withdrawn"]).total_seconds() >= 6
    assert pod["evicted"] is True
    (settled,) = [wait for wait in pod["waits"] if wait["for"] == "settle"]
    assert settled["seconds"] > 4
