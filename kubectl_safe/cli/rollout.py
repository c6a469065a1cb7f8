"""`kubectl safe rollout`."""

from collections.abc import Sequence

import click

from kubectl_safe.cli.names import kind_and_name, namespace_name, resource_name
from kubectl_safe.cli.options import Common, common_options
from kubectl_safe.cli.start import connect, session_for, settings_of
from kubectl_safe.cli.types import parse_selector
from kubectl_safe.model.errors import KubectlSafeError, UsageError

DEPLOYMENT = frozenset(
    {"deployment", "deployments", "deploy"}
    | {f"{kind}.{group}" for kind in ("deployment", "deployments") for group in ("apps", "v1.apps")}
)


@click.group("rollout", short_help="Restart workloads without losing a request.")
def group() -> None:
    """Restart workloads without losing a request.

    \b
    Examples:
      # Restart a deployment
      kubectl safe rollout restart deployment/web
    """


@group.command("restart", short_help="Restart deployments without losing a request.")
@click.argument("resources", nargs=-1, metavar="deployment/NAME... | deployment NAME... | deployment -l SELECTOR")
@click.option("-l", "--selector", metavar="SELECTOR", help="Selector (label query) to filter on.")
@common_options()
def restart(*, common: Common, resources: tuple[str, ...], selector: str | None) -> None:
    """Hand every pod of a deployment over to a new one.

    Unlike kubectl rollout restart, it waits until that is done, and the deployment's spec is not changed: there is no
    new revision. Each replacement comes into service before the pod it replaces leaves its Services and target groups,
    and a pod is evicted only when all of them have let go of it.

    Killed at any moment it harms nothing: the same command again goes on where the dead one was.

    \b
    Examples:
      # Restart a deployment
      kubectl safe rollout restart deployment/web

    \b
      # Restart the deployments with a label, two pods at a time
      kubectl safe rollout restart deployment -l app=web --max-surge 2
    """
    names = deployment_names(resources, has_selector=bool(selector))
    label_selector = parse_selector(selector) if selector else None
    from kubectl_safe.decide.rights import to_restart
    from kubectl_safe.run.restart import Restart
    from kubectl_safe.run.restart import restart as run_restart

    client = connect(common)
    namespace = common.namespace or namespace_name(client.namespace)
    request = Restart(namespace=namespace, names=names, selector=label_selector, settings=settings_of(common))
    needs = to_restart(namespace, writes=common.dry_run != "client", nudges=common.nudge)
    about = f"rollout restart {' '.join(resources)}{f' -l {selector}' if selector else ''}"
    with session_for(common, client, about=about, namespace=namespace, needs=needs) as session:
        run_restart(request, session)


def deployment_names(resources: Sequence[str], *, has_selector: bool) -> tuple[str, ...]:
    """Return the names in `TYPE/NAME...` or `TYPE NAME...`.

    Raises:
        UsageError: they are put in another way, or name nothing.
        KubectlSafeError: another kind than a Deployment is named.
    """
    if not resources:
        raise UsageError("required resource not specified")
    if any("/" in resource for resource in resources):
        names = tuple(_name_after_slash(resource) for resource in resources)
    else:
        _check_kind(resources[0])
        names = tuple(resource_name(name) for name in resources[1:])
    if has_selector and names:
        raise UsageError("name cannot be provided when a selector is specified")
    if not has_selector and not names:
        raise UsageError("name the deployments, or choose them by a selector: -l KEY=VALUE")
    return names


def _name_after_slash(resource: str) -> str:
    if "/" not in resource:
        raise UsageError(f"there is no need to specify a resource type as a separate argument: {resource!r}")
    kind, name = kind_and_name(resource)
    _check_kind(kind)
    return name


def _check_kind(kind: str) -> None:
    if not kind:
        raise UsageError('the server doesn\'t have a resource type ""')
    if kind.lower() not in DEPLOYMENT:
        raise KubectlSafeError(f"{kind!r} can't be restarted safely: only the pods of deployments can be handed over")
