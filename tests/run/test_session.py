"""What comes before the first write, and the writes outside the loop."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import pytest

from kubectl_safe.decide.actions import Action, AskEviction, Cordon, Nudge, Release, Withdraw
from kubectl_safe.decide.giving_up import Limits
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.kube.outcome import Busy, Conflict, Denied, Gone, Refused, Result, Undone, Untried
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.run.rehearsal import rehearse
from kubectl_safe.run.session import Session
from kubectl_safe.run.terms import DryRun
from tests.run.aws import Aws, connect
from tests.run.conftest import OpenSession
from tests.run.world import Heard, World, a_world
from tests.support.builders import NOW, a_binding, a_deployment, uid

if TYPE_CHECKING:
    from kubectl_safe.run.holdings import Holdings

NODE = "node-1"
EXCEPTION = "whoever is in charge of what refuses it can make an exception; then run the same command again"


def cordon(snapshot: Snapshot) -> Cordon | None:
    """Choose to cordon the node, where it isn't."""
    node = snapshot.nodes[NODE]
    return None if node.is_unschedulable else Cordon(node=node)


def an_intent(world: World) -> Intent:
    """Return the intent to hand over all pods."""
    workload = reference_to(a_deployment())
    pods = (
        Planned(uid=p.uid, namespace="shop", name=p.name, node=NODE, workload=workload) for p in world.pods.values()
    )
    return Intent(pods=tuple(pods))


def test_a_write_is_chosen_anew_after_each_conflict(open_session: OpenSession) -> None:
    world = a_world(scripted={Cordon: [Conflict(), Conflict()]})
    open_session(world, Heard()).write(cordon)
    assert world.story() == ["Cordon node-1"]
    assert world.gaps(Cordon) == [0.5, 0.5]


def test_a_write_whose_purpose_is_met_meanwhile_is_not_sent_again(open_session: OpenSession) -> None:
    def somebody_cordons(action: Action) -> None:
        assert isinstance(action, Cordon)
        world._carry_out(action)

    world = a_world(scripted={Cordon: [Conflict()]}, before=somebody_cordons)
    open_session(world, Heard()).write(cordon)
    assert len(world.tried) == 1


def test_a_busy_cluster_does_not_use_up_the_tries_of_a_write(open_session: OpenSession) -> None:
    world = a_world(scripted={Cordon: [Conflict()] * 5})

    def something_changes() -> None:
        world.after(0.01, something_changes)

    something_changes()
    open_session(world, Heard()).write(cordon)
    assert all(gap >= 0.5 for gap in world.gaps(Cordon))


def test_a_busy_server_is_given_the_time_that_it_asks_for(open_session: OpenSession) -> None:
    world = a_world(scripted={Cordon: [Busy(message="slow down", retry_after=7)]})
    world.after(1, lambda: None)
    open_session(world, Heard()).write(cordon)
    assert world.gaps(Cordon) == [7]


@pytest.mark.parametrize(
    ("result", "why"),
    [
        pytest.param(Conflict(), "node/node-1 changes too often to be written to; run the same", id="conflicts"),
        pytest.param(
            Busy(message="slow down", retry_after=1), "node/node-1 could not be written to: slow down", id="busy"
        ),
        pytest.param(Denied(message="no right"), "^no right$", id="denied"),
        pytest.param(Undone(message="put back"), "^put back$", id="undone"),
    ],
)
def test_a_write_that_does_not_succeed_ends_the_run(open_session: OpenSession, result: Result, why: str) -> None:
    world = a_world(scripted={Cordon: [result] * 50})
    with pytest.raises(KubectlSafeError, match=why):
        open_session(world, Heard()).write(cordon)
    assert len(world.tried) <= 10


