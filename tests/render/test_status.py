"""How it stands with pods as a table, as names, as JSON and as YAML; read at 80 and at 200 columns."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # it ships no types
from jsonschema import Draft202012Validator

import kubectl_safe.render
from kubectl_safe.decide.overview import Overview
from kubectl_safe.model.pod import Condition
from kubectl_safe.model.service import ServicePort
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import Target
from kubectl_safe.render.status import name_lines, status_lines
from kubectl_safe.render.status_document import document, in_json, in_yaml
from tests.decide.looking import a_lease, looked_at, with_record
from tests.render.scenes import DRAINING
from tests.render.schema import objects
from tests.support.builders import (
    GATE,
    LABELS,
    NOW,
    a_binding,
    a_cluster,
    a_pod,
    a_service,
    a_target,
    an_endpoint,
    arn,
    health,
)

LONG = "web-75b544cb47-mdwb2"
NODE = "ip-10-0-131-7.eu-west-1.compute.internal"
INTERNAL = "target-health.elbv2.k8s.aws/web-internal"
UNSET = "example.com/warmed-up"

EVENTS = "see kubectl events -n shop --for pod/web-7"


def a_moment() -> Snapshot:
    """Return a restart in the middle: web-1 drains, web-2 is released, its replacement web-7 is not ready."""
    return with_record(
        a_cluster(
            a_pod(withdrawn=True),
            a_pod("web-2", released=True),
            a_pod("web-7", ready=False, waiting_reason="ContainerCreating"),
            without=["web-4", "web-5", "web-6"],
            target_health={"web-1": DRAINING},
        )
    )


def a_rich_pod() -> Overview:
    """Return one pod with long names, two gates that are set and one that isn't, two Services and two targets."""
    told = {
        GATE: Condition(is_true=True),
        INTERNAL: Condition(is_true=False, reason="Pending"),
        "Ready": Condition(is_true=False, reason="ReadinessGatesNotReady"),
    }
    pod = a_pod(LONG, node=NODE, readiness_gates=(GATE, INTERNAL, UNSET), conditions=told, ips=("10.0.3.7",))
    port = ServicePort(name="admin", port=81, target_port=9090)
    services = (a_service(), a_service("web-internal", selector={"app": "web"}, ports=(port,)))
    bindings = (a_binding(group=arn("k8s-shop-web-1a2b3c4d5e")), a_binding("web-internal", service_port=81))
    unhealthy = replace(
        health("unhealthy", "Target.ResponseCodeMismatch"), description="Health checks failed with these codes: [404]"
    )
    target = Target(group=arn("web-internal"), ip="10.0.3.7", port=9090)
    snapshot = a_cluster(
        pod,
        without=[f"web-{n}" for n in range(1, 7)],
        services=services,
        bindings=bindings,
        health={target: unhealthy},
        endpoints=(
            an_endpoint(pod, ready=False, is_serving=True, is_terminating=True),
            an_endpoint(pod, "web-internal"),
            an_endpoint(pod, "web-internal", family="IPv6"),
        ),
    )
    return looked_at(snapshot)


def test_at_200_columns_everything_stands_in_one_table() -> None:
    head, *_ = lines = status_lines(looked_at(a_moment(), leases=None), width=200)
    assert head.split() == ["NAME", "READY", "STEP", "AGE", "NODE", "GATE", "SLICE", "TARGET"]
    assert [" ".join(line.split()) for line in lines[1:]] == [
        "web-1 True withdrawn 1h node-1 web True <none> web 10.244.0.2:8080 draining (Target.DeregistrationInProgress)",
        "web-2 True released 1h node-1 web True web ready web 10.244.0.3:8080 healthy",
        "web-3 True - 1h node-1 web True web ready web 10.244.0.4:8080 healthy",
        (
            "web-7 False (ContainerCreating) - 1h node-1 web True web not ready web 10.244.0.8:8080 unused "
            "(Target.NotRegistered)"
        ),
    ]


def test_at_80_columns_gates_slices_and_targets_stand_below_each_pod() -> None:
    head, *lines = status_lines(looked_at(a_moment(), leases=None), width=80)
    assert head.split() == ["NAME", "READY", "STEP", "AGE", "NODE"]
    assert lines[:4] == [
        "web-1   True                       withdrawn  1h     node-1",
        "  gate    web True",
        "  slice   <none>",
        "  target  web 10.244.0.2:8080 draining (Target.DeregistrationInProgress)",
    ]


