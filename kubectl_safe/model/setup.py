"""What a handoff does not look at, and a check does: namespaces, the load balancer controller, webhook and troubles.

None stands for what could not be read: nothing may be said of that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kubectl_safe.model.autoscaler import Autoscaler
from kubectl_safe.model.event import Subject
from kubectl_safe.model.lease import Lease
from kubectl_safe.model.selector import Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """A namespace, with what was set on it when."""

    name: str
    labels: Labels = field(default_factory=dict)
    labelled: Mapping[str, datetime] = field(default_factory=dict)
    """When whoever set a label last changed the namespace: the label is no younger than that (`managedFields`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """A Deployment of the AWS Load Balancer Controller."""

    namespace: str
    name: str
    replicas: int
    ready: int
    version: str = ""
    """By its image's tag, or its label `app.kubernetes.io/version`; empty where neither tells."""
    most_targets: int = 0
    """How many it registers with a group at most (`--max-targets-per-target-group`); 0 for as many as there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """The webhook that gives pods their readiness gates, one entry of a MutatingWebhookConfiguration."""

    configuration: str
    name: str
    failure_policy: str
    service: tuple[str, str] | None = None
    """Namespace and name of the Service that answers it; None where it is reached by a URL."""
    ready_endpoints: int | None = None
    """Of that Service; None where they could not be read, or there is no Service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """A Warning event about an object."""

    subject: Subject
    reason: str
    message: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """All of it, as far as it could be read."""

    at: datetime | None = None
    """The server's time."""
    namespaces: Mapping[str, Namespace] | None = None
    """By name: those that were asked for."""
    controllers: tuple[Controller, ...] | None = None
    webhooks: tuple[Webhook, ...] | None = None
    complaints: tuple[Complaint, ...] | None = None
    """About TargetGroupBindings."""
    autoscalers: tuple[Autoscaler, ...] | None = None
    leases: tuple[Lease, ...] | None = None
    """Those of runs of this tool."""
    unread: tuple[str, ...] = ()
    """What could not be read, and why."""
