"""Who follows trials beside the screen, for a report say. What becomes of that is none of this package's business."""

from typing import Protocol

from kubectl_safe.sandbox.demo.trial import Trial


class Onlooker(Protocol):
    """Is shown a trial again and again, from a moment before its tool begins."""

    async def look(self, trial: Trial) -> None:
        """Take up how a trial stands now."""

    def over(self, trial: Trial) -> None:
        """Take note that every application has all its pods in service again."""
