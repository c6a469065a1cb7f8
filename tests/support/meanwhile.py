"""Somebody who acts in the middle of a run: when, what came of it, and what holds whatever was done."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.support.background import Background
from tests.support.claims import assert_nothing_left
from tests.support.scene import SETTLE_SECONDS, Scene, a_namespace, a_scene
from tests.support.stage import Counted, Stage

END_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What somebody does in the middle of a restart, and when."""

    act: Callable[[Scene], Any]
    after: str
    """`released` or `withdrawn`: the moment at which the first pod is so."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Of the application."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came of a command in whose middle somebody acted."""

    scene: Scene
    code: int
    process: Background
    counted: Counted
    before: frozenset[str]
    """The names of the pods that were there before it."""
    evicted: frozenset[str]
    left: frozenset[str]
    """The names of the pods that are there after it."""


def play_together(stage: Stage, scenarios: Mapping[str, Scenario]) -> list[Run]:
    """Play two scenarios at once, by the names of their applications; more would make the rig itself late."""
    with ThreadPoolExecutor(len(scenarios)) as pool:
        return list(pool.map(lambda name: _play(stage, name, scenarios[name]), scenarios))


def _play(stage: Stage, name: str, scenario: Scenario) -> Run:
    with a_namespace(stage) as namespace:
        scene = a_scene(stage, namespace, name, **scenario.changes)
        run = in_the_middle(scene, scenario.act, scene.restart, after=scenario.after)
        assert_nothing_left(stage, namespace)
        return run


def in_the_middle(scene: Scene, act: Callable[[Scene], Any], command: tuple[str, ...], *, after: str) -> Run:
    """Run a command under traffic, and act once a pod is released, or withdrawn."""
    before = scene.names
    moment = scene.released if after == "released" else scene.withdrawn
    with scene.traffic() as counted, scene.safe_in_background(*command) as process:
        scene.stage.wait_until(lambda: bool(moment()), what=f"a pod that is {after}")
        act(scene)
        code = process.wait(END_SECONDS)
    _assert_nothing_was_done_twice(scene, before)
    evicted, left = frozenset(scene.evicted()), scene.names
    # Whatever the others' act costs, it costs nothing on a pod that was handed over.
    assert [loss for loss in counted.losses if loss.pod in evicted] == []
    return Run(scene=scene, code=code, process=process, counted=counted, before=before, evicted=evicted, left=left)


def _assert_nothing_was_done_twice(scene: Scene, planned: frozenset[str]) -> None:
    """Only pods of the plan were evicted, each once, and each when it had been out of everything for long enough."""
    evictions = [w for w in scene.writes() if w.resource == "pods/eviction"]
    assert set(scene.evicted()) <= planned
    assert max(scene.evicted().values(), default=1) == 1
    for eviction in evictions:
        pod = scene.history(eviction.name)
        assert pod.unlisted is not None, f"{pod.name} was in a slice when it was evicted"
        assert eviction.at >= pod.unlisted + SETTLE_SECONDS - 0.1, f"{pod.name} had not settled"
        if scene.application.is_load_balanced:
            assert pod.not_registered is not None, f"{pod.name} was registered when it was evicted"
            assert eviction.at >= pod.not_registered
