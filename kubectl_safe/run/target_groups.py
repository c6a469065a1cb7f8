"""Before the first write: what AWS says of each target group of the plan, or that it may not be asked.

A run that learned this later would stand still in the middle, with pods that nobody can confirm.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from kubectl_safe.decide.allow import UNSEEN_TARGETS
from kubectl_safe.decide.deadline import USUAL_DELAY
from kubectl_safe.decide.health import Wish
from kubectl_safe.decide.settings import go_duration
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import (
    FoundGroup,
    GroupName,
    Role,
    Target,
    TargetGroup,
    TargetGroupBinding,
    group_name,
    is_arn,
)
from kubectl_safe.run.observer import HealthView, Observer

if TYPE_CHECKING:
    from kubectl_safe.aws.errors import AwsError

K = TypeVar("K")
V = TypeVar("V")

PATIENCE = timedelta(seconds=60)
"""How long AWS is waited for by who needs its answers."""

RETRY = timedelta(seconds=5)
LOOK_AGAIN = timedelta(seconds=1)


class UnseenTargetsError(KubectlSafeError):
    """A target group can't be asked."""


class SettingsView(Protocol):
    """What tells the settings of target groups; `TargetHealthApi` is that."""

    def groups(self, asked: Mapping[str, Role | None]) -> "Mapping[str, TargetGroup | AwsError]":
        """Return the settings of each target group by ARN, asked for with a role, or why AWS doesn't tell them."""

    def find(
        self, wanted: Iterable[GroupName], *, near: Mapping[str, Role | None]
    ) -> "Mapping[GroupName, FoundGroup | AwsError]":
        """Return what is behind each name, or why AWS doesn't tell it; `near` are other groups with their roles."""


class Signal(Protocol):
    """What tells that something changed."""

    def wait(self, timeout: float) -> bool:
        """Return once something changed, or after `timeout` seconds."""


