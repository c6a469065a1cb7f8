"""Runs of the loop on a world: what tests of the loop have in common."""

from typing import Any

from kubectl_safe.decide.ending import Standing
from kubectl_safe.decide.giving_up import Limits
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.decide.progress import Progress
from kubectl_safe.decide.settings import Settings
from kubectl_safe.run.holdings import Holdings
from kubectl_safe.run.loop import Brake, Loop
from kubectl_safe.run.observer import Observer
from kubectl_safe.run.warnings import Warnings
from tests.run.world import Heard, World
from tests.support.builders import a_deployment, a_group, arn, uid


def run(
    world: World,
    *names: str,
    heard: Heard | None = None,
    limits: Limits | None = None,
    brake: Brake | None = None,
    holdings: Holdings | None = None,
    warnings: Warnings | None = None,
    **flags: Any,
) -> Heard:
    """Hand over the named pods, or all that the world has."""
    heard = heard or Heard()
    pods = [world.pods[uid(name)] for name in names] if names else list(world.pods.values())
    workload = reference_to(a_deployment())
    planned = (
        Planned(uid=p.uid, namespace=p.namespace, name=p.name, node=p.node or "", workload=workload) for p in pods
    )
    intent = Intent(pods=tuple(planned), settings=Settings(**flags))
    observer = Observer(world, now=world.now)
    if holdings:
        holdings.begin(intent.pods)
        observer.holdings = holdings
    if world.bindings:
        observer.target_health, observer.groups = world, {arn(): a_group(delay=60)}
    loop = Loop(
        observer=observer,
        hands=world,
        signal=world,
        reporter=heard,
        now=world.now,
        limits=limits,
        brake=brake,
        warnings=warnings,
    )
    heard.ending = loop.run(intent, Progress(intent=intent, began=world.at))
    return heard


def left(heard: Heard) -> dict[str, tuple[Standing, str]]:
    """Return where each pod stands that was given up, and why."""
    assert heard.ending is not None
    return {entry.pod.name: (entry.standing, entry.why) for entry in heard.ending.left}
