"""What runs on an abstract model are like: sizes, delays, settings, and when fate strikes; all of it from a seed."""

from dataclasses import dataclass
from datetime import timedelta
from random import Random

from kubectl_safe.decide.settings import Settings

DELAYS = tuple(timedelta(seconds=seconds) for seconds in (0, 10, 40))
NEVER = 0
"""Looks are counted from one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What a run is like."""

    seed: int
    replicas: int
    surge: int
    planned: int
    starting: int
    """How many of the planned pods are not up yet at the beginning."""
    delay: timedelta
    settings: Settings
    is_allowed: float
    """How likely the Eviction API lets a pod go."""
    crashes: frozenset[int]
    """At which looks a pod fails."""
    stop_at: int
    """The look at which somebody stops the run."""
    kill_at: int
    """The look whose actions the process doesn't survive."""
    is_aborted: bool
    """Whether what a killed process left is aborted, not continued."""


def a_scenario(seed: int) -> Scenario:
    """Return the scenario of a seed."""
    random = Random(seed)
    replicas = random.randint(1, 5)
    surge = random.randint(0 if replicas > 1 else 1, 2)
    unavailable = random.choice((None, None, random.randint(0 if surge else 1, max(1, replicas - 1))))
    return Scenario(
        seed=seed,
        replicas=replicas,
        surge=surge,
        planned=random.randint(1, replicas),
        starting=random.choice((0, 0, 0, 1)),
        delay=random.choice(DELAYS),
        settings=Settings(
            settle=timedelta(seconds=random.choice((0, 6, 15))),
            max_draining=random.choice((None, None, 1, 2)),
            max_unavailable=unavailable,
        ),
        is_allowed=random.choice((1.0, 0.9, 0.5)),
        crashes=frozenset(random.randint(1, 30) for _ in range(random.choice((0, 0, 1, 2)))),
        stop_at=random.choice((NEVER, NEVER, random.randint(1, 20))),
        kill_at=random.choice((NEVER, random.randint(1, 20))),
        is_aborted=random.random() < 0.3,
    )