@dataclass(kw_only=True)
class FirstAnswers:
    """Asks for the settings of target groups, and once for the health of their targets."""

    settings: SettingsView
    health: HealthView
    observer: Observer
    signal: Signal
    warn: Callable[[str], None]
    now: Callable[[], datetime]
    patience: timedelta = PATIENCE
    """How long AWS may fail, or leave us without a further answer."""
    _told: set[str] = field(default_factory=set)

    def await_names(self, sought: Mapping[GroupName, TargetGroupBinding], snapshot: Snapshot) -> None:
        """Let the observer have what is behind the names that bindings have for groups.

        Raises:
            UnseenTargetsError: AWS doesn't tell.
        """
        near = {binding.group: binding.role for binding in snapshot.bindings if is_arn(binding.group)}
        found, refused = self._await(sought, lambda names: self.settings.find(names, near=near), FoundGroup)
        for name, error in refused.items():
            binding = sought[name]
            told = "targetType" if is_arn(name.group) else "targetGroupARN"
            raise UnseenTargetsError(
                f"targetgroupbinding {binding.namespace}/{binding.name} tells no {told}, and AWS does not tell it "
                f"either: {error}"
            )
        self.observer.found = {**self.observer.found, **found}

    def await_all(
        self, targets: Mapping[str, frozenset[Target]], *, roles: Mapping[str, Role], allow: frozenset[str]
    ) -> None:
        """Ask these groups (by ARN) about these targets, and return once each has answered.

        A group that may not be asked is put among the unseen ones of the observer, where `allow` has that.

        Args:
            targets: by ARN; without any it is asked about all that is registered.
            roles: to ask with, by ARN.
            allow: what the reader answers for.

        Raises:
            UnseenTargetsError: a group may not be asked, or AWS doesn't answer for too long.
        """
        goes_unseen = UNSEEN_TARGETS in allow
        found, refused = self._await(
            targets, lambda arns: self.settings.groups({arn: roles.get(arn) for arn in sorted(arns)}), TargetGroup
        )
        self.observer.groups = {**self.observer.groups, **found}
        for group in found.values():
            if group.zones_unknown:
                name = group_name(group.arn)
                taken = (
                    f"target group {name} is taken to keep requests within zones, as its load balancer can't be asked"
                )
                self.warn(f"Warning: {taken}: {group.zones_unknown}")
        for error in refused.values():
            if not error.is_refusal:
                raise UnseenTargetsError(str(error))
        if refused and not goes_unseen:
            raise UnseenTargetsError(self._refusal(refused))
        unasked = self._await_health(targets, roles)
        if unasked and not goes_unseen:
            raise UnseenTargetsError(self._refusal(unasked))
        self.observer.unseen |= unasked.keys()

    def _await(
        self, wanted: Iterable[K], ask: "Callable[[set[K]], Mapping[K, V | AwsError]]", kind: type[V]
    ) -> "tuple[dict[K, V], dict[K, AwsError]]":
        """Ask until each is answered, or waiting is no use; return the answers, and why there are no others.

        Raises:
            UnseenTargetsError: it has been too long.
        """
        pending, found, refused = set(wanted), dict[K, V](), dict[K, "AwsError"]()
        until = self.now() + self.patience
        while True:
            answers = ask(pending)
            came = {key: answer for key, answer in answers.items() if isinstance(answer, kind)}
            failed = {key: cast("AwsError", answer) for key, answer in answers.items() if key not in came}
            found |= came
            refused |= {key: error for key, error in failed.items() if error.is_lasting}
            passing = {key: error for key, error in failed.items() if not error.is_lasting}
            until = self.now() + self.patience if came else until
            pending = set(passing)
            if not pending:
                return found, refused
            self._bear(passing, until)
            self._pause(RETRY)

    def _await_health(
        self, targets: Mapping[str, frozenset[Target]], roles: Mapping[str, Role]
    ) -> "Mapping[str, AwsError]":
        """Wait until each group has answered a question about its targets; return which may not be asked."""
        began = self.now()
        pending, refused = set(targets), dict[str, "AwsError"]()
        until = began + self.patience
        while True:
            heard = {arn: error for arn, error in self.health.heard.items() if arn in pending}
            refused |= {arn: error for arn, error in heard.items() if error and error.is_refusal}
            passing = {arn: error for arn, error in heard.items() if error and not error.is_refusal}
            left = pending - (heard.keys() - passing.keys())
            until = self.now() + self.patience if left != pending else until
            pending = left
            # What has answered is not asked again before the run needs it.
            self.health.want(
                {
                    arn: Wish(targets=its, not_before=began, role=roles.get(arn), is_whole=not its)
                    for arn in pending
                    for its in (targets[arn],)
                }
            )
            if not pending:
                return refused
            self._bear(passing or dict.fromkeys(pending), until)
            self.signal.wait(LOOK_AGAIN.total_seconds())

    def _bear(self, errors: "Mapping[Any, AwsError | None]", until: datetime) -> None:
        """Go on waiting, with a word; or not.

        Raises:
            UnseenTargetsError: there is no use in it, or it has been too long.
        """
        for asked, error in errors.items():
            if error and error.is_lasting:
                raise UnseenTargetsError(str(error))
            if self.now() >= until:
                why = error or f"target group {group_name(asked)} did not answer within {go_duration(self.patience)}"
                raise UnseenTargetsError(f"{why}; AWS was waited for: run the same command again")
            if error and str(error) not in self._told:
                self._told.add(str(error))
                self.warn(f"Warning: AWS is waited for, up to {go_duration(self.patience)}: {error}")

    def _refusal(self, refused: "Mapping[str, AwsError]") -> str:
        """Return what AWS said of each group that may not be asked, and how to do without."""
        delays = [group.deregistration_delay for group in self.observer.groups.values() if group.arn in refused]
        wait = go_duration(max(delays, default=USUAL_DELAY))
        told = "\n".join(dict.fromkeys(str(error) for _, error in sorted(refused.items())))
        return f"{told}, or go by readiness gates alone: --allow {UNSEEN_TARGETS} --drain-wait {wait}"

    def _pause(self, duration: timedelta) -> None:
        until = self.now() + duration
        while (left := until - self.now()) > timedelta(0):
            self.signal.wait(left.total_seconds())
