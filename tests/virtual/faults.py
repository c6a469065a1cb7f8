"""What can befall one call of a run: to the API server, to AWS, and on a watch. Each is a function of the call."""

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial
from typing import Any

from botocore.exceptions import ReadTimeoutError as AwsReadTimeoutError
from urllib3.exceptions import IncompleteRead, NewConnectionError, ProtocolError, ReadTimeoutError

from kubectl_safe.sandbox.cluster import refusals
from kubectl_safe.sandbox.cluster.requests import Answer
from tests.support.virtual.aws import client_error
from tests.support.virtual.calls import Call, Fault, Question, Response, Told

LATE_SECONDS = 60.0
STALE_CHANGES = 12
"""How many changes a list is behind that comes from an API server which lags."""
REORDER_SECONDS = 5.0


def killed_before(call: Call) -> Any:
    """The process is killed before the server has the request."""
    call.process.kill()


def killed_meanwhile(call: Call) -> Any:
    """The process is killed when the server has done it, and before the answer is seen."""
    call.arrive()
    call.process.kill()


def killed_after(call: Call) -> Any:
    """The process is killed once the answer is there, and before anything is made of it."""
    call.plainly()
    call.process.kill()


CRASHES: Mapping[str, Fault] = {
    "killed-before": killed_before,
    "killed-meanwhile": killed_meanwhile,
    "killed-after": killed_after,
}


def _refused_by(call: Call, *, code: int, reason: str, message: str, retry_after: int | None = None) -> Any:
    """The server refuses, and does nothing."""
    call.travel()
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}
    body = {**status, "reason": reason, "message": message, "metadata": {}}
    call.travel()
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Response(code, json.dumps(body).encode(), headers)


def _budget(call: Call) -> Any:
    """A budget refuses, though it would not."""
    call.travel()
    refusal = refusals.over_budget("The disruption budget web needs 3 healthy pods and has 3 currently")
    return Response(429, json.dumps(refusal.status).encode(), {})


def _no_such_page(call: Call) -> Any:
    """A proxy, or an API server that is starting, knows nothing of the path."""
    call.travel()
    return Response(404, b"404 page not found\n", {})


def _unreachable(_: Call) -> Any:
    raise NewConnectionError(None, "Failed to establish a new connection: [Errno 111] Connection refused")  # type: ignore[arg-type]  # nobody reads the pool


def _reset(call: Call) -> Any:
    """It is done, and the connection is reset before the answer."""
    call.arrive()
    raise ProtocolError("Connection aborted.", ConnectionResetError(104, "Connection reset by peer"))


def _cut(call: Call) -> Any:
    """It is done, and half of the answer comes."""
    call.arrive()
    call.travel()
    raise ProtocolError("Connection broken", IncompleteRead(100, 200))


def _late(call: Call) -> Any:
    """It is done at once, and the answer takes a minute."""
    answer = call.arrive()
    call.process.sleep(min(LATE_SECONDS, call.read_timeout))
    if call.read_timeout < LATE_SECONDS:
        raise ReadTimeoutError(None, "", "Read timed out.")  # type: ignore[arg-type]  # nobody reads the pool
    return call.respond(answer)


def _answers(data: bytes) -> Fault:
    def answered(call: Call) -> Any:
        call.arrive()
        call.travel()
        return Response(200, data, {})

    return answered


def _stale(call: Call) -> Any:
    """A list comes as it was a few changes ago."""
    answer = call.arrive()
    assert isinstance(answer.body, dict)
    kind, version = call.request.path.rpartition("/")[2], max(1, call.store.version - STALE_CHANGES)
    items = {its["metadata"]["uid"]: its for its in answer.body["items"]}
    for change in reversed(call.store.since(version)):
        if change.resource.plural == kind:
            items.pop(change.object["metadata"]["uid"], None)
            if change.before is not None:
                items[change.object["metadata"]["uid"]] = change.before
    body = {**answer.body, "items": list(items.values()), "metadata": {"resourceVersion": str(version)}}
    call.travel()
    return call.respond(Answer(body=body))


API_FAULTS: Mapping[str, Fault] = {
    "401": partial(_refused_by, code=401, reason="Unauthorized", message="Unauthorized"),
    "403": partial(_refused_by, code=403, reason="Forbidden", message="it is forbidden: User can't do that"),
    "404": _no_such_page,
    "409": partial(_refused_by, code=409, reason="Conflict", message="the object has been modified"),
    "410": partial(_refused_by, code=410, reason="Expired", message="The resourceVersion is too old."),
    "422": partial(_refused_by, code=422, reason="Invalid", message="it is invalid"),
    "429-flow": partial(_refused_by, code=429, reason="TooManyRequests", message="Too many requests"),
    "429-retry": partial(_refused_by, code=429, reason="TooManyRequests", message="Too many requests", retry_after=2),
    "500": partial(_refused_by, code=500, reason="InternalError", message="Internal error occurred"),
    "503": partial(_refused_by, code=503, reason="ServiceUnavailable", message="the server is shutting down"),
    "refused": _unreachable,
    "reset": _reset,
    "cut": _cut,
    "late": _late,
    "empty": _answers(b""),
    "broken": _answers(b'{"kind": "Pod", "metadata": {"name": '),
    "other": _answers(b'{"kind": "Hello"}'),
}
"""For any call; what befalls only some kinds of calls is added by `faults_of`."""


