"""Containers of pods. Pods of one template share them: of thousands of pods there are few."""

import re
from datetime import timedelta
from functools import lru_cache

from kubectl_safe.kube.parse.common import Json, default
from kubectl_safe.model.container import Container, Hook, Probe
from kubectl_safe.model.port import ContainerPort
from kubectl_safe.model.script import commands_in, script_of

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_SLEEP = re.compile(r"(?:exec\s+)?(?:/\S+/)?sleep\s+(\d+(?:\.\d+)?)([smhd]?)\s*")
_BRANCHES = re.compile(r"\b(?:if|while|until|for|case)\b|&\s*$")
"""Where a script has one of these, nobody can tell how long it takes by its words."""


def containers(spec: Json) -> tuple[Container, ...]:
    """Return the containers that run as long as the pod does, the native sidecars last."""
    sidecars = (c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always")
    plain = (_container(raw, is_sidecar=False) for raw in spec.get("containers") or ())
    return _shared((*plain, *(_container(raw, is_sidecar=True) for raw in sidecars)))


@lru_cache(maxsize=4096)
def _shared(parsed: tuple[Container, ...]) -> tuple[Container, ...]:
    """Return the same value for what is equal, which saves most of the memory that it takes."""
    return parsed


def _container(raw: Json, *, is_sidecar: bool) -> Container:
    return Container(
        name=raw.get("name") or "",
        ports=tuple(
            ContainerPort(
                name=port.get("name") or "", number=port["containerPort"], protocol=port.get("protocol") or "TCP"
            )
            for port in raw.get("ports") or ()
        ),
        readiness=_probe(raw.get("readinessProbe")),
        liveness=_probe(raw.get("livenessProbe")),
        pre_stop=_hook((raw.get("lifecycle") or {}).get("preStop")),
        is_sidecar=is_sidecar,
    )


def _probe(raw: Json | None) -> Probe | None:
    if raw is None:
        return None
    return Probe(
        asks=_asks(raw),
        period=timedelta(seconds=default(raw.get("periodSeconds"), 10)),
        failures=default(raw.get("failureThreshold"), 3),
    )


def _asks(raw: Json) -> str:
    if get := raw.get("httpGet"):
        return f"GET {get.get('port', '')}{get.get('path') or '/'}"
    if connect := raw.get("tcpSocket"):
        return f"TCP {connect.get('port', '')}"
    if call := raw.get("grpc"):
        return f"gRPC {call.get('port', '')}{'/' if call.get('service') else ''}{call.get('service') or ''}"
    return f"exec {' '.join((raw.get('exec') or {}).get('command') or ())}"


def _hook(raw: Json | None) -> Hook | None:
    if not raw:
        return None
    if sleep := raw.get("sleep"):
        return Hook(duration=timedelta(seconds=sleep.get("seconds") or 0), is_pause=True)
    command = tuple(map(str, (raw.get("exec") or {}).get("command") or ()))
    parts = _commands(command)
    slept = [_slept(part) for part in parts]
    known = [its for its in slept if its is not None]
    return Hook(
        duration=sum(known, timedelta(0)) if known else None,
        command=command,
        is_pause=bool(known) and len(known) == len(slept),
    )


def _commands(command: tuple[str, ...]) -> list[str]:
    """Return the commands that are run one after the other: of a shell those of its script."""
    script = script_of(command)
    if script is None:
        return [" ".join(command)] if command else []
    return [] if _BRANCHES.search(script) else commands_in(script)


def _slept(command: str) -> timedelta | None:
    found = _SLEEP.fullmatch(command)
    return timedelta(seconds=float(found[1]) * _UNITS[found[2]]) if found else None
