"""Who is at work on pods, and what each of these waits for."""

from dataclasses import replace

import pytest

from kubectl_safe.decide.decision import Act, Decision, For, Step, Wait
from kubectl_safe.decide.runs import Run
from kubectl_safe.model.workload import Node
from tests.decide.looking import OF_NODE, OF_WEB, a_lease, looked_at, with_record
from tests.support.builders import a_budget, a_cluster, a_pod, ago, an_owner, arn, health, uid

DRAINING = health("draining", "Target.DeregistrationInProgress")
ON_ITS_WAY = a_cluster(a_pod(withdrawn=True), a_pod("web-2", released=True), target_health={"web-1": DRAINING})
NODES = {"node-1": Node(name="node-1", resource_version="1")}


def names(run: Run) -> str:
    return " ".join(planned.name for planned in run.intent.pods)


def wait(decision: Decision) -> Wait:
    assert isinstance(decision, Wait)
    return decision


def test_tells_who_restarts_since_when_and_which_pods() -> None:
    [run] = looked_at(with_record(ON_ITS_WAY, planned=3), a_lease()).runs
    assert (run.holder.who, run.holder.about) == ("alice@laptop (pid 4711)", "rollout restart deployment/web")
    assert run.holder.since == ago(125)
    assert (run.nodes, names(run)) == ((), "web-1 web-2 web-3")


def test_tells_what_each_pod_waits_for_in_the_words_of_the_run_itself() -> None:
    snapshot = with_record(replace(ON_ITS_WAY, pods={**ON_ITS_WAY.pods, uid("web-3"): a_pod("web-3", ready=False)}))
    seen = looked_at(snapshot, a_lease())
    [run] = seen.runs
    draining, missing, queued = (wait(run.decisions[uid(f"web-{n}")]) for n in (1, 2, 4))
    assert draining.on is For.TARGETS
    assert "is draining (Target.DeregistrationInProgress)" in draining.why
    assert missing.on is For.REPLACEMENT
    assert queued.on is For.SURGE
    assert [its.step for its in seen.pods[:4]] == [Step.WITHDRAWN, Step.RELEASED, Step.QUEUED, Step.QUEUED]


def test_a_step_that_is_due_is_no_wait() -> None:
    [run] = looked_at(with_record(a_cluster(a_pod(released=True), a_pod("web-7"))), a_lease()).runs
    assert isinstance(run.decisions[uid("web-1")], Act)


def test_a_budget_that_allows_nothing_is_what_a_pod_waits_for() -> None:
    budget = a_budget(disruptions_allowed=0)
    snapshot = with_record(a_cluster(a_pod(released=True), a_pod("web-7"), answers={}, budgets=(budget,)))
    [run] = looked_at(snapshot, a_lease()).runs
    assert run.decisions[uid("web-1")] == Wait(
        on=For.BUDGET,
        why="budget shop/web allows no disruption now, by its status",
        remedy="see kubectl safe check deployment/web -n shop",
    )


def test_says_of_a_pod_in_the_queue_no_more_than_that() -> None:
    [run] = looked_at(with_record(a_cluster()), a_lease()).runs
    assert {wait(its).on for its in run.decisions.values()} == {For.SURGE}


@pytest.mark.parametrize("seconds", [2, 60], ids=["just now", "for long"])
def test_does_not_claim_to_know_for_how_long_a_pod_has_settled(seconds: float) -> None:
    snapshot = a_cluster(a_pod(withdrawn=True), absent_since={uid("web-1"): ago(seconds)})
    [run] = looked_at(with_record(snapshot), a_lease()).runs
    settling = wait(run.decisions[uid("web-1")])
    assert (settling.on, settling.until) == (For.SETTLE, None)
    assert settling.why.startswith("pod shop/web-1 left every EndpointSlice and target group; it settles, or ")


def test_a_target_that_drains_is_told_before_a_pod_that_settles() -> None:
    snapshot = replace(ON_ITS_WAY, absent_since={uid("web-1"): ON_ITS_WAY.at})
    assert wait(looked_at(with_record(snapshot), a_lease()).runs[0].decisions[uid("web-1")]).on is For.TARGETS


