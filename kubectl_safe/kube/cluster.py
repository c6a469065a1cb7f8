"""All that is watched of a cluster, as frozen values for the run loop.

It must not decide anything, and nothing here knows of AWS: without the CRD there simply are no bindings.
"""

import threading
from collections.abc import Collection, Mapping
from datetime import timedelta
from functools import partial
from itertools import chain
from typing import Any, Self

from kubectl_safe.kube import bindings
from kubectl_safe.kube.cache import Cache, Signal
from kubectl_safe.kube.client import Client
from kubectl_safe.kube.errors import ApiError, Unreachable
from kubectl_safe.kube.kinds import (
    BINDING_KINDS,
    BUDGETS,
    CLAIMS,
    DAEMON_SETS,
    DEPLOYMENTS,
    IF_SERVED,
    NETWORK_POLICIES,
    NODES,
    NOT_ALWAYS,
    PODS,
    REPLICA_SETS,
    REPLICATION_CONTROLLERS,
    SERVICES,
    SLICES,
    SOURCES,
    STATEFUL_SETS,
)
from kubectl_safe.kube.listing import PAGE
from kubectl_safe.kube.observed import Observed
from kubectl_safe.kube.policies import foreign_policy
from kubectl_safe.kube.serving import Groups, served_groups, served_policies
from kubectl_safe.kube.views import Views
from kubectl_safe.kube.watch import UNREADABLE, Watcher
from kubectl_safe.model.policy import Policies
from kubectl_safe.model.volume import Claim, with_volumes
from kubectl_safe.model.workload import ReplicaSet, Workload, alone

_WORKLOADS = (DEPLOYMENTS, STATEFUL_SETS, DAEMON_SETS)
_REPLICA_SETS = (REPLICA_SETS, REPLICATION_CONTROLLERS)

_START = timedelta(seconds=60)
_FORBIDDEN = 403


