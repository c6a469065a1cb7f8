"""What AWS says of a target, in words that tell what to look at: `Target.ResponseCodeMismatch (GET /healthz got 404)`.

Source of reasons and descriptions: Elastic Load Balancing API reference, version 2015-12-01, TargetHealth.
"""

import re

from kubectl_safe.model.target import TargetGroup, TargetHealth

_CODES = re.compile(r"\[([\d, ]+)\]")


def state_of(health: TargetHealth, group: TargetGroup | None) -> str:
    """Return a state and its reason: `unhealthy: Target.Timeout (GET /healthz got no answer in time)`."""
    reason = reason_of(health, group)
    return health.state.value if reason == health.state.value else f"{health.state.value}: {reason}"


def reason_of(health: TargetHealth, group: TargetGroup | None) -> str:
    """Return the reason of a state, with what was asked and what came of it as far as that is known."""
    details = _came_of(health, group)
    if not health.reason:
        return details or health.state.value
    return f"{health.reason} ({details})" if details else health.reason


def _came_of(health: TargetHealth, group: TargetGroup | None) -> str:
    asked = group.details.check.asks if group else "its health check"
    codes = _CODES.search(health.description)
    if health.reason == "Target.ResponseCodeMismatch" and codes:
        return f"{asked} got {codes[1]}"
    if health.reason == "Target.Timeout":
        return f"{asked} got no answer in time"
    return health.description
