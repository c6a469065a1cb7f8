"""How it stands with pods as one document for programs, whose fields `status.schema.json` promises."""

import json
from collections.abc import Sequence
from datetime import datetime

from kubectl_safe.decide.check.finding import Finding
from kubectl_safe.decide.decision import Blocked, Decision, Left, Wait
from kubectl_safe.decide.overview import Overview
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.decide.runs import Run
from kubectl_safe.decide.status import Gate, PodStatus, TargetStatus
from kubectl_safe.model.service import Endpoint
from kubectl_safe.render.document import API_VERSION, Json, instant, wait_name


def document(seen: Overview, *, command: Sequence[str], warnings: Sequence[str]) -> Json:
    """Return all that is seen.

    Args:
        seen: what there is.
        command: the arguments, as they were given.
        warnings: what could not be seen.
    """
    decisions = {uid: decision for run in seen.runs for uid, decision in run.decisions.items()}
    return {
        "apiVersion": API_VERSION,
        "kind": "Status",
        "command": list(command),
        "time": instant(seen.at),
        "pods": [_pod(its, decisions.get(its.pod.uid)) for its in seen.pods],
        "runs": [_run(run, seen.at) for run in seen.runs],
        "left": [_left(finding) for finding in seen.left],
        "warnings": list(warnings),
    }


def in_json(written: Json) -> str:
    """Return the document as `-o json` has it."""
    return json.dumps(written, indent=4)


def in_yaml(written: Json) -> str:
    """Return the document as `-o yaml` has it, so that several may follow each other."""
    import yaml  # type: ignore[import-untyped]  # it ships no types

    # Written in C where libyaml is there: thousands of pods take a second instead of six.
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return f"---\n{yaml.dump(written, Dumper=dumper, sort_keys=False)}"


def _pod(its: PodStatus, decision: Decision | None) -> Json:
    pod, owner = its.pod, reference_to(its.workload) if its.workload else None
    return {
        "namespace": pod.namespace,
        "name": pod.name,
        "uid": pod.uid,
        "node": pod.node,
        "ips": list(pod.ips),
        "workload": {"apiVersion": owner.api_version, "kind": owner.kind, "name": owner.name, "uid": owner.uid}
        if owner
        else None,
        "createdAt": _instant(pod.created),
        "phase": pod.phase,
        "step": its.step.value if its.step else None,
        "ready": _gate(its.ready),
        "whyNotReady": its.why_not_ready or None,
        "readinessGates": [_gate(gate) for gate in its.gates],
        "slices": [_place(place) for place in its.places],
        "targets": [_target(target) for target in its.targets],
        "waitsFor": _wait(decision),
    }


def _gate(gate: Gate) -> Json:
    told = gate.condition
    return {
        "type": gate.type,
        "value": gate.value,
        "reason": told.reason or None if told else None,
        "message": told.message or None if told else None,
        "since": _instant(told.since) if told else None,
    }


def _place(place: Endpoint) -> Json:
    return {
        "service": place.service or None,
        "slice": place.slice,
        "addressType": place.address_type or None,
        "zone": place.zone or None,
        "ready": place.is_ready,
        "serving": place.is_serving,
        "terminating": place.is_terminating,
    }


def _target(its: TargetStatus) -> Json:
    health = its.health
    return {
        "group": its.group,
        "arn": its.target.group if its.target.group != its.group else None,
        "type": "instance" if its.is_of_node else "ip",
        "address": its.target.ip,
        "port": its.target.port,
        "state": health.state.value if health else None,
        "reason": (health.reason or None) if health else None,
        "description": (health.description or None) if health else None,
        "askedAt": instant(health.asked_at) if health else None,
        "why": its.why or None,
    }


def _wait(decision: Decision | None) -> Json | None:
    match decision:
        case Wait(on=on, why=why, until=until, remedy=remedy):
            return {"for": wait_name(on), "why": why, "remedy": remedy or None, "until": _instant(until)}
        case Blocked(why=why) | Left(why=why):
            return {"for": None, "why": why, "remedy": None, "until": None}
        case _:
            return None


def _run(run: Run, at: datetime) -> Json:
    return {
        "holder": run.holder.who,
        "about": run.holder.about or None,
        "since": _instant(run.holder.since),
        "heardAt": instant(at - run.unheard) if run.unheard is not None else None,
        "nodes": list(run.nodes),
        "pods": [{"namespace": its.namespace, "name": its.name, "uid": its.uid} for its in run.intent.pods],
    }


def _left(finding: Finding) -> Json:
    subject = finding.subject
    return {
        "object": {"kind": subject.kind, "namespace": subject.namespace or None, "name": subject.name},
        "fact": finding.fact,
        "remedy": finding.remedy,
    }


def _instant(at: datetime | None) -> str | None:
    return instant(at) if at else None