class Cluster:
    """The watches on a cluster, as a context manager that waits until everything is listed.

    Args:
        client: the API server's client.
        namespace: the one to watch; None watches all.
        signal: is set at every change.
        also: kinds to watch that not every command needs, such as `NODES` in a cluster.
        without: kinds not to watch, as nobody needs them or may list them; there are none of them then. Without
            `NETWORK_POLICIES`, no policies of other kinds are watched either.
        start: how long the first lists may take.
        silence: after which a watch counts as stalled.
        page: how many objects are listed at once.
    """

    def __init__(
        self,
        client: Client,
        *,
        namespace: str | None,
        signal: Signal,
        also: Collection[str] = (),
        without: Collection[str] = (),
        start: timedelta = _START,
        silence: timedelta = timedelta(seconds=75),
        page: int = PAGE,
    ) -> None:
        self.namespace = namespace
        self.narrowed: frozenset[str] = frozenset()
        """Kinds of policies of which only those of the namespace may be seen."""
        self._client = client
        self._signal = signal
        self._also = also
        self._without = without
        self._start = start
        self._silence = silence
        self._page = page
        self._watchers: dict[str, Watcher[Any]] = {}
        self._lock = threading.Lock()
        self._views = Views(self._watchers)
        self._sources = dict(SOURCES)
        self._policies = {NETWORK_POLICIES: True}
        """The kinds of policies that are served, and whether they are namespaced."""
        self._unseen = frozenset[str]()
        self._observed: Observed | None = None
        self.served: Groups = {}
        """The groups of the API that the cluster serves, once it is started."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def troubles(self) -> Mapping[str, str]:
        """Why a kind's watch has no connection, by kind; empty while all are live."""
        return {kind: str(w.trouble or "not listed yet") for kind, w in self._watchers.items() if not w.is_live}

    def start(self) -> None:
        """Start the watches and wait until every kind is listed and watched.

        Raises:
            ApiError: one can't be, or not in time; all are stopped then.
        """
        kinds = [its for its in SOURCES if its not in IF_SERVED and (its not in NOT_ALWAYS or its in self._also)]
        kinds += self._discover()
        kinds = [kind for kind in kinds if kind not in self._without]
        self._watchers.update({kind: self._watcher(kind, self._scope(kind)) for kind in kinds})
        try:
            for watcher in self._watchers.values():
                watcher.start()
            for kind, watcher in list(self._watchers.items()):
                if kind in self._policies:
                    self._await_policies(kind, watcher)
                else:
                    self._await(watcher)
        except BaseException:
            self.stop()
            raise

    def watch_also(self, kind: str) -> None:
        """Watch one more kind, which was not known to be needed, and wait until it is listed.

        Raises:
            ApiError: it can't be, or not in time; it is not watched then.
        """
        if kind in self._watchers:
            return
        watcher = self._watcher(kind, self._scope(kind))
        watcher.start()
        try:
            self._await(watcher)
        except BaseException:
            watcher.stop()
            watcher.join()
            raise
        self._watchers[kind] = watcher

    def stop(self) -> None:
        """End the watches and wait for their threads."""
        for watcher in self._watchers.values():
            watcher.stop()
        for watcher in self._watchers.values():
            watcher.join()

    def observe(self) -> Observed:
        """Return what is known now; the same object as before where nothing changed."""
        with self._lock:
            before = self._observed
            after = Observed(
                pods=self._views.of(PODS, dict),
                replica_sets=self._views.merged(_REPLICA_SETS, dict),
                workloads=self._views.merged((*_WORKLOADS, *_REPLICA_SETS, CLAIMS), _workloads),
                nodes=self._views.of(NODES, lambda nodes: {node.name: node for node in nodes.values()}),
                services=self._views.of(SERVICES, _values),
                endpoints=self._views.of(SLICES, lambda slices: tuple(chain.from_iterable(slices.values()))),
                budgets=self._views.of(BUDGETS, _values),
                bindings=self._views.merged(tuple(BINDING_KINDS.values()), _values),
                policies=self._views.merged(tuple(self._policies), self._as_policies),
                stale=frozenset(kind for kind, watcher in self._watchers.items() if not watcher.is_live),
            )
            if before is None or not after.is_made_of(before):
                self._observed = after
                return after
            return before

    def put(self, kind: str, raw: Mapping[str, Any]) -> None:
        """Take an object that a write or a read returned, without waiting for the watch to tell of it."""
        if (watcher := self._watchers.get(kind)) is None:
            return
        try:
            known = watcher.known(raw)
        except UNREADABLE:
            # Whatever it is, the watch tells of the object in its own time.
            return
        watcher.cache.put(known)

    def forget(self, kind: str, uid: str) -> None:
        """Take it that an object is gone."""
        if (watcher := self._watchers.get(kind)) is not None:
            watcher.cache.delete(uid)

    def _as_policies(self, objects: Mapping[str, Any]) -> Policies:
        return Policies(known=_values(objects), unseen=self._unseen)

    def _scope(self, kind: str) -> str | None:
        """Return the namespace in which a kind is watched; None for all, or where it is in none."""
        # A policy of another namespace may name pods of this one as peers.
        return None if kind == NODES or kind in self._policies else self.namespace

    def _watcher(self, kind: str, namespace: str | None) -> Watcher[Any]:
        api, parser = self._sources[kind]
        return Watcher(
            self._client,
            kind=kind,
            path=f"{api}{f'/namespaces/{namespace}' if namespace else ''}/{kind.partition('.')[0]}",
            parse=parser,
            cache=Cache(self._signal),
            signal=self._signal,
            silence=self._silence,
            page=self._page,
        )

    def _await(self, watcher: Watcher[Any]) -> None:
        """Wait until a kind is listed and watched; what will pass is tried again meanwhile, as later on.

        Raises:
            ApiError: it can't be, or not in time.
        """
        start = self._start.total_seconds()
        if not watcher.settled.wait(start):
            why = watcher.trouble or f"the API server {self._client.server} is too busy or too far away"
            raise Unreachable(f"{watcher.kind} were not listed and watched within {start:.0f} s: {why}")
        # It may have been live for a moment only, and be so again soon.
        if watcher.trouble is not None and not watcher.trouble.will_pass:
            raise self._explained(watcher.kind, watcher.trouble)

    def _await_policies(self, kind: str, watcher: Watcher[Any]) -> None:
        """Wait for the policies of all namespaces; who may not see these, has to do with those of the one namespace.

        Those of other kinds than Kubernetes' own may not be seen at all, which is then known.
        """
        for namespace in dict.fromkeys([None, self.namespace if self._policies[kind] else None]):
            if namespace is not None:
                self.narrowed |= {kind}
                watcher = self._watchers[kind] = self._watcher(kind, namespace)
                watcher.start()
            try:
                self._await(watcher)
            except ApiError as error:
                if error.status != _FORBIDDEN:
                    raise
                refused = error
                del self._watchers[kind]
                watcher.stop()
                watcher.join()
            else:
                return
        if kind == NETWORK_POLICIES:
            raise refused
        self.narrowed -= {kind}
        self._unseen |= {kind}

    def _discover(self) -> list[str]:
        """Return what is to be watched of what not every cluster serves."""
        self.served = served_groups(self._client)
        found = [BINDING_KINDS[api] for api in bindings.served_bindings(self._client, self.served)]
        if NETWORK_POLICIES in self._without:
            return found
        for its in served_policies(self._client, self.served):
            found.append(its.kind)
            self._policies[its.kind] = its.is_namespaced
            self._sources[its.kind] = its.api, partial(foreign_policy, its.kind)
        return found

    def _explained(self, kind: str, error: ApiError) -> ApiError:
        if error.status != _FORBIDDEN:
            return error
        where = f'in namespace "{self.namespace}"' if self.namespace and kind != NODES else "in the whole cluster"
        return ApiError(
            f"{kind} can't be listed and watched {where}: {error.message}; "
            f"have a role bound that allows list and watch on {kind}",
            status=error.status,
            reason=error.reason,
        )


def _workloads(objects: Mapping[str, Workload | ReplicaSet | Claim]) -> Mapping[str, Workload]:
    """Return the workloads among these, and the ReplicaSets that are workloads by themselves, with their volumes."""
    known = [its for its in objects.values() if isinstance(its, Workload)]
    known += (found for its in objects.values() if isinstance(its, ReplicaSet) and (found := alone(its)))
    return with_volumes(known, [its for its in objects.values() if isinstance(its, Claim)])


def _values(objects: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(objects.values())
