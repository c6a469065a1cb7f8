"""`kubectl safe rollout`."""

from collections.abc import Mapping, Sequence
from typing import Literal

import click

from kubectl_safe.cli.candidates import resources as resource_candidates
from kubectl_safe.cli.help import Group
from kubectl_safe.cli.names import kind_and_name, namespace_name, resource_name
from kubectl_safe.cli.options import TO_WATCH, Common, common_options
from kubectl_safe.cli.start import connect, onlooker_for, session_for, settings_of
from kubectl_safe.cli.types import parse_selector, revision_number
from kubectl_safe.model.errors import KubectlSafeError, UsageError


def _names_of(singular: str, short: str) -> frozenset[str]:
    kinds = (singular, f"{singular}s")
    return frozenset({*kinds, short} | {f"{kind}.{group}" for kind in kinds for group in ("apps", "v1.apps")})


KINDS = {
    "Deployment": _names_of("deployment", "deploy"),
    "StatefulSet": _names_of("statefulset", "sts"),
    "DaemonSet": _names_of("daemonset", "ds"),
}
"""What kubectl calls the kinds that can be restarted."""

Task = Literal["restart", "watch"]
"""What workloads are named for."""

GATES_ONLY = "until then its targets are told by their readiness gates alone, and old ones are not waited for"

_REFUSED: Mapping[Task, str] = {"restart": "can't be restarted safely", "watch": "has no rollout to watch"}


@click.group("rollout", cls=Group, short_help="Restart workloads without losing a request, and watch rollouts.")
def group() -> None:
    """Restart workloads without losing a request, and watch rollouts.

    \b
    Examples:
      # Restart a deployment
      kubectl safe rollout restart deployment/web

    \b
      # Watch a rollout until its old pods and their targets are gone
      kubectl safe rollout status deployment/web
    """


@group.command("restart", short_help="Restart workloads without losing a request.")
@click.argument(
    "resources",
    nargs=-1,
    metavar="TYPE/NAME... | TYPE NAME... | TYPE -l SELECTOR",
    shell_complete=resource_candidates(KINDS, takes_type_alone=True),
)
@click.option("-l", "--selector", metavar="SELECTOR", help="Selector (label query) to filter on.")
@common_options()
def restart(*, common: Common, resources: tuple[str, ...], selector: str | None) -> None:
    """Hand every pod of a workload over to a new one.

    A workload is a deployment, a statefulset or a daemonset.

    Unlike kubectl rollout restart, it waits until that is done, and the workload's spec is not changed: there is no
    new revision. Each replacement comes into service before the pod it replaces leaves its Services and target groups,
    and a pod is evicted only when all of them have let go of it. Pods of a statefulset go one at a time, each before
    its replacement, as both have one name; so do those of a daemonset whose maxSurge lets no second one run on a node.

    Killed at any moment it harms nothing: the same command again goes on where the dead one was.

    \b
    Examples:
      # Restart a deployment
      kubectl safe rollout restart deployment/web

    \b
      # Restart the deployments with a label, two pods at a time
      kubectl safe rollout restart deployment -l app=web --max-surge 2

    \b
      # Restart a statefulset
      kubectl safe rollout restart statefulset/db

    \b
      # Restart a daemonset
      kubectl safe rollout restart daemonset/ingress -n ingress
    """
    kind, names = chosen(resources, has_selector=bool(selector))
    label_selector = parse_selector(selector) if selector else None
    from kubectl_safe.decide.rights import to_restart
    from kubectl_safe.run.restart import Restart
    from kubectl_safe.run.restart import restart as run_restart

    client = connect(common)
    namespace = common.namespace or namespace_name(client.namespace)
    settings = settings_of(common)
    request = Restart(kind=kind, namespace=namespace, names=names, selector=label_selector, settings=settings)
    needs = to_restart(namespace, kind=kind, writes=common.dry_run != "client", nudges=common.nudge)
    about = f"rollout restart {' '.join(resources)}{f' -l {selector}' if selector else ''}"
    with session_for(common, client, about=about, namespace=namespace, needs=needs) as session:
        run_restart(request, session)


