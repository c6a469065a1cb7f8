"""Evictions by somebody else, as fast as they come, and what a disruption budget counts meanwhile."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from kubectl_safe.sandbox.api import Api, ApiError
from kubectl_safe.sandbox.endpoints import is_true
from kubectl_safe.sandbox.informer import Informer, Object
from tests.support.scene import Scene
from tests.support.stage import OTHER_ADMIN

WITHDRAWN = "kubectl-safe/withdrawn"


@dataclass(kw_only=True)
class Storm:
    """What there was while it lasted; all moments are `time.time()`."""

    scene: Scene
    asked: int = 0
    evicted: list[str] = field(default_factory=list)
    """Names of pods whose eviction was accepted."""
    serving: list[tuple[float, int]] = field(default_factory=list)
    """How many pods were Ready, not stopping and not withdrawn, from each moment on at which that changed."""
    counted: list[tuple[float, int, int]] = field(default_factory=list)
    """What the budget counted as healthy, and how many more it let go, from each moment on."""
    is_over: bool = False
    _up: dict[str, bool] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.asked} asked for, {len(self.evicted)} evicted"

    def below(self, least: int) -> list[tuple[float, float, int]]:
        """Return the spans in which fewer pods served than `least`: from when until when, and how many did."""
        ends = [since for since, _ in self.serving[1:]] + [time.time()]
        spans = zip(self.serving, ends, strict=True)
        return [(since, until, count) for (since, count), until in spans if count < least]

    @property
    def withdrawals(self) -> list[float]:
        """When pods of the application were withdrawn."""
        return sorted(pod.withdrawn for pod in self.scene.histories if pod.withdrawn is not None)

    @property
    def longest_recount(self) -> float:
        """How many seconds it took at most from a withdrawal until the budget was counted anew."""
        waits = (
            min((at - withdrawn for at, _, _ in self.counted if at >= withdrawn), default=0.0)
            for withdrawn in self.withdrawals
        )
        return max(waits, default=0.0)

    async def rage(self, per_second: float) -> None:
        """Ask for the eviction of pods that bear the application's label by chance, at a rate.

        One is spared, for whoever else has something to do with it.
        """
        random, spared = Random(0), min(pod["metadata"]["name"] for pod in self.scene.pods)
        async with self.scene.stage.rig.control_plane.api(OTHER_ADMIN) as api:
            while not self.is_over:
                names = sorted(
                    pod["metadata"]["name"]
                    for pod in self.scene.pods
                    if pod["metadata"]["labels"].get("app") == self.scene.name
                    and "deletionTimestamp" not in pod["metadata"]
                    and pod["metadata"]["name"] != spared
                )
                if names:
                    await self._evict(api, random.choice(names))
                await asyncio.sleep(1 / per_second)

    async def _evict(self, api: Api, name: str) -> None:
        path = f"/api/v1/namespaces/{self.scene.namespace}/pods/{name}/eviction"
        metadata = {"name": name, "namespace": self.scene.namespace}
        self.asked += 1
        try:
            await api.create(path, {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata})
        except ApiError:
            return
        self.evicted.append(name)

    def pod_changed(self, old: Object | None, new: Object | None) -> None:
        """Count again."""
        changed = new or old or {}
        if changed["metadata"]["namespace"] != self.scene.namespace:
            return
        metadata = changed["metadata"]
        self._up[metadata["uid"]] = (
            new is not None
            and is_true(new, "Ready")
            and "deletionTimestamp" not in metadata
            and WITHDRAWN not in metadata.get("labels", {})
        )
        count = sum(self._up.values())
        if not self.serving or self.serving[-1][1] != count:
            self.serving.append((time.time(), count))

    def budget_changed(self, _: Object | None, new: Object | None) -> None:
        """Note what the budget counts."""
        status = (new or {}).get("status", {})
        if "currentHealthy" in status:
            self.counted.append((time.time(), status["currentHealthy"], status["disruptionsAllowed"]))


@contextmanager
def a_storm(scene: Scene, *, per_second: float) -> Iterator[Storm]:
    """Have a storm over the pods of an application."""
    stage = scene.stage
    storm = Storm(scene=scene)
    budgets = Informer(stage.rig.api, f"/apis/policy/v1/namespaces/{scene.namespace}/poddisruptionbudgets")
    budgets.handlers.append(storm.budget_changed)
    following = stage.loop.spawn(budgets.run())
    for pod in scene.pods:
        storm.pod_changed(None, pod)
    del storm.serving[:-1]
    stage.rig.controller.pods.handlers.append(storm.pod_changed)
    raging = stage.loop.spawn(storm.rage(per_second))
    try:
        yield storm
    finally:
        storm.is_over = True
        raging.result(30)
        stage.rig.controller.pods.handlers.remove(storm.pod_changed)
        following.cancel()
