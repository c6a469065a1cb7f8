"""What a run in virtual time is like: the applications, and the command that moves their pods."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from kubectl_safe.decide.drain import Options
from kubectl_safe.decide.rights import Needs, to_drain, to_restart
from kubectl_safe.decide.settings import Settings
from kubectl_safe.run.drain import Drain, drain
from kubectl_safe.run.restart import Restart, restart
from kubectl_safe.run.session import Session
from kubectl_safe.sandbox.application import HASH, Application
from kubectl_safe.sandbox.targetgroupbinding import GROUP

if TYPE_CHECKING:
    from tests.virtual.acts import Act, Expected

NAMESPACE = "shop"
NODE = "node-a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A scenario, and the seed of all that is left to chance in it."""

    seed: int = 1
    command: str
    """`drain` or `restart`."""
    nodes: tuple[str, ...] = ("node-a", "node-b")
    binding_groups: tuple[str, ...] = (GROUP,)
    """The API groups that have TargetGroupBindings."""
    drained: tuple[str, ...] = (NODE,)
    cordoned: tuple[str, ...] = ()
    """Nodes on which nobody may put a pod from the beginning on."""
    applications: tuple[Application, ...]
    budgets: Mapping[str, Mapping[str, int | str]] = field(default_factory=dict)
    policies: tuple[Mapping[str, Any], ...] = ()
    """NetworkPolicies, which nobody enforces."""
    kept: tuple[str, ...] = ()
    """Applications whose pods somebody keeps in a slice of his own, of a Service without a selector."""
    settings: Settings = field(default_factory=Settings)
    options: Options = field(default_factory=Options)
    """Of a drain."""
    rate: float = 1.0
    """Requests a second, in virtual time; 0 for none."""
    meanwhile: "tuple[tuple[float, Act], ...]" = ()
    """What others do, so many virtual seconds after the command was started."""
    expected: "Expected | None" = None
    """What holds because of that; by default what holds where nobody does anything."""

    def settle_of(self, app: Application) -> timedelta:
        """How long a pod must be in no slice."""
        specs = (app.service_spec, *app.services.values())
        return self.settings.settle_for(is_headless=any(spec.get("clusterIP") == "None" for spec in specs))

    @property
    def needs(self) -> Needs:
        """The rights that the command asks for."""
        if self.command == "drain":
            return to_drain(self.drained, writes=True, nudges=self.settings.nudge)
        return to_restart(NAMESPACE, kind=self.kind, writes=True, nudges=self.settings.nudge)

    @property
    def kind(self) -> str:
        """Of the workloads that a restart is of."""
        return self.applications[0].kind

    @property
    def namespace(self) -> str | None:
        """What the command watches."""
        return None if self.command == "drain" else NAMESPACE

    def run(self, session: Session) -> None:
        """Run the command."""
        if self.command == "drain":
            drain(Drain(nodes=self.drained, options=self.options, settings=self.settings), session)
        else:
            names = tuple(app.name for app in self.applications)
            restart(Restart(kind=self.kind, namespace=NAMESPACE, names=names, settings=self.settings), session)


def an_application(name: str = "web", **changes: object) -> Application:
    """Return an application with short delays."""
    values: dict[str, object] = {
        "replicas": 2,
        "deregistration_delay": 20.0,
        "health_interval": 5.0,
        "start_delay": 1.0,
        "grace_period": 5,
        "strategy": {"rollingUpdate": {"maxSurge": 1}},
    }
    return Application(namespace=NAMESPACE, name=name, **(values | changes))  # type: ignore[arg-type]


def has_no_surge(application: Application) -> bool:
    """Tell whether no pod of it may serve beyond the wanted number, or none can: its Services use all its labels."""
    match application.kind:
        case "Deployment":
            used = {key for spec in application.services.values() for key in spec.get("selector", ())}
            is_alone = bool(application.access_mode) or application.strategy == {"type": "Recreate"}
            return is_alone or used >= {HASH, *(application.controller_labels.keys() - application.labels.keys())}
        case "DaemonSet":
            return "maxSurge" not in dict(application.strategy or {}).get("rollingUpdate", {})
        case kind:
            return kind == "StatefulSet" or not application.controller_labels


def a_database(**changes: object) -> Application:
    """Return a StatefulSet whose pods find each other by a label of their own."""
    its: dict[str, object] = {"kind": "StatefulSet", "member_labels": {"member-of": "db"}, "strategy": None}
    return an_application("db", is_load_balanced=True, **(its | changes))
