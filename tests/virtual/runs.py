"""A whole run of the tool that comes from a seed: sizes, delays, budgets, settings, and the order of all that happens.

`python -m tests.virtual.runs SEED` replays one, and tells what it did.
"""

import sys
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from kubectl_safe.decide.settings import Settings
from kubectl_safe.sandbox.application import Application
from tests.support.virtual.api_server import is_write
from tests.support.virtual.calls import Befalling, Call, Fault
from tests.support.virtual.stage import VirtualStage
from tests.virtual.alike import run_alike
from tests.virtual.faults import CRASHES
from tests.virtual.play import Result, play
from tests.virtual.scenario import NAMESPACE, Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """When a run is killed: at its n-th write in earnest, and at which moment of that."""

    write: int
    moment: str


def a_scenario(seed: int) -> Scenario:
    """Return the scenario of a seed."""
    random = Random(seed)
    apps = tuple(_application(name, random) for name in ("web", "api")[: random.choice((1, 1, 2))])
    budgets = {app.name: _budget(app, random) for app in apps if random.random() < 0.5}
    settings = Settings(
        settle=random.choice((None, timedelta(seconds=6), timedelta(seconds=20))),
        max_surge=random.choice((None, None, 1, 2, "50%", "100%")),
        max_draining=random.choice((None, None, None, 1, 2)),
        nudge=random.random() < 0.8,
    )
    return Scenario(
        seed=seed,
        command=random.choice(("drain", "restart")),
        nodes=tuple(f"node-{letter}" for letter in "abcd"[: random.choice((2, 3, 4))]),
        applications=apps,
        budgets=budgets,
        settings=settings,
        rate=random.choice((0.0, 0.5, 1.0)),
    )


def a_kill(seed: int) -> Kill | None:
    """Return when the run of a seed is killed; None for most."""
    random = Random(~seed)
    if random.random() >= 0.4:
        return None
    return Kill(write=random.randint(1, 12), moment=random.choice(list(CRASHES)))


def run(seed: int) -> Result:
    """Play the scenario of a seed.

    Raises:
        AssertionError: an invariant is broken.
    """
    kill = a_kill(seed)
    return play(a_scenario(seed), prepare=lambda stage: _kill_at(stage, kill) if kill else None)


def _kill_at(stage: VirtualStage, kill: Kill) -> None:
    """Have the first command be killed."""
    writes = 0

    def befall(call: Call) -> Fault | None:
        nonlocal writes
        if not is_write(call.request):
            return None
        writes += 1
        return CRASHES[kill.moment] if writes == kill.write else None

    stage.door.befalling = Befalling(call=befall)


def _application(name: str, random: Random) -> Application:
    return Application(
        namespace=NAMESPACE,
        name=name,
        replicas=random.randint(1, 7),
        is_load_balanced=random.random() < 0.6,
        deregistration_delay=random.choice((1.0, 10.0, 60.0, 300.0)),
        health_interval=random.choice((5.0, 10.0)),
        start_delay=random.choice((0.1, 1.0, 5.0, 20.0)),
        sigterm=random.choice(("graceful", "abrupt")),
        pre_stop=random.choice((0, 0, 5)),
        grace_period=random.choice((5, 30)),
    )


def _budget(app: Application, random: Random) -> dict[str, int | str]:
    """Return a budget that a replacement in service satisfies."""
    choices: tuple[dict[str, int | str], ...] = (
        {"minAvailable": app.replicas},
        {"minAvailable": max(1, app.replicas - 1)},
        {"minAvailable": "50%"},
        {"maxUnavailable": 1},
        {"maxUnavailable": "25%"},
    )
    return random.choice(choices)


if __name__ == "__main__":
    run_alike("tests.virtual.runs")
    for argument in sys.argv[1:]:
        sys.stdout.write(f"{a_scenario(int(argument))}\n{a_kill(int(argument))}\n")
        done = run(int(argument))
        for write in done.writes:
            sys.stdout.write(f"{write}\n")
        sys.stdout.write(f"{done.runs}, {done.seconds:.0f} s of virtual time\n")
