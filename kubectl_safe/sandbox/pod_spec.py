"""What a sandbox node reads from a pod's spec and annotations. Pure."""

from dataclasses import dataclass
from typing import Any, cast

from kubectl_safe.sandbox.pod import Sigterm

START_DELAY = "sandbox.kubectl-safe/start-delay"
"""How long the container takes to start: `2s`, `500ms`. One second without it."""
SIGTERM = "sandbox.kubectl-safe/sigterm"
"""What the process does at SIGTERM: `graceful` (without it) or `abrupt`."""
EXIT_AFTER = "sandbox.kubectl-safe/exit-after"
"""After how long the process ends by itself, where the restart policy isn't Always."""

_DEFAULT_PORT = 8080
_DEFAULT_START_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A readiness probe, with the defaults that the API server fills in."""

    path: str | None  # None: only connects
    port: int
    initial_delay_seconds: float
    period_seconds: float
    timeout_seconds: float
    success_threshold: int
    failure_threshold: int


def seconds(text: str) -> float:
    """Parse `2s`, `500ms` or a plain number of seconds."""
    if text.endswith("ms"):
        return float(text[:-2]) / 1000
    return float(text.removesuffix("s"))


def start_seconds(pod: dict[str, Any]) -> float:
    """Return how long the pod's container takes to start."""
    text = _annotations(pod).get(START_DELAY)
    return _DEFAULT_START_SECONDS if text is None else seconds(text)


def exit_seconds(pod: dict[str, Any]) -> float | None:
    """Return after how long the pod ends by itself, or None."""
    text = _annotations(pod).get(EXIT_AFTER)
    return None if text is None or pod["spec"].get("restartPolicy") == "Always" else seconds(text)


def sigterm(pod: dict[str, Any]) -> Sigterm:
    """Return what the pod's process does at SIGTERM."""
    kind = _annotations(pod).get(SIGTERM, "graceful")
    if kind not in ("abrupt", "graceful"):
        raise ValueError(f"annotation {SIGTERM} of pod {pod['metadata']['name']} is {kind!r}: abrupt or graceful")
    return cast("Sigterm", kind)


def prestop_seconds(pod: dict[str, Any]) -> float:
    """Return how long the preStop hooks take: the sleep action, or a command `sleep N`."""
    return max((_hook_seconds(container) for container in pod["spec"]["containers"]), default=0.0)


def ports(pod: dict[str, Any]) -> list[int]:
    """Return the ports of the pod, which all lead to its one server."""
    declared = [port["containerPort"] for container in pod["spec"]["containers"] for port in container.get("ports", [])]
    return declared or [_DEFAULT_PORT]


def readiness_probe(pod: dict[str, Any]) -> Probe | None:
    """Return the readiness probe of the first container that has one over the network."""
    for container in pod["spec"]["containers"]:
        probe = container.get("readinessProbe", {})
        action = probe.get("httpGet") or probe.get("tcpSocket")
        if action is None:
            continue
        return Probe(
            path=action.get("path", "/") if "httpGet" in probe else None,
            port=_port(container, action["port"]),
            initial_delay_seconds=probe.get("initialDelaySeconds", 0),
            period_seconds=probe.get("periodSeconds", 10),
            timeout_seconds=probe.get("timeoutSeconds", 1),
            success_threshold=probe.get("successThreshold", 1),
            failure_threshold=probe.get("failureThreshold", 3),
        )
    return None


def _annotations(pod: dict[str, Any]) -> dict[str, str]:
    return pod["metadata"].get("annotations") or {}


def _port(container: dict[str, Any], port: int | str) -> int:
    if isinstance(port, int):
        return port
    named = {declared.get("name"): declared["containerPort"] for declared in container.get("ports", [])}
    return int(named[port])


def _hook_seconds(container: dict[str, Any]) -> float:
    hook = container.get("lifecycle", {}).get("preStop", {})
    if "sleep" in hook:
        return float(hook["sleep"]["seconds"])
    match hook.get("exec", {}).get("command"):
        case ["sleep" | "/bin/sleep", text]:
            return seconds(text)
        case _:
            return 0.0
