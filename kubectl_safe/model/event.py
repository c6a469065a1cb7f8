"""What events are told of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An object that a controller may complain about in Warning events."""

    kind: str
    """As in `involvedObject.kind`."""
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind.lower()} {self.namespace}/{self.name}"
