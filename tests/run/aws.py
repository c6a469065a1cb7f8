"""AWS in memory and in a world's virtual time: it answers as a test scripts it, and heals when the test says so."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from kubectl_safe.aws.errors import AwsError
from kubectl_safe.decide.health import Wish
from kubectl_safe.model.target import FoundGroup, GroupName, Role, Target, TargetGroup, TargetHealth, group_name
from kubectl_safe.run.target_groups import FirstAnswers
from tests.run.world import World
from tests.support.builders import a_group, arn, health

if TYPE_CHECKING:
    from kubectl_safe.run.session import Session

GROUPS, HEALTH = "DescribeTargetGroups", "DescribeTargetHealth"


def denied(action: str = HEALTH, group: str = "web", code: str = "AccessDenied") -> AwsError:
    """Return AWS's refusal as `aws` words it."""
    action = f"elasticloadbalancing:{action}"
    return AwsError(f"{action} on target group {group}: {code}: words; have {action} allowed", code=code)


@dataclass
class Aws:
    """Settings and health of target groups, by their names."""

    world: World
    settings_errors: dict[str, AwsError] = field(default_factory=dict)
    health_errors: dict[str, AwsError] = field(default_factory=dict)
    zones_unknown: dict[str, str] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    """Groups whose answer never comes."""
    delay: float = 300
    asked_for_settings: list[list[str]] = field(default_factory=list)
    asked_for_health: list[str] = field(default_factory=list)
    roles: dict[str, Role | None] = field(default_factory=dict)
    """With what settings were asked for, by ARN."""
    asked_with: dict[str, Role | None] = field(default_factory=dict)
    """With what health was asked for last, by name."""
    name_errors: dict[str, AwsError] = field(default_factory=dict)
    target_type: str = "ip"
    """Of groups that are looked up."""
    asked_for_names: list[list[str]] = field(default_factory=list)
    near: list[list[str]] = field(default_factory=list)
    health: dict[Target, TargetHealth] = field(default_factory=dict)
    heard: Mapping[str, AwsError | None] = field(default_factory=dict)
    _due: dict[str, datetime] = field(default_factory=dict)

    @property
    def errors(self) -> Mapping[str, str]:
        return {group: str(error) for group, error in self.heard.items() if error}

    def groups(self, asked: Mapping[str, Role | None]) -> dict[str, TargetGroup | AwsError]:
        wanted = list(asked)
        self.roles |= asked
        self.asked_for_settings.append([group_name(group) for group in wanted])
        names = {group: group_name(group) for group in wanted}
        return {its: self.settings_errors.get(name) or self._settings(name) for its, name in names.items()}

    def _settings(self, name: str) -> TargetGroup:
        return replace(a_group(name, delay=self.delay), zones_unknown=self.zones_unknown.get(name, ""))

    def find(
        self, wanted: Iterable[GroupName], *, near: Mapping[str, Role | None]
    ) -> dict[GroupName, FoundGroup | AwsError]:
        self.near.append(sorted(near))
        names = {name: group_name(name.group) for name in wanted}
        self.asked_for_names.append(sorted(names.values()))
        return {
            name: self.name_errors.get(short) or FoundGroup(arn=arn(short), target_type=self.target_type, is_ipv6=False)
            for name, short in names.items()
        }

    def want(self, wishes: Mapping[str, Wish]) -> None:
        """Answer each group a second later, and again in 5 s where it is still wished for."""
        for group in self._due.keys() - wishes.keys():
            del self._due[group]
        for group, wish in wishes.items():
            if group not in self._due:
                self._due[group] = self.world.at
                self.world.after(1, partial(self._answer, group, wish))

    def _answer(self, group: str, wish: Wish) -> None:
        name = group_name(group)
        if group not in self._due or name in self.silent:
            return
        self.asked_for_health.append(name)
        self.asked_with[name] = wish.role
        error = self.health_errors.get(name)
        self.heard = {**self.heard, group: error}
        if error is None:
            self.health |= dict.fromkeys(wish.targets, health())
        self.world.after(5, partial(self._answer, group, wish))


def connect(aws: Aws, session: "Session") -> "Session":
    """Let a session ask this AWS."""
    session.observer.target_health = aws
    session.asking.first_answers = FirstAnswers(
        settings=aws,
        health=aws,
        observer=session.observer,
        signal=aws.world,
        warn=session.audience.warn,
        now=aws.world.now,
    )
    return session
