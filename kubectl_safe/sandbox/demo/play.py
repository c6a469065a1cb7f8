"""The demonstration as a whole: two clusters, the trials on them one after the other, and what is kept of it."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from textwrap import wrap

from kubectl_safe.sandbox.demo import picture
from kubectl_safe.sandbox.demo.commands import Say, open_commands
from kubectl_safe.sandbox.demo.keep import keep
from kubectl_safe.sandbox.demo.onlooker import Onlooker
from kubectl_safe.sandbox.demo.screen import Screen
from kubectl_safe.sandbox.demo.settings import Settings
from kubectl_safe.sandbox.demo.stage import Stage, open_stage
from kubectl_safe.sandbox.demo.tools import KubectlSafe, plain_tool
from kubectl_safe.sandbox.demo.trial import Trial

_REDRAW_SECONDS = 0.2
_LOOK_SECONDS = 0.2
_LINE_SECONDS = 2.0
_WIDTH = 100


class Demonstration:
    """Compares the tools, and then keeps a cluster running where that is wanted.

    `trials` are those that were to be made, with their accounts; `is_kept` is set once a cluster runs for its own sake.

    Args:
        settings: sizes and load; without disruptions nothing is compared.
        screen: who looks on.
        onlooker: who follows the trials beside it.
        keeps: whether a cluster goes on running, with traffic, until this is cancelled.
    """

    def __init__(
        self, settings: Settings, screen: Screen, *, onlooker: Onlooker | None = None, keeps: bool = False
    ) -> None:
        self.trials: list[Trial] = []
        self.is_kept = False
        self._settings = settings
        self._screen = screen
        self._onlooker = onlooker
        self._keeps = keeps
        # Left after the clusters: a request that waits for an answer then ends at once.
        self._clients = AsyncExitStack()

    @property
    def safe_trials(self) -> list[Trial]:
        """The trials of kubectl-safe."""
        return [trial for trial in self.trials if isinstance(trial.tool, KubectlSafe)]

    async def run(self) -> None:
        """Do it all; everything that was started has ended when this does, however it ends.

        Raises:
            DemoFailedError: a tool failed, or was never done.
        """
        async with self._clients, AsyncExitStack() as clusters:
            commands = await clusters.enter_async_context(open_commands())
            stage = await clusters.enter_async_context(open_stage(self._settings, commands, "safe"))
            if self._settings.disruptions:
                async with open_stage(self._settings, commands, "plain") as other:
                    await self._compare(other, stage)
            if self._keeps:
                await stage.settled()
                self.is_kept = True
                await keep(stage, self._settings, self._screen, self._clients)

    async def _compare(self, plain_stage: Stage, safe_stage: Stage) -> None:
        for line in wrap(picture.introduction(self._settings), _WIDTH):
            self._screen.say(line)
        plain = await plain_tool(plain_stage, self._screen.say)
        await plain_stage.settled()
        await safe_stage.settled()
        self.trials = [
            Trial(stage=stage, tool=tool, disruption=disruption, settings=self._settings)
            for disruption in self._settings.disruptions
            for stage, tool in ((plain_stage, plain), (safe_stage, KubectlSafe()))
        ]
        async with _shown(self.trials, self._screen):
            # The next trial has a cluster of its own: it need not wait for the last answers of this one.
            tails = [asyncio.create_task((await self._try(trial)).traffic.stop()) for trial in self.trials]
            await asyncio.gather(*tails)
        self._screen.say("")
        for line in picture.closing_table(self.trials, self._screen.width):
            self._screen.say(line)

    async def _try(self, trial: Trial) -> Trial:
        say = self._screen.say
        say("")
        await self._clients.enter_async_context(trial.traffic)
        async with _followed(trial, self._onlooker):
            await trial.run(_timed(trial, say))
        _timed(trial, say)(f"all pods are in service again: {picture.live_line(trial)}")
        for node in trial.stage.rig.nodes.names:
            await trial.stage.uncordon(node)
        return trial


def _timed(trial: Trial, say: Say) -> Say:
    return lambda line: say(f"{trial.seconds:5.1f}s  {line}")


@asynccontextmanager
async def _shown(trials: Sequence[Trial], screen: Screen) -> AsyncGenerator[None, None]:
    """Keep the screen up to date meanwhile."""
    showing = asyncio.create_task(_redraw(trials, screen) if screen.is_live else _tell(trials, screen))
    try:
        yield
    finally:
        showing.cancel()
        await asyncio.wait([showing])
        if screen.is_live:
            screen.draw([])
    if not showing.cancelled():
        showing.result()


@asynccontextmanager
async def _followed(trial: Trial, onlooker: Onlooker | None) -> AsyncGenerator[None, None]:
    """Show a trial to an onlooker meanwhile."""
    if onlooker is None:
        yield
        return
    following = asyncio.create_task(_follow(trial, onlooker))
    try:
        yield
    finally:
        following.cancel()
        await asyncio.wait([following])
    if not following.cancelled():
        following.result()
    await onlooker.look(trial)
    onlooker.over(trial)


async def _follow(trial: Trial, onlooker: Onlooker) -> None:
    while True:
        await onlooker.look(trial)
        await asyncio.sleep(_LOOK_SECONDS)


async def _redraw(trials: Sequence[Trial], screen: Screen) -> None:
    while True:
        screen.draw(["", *picture.live_table(trials, screen.width)])
        await asyncio.sleep(_REDRAW_SECONDS)


async def _tell(trials: Sequence[Trial], screen: Screen) -> None:
    while True:
        await asyncio.sleep(_LINE_SECONDS)
        for trial in trials:
            if trial.is_running:
                _timed(trial, screen.say)(picture.live_line(trial))
