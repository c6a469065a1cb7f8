"""Faults for `Elbv2.fault`: which calls AWS refuses, whose, about what, and until when. Pure but for the clock.

So `rig.elbv2.fault = refusing(expired_token, caller=ACCESS_KEY, until=moment.time() + 30)`.
"""

import math
from collections.abc import Callable

from kubectl_safe.sandbox import moment
from kubectl_safe.sandbox.elbv2 import ACCOUNT, CallFault, Elbv2Error

Refusal = Callable[[str, str], Elbv2Error]
"""Takes caller and action, and returns AWS's error."""


def expired_token(_caller: str, _action: str) -> Elbv2Error:
    """Return the error for credentials that have run out."""
    return Elbv2Error("ExpiredToken", "The security token included in the request is expired", 403)


def access_denied(caller: str, action: str) -> Elbv2Error:
    """Return the error for a caller without the right to an action."""
    name = f"elasticloadbalancing:{action}"
    user = f"arn:aws:iam::{ACCOUNT}:user/{caller}"
    why = f"because no identity-based policy allows the {name} action"
    return Elbv2Error("AccessDenied", f"User: {user} is not authorized to perform: {name} {why}", 403)


def throttling(_caller: str, _action: str) -> Elbv2Error:
    """Return the error for an account whose calls are used up."""
    return Elbv2Error("Throttling", "Rate exceeded")


def internal_failure(_caller: str, _action: str) -> Elbv2Error:
    """Return the error for a fault of AWS's own."""
    return Elbv2Error("InternalFailure", "We encountered an internal error. Please try again.", 500)


def refusing(
    refusal: Refusal, *, caller: str = "", action: str = "", group: str = "", until: float = math.inf
) -> CallFault:
    """Return the fault that refuses the calls that match all that is named.

    Args:
        refusal: the error.
        caller: an access key, or `targets.CALLER` for the load balancer controller.
        action: such as `DeregisterTargets`.
        group: the ARN of a target group, which the call names alone or among others.
        until: `time.time()` from which on nothing is refused.
    """

    def fault(its_caller: str, its_action: str, groups: str) -> Elbv2Error | None:
        matches = (
            caller in ("", its_caller)
            and action in ("", its_action)
            and (not group or group in groups.split(","))
            and moment.time() < until
        )
        return refusal(its_caller, its_action) if matches else None

    return fault


def first_of(*faults: CallFault) -> CallFault:
    """Return the fault that refuses what any of these does, with the first one's error."""

    def fault(caller: str, action: str, groups: str) -> Elbv2Error | None:
        return next((error for its in faults if (error := its(caller, action, groups)) is not None), None)

    return fault
