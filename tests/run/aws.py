"""AWS in memory and in a world's virtual time: it answers as a test scripts it, and heals when the test says so."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from kubectl_safe.aws.errors import AwsError
from kubectl_safe.decide.health import Wish
from kubectl_safe.model.target import Target, TargetGroup, TargetHealth, group_name
from kubectl_safe.run.target_groups import FirstAnswers
from tests.run.world import World
from tests.support.builders import a_group, health

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
    silent: set[str] = field(default_factory=set)
    """Groups whose answer never comes."""
    delay: float = 300
    asked_for_settings: list[list[str]] = field(default_factory=list)
    asked_for_health: list[str] = field(default_factory=list)
    health: dict[Target, TargetHealth] = field(default_factory=dict)
    heard: Mapping[str, AwsError | None] = field(default_factory=dict)
    _due: dict[str, datetime] = field(default_factory=dict)

    @property
    def errors(self) -> Mapping[str, str]:
        return {arn: str(error) for arn, error in self.heard.items() if error}

    def groups(self, arns: Iterable[str]) -> dict[str, TargetGroup | AwsError]:
        wanted = list(arns)
        self.asked_for_settings.append([group_name(arn) for arn in wanted])
        found = {arn: group_name(arn) for arn in wanted}
        return {arn: self.settings_errors.get(name) or a_group(name, delay=self.delay) for arn, name in found.items()}

    def want(self, wishes: Mapping[str, Wish]) -> None:
        """Answer each group a second later, and again in 5 s where it is still wished for."""
        for arn in self._due.keys() - wishes.keys():
            del self._due[arn]
        for arn, wish in wishes.items():
            if arn not in self._due:
                self._due[arn] = self.world.at
                self.world.after(1, lambda arn=arn, wish=wish: self._answer(arn, wish))  # type: ignore[misc]  # bound now

    def _answer(self, arn: str, wish: Wish) -> None:
        name = group_name(arn)
        if arn not in self._due or name in self.silent:
            return
        self.asked_for_health.append(name)
        error = self.health_errors.get(name)
        self.heard = {**self.heard, arn: error}
        if error is None:
            self.health |= dict.fromkeys(wish.targets, health())
        self.world.after(5, lambda: self._answer(arn, wish))


def connect(aws: Aws, session: "Session") -> "Session":
    """Let a session ask this AWS."""
    session.observer.target_health = aws
    session._first_answers = FirstAnswers(
        settings=aws,
        health=aws,
        observer=session.observer,
        signal=aws.world,
        warn=session.audience.warn,
        now=aws.world.now,
    )
    return session