def test_each_kind_of_write_is_tried_as_a_dry_run_and_the_first_ones_with_them(open_session: OpenSession) -> None:
    world, heard = a_world(bindings=(a_binding(),)), Heard()
    connect(Aws(world), open_session(world, heard)).prepare(an_intent(world), [Cordon(node=world.nodes[NODE])])
    assert [type(action) for _, action, _ in world.tried] == [Cordon, Release, Withdraw, AskEviction, Nudge]
    assert all(is_dry_run for _, _, is_dry_run in world.tried)
    assert heard.warnings == []


@pytest.mark.parametrize("kind", [Cordon, Release, Withdraw, AskEviction])
@pytest.mark.parametrize("result", [Denied(message="no right"), Undone(message="a policy puts it back")])
def test_what_a_dry_run_denies_ends_the_command_with_nothing_changed(
    open_session: OpenSession, kind: type, result: Denied | Undone
) -> None:
    world, heard = a_world(scripted={kind: [result]}), Heard()
    with pytest.raises(KubectlSafeError, match=f"^nothing was changed: {result.message}\n") as raised:
        open_session(world, heard).prepare(an_intent(world), [Cordon(node=world.nodes[NODE])])
    assert str(raised.value).endswith("\n" + EXCEPTION)
    assert world.done == []
    assert heard.plans == []


def test_what_was_tried_in_vain_is_told_in_terms_of_the_handoff(open_session: OpenSession) -> None:
    world = a_world(scripted={Withdraw: [Denied(message="labels stay")]})
    with pytest.raises(KubectlSafeError) as raised:
        open_session(world, Heard()).prepare(an_intent(world), [])
    assert str(raised.value).splitlines()[1:] == [
        "the withdrawal was tried: it takes label app off a pod, so that it gets no new requests",
        EXCEPTION,
    ]


def test_where_evictions_can_not_be_tried_it_is_told_what_decides_in_their_place(open_session: OpenSession) -> None:
    heard = Heard()
    world = a_world(scripted={AskEviction: [Untried(message="webhook x does not support dry run")]})
    open_session(world, heard).prepare(an_intent(world), [])
    assert heard.warnings == [
        (
            "Warning: could not be tried beforehand: webhook x does not support dry run; "
            "whether a pod may leave is read off its disruption budgets"
        )
    ]


def test_a_write_that_could_not_be_tried_is_only_a_warning_told_once(open_session: OpenSession) -> None:
    untried = Untried(message="webhook mutate.example.com does not support dry run")
    world, heard = a_world(scripted={Release: [untried], Withdraw: [untried]}), Heard()
    open_session(world, heard).prepare(an_intent(world), [])
    assert heard.warnings == [
        "Warning: could not be tried beforehand: webhook mutate.example.com does not support dry run"
    ]
    assert len(heard.plans) == 1


@pytest.mark.parametrize(
    "result",
    [Gone(), Conflict(), Busy(message="slow down", retry_after=1), Refused(message="the budget allows none")],
)
def test_a_dry_run_that_says_nothing_about_the_write_is_passed_over(open_session: OpenSession, result: Result) -> None:
    world, heard = a_world(scripted={AskEviction: [result]}), Heard()
    open_session(world, heard).prepare(an_intent(world), [])
    assert heard.warnings == []
    assert len(heard.plans) == 1


def test_without_the_right_to_nudge_the_command_goes_on_with_a_warning() -> None:
    world, heard = a_world(scripted={Nudge: [Denied(message="cannot patch")]}), Heard()
    rehearse([Nudge(binding=a_binding())], world, heard, may_nudge=True)
    assert heard.warnings == ["Warning: bindings can't be nudged, which costs up to 15s a batch: cannot patch"]


def test_the_lack_of_the_right_to_nudge_is_not_told_twice() -> None:
    world, heard = a_world(scripted={Nudge: [Denied(message="cannot patch")]}), Heard()
    rehearse([Nudge(binding=a_binding())], world, heard, may_nudge=False)
    assert heard.warnings == []


