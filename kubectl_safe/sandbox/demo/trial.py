"""One disruption by one tool, and the account of what it did to the traffic."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from kubectl_safe.sandbox.demo.commands import Say
from kubectl_safe.sandbox.demo.errors import DemoFailedError
from kubectl_safe.sandbox.demo.settings import LEAD_SECONDS, Disruption, Settings
from kubectl_safe.sandbox.demo.stage import Stage
from kubectl_safe.sandbox.demo.tools import Tool
from kubectl_safe.sandbox.traffic import Traffic, TrafficReport

WORDS: Mapping[Disruption, str] = {"drain": "drain", "restart": "rollout restart"}


@dataclass(kw_only=True)
class Trial:
    """A tool, what it does, and what came of it so far.

    Moments are `time.time()`: `began` is when the tool did, `ended` when it was done and every application had all its
    pods in service again.
    """

    stage: Stage
    tool: Tool
    disruption: Disruption
    settings: Settings
    traffic: Traffic = field(init=False)
    node: str = ""
    """The one that is drained, known from the start of its run."""
    began: float | None = None
    ended: float | None = None

    def __post_init__(self) -> None:
        self.traffic = Traffic(self.stage.ways(), rate=self.settings.rate, seed=self.settings.seed)

    @property
    def title(self) -> str:
        """What is tried."""
        return f"{self.tool.name} {WORDS[self.disruption]}"

    @property
    def is_running(self) -> bool:
        """Whether the tool has begun and not yet restored full strength."""
        return self.began is not None and self.ended is None

    @property
    def seconds(self) -> float:
        """How long it took, or has taken so far."""
        return 0.0 if self.began is None else (self.ended or time.time()) - self.began

    @property
    def report(self) -> TrafficReport:
        """The account of the requests so far."""
        return self.traffic.report()

    @property
    def lowest(self) -> dict[str, int]:
        """The fewest pods of each application that were in service."""
        return self.stage.lowest(self.began or time.time(), self.ended)

    async def run(self, say: Say) -> None:
        """Let the tool do it, under traffic that has to be entered; answers under way at the end are not waited for.

        Raises:
            DemoFailedError: the tool failed, or it took several times as long as it should.
        """
        if self.disruption == "drain":
            self.node = self.stage.fullest_node()
        await asyncio.sleep(LEAD_SECONDS)
        try:
            async with asyncio.timeout(self.settings.longest_seconds):
                self.began = time.time()
                await self._disrupt(say)
                await self.stage.at_full_strength()
        except TimeoutError:
            raise DemoFailedError(
                f"{self.title} was not done after {self.settings.longest_seconds:g} s: "
                f"in service are {counts(self.stage.in_service(), self.settings.pods)}"
            ) from None
        self.ended = time.time()

    async def _disrupt(self, say: Say) -> None:
        if self.disruption == "drain":
            await self.tool.drain(self.stage, self.node, say)
        else:
            await self.tool.restart(self.stage, say)


def counts(pods: Mapping[str, int], wanted: int) -> str:
    """Return how many pods of each application there are: `3/4 web, 4/4 api`."""
    return ", ".join(f"{count}/{wanted} {name}" for name, count in pods.items())
