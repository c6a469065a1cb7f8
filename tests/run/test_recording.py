"""`--report` on a run: the page of a whole run, and that nothing about a report ends a run."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kubectl_safe.decide.actions import Action, Cordon, ExcludeNode, IncludeNode
from kubectl_safe.decide.estimate import Estimate
from kubectl_safe.decide.giving_up import Limits
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.render.recorder import Recorder
from kubectl_safe.render.timeline import Phase, Timeline
from kubectl_safe.run.recording import Recorded
from tests.run.conftest import OpenSession
from tests.run.world import Heard, World, a_world
from tests.support.builders import NOW, a_deployment

if TYPE_CHECKING:
    from collections.abc import Mapping

HANDOFF = [Phase.SERVING, Phase.RELEASED, Phase.WITHDRAWN, Phase.STOPPING]
ESTIMATE = Estimate(total=timedelta(0), why="")


def an_intent(world: World) -> Intent:
    """Return the intent to hand over all pods."""
    workload = reference_to(a_deployment())
    return Intent(
        pods=tuple(
            Planned(uid=p.uid, namespace="shop", name=p.name, node="node-1", workload=workload)
            for p in world.pods.values()
        )
    )


def recorded(world: World, path: Path) -> tuple[Recorded, Heard]:
    """Return an audience that is followed, and who is told."""
    heard = Heard()
    return Recorded(heard, Recorder(title="kubectl safe drain node-1"), path=path, now=world.now), heard


def timeline_of(audience: Recorded, world: World) -> Timeline:
    return audience.recorder.timeline(world.now())


def test_a_whole_run_is_followed_and_its_page_is_written(open_session: OpenSession, tmp_path: Path) -> None:
    world = a_world()
    audience, heard = recorded(world, tmp_path / "report.html")
    intent = an_intent(world)
    open_session(world, audience).carry_out(intent, began=world.now())
    audience.finished(0, "")
    timeline = timeline_of(audience, world)
    planned = [pod for pod in timeline.pods if pod.is_planned]
    assert len(planned) == len(intent.pods) == timeline.moved
    for pod in planned:
        phases = [interval.state for interval in pod.phases]
        assert phases in (HANDOFF, HANDOFF[1:], HANDOFF[:-1], HANDOFF[1:-1]), pod.name
        assert pod.gone is not None
    for pod in timeline.pods:
        if not pod.is_planned:
            assert [interval.state for interval in pod.phases][-1] is Phase.SERVING
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert all(pod.name in page for pod in timeline.pods)
    assert heard.lines[-1] == f"report: {tmp_path / 'report.html'}"
    assert heard.ends == [(0, "")]
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_run_that_failed_leaves_its_page_with_the_error(open_session: OpenSession, tmp_path: Path) -> None:
    world = a_world(start_seconds=None)
    audience, heard = recorded(world, tmp_path / "report.html")
    session = open_session(world, audience, limits=Limits(timeout=timedelta(minutes=1)))
    ending = session.carry_out(an_intent(world), began=world.now())
    assert ending.left
    audience.finished(1, "global <timeout> reached")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "global &lt;timeout&gt; reached" in page
    assert any("given up: " in mark.text for mark in timeline_of(audience, world).marks)
    assert heard.ends == [(1, "global <timeout> reached")]


def test_what_happens_beside_the_pods_is_marked(tmp_path: Path) -> None:
    world = a_world()
    audience, heard = recorded(world, tmp_path / "report.html")
    action = Cordon(node=world.nodes["node-1"])
    audience.acted(action)
    others: list[Action] = [ExcludeNode(node=world.nodes["node-1"]), IncludeNode(node=world.nodes["node-1"])]
    for other in others:
        audience.acted(other)
    audience.stopping("interrupted (SIGINT)", Snapshot(at=NOW), outcome=None)  # type: ignore[arg-type]
    assert [mark.text for mark in timeline_of(audience, world).marks] == [
        "node-1 cordoned",
        "node-1 excluded from load balancers",
        "node-1 excluded no more",
        "interrupted (SIGINT)",
    ]
    assert (heard.actions, heard.stops) == ([action, *others], ["interrupted (SIGINT)"])


def test_a_run_that_never_had_a_plan_leaves_no_page(tmp_path: Path) -> None:
    audience, heard = recorded(a_world(), tmp_path / "report.html")
    audience.finished(1, "refused")
    assert list(tmp_path.iterdir()) == []
    assert heard.ends == [(1, "refused")]


def test_a_page_that_can_no_longer_be_written_is_a_warning(tmp_path: Path) -> None:
    world, folder = a_world(), tmp_path / "folder"
    audience, heard = recorded(world, folder / "report.html")
    audience.planned(Intent(pods=()), Snapshot(at=NOW), ESTIMATE)
    audience.finished(0, "")
    assert heard.warnings == [
        f"Warning: report {folder / 'report.html'} could not be written: No such file or directory"
    ]
    assert heard.ends == [(0, "")]


@pytest.mark.parametrize("step", ["write_text", "replace"])
def test_the_old_page_is_there_until_the_new_one_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "report.html"
    path.write_text("the old one")
    audience, heard = recorded(a_world(), path)
    audience.planned(Intent(pods=()), Snapshot(at=NOW), ESTIMATE)
    monkeypatch.setattr(Path, step, full)
    audience.finished(0, "")
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"the old one", [path])
    assert heard.warnings[0].endswith("could not be written: No space left on device")


def test_a_link_to_a_page_stays_one(tmp_path: Path) -> None:
    there, link = tmp_path / "there.html", tmp_path / "link.html"
    there.write_text("the old one")
    link.symlink_to(there)
    audience, _ = recorded(a_world(), link)
    audience.planned(Intent(pods=()), Snapshot(at=NOW), ESTIMATE)
    audience.finished(0, "")
    assert link.is_symlink()
    assert there.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_fault_of_the_recorder_does_not_end_the_run_and_is_told(
    open_session: OpenSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("division by zero")

    world = a_world()
    audience, heard = recorded(world, tmp_path / "report.html")
    audience.planned(Intent(pods=()), Snapshot(at=NOW), ESTIMATE)
    monkeypatch.setattr(Recorder, "look", fail)
    assert not open_session(world, audience).carry_out(an_intent(world), began=world.now()).left
    audience.finished(0, "")
    assert heard.warnings == [
        f"Warning: report {tmp_path / 'report.html'} is not whole: ZeroDivisionError: division by zero"
    ]


def test_what_a_probe_counted_is_in_the_page_to_the_last_request(tmp_path: Path) -> None:
    counts: list[tuple[int, Mapping[str, int]]] = [(3, {}), (9, {"failed": 2})]
    world = a_world()
    audience, _ = recorded(world, tmp_path / "report.html")
    audience.recorder.count(NOW, 0, {})
    audience.recorder.counts = lambda: counts[0]
    audience.planned(Intent(pods=()), replace(Snapshot(at=NOW), at=NOW + timedelta(seconds=4)), ESTIMATE)
    counts.pop(0)
    timeline = audience.recorder.timeline(NOW + timedelta(seconds=10))
    assert (timeline.sent, timeline.lost) == (9, {"failed": 2})
