"""Ports of containers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerPort:
    """A port that a container declares, for Services that name their target port."""

    name: str
    number: int
    protocol: str = "TCP"
