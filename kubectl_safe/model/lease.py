"""Leases (coordination.k8s.io/v1): what a run holds so that two operators at once are as one."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

NODE_NAMESPACE = "kube-node-lease"
_LONGEST_NAME = 253
_DIGEST_CHARACTERS = 8
_IDENTITY = re.compile(r"(?P<who>.+) pid (?P<pid>\d+) [0-9a-f]{8}")


@dataclass(frozen=True, slots=True, order=True)
class LeaseName:
    """Where a Lease is; whoever needs several takes them in this order."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a Lease, for people."""

    identity: str
    about: str
    """What they do with it, such as `drain node-a`."""
    since: datetime | None = None
    """By the holder's own clock, so nothing may be decided by it."""

    @property
    def who(self) -> str:
        """The holder as people read it: `alice@laptop (pid 4711)`."""
        return readable(self.identity)

    def __str__(self) -> str:
        return f"{self.who}: {self.about}" if self.about else self.who


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A Lease as the API server has it, or is to have it."""

    name: LeaseName
    uid: str
    resource_version: str
    holder: str
    """The holder's identity; empty where nobody holds it."""
    about: str
    since: str
    """`acquireTime` as it was written: a time of another's clock."""
    renewed: str
    """`renewTime` as it was written; only that it changes says anything."""
    duration: timedelta
    transitions: int = 0
    nodes: tuple[str, ...] = ()
    """The nodes whose drain holds it, or their abort: whoever holds theirs knows that it is held no more."""

    @property
    def held_by(self) -> Holder:
        """The holder, for people."""
        return Holder(identity=self.holder, about=self.about, since=_instant(self.since))


def lease_of_node(node: str) -> LeaseName:
    """Return the Lease that a drain of a node holds for its whole run."""
    return LeaseName(NODE_NAMESPACE, _cut(f"kubectl-safe.{node}"))


def lease_of_workload(kind: str, namespace: str, name: str) -> LeaseName:
    """Return the Lease of whoever hands over pods of a workload."""
    return LeaseName(namespace, _cut(f"kubectl-safe.{kind.lower()}.{name}"))


def identity(*, user: str, host: str, pid: int, nonce: str) -> str:
    """Return what stands in `holderIdentity`: it tells people who, and `nonce` makes it unique to a process."""
    return f"{user}@{host} pid {pid} {nonce}"


def readable(holder: str) -> str:
    """Return an identity as people read it; another's is left as it is."""
    found = _IDENTITY.fullmatch(holder)
    return f"{found['who']} (pid {found['pid']})" if found else holder


def _cut(name: str) -> str:
    """Return a name of at most 253 characters, the longest that a Lease can have, and still one for each."""
    if len(name) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST_CHARACTERS]
    return f"{name[: _LONGEST_NAME - _DIGEST_CHARACTERS - 1].rstrip('.-')}-{digest}"


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