def test_several_gates_and_targets_of_a_pod_stand_on_further_lines() -> None:
    lines = status_lines(a_rich_pod(), width=None)
    gates = [line[lines[0].index("GATE") : lines[0].index("SLICE")].strip() for line in lines[1:]]
    places = [line[lines[0].index("SLICE") : lines[0].index("TARGET")].strip() for line in lines[1:]]
    targets = [line[lines[0].index("TARGET") :] for line in lines[1:]]
    assert gates == ["web True", "web-internal False (Pending)", "warmed-up unset"]
    assert places == ["web serving, terminating", "web-internal ready", ""]
    assert targets[0] == "k8s-shop-web-1a2b3c4d5e 10.0.3.7:8080 unknown (AWS has not answered yet)"
    assert targets[1].startswith("web-internal 10.0.3.7:9090 unhealthy (Target.ResponseCodeMismatch (")


def test_a_node_whose_name_is_too_long_for_its_column_stands_below_too() -> None:
    head, row, node, *_ = status_lines(a_rich_pod(), width=80)
    assert head.split() == ["NAME", "READY", "STEP", "AGE"]
    assert row.split() == [LONG, "False", "(ReadinessGatesNotReady)", "-", "1h"]
    assert node == f"  node    {NODE}"


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("is_wide", [False, True], ids=["default", "wide"])
@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(looked_at(a_moment(), a_lease()), id="a run at work"),
        pytest.param(a_rich_pod(), id="long names"),
        pytest.param(looked_at(replace(a_moment(), replica_sets=a_cluster().replica_sets)), id="a dead run"),
    ],
)
def test_no_line_is_wider_than_the_terminal(seen: Overview, width: int, *, is_wide: bool) -> None:
    lines = status_lines(seen, width=width, is_wide=is_wide)
    assert max(map(len, lines)) <= width
    assert len(lines) > len(seen.pods)


def test_in_a_pipe_no_line_is_broken() -> None:
    lines = status_lines(looked_at(a_moment(), a_lease()), width=None)
    assert len(lines) == 4 + 1 + 5
    assert max(map(len, lines)) > 100


def test_wide_says_all_there_is_to_say() -> None:
    head, first, *_ = status_lines(a_rich_pod(), width=None, is_wide=True)
    assert head.split() == ["NAME", "READY", "STEP", "AGE", "IP", "NODE", "GATE", "SLICE", "TARGET"]
    assert GATE in first
    assert "web-x7k2p serving, terminating" in first
    assert " 10.0.3.7 " in first


def test_whoever_is_at_work_stands_above_with_what_each_pod_waits_for() -> None:
    lines = status_lines(looked_at(a_moment(), a_lease()), width=None)
    assert lines[:5] == [
        "rollout restart deployment/web, by alice@laptop (pid 4711) for 2m5s:",
        (
            "  web-1  withdrawn  target in web is draining (Target.DeregistrationInProgress) "
            "(deregistration delay of web: 300s)"
        ),
        f"  web-2  released   pod web-7 is not ready: ContainerCreating (1 of 6 others in service); {EVENTS}",
        "  1 queued",
        "",
    ]


def test_what_a_pod_with_a_long_name_waits_for_stands_below_it() -> None:
    long = a_pod("web-75b544cb47-mdwb2", withdrawn=True)
    snapshot = a_cluster(long, health={a_target(long.name): DRAINING})
    lines = status_lines(looked_at(with_record(snapshot), a_lease()), width=80)
    assert lines[1:4] == [
        "  web-75b544cb47-mdwb2  withdrawn",
        "    target in web is draining (Target.DeregistrationInProgress) (deregistration",
        "    delay of web: 300s)",
    ]


def test_a_step_that_is_due_is_said_to_be() -> None:
    seen = looked_at(with_record(a_cluster(a_pod(released=True), a_pod("web-7"))), a_lease())
    assert status_lines(seen, width=80)[1] == "  web-1  released  its next step, which is due"


def test_what_a_dead_run_left_stands_above_with_the_command_that_ends_it() -> None:
    lines = status_lines(looked_at(replace(a_moment(), replica_sets=a_cluster().replica_sets)), width=80)
    assert lines[:4] == [
        "deployment.apps/web in namespace shop: 2 pods in the middle of a handoff that",
        "  nobody goes on with, 1 released and 1 withdrawn: web-1, web-2",
        "  kubectl safe abort deployment/web -n shop",
        "",
    ]


@pytest.mark.parametrize("width", [None, 80])
def test_where_all_namespaces_are_looked_at_there_is_a_column_for_them(width: int | None) -> None:
    other = a_pod("far", namespace="bank", labels=LABELS)
    several = status_lines(looked_at(a_cluster(other, without=["web-6"])), width=width, has_namespaces=True)
    assert several[0].split()[:2] == ["NAMESPACE", "NAME"]
    assert several[1].split()[:2] == ["bank", "far"]
    one = status_lines(looked_at(a_cluster()), width=width, has_namespaces=True)
    assert one[0].split()[:2] == ["NAMESPACE", "NAME"]
    assert one[1].split()[:2] == ["shop", "web-1"]