def test_says_of_targets_that_we_may_not_ask_just_that() -> None:
    [run] = looked_at(with_record(replace(ON_ITS_WAY, unseen=frozenset({arn()}))), a_lease()).runs
    assert wait(run.decisions[uid("web-1")]).why == "target group web can't be asked from here"


@pytest.mark.parametrize(
    ("options", "surge", "unavailable", "draining"),
    [
        ("", None, None, None),
        ("--max-surge=2", 2, None, None),
        ("--max-surge=25% --max-draining=3 --max-unavailable=1", "25%", 1, 3),
    ],
)
def test_goes_by_the_flags_that_a_record_tells(
    options: str, surge: int | str | None, unavailable: int | None, draining: int | None
) -> None:
    [run] = looked_at(with_record(ON_ITS_WAY, options=options), a_lease()).runs
    settings = run.intent.settings
    assert (settings.max_surge, settings.max_unavailable, settings.max_draining) == (surge, unavailable, draining)


def test_a_drain_has_the_pods_of_its_nodes_but_those_that_stay() -> None:
    agent = a_pod("agent-1", controller=an_owner("DaemonSet", "agent"))
    static, done = a_pod("static", is_mirror=True), a_pod("done", phase="Succeeded")
    elsewhere = a_pod("web-2", node="node-2")
    snapshot = a_cluster(agent, static, done, elsewhere, without=["web-4", "web-5", "web-6"], nodes=NODES)
    leases = [a_lease(OF_NODE, about="drain node-1"), a_lease(nodes=("node-1",), about="drain node-1")]
    [run] = looked_at(snapshot, *leases).runs
    assert (run.nodes, names(run)) == (("node-1",), "web-1 web-3")


def test_what_somebody_else_has_left_elsewhere_is_of_no_drain() -> None:
    snapshot = a_cluster(a_pod("web-2", released=True, node="node-2"), nodes=NODES)
    leases = [a_lease(OF_NODE, about="drain node-1"), a_lease(nodes=("node-1",), about="drain node-1")]
    [run] = looked_at(snapshot, *leases).runs
    assert "web-2" not in names(run).split()


def test_only_runs_that_have_to_do_with_what_is_shown_are_told() -> None:
    other = a_pod("web-2", node="node-2")
    snapshot = a_cluster(other, without=[f"web-{n}" for n in (1, 3, 4, 5, 6)], nodes=NODES)
    lease = a_lease(OF_NODE, about="drain node-1")
    assert looked_at(snapshot, lease).runs == ()
    assert len(looked_at(snapshot, lease, nodes=("node-1",)).runs) == 1


def test_of_a_dead_run_the_command_that_ends_it_is_told() -> None:
    seen = looked_at(with_record(ON_ITS_WAY), a_lease(renewed=120))
    assert seen.runs == ()
    assert [finding.remedy.splitlines()[-1].partition("  #")[0] for finding in seen.left] == [
        "kubectl safe abort deployment/web -n shop"
    ] * 2
    assert [its.step for its in seen.pods[:3]] == [Step.WITHDRAWN, Step.RELEASED, None]


def test_a_run_at_work_leaves_nothing_that_is_to_be_ended() -> None:
    assert looked_at(with_record(ON_ITS_WAY), a_lease()).left == ()


def test_where_leases_can_not_be_read_nobody_is_said_to_be_dead() -> None:
    seen = looked_at(with_record(ON_ITS_WAY), leases=None)
    assert (seen.runs, seen.left) == ((), ())


def test_a_lease_that_nobody_holds_is_no_run() -> None:
    assert looked_at(with_record(ON_ITS_WAY), a_lease(holder="")).runs == ()


def test_a_record_of_somebody_else_keeps_nobody_from_seeing_the_run() -> None:
    snapshot = with_record(ON_ITS_WAY)
    [replica_set] = snapshot.replica_sets.values()
    broken = replace(replica_set, annotations={"kubectl-safe/operation": "{}"})
    [run] = looked_at(replace(snapshot, replica_sets={broken.uid: broken}), a_lease(OF_WEB)).runs
    assert names(run) == "web-1 web-2"
