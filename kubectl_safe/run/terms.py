"""What a run is bound by, apart from what it moves."""

from dataclasses import dataclass, field
from enum import Enum

from kubectl_safe.decide.giving_up import Limits
from kubectl_safe.kube.listing import PAGE


class DryRun(Enum):
    """kubectl's `--dry-run`."""

    NONE = "none"
    CLIENT = "client"
    SERVER = "server"

    @property
    def suffix(self) -> str:
        """What kubectl adds to each line of a dry run."""
        return {DryRun.NONE: "", DryRun.CLIENT: " (dry run)", DryRun.SERVER: " (server dry run)"}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a run is bound by, apart from what it moves."""

    dry_run: DryRun = DryRun.NONE
    about: str = ""
    """What the run does, for those who find it in their way."""
    nodes: tuple[str, ...] = ()
    """The nodes that it drains, or whose drain it ends."""
    limits: Limits = field(default_factory=Limits)
    grace_period: int | None = None
    """Seconds; None leaves it to each pod."""
    page: int = PAGE
    """How many objects are listed at once; 0 for all."""
    aws_profile: str | None = None
    aws_region: str | None = None