def test_a_client_side_dry_run_sends_nothing(open_session: OpenSession) -> None:
    world, heard = a_world(), Heard()
    open_session(world, heard, dry_run=DryRun.CLIENT).prepare(an_intent(world), [Cordon(node=world.nodes[NODE])])
    assert world.tried == []
    assert len(heard.plans) == 1


def test_what_can_be_seen_to_be_impossible_is_told_before_anything_is_tried(open_session: OpenSession) -> None:
    world = a_world("web-1", workloads={uid("web"): a_deployment(replicas=1, max_surge=0)})
    with pytest.raises(KubectlSafeError, match=r"^Blocked\(downtime\): deployment shop/web"):
        open_session(world, Heard()).prepare(an_intent(world), [])
    assert world.tried == []


def test_the_closing_line_is_told_when_the_run_fails_too(open_session: OpenSession) -> None:
    world, heard = a_world(start_seconds=None), Heard()
    session = open_session(world, heard, limits=Limits(timeout=timedelta(seconds=30)))
    failure = session.failure(session.carry_out(an_intent(world), began=NOW), subject="node/node-1")
    [progress] = heard.endings
    assert [planned.name for planned in progress.left] == ["web-1", "web-2", "web-3"]
    assert "global timeout reached" in str(failure)


def test_the_timeout_counts_from_the_beginning_of_the_command(open_session: OpenSession) -> None:
    world = a_world(start_seconds=None)
    session = open_session(world, Heard(), limits=Limits(timeout=timedelta(seconds=30)))
    session.carry_out(an_intent(world), began=NOW - timedelta(seconds=20))
    assert 10 <= (world.at - NOW).total_seconds() <= 12


def test_an_interrupted_run_tells_its_closing_line(open_session: OpenSession) -> None:
    def interrupt(_: Action) -> None:
        raise KeyboardInterrupt

    world, heard = a_world(before=interrupt), Heard()
    with pytest.raises(KeyboardInterrupt):
        open_session(world, heard).carry_out(an_intent(world), began=NOW)
    assert len(heard.endings) == 1


@dataclass
class Held:
    """Holdings of a run that was frozen: what it held is out of date, then renewed, or another's."""

    renewed_after: int
    lost: str = ""
    taken: Mapping[str, str] = field(default_factory=dict)
    asked: int = 0

    def begin(self, pods: Iterable[Planned]) -> None:
        """Take note of nothing."""

    def keep(self, workloads: Iterable[str]) -> None:
        """Take note of nothing."""

    def check(self) -> None:
        """Notice nothing yet."""

    @property
    def is_current(self) -> bool:
        self.asked += 1
        if self.lost and self.asked > self.renewed_after:
            raise KubectlSafeError(self.lost)
        return self.asked > self.renewed_after


def frozen(open_session: OpenSession, held: Held) -> tuple[Session, Intent]:
    """Return the session of a run that was frozen until all its pods were gone."""
    world = a_world()
    intent = an_intent(world)
    world.pods.clear()
    session = open_session(world, Heard())
    session.holdings = cast("Holdings", held)
    return session, intent


def test_who_was_frozen_until_all_was_done_says_so_once_its_leases_are_renewed(open_session: OpenSession) -> None:
    held = Held(renewed_after=3)
    session, intent = frozen(open_session, held)
    assert session.carry_out(intent, began=NOW).left == ()
    assert held.asked == 4


def test_who_was_frozen_until_another_had_done_all_says_by_whom(open_session: OpenSession) -> None:
    session, intent = frozen(open_session, Held(renewed_after=3, lost="another run has taken over"))
    with pytest.raises(KubectlSafeError, match="another run has taken over"):
        session.carry_out(intent, began=NOW)


def test_who_can_not_know_whether_another_took_over_does_not_claim_that_all_is_done(
    open_session: OpenSession,
) -> None:
    session, intent = frozen(open_session, Held(renewed_after=1000))
    with pytest.raises(KubectlSafeError, match="could not be renewed"):
        session.carry_out(intent, began=NOW)
