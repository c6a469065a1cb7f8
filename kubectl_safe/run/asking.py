"""The target groups of a run: AWS is connected to once one of them has to be asked."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.preflight import sought_by, targets_of
from kubectl_safe.kube.cache import Signal
from kubectl_safe.run.observer import Observer
from kubectl_safe.run.target_groups import PATIENCE, FirstAnswers
from kubectl_safe.run.terms import Terms


@dataclass(kw_only=True)
class Asking:
    """Asks each target group once, before the run needs it."""

    terms: Terms
    observer: Observer
    signal: Signal
    warn: Callable[[str], None]
    now: Callable[[], datetime]
    resources: ExitStack
    """What ends the connection."""
    first_answers: FirstAnswers | None = field(init=False, default=None)
    has_others: bool = False
    """Whether each group tells of all of its targets, those of no pod too."""
    patience: timedelta = PATIENCE
    """How long AWS is waited for."""
    _asked: set[str] = field(init=False, default_factory=set)

    def find(self, intent: Intent) -> None:
        """Ask what the target groups are that bindings only name.

        Raises:
            KubectlSafeError: AWS doesn't tell.
        """
        snapshot = self.observer.look()
        if sought := sought_by(intent, snapshot):
            self.begin().await_names(sought, snapshot)

    def ask(self, intent: Intent) -> None:
        """Ask each target group of these pods that was not asked before, and wait for its answer.

        Raises:
            KubectlSafeError: one may not be asked, or AWS doesn't answer.
        """
        self.find(intent)
        snapshot = self.observer.look()
        new = {arn: found for arn, found in targets_of(intent, snapshot).items() if arn not in self._asked}
        if new:
            self.begin().await_all(new, roles=snapshot.roles_by_group, allow=intent.settings.allow)
            self._asked |= new.keys()

    def begin(self) -> FirstAnswers:
        """Connect to AWS, unless that is done."""
        self.first_answers = self.first_answers or self._connect()
        return self.first_answers

    def _connect(self) -> FirstAnswers:
        # Imported here: without a TargetGroupBinding nothing of AWS is needed, and nothing of it is loaded.
        from kubectl_safe.aws.health import TargetHealthApi
        from kubectl_safe.aws.poller import Poller

        api = TargetHealthApi(
            profile=self.terms.aws_profile,
            region_override=self.terms.aws_region,
            now=self.now,
            has_others=self.has_others,
        )
        poller = self.resources.enter_context(Poller(api, signal=self.signal, now=self.now))
        self.observer.target_health = poller
        return FirstAnswers(
            settings=api,
            health=poller,
            observer=self.observer,
            signal=self.signal,
            warn=self.warn,
            now=self.now,
            patience=self.patience,
        )
