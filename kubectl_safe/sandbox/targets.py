"""What the load balancer controller believes of a target group, and its calls to change it.

As in its pkg/targetgroupbinding/targets_manager.go: a healthy target is not asked about again for five minutes, and one
lock is held over every look, so that a look which is throttled holds up all other groups.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from kubectl_safe.sandbox.elbv2 import HEALTHY, NOT_REGISTERED, Elbv2, Elbv2Error, Target, TargetHealth

CALLER = "load-balancer-controller"

_T = TypeVar("_T")

_REQUEST_ID = "00000000-0000-4000-8000-000000000000"

_CACHE_SECONDS = 300.0
_ATTEMPTS = 10
_FIRST_RETRY_SECONDS = 0.5
_LONGEST_RETRY_SECONDS = 20.0


def sdk_words(error: Elbv2Error) -> str:
    """Return an error in the words of the AWS SDK for Go, which the controller passes on."""
    return (
        f"operation error Elastic Load Balancing v2: {error.action}, https response error StatusCode: {error.status}, "
        f"RequestID: {_REQUEST_ID}, api error {error.code}: {error.message}"
    )


class Targets:
    """The targets of all groups, as one leading controller remembers them."""

    def __init__(self, elbv2: Elbv2) -> None:
        self._elbv2 = elbv2
        self._lock = asyncio.Lock()
        self._known: dict[str, tuple[float, dict[Target, TargetHealth | None]]] = {}

    async def list(self, arn: str) -> dict[Target, TargetHealth | None]:
        """Return what a group has registered or draining; asks only about what was not healthy."""
        async with self._lock:
            expires, known = self._known.get(arn, (0.0, {}))
            now = asyncio.get_running_loop().time()
            if now >= expires:
                listed = await _patiently(lambda: self._elbv2.describe_target_health(arn, caller=CALLER))
                self._known[arn] = (now + _CACHE_SECONDS, dict(listed))
            elif asked := [target for target, health in known.items() if health != HEALTHY]:
                listed = await _patiently(lambda: self._elbv2.describe_target_health(arn, asked, caller=CALLER))
                for target, health in listed:
                    known[target] = health
                    if health == NOT_REGISTERED:
                        del known[target]
            return dict(self._known[arn][1])

    async def register(self, arn: str, targets: Sequence[Target]) -> None:
        """Register targets; what is known of their health is void."""
        await _patiently(lambda: self._elbv2.register(arn, targets, caller=CALLER))
        self._forget(arn, targets)

    async def deregister(self, arn: str, targets: Sequence[Target]) -> None:
        """Deregister targets; what is known of their health is void."""
        await _patiently(lambda: self._elbv2.deregister(arn, targets, caller=CALLER))
        self._forget(arn, targets)

    def _forget(self, arn: str, targets: Sequence[Target]) -> None:
        if arn in self._known:
            self._known[arn][1].update(dict.fromkeys(targets))


async def _patiently(call: Callable[[], _T]) -> _T:
    """Make a call as the AWS SDK does: one that is throttled is tried again, later and later."""
    for attempt in range(_ATTEMPTS - 1):
        try:
            return call()
        except Elbv2Error as error:
            if error.code != "Throttling":
                raise
        await asyncio.sleep(min(_FIRST_RETRY_SECONDS * 2**attempt, _LONGEST_RETRY_SECONDS))
    return call()
