"""Plays a scenario to its end: the command, and where it was killed or gave up, the same command again."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.marks import OPERATION
from kubectl_safe.sandbox import applications
from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.rig import RigSettings
from kubectl_safe.sandbox.traffic import Traffic
from tests.support.networkpolicies import NETWORK_POLICIES
from tests.support.virtual.stage import LONGEST_RUN, Running, VirtualStage, a_virtual_stage
from tests.virtual import invariants, ways_in
from tests.virtual.acts import Act, Expected, Scene
from tests.virtual.scenario import NAMESPACE, Scenario

AGAIN_AT_MOST = 2
"""How often the command is run again that did not end well, for each thing that befell it."""
LONGEST_BACKOFF = 1200.0
"""A controller that fails tries again after 1000 s at the latest."""
DNS_SECONDS = (0.5, 28.0)
"""How late clients hear of an endpoint by the DNS: its answers are kept for up to 30 s, less the requests under way."""
AFTERWARDS_SECONDS = 60.0
"""Until nothing is on its way any more: pods stop within their grace period."""

JOINING_SECONDS = 1.0
"""Until all nodes are there."""


@dataclass(kw_only=True)
class Result:
    """What came of a scenario."""

    seconds: float = 0.0
    """Of virtual time, from the first command's beginning to the last one's end."""
    runs: list[str] = field(default_factory=list)
    """How each command ended: empty for well."""
    beside: list[str] = field(default_factory=list)
    """How the commands ended that others started."""
    calls: int = 0
    requests: int = 0
    evicted: int = 0
    is_twice: bool = False
    """Whether a restart was over when it was killed, so that the next command was another."""
    state: dict[str, Any] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)


def play(
    scenario: Scenario,
    *,
    prepare: Callable[[VirtualStage], None] = lambda _: None,
    expect: Callable[[], Expected] | None = None,
    again: int = AGAIN_AT_MOST,
) -> Result:
    """Deploy, run the command until it ended well, and hold what must be held of the whole.

    Args:
        scenario: what is played.
        prepare: is called once everything is deployed, right before the command starts.
        expect: says what has to hold, once the commands are over; by default what the scenario itself says.
        again: how often the command may be run again.

    Raises:
        AssertionError: an invariant is broken.
    """
    with a_virtual_stage(
        scenario.seed,
        RigSettings(
            nodes=scenario.nodes, seed=scenario.seed, dns_lag=DNS_SECONDS, binding_groups=scenario.binding_groups
        ),
    ) as stage:
        stage.control_plane.admit_pods_through(_probed_less)
        _deploy(stage, scenario)
        began = stage.loop.wall()
        traffic = _traffic(stage, scenario)
        expect = expect or (lambda: scenario.expected or Expected())
        _have_others_act(stage, scenario)
        prepare(stage)
        result = Result()
        last = _run(stage, scenario, result, expect, again)
        result.seconds = stage.loop.wall() - began
        expected = expect()
        expected.remedy(Scene(stage=stage, scenario=scenario, process=last), result.runs)
        if not result.runs[-1] and not expected.closes:
            _take_away_drained_nodes(stage, scenario)
        if expected.is_whole:
            _await_full_strength(stage, scenario)
        stage.pass_time(AFTERWARDS_SECONDS)
        if traffic is not None:
            stage.loop.finish(traffic.stop())
            result.requests = traffic.report().total
        broken = _broken(stage, scenario, began, traffic, expected=expected, beside=result.beside)
        assert not broken, "\n".join(broken)
        result.evicted = len(invariants.evicted(stage))
        result.state = invariants.state_of(stage)
        result.calls = stage.befalling.made
        result.writes = [f"{its.request.method} {its.request.path} {its.answer.status}" for its in stage.door.writes()]
        return result


def _have_others_act(stage: VirtualStage, scenario: Scenario) -> None:
    """Have others do what they do in this scenario, whichever process runs by then."""

    def do(act: Act) -> None:
        act.do(Scene(stage=stage, scenario=scenario, process=stage.started[-1]))

    for seconds, act in scenario.meanwhile:
        stage.loop.call_later(seconds, do, act)


def _broken(
    stage: VirtualStage,
    scenario: Scenario,
    began: float,
    traffic: Traffic | None,
    *,
    expected: Expected,
    beside: Iterable[str],
) -> list[str]:
    """Return every invariant that is broken."""
    claims: list[Callable[[], None]] = [
        partial(invariants.assert_the_floor_held, stage, scenario, began, expected),
        partial(ways_in.assert_each_node_kept_a_pod, stage, scenario, began, expected),
        partial(ways_in.assert_other_clusters_kept_their_targets, stage, scenario),
        partial(invariants.assert_evicted_when_out, stage, scenario, expected),
        partial(invariants.assert_nodes_left_first, stage, scenario, expected),
        partial(invariants.assert_only_planned_were_evicted, stage, scenario),
        partial(invariants.assert_only_holders_wrote, stage),
        partial(invariants.assert_nothing_left, stage, beside),
        partial(invariants.assert_written_as_designed, stage, scenario),
    ]
    if traffic is not None:
        claims.append(partial(invariants.assert_nothing_was_lost, stage, traffic.report(), expected))
    return [broken for claim in claims if (broken := _broken_by(claim))]


def _broken_by(claim: Callable[[], None]) -> str:
    try:
        claim()
    except AssertionError as error:
        return str(error)
    return ""


def _run(
    stage: VirtualStage, scenario: Scenario, result: Result, expect: Callable[[], Expected], again: int
) -> Running:
    """Run the command until it ends well, or has nothing left to do; return the last process."""
    for _ in range(1 + again):
        process = stage.start(scenario.run, needs=scenario.needs, namespace=scenario.namespace, about=scenario.command)
        stage.finish(process)
        result.runs.append(how_it_ended(process))
        for other in stage.beside:
            stage.finish(other)
            result.beside.append(how_it_ended(other))
        if not result.runs[-1] or _is_at_its_end(scenario, result, expect()):
            return process
        # A restart of which nothing is left but a Lease is over: the same command is another one, and a whole one.
        result.is_twice = scenario.command == "restart" and is_over(stage, scenario)
    raise AssertionError(f"I8: it does not complete: {result.runs}")


def _is_at_its_end(scenario: Scenario, result: Result, expected: Expected) -> bool:
    """Tell whether a command that failed is not to be run again."""
    is_done_beside = expected.is_done_beside and scenario.command == "restart" and "" in result.beside
    return is_done_beside or expected.is_over(result.runs[-1])


def is_over(stage: VirtualStage, scenario: Scenario) -> bool:
    """Tell whether every pod was evicted, and no record of that is left."""
    model = stage.control_plane.model
    bearers = (*model.all(kinds.REPLICA_SETS), *model.all(kinds.STATEFUL_SETS), *model.all(kinds.DAEMON_SETS))
    recorded = any(OPERATION in its["metadata"].get("annotations", {}) for its in bearers)
    return len(invariants.evicted(stage)) == sum(app.replicas for app in scenario.applications) and not recorded


def how_it_ended(process: Running) -> str:
    """Return in words why a command did not end well; empty where it did.

    Raises:
        AssertionError: it ended with a traceback.
    """
    if process.is_dead:
        return "killed"
    if isinstance(process.error, KeyboardInterrupt) and not process.interruption.is_armed:
        return "interrupted before it began"
    for crash in (*process.crashes, process.error):
        if crash is not None and not isinstance(crash, KubectlSafeError):
            raise AssertionError(f"a bug of ours: {crash!r}") from crash
    return str(process.error) if process.error else ""


def _deploy(stage: VirtualStage, scenario: Scenario) -> None:
    if scenario.cordoned:
        stage.pass_time(JOINING_SECONDS)
    for node in scenario.cordoned:
        stage.loop.finish(stage.rig.api.patch(f"/api/v1/nodes/{node}", {"spec": {"unschedulable": True}}))
    for app in scenario.applications:
        stage.loop.finish(stage.rig.deploy(app))
        if budget := scenario.budgets.get(app.name):
            path = f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets"
            stage.loop.finish(stage.rig.api.create(path, applications.pod_disruption_budget(app, **budget)))
    for policy in scenario.policies:
        stage.loop.finish(stage.rig.api.create(NETWORK_POLICIES.format(NAMESPACE), dict(policy)))
    _await_full_strength(stage, scenario)
    ways_in.keep_in_slices(stage, scenario)


def _await_full_strength(stage: VirtualStage, scenario: Scenario) -> None:
    for app in scenario.applications:
        stage.loop.finish(stage.rig.ready(NAMESPACE, app.name, within=LONGEST_BACKOFF))


def _take_away_drained_nodes(stage: VirtualStage, scenario: Scenario) -> None:
    """Have the machines of nodes that are excluded be gone: whoever sends requests to their ports loses them."""
    for name in (node for node in stage.rig.nodes.names if invariants.is_excluded(stage, node)):
        assert name in scenario.drained, f"{name} is excluded, and not drained"
        stage.rig.network.switch_off(stage.rig.nodes.instance(name))


def _traffic(stage: VirtualStage, scenario: Scenario) -> Traffic | None:
    if not scenario.rate:
        return None
    ways = [way for deployed in stage.rig.deployed.values() for way in deployed.ways]
    traffic = Traffic(ways, rate=scenario.rate, seed=scenario.seed, longest=LONGEST_RUN)
    stage.loop.finish(traffic.__aenter__())
    return traffic


def _probed_less(_namespace: dict[str, Any], _pod: dict[str, Any]) -> list[dict[str, Any]]:
    """Have pods be probed every ten seconds: what each second would cost more than all else, and shows nothing more."""
    return [{"op": "replace", "path": "/spec/containers/0/readinessProbe/periodSeconds", "value": 10}]