def test_on_a_narrow_screen_no_line_says_that_a_pod_never_had_a_gate_or_a_target() -> None:
    bare = a_pod("bare", labels={}, controller=None, readiness_gates=())
    seen = looked_at(a_cluster(bare, without=[f"web-{n}" for n in range(2, 7)]))
    lines = status_lines(seen, width=80)
    assert [" ".join(line.split()[:2]) for line in lines[1:]] == [
        "bare True",
        "slice <none>",
        "web-1 True",
        "gate web",
        "slice web",
        "target web",
    ]
    for width, is_wide in ((200, False), (80, True)):
        assert "".join(status_lines(seen, width=width, is_wide=is_wide)).count("<none>") == 3


def test_a_run_whose_renewal_is_overdue_was_last_heard_of_some_time_ago() -> None:
    heard, silent = (looked_at(a_moment(), a_lease(renewed=age)) for age in (19, 45))
    assert status_lines(heard, width=None)[0].endswith("(pid 4711) for 2m5s:")
    assert status_lines(silent, width=None)[0].endswith("(pid 4711) for 2m5s, last heard of 45s ago:")
    [run] = json.loads(in_json(document(silent, command=[], warnings=[])))["runs"]
    assert run["heardAt"] == "2026-11-23T11:59:15.000Z"


def test_ages_can_be_left_out_so_that_nothing_changes_by_itself() -> None:
    seen = looked_at(a_moment(), a_lease())
    later = replace(seen, at=NOW.replace(hour=18))
    assert status_lines(seen, width=None) != status_lines(later, width=None)
    for is_wide in (False, True):
        once, again = (status_lines(s, width=None, is_wide=is_wide, has_ages=False) for s in (seen, later))
        assert once == again


def test_names_are_what_kubectl_takes() -> None:
    assert name_lines(looked_at(a_moment())) == ["pod/web-1", "pod/web-2", "pod/web-3", "pod/web-7"]


def test_what_others_wrote_can_not_move_the_cursor() -> None:
    told = {GATE: Condition(is_true=False, reason="\x1b[2J", message="a\nb"), "Ready": Condition(is_true=False)}
    lines = status_lines(looked_at(a_cluster(a_pod(conditions=told))), width=None, is_wide=True)
    assert all(line.isprintable() for line in lines)
    assert "\\x1b[2J: a b" in lines[1]


SCHEMA = json.loads((Path(kubectl_safe.render.__file__).parent / "status.schema.json").read_text(encoding="utf-8"))

SEEN = [
    pytest.param(looked_at(a_moment(), a_lease()), id="a run at work"),
    pytest.param(looked_at(a_moment()), id="a dead run"),
    pytest.param(a_rich_pod(), id="a pod"),
    pytest.param(looked_at(a_cluster(), pods=()), id="nothing"),
]


def strict() -> Any:
    schema = json.loads(json.dumps(SCHEMA))
    for _, its in objects(schema):
        its["additionalProperties"] = False
    return schema


@pytest.mark.parametrize("seen", SEEN)
def test_the_document_is_as_its_schema_says_with_nothing_besides(seen: Overview) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    written = document(seen, command=["status"], warnings=["no rights"])
    Draft202012Validator(strict()).validate(json.loads(in_json(written)))
    assert yaml.safe_load(in_yaml(written)) == json.loads(in_json(written))


def test_every_field_of_the_document_is_always_there() -> None:
    assert all(set(its["properties"]) == set(its["required"]) for _, its in objects(SCHEMA))


def test_a_pod_in_the_document() -> None:
    written = json.loads(in_json(document(looked_at(a_moment(), a_lease()), command=["status"], warnings=[])))
    withdrawn = written["pods"][0]
    assert (withdrawn["name"], withdrawn["step"], withdrawn["slices"]) == ("web-1", "withdrawn", [])
    assert withdrawn["workload"]["kind"] == "Deployment"
    [target] = withdrawn["targets"]
    assert {key: target[key] for key in ("group", "arn", "type", "address", "port", "state", "reason")} == {
        "group": "web",
        "arn": arn(),
        "type": "ip",
        "address": "10.244.0.2",
        "port": 8080,
        "state": "draining",
        "reason": "Target.DeregistrationInProgress",
    }
    assert withdrawn["waitsFor"]["for"] == "targets"
    [run] = written["runs"]
    assert (run["holder"], run["about"]) == ("alice@laptop (pid 4711)", "rollout restart deployment/web")
    assert [its["name"] for its in run["pods"]] == ["web-1", "web-2", "web-3"]


def test_a_gate_that_nobody_has_set_has_no_value() -> None:
    [pod] = json.loads(in_json(document(a_rich_pod(), command=[], warnings=[])))["pods"]
    assert pod["readinessGates"][2] == {"type": UNSET, "value": None, "reason": None, "message": None, "since": None}
    assert pod["slices"][0] | {"zone": None} == {
        "service": "web",
        "slice": "web-x7k2p",
        "addressType": "IPv4",
        "zone": None,
        "ready": False,
        "serving": True,
        "terminating": True,
    }
