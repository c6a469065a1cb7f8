"""From flags to a session: everything heavy is imported here, once a command is sure to need it."""

from contextlib import contextmanager
from typing import TYPE_CHECKING

from kubectl_safe.cli.options import Common

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kubectl_safe.decide.settings import Settings
    from kubectl_safe.kube.client import Client
    from kubectl_safe.run.session import Session


def settings_of(common: Common) -> "Settings":
    """Return what the flags say about handoffs."""
    from kubectl_safe.decide.settings import Settings

    return Settings(
        settle=common.settle,
        max_surge=common.max_surge,
        max_draining=common.max_draining,
        max_unavailable=common.max_unavailable,
        nudge=common.nudge,
    )


def connect(common: Common) -> "Client":
    """Return a client of the cluster that the flags name.

    Raises:
        KubectlSafeError: the kubeconfig can't be read, or has no such context.
    """
    from kubectl_safe.kube.client import connect as open_client
    from kubectl_safe.run.clock import now

    return open_client(kubeconfig=common.kubeconfig, context=common.context, now=now)


@contextmanager
def _shown(common: Common, client: "Client", audience: "Audience") -> "Iterator[None]":
    """Show what is asked and answered meanwhile, as `-v` says: above a table, otherwise plainly on stderr."""
    if not common.verbosity:
        yield
        return
    from kubectl_safe.model.trace import AWS_TRACE
    from kubectl_safe.render.lines import Lines
    from kubectl_safe.render.live import Live
    from kubectl_safe.render.trace import Tracer

    told = audience if isinstance(audience, Live) else Lines(shows_plan=False)
    client.trace = Tracer(common.verbosity, told.warn)
    token = AWS_TRACE.set(client.trace)
    try:
        yield
    finally:
        AWS_TRACE.reset(token)


@contextmanager
def _probed(common: Common, session: "Session") -> "Iterator[None]":
    """Probe the URLs of `--probe` meanwhile, and tell at the end what came of it."""
    if not common.probe:
        yield
        return
    from kubectl_safe.run.probe import Probe

    signal = session._signal  # noqa: SLF001 - a session has one signal for all that can wake its loop
    with Probe(common.probe, signal=signal, now=session.now) as probe:
        try:
            yield
        finally:
            session.audience.say(probe.summary)


@contextmanager
def session_for(
    common: Common,
    client: "Client",
    *,
    namespace: str | None,
    grace_period: int | None = None,
    nodes: "Sequence[str]" = (),
) -> "Iterator[Session]":
    """Open the session of a command: of a restart in a namespace, or, with None, of a drain of nodes."""
    from kubectl_safe.decide.giving_up import Limits
    from kubectl_safe.decide.rights import to_drain, to_restart
    from kubectl_safe.run.clock import now
    from kubectl_safe.run.interruption import Interruption
    from kubectl_safe.run.session import DryRun, Session, Terms

    terms = Terms(
        dry_run=DryRun(common.dry_run),
        limits=Limits(timeout=common.timeout or None, is_fail_fast=common.fail_fast),
        grace_period=grace_period,
        aws_profile=common.aws_profile,
        aws_region=common.aws_region,
    )
    writes = terms.dry_run is not DryRun.CLIENT
    if namespace is None:
        needs = to_drain(nodes, writes=writes, nudges=common.nudge)
    else:
        needs = to_restart(namespace, writes=writes, nudges=common.nudge)
    audience = common.output.audience
    try:
        with (
            _shown(common, client, audience),
            Interruption() as interruption,
            Session(
                client=client,
                namespace=namespace,
                terms=terms,
                audience=audience,
                now=now,
                needs=needs,
                interruption=interruption,
            ) as session,
            _probed(common, session),
        ):
            yield session
    finally:
        client.close()
