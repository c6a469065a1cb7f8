"""What is printed of a rollout while it is watched, and how that ends."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from kubectl_safe.decide.overview import Overview
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.lease import Lease
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.selector import LabelSelector
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import Target
from kubectl_safe.run.onlooker import nobody
from kubectl_safe.run.rollout_status import RolloutStatus, follow
from tests.decide.looking import a_lease, with_record
from tests.support.builders import (
    NOT_REGISTERED,
    NOW,
    a_cluster,
    a_deployment,
    a_pod,
    a_target,
    health,
    uid,
)

DONE = 'deployment "web" successfully rolled out'


def waiting(what: str) -> str:
    return f'Waiting for deployment "web" rollout to finish: {what}...'


UPDATED = waiting("5 out of 6 new replicas have been updated")
AVAILABLE = waiting("5 of 6 updated replicas are available")


@dataclass
class Onlooker:
    """Sees one snapshot after the other, each for a second; the last one stays."""

    snapshots: list[Snapshot]
    at: datetime = NOW
    asked: list[frozenset[Target]] = field(default_factory=list)
    """The targets of pods that may be gone, at each look at a workload."""

    def look(self, choose: Callable[[Snapshot], Iterable[Pod]] = nobody, *, targets: Iterable[Target] = ()) -> Snapshot:
        if choose is not nobody:
            self.asked.append(frozenset(targets))
        return replace(self._now, at=self.at, health={t: replace(h, asked_at=self.at) for t, h in self._health})

    def wait(self, longest: timedelta) -> None:
        assert timedelta(0) < longest <= timedelta(seconds=1)
        self.at += longest
        assert self.at < NOW + timedelta(minutes=1), "it never ends"

    def now(self) -> datetime:
        return self.at

    @property
    def _now(self) -> Snapshot:
        passed = int((self.at - NOW).total_seconds())
        return self.snapshots[min(passed, len(self.snapshots) - 1)]

    @property
    def _health(self) -> Iterator[tuple[Target, Any]]:
        yield from self._now.health.items()


@dataclass
class Followed:
    """What was told of rollouts."""

    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)
    error: str = ""


@dataclass
class Leases:
    """The Leases of runs, as they are at every look."""

    known: tuple[Lease, ...] = ()
    asked: int = 0

    def overview(self, look: Callable[[tuple[Lease, ...] | None, datetime], Overview]) -> Overview:
        self.asked += 1
        return look(self.known, NOW)


def followed(*snapshots: Snapshot, leases: Leases | None = None, **changes: Any) -> Followed:
    """Watch the rollout of `web` through these snapshots, a second each."""
    told, onlooker = Followed(), Onlooker(list(snapshots))
    request = RolloutStatus(**{"namespace": "shop", "named": (("Deployment", "web"),), **changes})
    try:
        say, warn = told.out.append, told.err.append
        follow(request, onlooker, say=say, warn=warn, now=onlooker.now, leases=leases or Leases())
    except KubectlSafeError as error:
        told.error = str(error)
    return told


def rolling(**changes: Any) -> Snapshot:
    """Return the cluster with the Deployment in the middle of its rollout."""
    its = a_deployment(**changes)
    return a_cluster(workloads={its.uid: its})


def leaving(*names: str, state: str = "draining", **overrides: Any) -> Snapshot:
    """Return the cluster with pods beside the others that terminate."""
    pods = [a_pod(name, terminating=True) for name in names]
    return a_cluster(*pods, target_health={name: health(state) for name in names}, **overrides)


def over() -> Snapshot:
    """Return the cluster once all that was there beside the others is gone, its target too."""
    return a_cluster(health={**a_cluster().health, a_target("web-7"): health("unused", NOT_REGISTERED)})


def test_prints_each_line_once_and_ends_with_kubectls() -> None:
    told = followed(
        rolling(updated_replicas=5), rolling(updated_replicas=5), rolling(available_replicas=5), a_cluster()
    )
    assert (told.out, told.err, told.error) == ([UPDATED, AVAILABLE, DONE], [], "")


def test_goes_on_where_kubectl_would_have_ended() -> None:
    told = followed(*[leaving("web-7")] * 5, over())
    drains = waiting("1 old pod is terminating, its target 10.244.0.8:8080 in web is draining")
    assert told.out == [drains, DONE]


def test_tells_the_reason_of_a_wait_that_lasts_and_of_no_other() -> None:
    brief = followed(*[leaving("web-7", workloads=rolling(updated_replicas=5).workloads)] * 2, over())
    assert brief.out == [UPDATED, DONE]
    longer = followed(*[leaving("web-7", workloads=rolling(updated_replicas=5).workloads)] * 5, over())
    assert longer.out == [
        UPDATED,
        waiting("1 old pod is terminating, its target 10.244.0.8:8080 in web is draining"),
        DONE,
    ]


def test_asks_for_the_target_of_a_pod_that_is_gone_until_that_is_too() -> None:
    drains = a_cluster(health={**a_cluster().health, a_target("web-7"): health("draining")})
    onlooker = Onlooker([leaving("web-7"), *[drains] * 4, over()])
    out: list[str] = []
    request = RolloutStatus(namespace="shop", named=(("Deployment", "web"),))
    follow(request, onlooker, say=out.append, warn=out.append, now=onlooker.now, leases=Leases())
    assert out[1:] == [waiting("target 10.244.0.8:8080 in web of an old pod is draining"), DONE]
    assert [a_target("web-7") in asked for asked in onlooker.asked] == [False, True, True, True, True, True]


WITHDRAWN = a_cluster(a_pod("web-7", withdrawn=True), target_health={"web-7": health("draining")})
DRAINS = waiting("1 old pod is withdrawn, its target 10.244.0.8:8080 in web is draining")


def test_says_once_who_is_at_work_on_its_pods() -> None:
    leases = Leases((a_lease(),))
    told = followed(*[WITHDRAWN] * 5, over(), leases=leases)
    at_work = "rollout restart deployment/web, by alice@laptop (pid 4711), is at work on deployment/web"
    assert (told.out, told.err) == ([at_work, DRAINS, DONE], [])


def test_says_once_when_a_run_was_last_heard_of_whose_renewal_is_overdue() -> None:
    told = followed(*[WITHDRAWN] * 5, over(), leases=Leases((a_lease(renewed=45),)))
    who = "rollout restart deployment/web, by alice@laptop (pid 4711),"
    assert told.out == [
        f"{who} is at work on deployment/web",
        f"{who} was last heard of 45s ago; it is taken for dead after a minute",
        DRAINS,
        DONE,
    ]


def test_says_once_what_a_dead_run_left_and_how_to_end_it() -> None:
    told = followed(*[WITHDRAWN] * 5, over(), leases=Leases((a_lease(renewed=90),)))
    assert told.out == [DRAINS, DONE]
    [warning] = told.err
    assert warning == (
        "Warning: deployment.apps/web in namespace shop: 1 pod in the middle of a handoff that nobody goes on with, "
        "0 released and 1 withdrawn: web-7\n  kubectl safe abort deployment/web -n shop"
    )


def test_names_the_commands_that_go_on_with_a_dead_restart_or_end_it() -> None:
    told = followed(with_record(a_cluster()), is_watched=False)
    [warning] = told.err
    assert warning.splitlines()[1:] == [
        "  kubectl safe rollout restart deployment/web -n shop  # goes on with it",
        "  kubectl safe abort deployment/web -n shop  # ends it",
    ]


def test_asks_for_no_lease_where_nobody_has_been_at_work() -> None:
    leases = Leases()
    followed(*[leaving("web-7")] * 3, over(), leases=leases)
    assert leases.asked == 0


@pytest.mark.parametrize(
    ("snapshot", "lines"),
    [
        pytest.param(a_cluster(), [DONE], id="finished"),
        pytest.param(rolling(updated_replicas=5), [UPDATED], id="in kubectl's words"),
        pytest.param(
            leaving("web-7", state="unused"),
            [waiting("1 old pod is terminating, its target 10.244.0.8:8080 in web is still registered: unused")],
            id="in ours",
        ),
        pytest.param(
            leaving("web-7", workloads=rolling(updated_replicas=5).workloads),
            [UPDATED, waiting("1 old pod is terminating, its target 10.244.0.8:8080 in web is draining")],
            id="in both",
        ),
    ],
)
def test_tells_once_where_nobody_watches(snapshot: Snapshot, lines: list[str]) -> None:
    told = followed(snapshot, is_watched=False)
    assert (told.out, told.error) == (lines, "")


def test_ends_at_the_timeout_with_what_is_lacking() -> None:
    told = followed(
        leaving("web-7", workloads=rolling(updated_replicas=5).workloads), timeout=timedelta(milliseconds=1500)
    )
    assert told.out[1:] == [waiting("1 old pod is terminating, its target 10.244.0.8:8080 in web is draining")]
    assert told.error == "timed out waiting for the condition"


@pytest.mark.parametrize(
    ("snapshot", "error"),
    [
        (rolling(progress="ProgressDeadlineExceeded"), 'deployment "web" exceeded its progress deadline'),
        (a_cluster(workloads={}), "object has been deleted"),
    ],
    ids=["its progress deadline", "it is deleted"],
)
def test_ends_with_an_error_in_kubectls_words(snapshot: Snapshot, error: str) -> None:
    told = followed(rolling(updated_replicas=5), snapshot)
    assert (told.out, told.error) == ([UPDATED], error)


def test_a_workload_that_is_not_there() -> None:
    absent = followed(a_cluster(), named=(("Deployment", "api"), ("Deployment", "web"), ("StatefulSet", "db")))
    not_found = (
        'Error from server (NotFound): deployments.apps "api" not found\n'
        'Error from server (NotFound): statefulsets.apps "db" not found'
    )
    assert (absent.out, absent.error) == ([DONE], not_found)
    stuck = followed(rolling(progress="ProgressDeadlineExceeded"), named=(("Deployment", "api"), ("Deployment", "web")))
    assert stuck.error == f'deployment "web" exceeded its progress deadline\n{not_found.splitlines()[0]}'
    none = followed(a_cluster(), named=(), kinds=("DaemonSet",))
    assert (none.out, none.err, none.error) == ([], ["No resources found in shop namespace."], "")


def test_watches_one_after_the_other_and_tells_at_the_end_what_failed() -> None:
    stuck = a_deployment("api", progress="ProgressDeadlineExceeded", labels={"team": "blue"})
    other = replace(stuck, name="other", uid=uid("other"), namespace="elsewhere")
    web = a_deployment(labels={"team": "blue"})
    snapshot = a_cluster(workloads={its.uid: its for its in (web, stuck, other)})
    chosen: Callable[..., Followed] = lambda **by: followed(snapshot, named=(), **by)  # noqa: E731
    told = chosen(selector=LabelSelector(match_labels={"team": "blue"}))
    assert (told.out, told.error) == ([DONE], 'deployment "api" exceeded its progress deadline')
    assert chosen().out == told.out
    assert chosen(selector=LabelSelector(match_labels={"team": "red"})).err


def test_watches_several_kinds_in_the_order_of_the_arguments() -> None:
    db = replace(a_deployment("db"), kind="StatefulSet")
    snapshot = a_cluster(workloads={its.uid: its for its in (a_deployment(), db)})
    both = (("StatefulSet", "db"), ("Deployment", "web"))
    assert [line.split()[0] for line in followed(snapshot, named=both).out] == ["statefulset", "deployment"]
    assert [line.split()[0] for line in followed(snapshot, named=both[::-1]).out] == ["deployment", "statefulset"]
    of_kinds = followed(snapshot, named=(), kinds=("Deployment", "StatefulSet"))
    assert [line.split()[0] for line in of_kinds.out] == ["deployment", "statefulset"]


def test_a_revision_that_another_has_rolled_over() -> None:
    its = a_deployment(annotations={"deployment.kubernetes.io/revision": "3"})
    told = followed(a_cluster(workloads={its.uid: its}), revision=2)
    assert told.error == "desired revision (2) is different from the running revision (3)"
