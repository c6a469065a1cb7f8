"""From flags to a session: everything heavy is imported here, once a command is sure to need it."""

from contextlib import contextmanager
from typing import TYPE_CHECKING

from kubectl_safe.cli.options import CHUNK_SIZE, Common
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.render.output import SAME_CLUSTER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta

    from kubectl_safe.decide.rights import Needs
    from kubectl_safe.decide.settings import Settings
    from kubectl_safe.kube.client import Client
    from kubectl_safe.render.lines import Lines
    from kubectl_safe.run.audience import Audience
    from kubectl_safe.run.onlooker import Onlooker
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
        allow=common.allow,
        drain_wait=common.drain_wait,
    )


def connect(common: Common) -> "Client":
    """Return a client of the cluster that the flags name.

    Raises:
        KubectlSafeError: the kubeconfig can't be read, or has no such context.
    """
    from kubectl_safe.kube.client import connect as open_client
    from kubectl_safe.run.clock import now

    SAME_CLUSTER.set(tuple(common.connection.flags()))
    return open_client(common.connection, now=now)


def labelled_nodes(common: Common, client: "Client", selector: str, *, page: int) -> tuple[str, ...]:
    """Return the names of the nodes that the API server chooses by `-l`; the client is closed where it can't.

    Raises:
        KubectlSafeError: the selector is none, or nodes can't be listed.
    """
    from kubectl_safe.kube.nodes import labelled

    try:
        with _shown(common, client, common.output.audience):
            return labelled(client, selector, page=page)
    except BaseException:
        client.close()
        raise


@contextmanager
def _shown(common: Common, client: "Client", audience: "Audience | Lines") -> "Iterator[None]":
    """Show what is asked and answered meanwhile, as `-v` says: above a table, otherwise plainly on stderr."""
    if not common.verbosity:
        yield
        return
    from kubectl_safe.model.trace import AWS_TRACE
    from kubectl_safe.render.lines import Lines
    from kubectl_safe.render.live import Live
    from kubectl_safe.render.trace import Tracer
    from kubectl_safe.run.recording import Recorded

    shown = audience.audience if isinstance(audience, Recorded) else audience
    told = shown if isinstance(shown, Live) else Lines(shows_plan=False)
    client.trace = Tracer(common.verbosity, told.warn)
    token = AWS_TRACE.set(client.trace)
    try:
        yield
    finally:
        AWS_TRACE.reset(token)


@contextmanager
def _probed(common: Common, session: "Session") -> "Iterator[None]":
    """Probe the URLs of `--probe` meanwhile, and tell at the end what came of it.

    Raises:
        KubectlSafeError: all was done, and a request was lost all the same.
    """
    if not common.probe:
        yield
        return
    from kubectl_safe.run.probe import Probe

    signal = session._signal  # noqa: SLF001 - a session has one signal for all that can wake its loop
    with Probe(common.probe, signal=signal, now=session.now) as probe:
        session.probe = probe
        if recorder := common.output.recorder:
            recorder.counted, recorder.counts = "probe requests", lambda: probe.counts
            recorder.count(session.now(), 0, {})
        try:
            yield
        finally:
            session.audience.say(probe.summary)
        if probe.failure:
            raise KubectlSafeError(f"all was done, and a request was lost meanwhile: {probe.failure}")


@contextmanager
def session_for(
    common: Common,
    client: "Client",
    *,
    about: str,
    namespace: str | None,
    needs: "Needs",
    grace_period: int | None = None,
    page: int = CHUNK_SIZE,
) -> "Iterator[Session]":
    """Open the session of a command.

    Args:
        common: the shared flags.
        client: of the cluster; closed at the end.
        about: what the command does, for those who find its Leases.
        namespace: the one to watch; None watches all, and nodes.
        needs: the rights to see to before anything is watched.
        grace_period: seconds for an evicted pod to stop; None leaves it to the pod.
        page: how many objects are listed at once; 0 for all.
    """
    from kubectl_safe.decide.giving_up import Limits
    from kubectl_safe.model.errors import Interrupted
    from kubectl_safe.run.clock import now
    from kubectl_safe.run.interruption import Interruption
    from kubectl_safe.run.session import Session
    from kubectl_safe.run.terms import DryRun, Terms

    terms = Terms(
        about=about,
        nodes=needs.nodes,
        dry_run=DryRun(common.dry_run),
        limits=Limits(timeout=common.timeout or None, is_fail_fast=common.fail_fast),
        grace_period=grace_period,
        page=page,
        aws_profile=common.aws_profile,
        aws_region=common.aws_region,
    )
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
            try:
                yield session
            except KeyboardInterrupt as stop:
                if interruption.is_armed:
                    raise
                raise Interrupted("interrupted: no pod was moved; run the same command again to go on") from stop
    finally:
        client.close()


def _nobody(_: str) -> None:
    """Tell nobody."""


@contextmanager
def onlooker_for(
    common: Common,
    client: "Client",
    *,
    namespace: str | None,
    needs: "Needs",
    warn: "Callable[[str], None]",
    without: str,
    progress: "Callable[[str], None]" = _nobody,
    patience: "timedelta | None" = None,
    leaves_out: bool = False,
    is_thorough: bool = False,
) -> "Iterator[Onlooker]":
    """Open what looks at the cluster for a command that writes nothing.

    Args:
        common: the shared flags.
        client: of the cluster; closed at the end.
        namespace: the one to watch; None watches all, and nodes.
        needs: the rights to see to before anything is watched.
        warn: is told what is gone without.
        without: what becomes of the targets of a group that can't be asked.
        progress: is told what is under way that may take long.
        patience: how long AWS is waited for, which is asked on then; None goes without it after a minute.
        leaves_out: whether pods whose marks can't be read are left out, and told of.
        is_thorough: whether it looks for faults.
    """
    from kubectl_safe.model.errors import Interrupted
    from kubectl_safe.render.lines import Lines
    from kubectl_safe.run.clock import now
    from kubectl_safe.run.interruption import Interruption
    from kubectl_safe.run.onlooker import Onlooker
    from kubectl_safe.run.target_groups import PATIENCE
    from kubectl_safe.run.terms import Terms

    terms = Terms(aws_profile=common.aws_profile, aws_region=common.aws_region)
    try:
        with (
            _shown(common, client, Lines(shows_plan=False)),
            Interruption(),
            Onlooker(
                client=client,
                namespace=namespace,
                needs=needs,
                terms=terms,
                warn=warn,
                progress=progress,
                without=without,
                patience=patience or PATIENCE,
                asks_on=patience is not None,
                leaves_out=leaves_out,
                is_thorough=is_thorough,
                now=now,
            ) as onlooker,
        ):
            yield onlooker
    except KeyboardInterrupt as stop:
        raise Interrupted("interrupted: it was only looked at, and nothing was changed") from stop
    finally:
        client.close()
