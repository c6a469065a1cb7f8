"""The volumes that pods share, as far as they keep two pods from running at once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from kubectl_safe.model.workload import Workload

ONE_POD, ONE_NODE = "ReadWriteOncePod", "ReadWriteOnce"
UNKNOWN = "access modes that can't be read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A PersistentVolumeClaim."""

    namespace: str
    name: str
    access_modes: frozenset[str]

    @property
    def limit(self) -> str:
        """The access mode that keeps pods from sharing it; empty where they can."""
        if ONE_POD in self.access_modes:
            return ONE_POD
        return ONE_NODE if self.access_modes == {ONE_NODE} else ""


def with_volumes(workloads: Collection[Workload], claims: Collection[Claim]) -> Mapping[str, Workload]:
    """Return workloads by UID, each with the volume that its pods can't share, where it has one.

    A claim that is not there, or that nobody may read, is taken for one that they can't.
    """
    limits = {(claim.namespace, claim.name): claim.limit for claim in claims}
    found = {}
    for workload in workloads:
        known = ((name, limits.get((workload.namespace, name), UNKNOWN)) for name in workload.claims)
        volume = next((f"{name} ({limit})" for name, limit in known if limit), "")
        found[workload.uid] = replace(workload, exclusive_volume=volume) if volume else workload
    return found
