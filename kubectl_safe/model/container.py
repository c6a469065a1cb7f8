"""The containers of a pod, as far as they decide how it starts to serve and how it stops."""

from dataclasses import dataclass
from datetime import timedelta

from kubectl_safe.model.port import ContainerPort


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A probe of a container."""

    asks: str
    """What for: `GET http/healthz`, `TCP 8080`, `gRPC 9000`, `exec cat /tmp/up`."""
    period: timedelta = timedelta(seconds=10)
    failures: int = 3
    """In a row, until it counts as failed."""

    @property
    def time_to_fail(self) -> timedelta:
        """How long a container that answers no more passes for one that does."""
        return self.period * self.failures


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """What a container does before it gets SIGTERM."""

    duration: timedelta | None
    """At least so long; None where that can't be told, as of a request or a script without a `sleep`."""
    command: tuple[str, ...] = ()
    """What is run in the container; empty for the `sleep` action and for requests."""
    is_pause: bool = False
    """Whether it does nothing but sleep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container that runs as long as its pod does."""

    name: str
    ports: tuple[ContainerPort, ...] = ()
    readiness: Probe | None = None
    liveness: Probe | None = None
    pre_stop: Hook | None = None
    is_sidecar: bool = False
    """Whether it is an init container that is restarted always, which the kubelet stops after all others."""
