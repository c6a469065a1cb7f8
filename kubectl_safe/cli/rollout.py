"""`kubectl safe rollout`."""

from collections.abc import Sequence

import click

from kubectl_safe.cli.names import kind_and_name, namespace_name, resource_name
from kubectl_safe.cli.options import Common, common_options
from kubectl_safe.cli.start import connect, session_for, settings_of
from kubectl_safe.cli.types import parse_selector
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


@click.group("rollout", short_help="Restart workloads without losing a request.")
def group() -> None:
    """Restart workloads without losing a request.

    \b
    Examples:
      # Restart a deployment
      kubectl safe rollout restart deployment/web
    """


@group.command("restart", short_help="Restart workloads without losing a request.")
@click.argument("resources", nargs=-1, metavar="TYPE/NAME... | TYPE NAME... | TYPE -l SELECTOR")
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


def chosen(resources: Sequence[str], *, has_selector: bool) -> tuple[str, tuple[str, ...]]:
    """Return the kind and the names in `TYPE/NAME...` or `TYPE NAME...`.

    Raises:
        UsageError: they are put in another way, or name nothing, or several kinds.
        KubectlSafeError: a kind is named that can't be restarted.
    """
    if not resources:
        raise UsageError("required resource not specified")
    if any("/" in resource for resource in resources):
        found = [_kind_and_name(resource) for resource in resources]
        kinds, names = {kind for kind, _ in found}, tuple(name for _, name in found)
    else:
        kinds, names = {kind_of(resources[0])}, tuple(resource_name(name) for name in resources[1:])
    if has_selector and names:
        raise UsageError("name cannot be provided when a selector is specified")
    if not has_selector and not names:
        raise UsageError("name the workloads, or choose them by a selector: -l KEY=VALUE")
    if len(kinds) > 1:
        raise UsageError("restart one type after the other: name deployments, statefulsets or daemonsets")
    return kinds.pop(), names


def kind_of(text: str) -> str:
    """Return the kind that kubectl calls so.

    Raises:
        UsageError: it is empty.
        KubectlSafeError: it can't be restarted.
    """
    if not text:
        raise UsageError('the server doesn\'t have a resource type ""')
    for kind, names in KINDS.items():
        if text.lower() in names:
            return kind
    known = "name a deployment, a statefulset or a daemonset"
    raise KubectlSafeError(f"{text!r} can't be restarted safely: {known}")


def _kind_and_name(resource: str) -> tuple[str, str]:
    if "/" not in resource:
        raise UsageError(f"there is no need to specify a resource type as a separate argument: {resource!r}")
    kind, name = kind_and_name(resource)
    return kind_of(kind), name