def faults_of(call: Call) -> Mapping[str, Fault]:
    """Return what can befall a call."""
    request = call.request
    if request.is_watch:
        return {name: fault for name, fault in API_FAULTS.items() if name not in ("empty", "broken", "other", "cut")}
    faults = dict(API_FAULTS)
    if request.path.endswith("/eviction"):
        faults["429-budget"] = _budget
    if request.method == "GET" and request.query.get("limit") == "500":
        faults["stale"] = _stale
    return faults


def _aws(code: str, message: str) -> Fault:
    def refused(question: Question) -> Any:
        question.process.sleep(0.1)
        raise client_error(code, message, question.operation)

    return refused


def _aws_silent(question: Question) -> Any:
    question.process.sleep(10.0)
    raise AwsReadTimeoutError(endpoint_url="https://elasticloadbalancing.eu-west-1.amazonaws.com/")


def _aws_empty(question: Question) -> Any:
    told = question.plainly()
    return dict.fromkeys(told, ())


def _aws_state(state: str, reason: str) -> Fault:
    """Every target that is asked for is said to be in a state in which it is not."""

    def told(question: Question) -> Any:
        answer = question.plainly()
        health = {"State": state, "Reason": reason, "Description": ""}
        found = answer["TargetHealthDescriptions"]
        return {"TargetHealthDescriptions": [{**its, "TargetHealth": health} for its in found]}

    return told


_AWS_ANY: Mapping[str, Fault] = {
    "throttled": _aws("Throttling", "Rate exceeded"),
    "expired": _aws("ExpiredToken", "The security token included in the request is expired"),
    "denied": _aws("AccessDenied", "User is not authorized to perform it"),
    "internal": _aws("InternalFailure", "We encountered an internal error."),
    "deleted": _aws("TargetGroupNotFound", "One or more target groups not found"),
    "silent": _aws_silent,
    "empty": _aws_empty,
}
_AWS_HEALTH: Mapping[str, Fault] = {
    "unavailable": _aws_state("unavailable", "Target.HealthCheckDisabled"),
    "flipped": _aws_state("unhealthy", "Target.FailedHealthChecks"),
    "draining": _aws_state("draining", "Target.DeregistrationInProgress"),
    "not-in-use": _aws_state("unused", "Target.NotInUse"),
    "unheard-of": _aws_state("optimistic", ""),
}


def aws_faults_of(question: Question) -> Mapping[str, Fault]:
    """Return what can befall a question to AWS."""
    return {**_AWS_ANY, **(_AWS_HEALTH if question.operation == "DescribeTargetHealth" else {})}


def _ends(told: Told) -> None:
    """The watch ends before it; what follows comes from where the next one begins."""
    told.stream.end()


def _stalls(told: Told) -> None:
    """Nothing comes any more, and nobody says so."""
    told.stream.is_silent = True


def _skipped(_: Told) -> None:
    """It never comes."""


def _repeated(told: Told) -> None:
    told.stream.put(told.event)
    told.stream.put(told.event)


def _reordered(told: Told) -> None:
    """It comes late, and all that follows of its kind, while other kinds go on."""
    told.stream.hold(REORDER_SECONDS, told.event)


def _expired(told: Told) -> None:
    told.stream.put({"type": "ERROR", "object": refusals.expired("too old resource version").status})
    told.stream.end()


def _garbled(told: Told) -> None:
    told.stream.put({"type": "MODIFIED", "object": {"kind": "Hello"}})


def _lies(told: Told) -> None:
    """It says that all is well with a pod, or with all that a slice lists: its gates are True, and it is ready."""
    subject = deepcopy(told.event["object"])
    for condition in subject.get("status", {}).get("conditions") or ():
        condition["status"] = "True"
    for endpoint in subject.get("endpoints") or ():
        endpoint["conditions"] |= {"ready": True, "serving": True}
    told.stream.put({**told.event, "object": subject})


_WATCH_FAULTS: Mapping[str, Callable[[Told], None]] = {
    "ends": _ends,
    "stalls": _stalls,
    "skips": _skipped,
    "repeats": _repeated,
    "reorders": _reordered,
    "expires": _expired,
    "garbles": _garbled,
}


def watch_faults_of(told: Told) -> Mapping[str, Callable[[Told], None]]:
    """Return what can befall an event."""
    return {**_WATCH_FAULTS, **({"lies": _lies} if told.kind in {"pods", "endpointslices"} else {})}