@group.command("status", short_help="Show the status of a rollout.")
@click.argument(
    "resources",
    nargs=-1,
    metavar="(TYPE/NAME... | TYPE[,TYPE] [NAME...])",
    shell_complete=resource_candidates(KINDS, takes_type_alone=True),
)
@click.option("-l", "--selector", metavar="SELECTOR", help="Selector (label query) to filter on.")
@click.option(
    "-w/",
    "--watch/--no-watch",
    "is_watched",
    default=True,
    help="Watch the status of the rollout until it's done. With --watch=false, tell how far it is and end.",
)
@click.option(
    "--revision",
    type=revision_number,
    metavar="N",
    default="0",
    show_default=True,
    help="Pin to a specific revision of a deployment, and end with an error once another rolls it over; 0 is the last "
    "one.",
)
@common_options(*TO_WATCH)
def status(
    *, common: Common, resources: tuple[str, ...], selector: str | None, is_watched: bool, revision: int
) -> None:
    """Show the status of a rollout, until it is finished.

    A workload is a deployment, a statefulset or a daemonset.

    It says what kubectl rollout status says, word for word. Unlike that, it is not done before old pods are gone, and
    their targets have left their target groups, and before every other pod is in service: its readiness gates are
    True, it is in every EndpointSlice, and healthy in every target group. A restart by kubectl safe, of which
    kubectl knows nothing, is waited for too: it says who is at work, or how to end what a dead run left.

    \b
    Examples:
      # Watch the rollout status of a deployment
      kubectl safe rollout status deployment/web

    \b
      # Watch those of a deployment and a statefulset, one after the other
      kubectl safe rollout status deployment/web statefulset/db

    \b
      # Tell how far the rollout of a statefulset is, and don't wait
      kubectl safe rollout status statefulset/db --watch=false

    \b
      # Give up after ten minutes
      kubectl safe rollout status deployment/web --timeout 10m
    """
    kinds, named = _named(resources, has_selector=bool(selector), to="watch")
    label_selector = parse_selector(selector) if selector else None
    from kubectl_safe.decide.rights import to_watch_rollouts
    from kubectl_safe.render.lines import Lines
    from kubectl_safe.run.clock import now
    from kubectl_safe.run.leases_seen import SeenLeases
    from kubectl_safe.run.rollout_status import RolloutStatus, follow

    client = connect(common)
    request = RolloutStatus(
        kinds=kinds,
        namespace=common.namespace or namespace_name(client.namespace),
        named=named,
        selector=label_selector,
        revision=revision,
        is_watched=is_watched,
        timeout=common.timeout or None,
    )
    lines, needs = Lines(shows_plan=False), to_watch_rollouts(request.namespace, kinds=kinds)
    with onlooker_for(
        common, client, namespace=request.namespace, needs=needs, warn=lines.warn, without=GATES_ONLY
    ) as onlooker:
        leases = SeenLeases(client=client, namespace=request.namespace, warn=lines.warn, now=now)
        follow(request, onlooker, say=lines.say, warn=lines.warn, now=now, leases=leases)


def chosen(resources: Sequence[str], *, has_selector: bool) -> tuple[str, tuple[str, ...]]:
    """Return the kind and the names in `TYPE/NAME...` or `TYPE NAME...`; no names where a selector chooses.

    Raises:
        UsageError: they are put in another way, or name nothing, or several kinds.
        KubectlSafeError: a kind is named that can't be restarted.
    """
    kinds, named = _named(resources, has_selector=has_selector, to="restart")
    if not has_selector and not named:
        raise UsageError("name the workloads, or choose them by a selector: -l KEY=VALUE")
    if len(kinds) > 1:
        raise UsageError("restart one type after the other: name deployments, statefulsets or daemonsets")
    return kinds[0], tuple(name for _, name in named)


def _named(
    resources: Sequence[str], *, has_selector: bool, to: Task
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return the kinds, and each kind and name, in `TYPE/NAME...` or `TYPE[,TYPE] [NAME...]`.

    Raises:
        UsageError: they are put in another way, or beside a selector.
        KubectlSafeError: a kind is named that can't be restarted, or has no rollouts.
    """
    if not resources:
        raise UsageError("required resource not specified")
    if any("/" in resource for resource in resources):
        named = tuple(_kind_and_name(resource, to) for resource in resources)
        kinds = tuple(dict.fromkeys(kind for kind, _ in named))
    else:
        kinds = tuple(dict.fromkeys(kind_of(text, to) for text in resources[0].split(",")))
        named = tuple((kind, resource_name(name)) for kind in kinds for name in resources[1:])
    if has_selector and named:
        raise UsageError("name cannot be provided when a selector is specified")
    return kinds, named


def kind_of(text: str, to: Task = "restart") -> str:
    """Return the kind that kubectl calls so.

    Raises:
        UsageError: it is empty.
        KubectlSafeError: it can't be restarted, or has no rollouts.
    """
    if not text:
        raise UsageError('the server doesn\'t have a resource type ""')
    for kind, names in KINDS.items():
        if text.lower() in names:
            return kind
    known = "name a deployment, a statefulset or a daemonset"
    raise KubectlSafeError(f"{text!r} {_REFUSED[to]}: {known}")


def _kind_and_name(resource: str, to: Task) -> tuple[str, str]:
    if "/" not in resource:
        raise UsageError(f"there is no need to specify a resource type as a separate argument: {resource!r}")
    kind, name = kind_and_name(resource)
    return kind_of(kind, to), name
