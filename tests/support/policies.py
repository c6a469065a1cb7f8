"""Admission policies and webhooks of a namespace, which are in force while a context lasts.

The API server takes note of one some time after it was created or deleted: what tells is a dry run that it refuses.
"""

import base64
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import aiohttp
from aiohttp import web

from kubectl_safe.sandbox.api import ApiError
from tests.support.loop import eventually
from tests.support.scene import Scene
from tests.support.stage import Stage

GROUP = "/apis/admissionregistration.k8s.io/v1"
PODS = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["UPDATE"]}
EVICTIONS = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods/eviction"], "operations": ["CREATE"]}
LABELS_ARE_KEPT = "pods keep their labels here: ask the platform team"
NO_EVICTIONS = "no evictions during the sale: ask the shop team"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy with its binding to one namespace, or a webhook's configuration; plural resource names by kind."""

    objects: tuple[tuple[str, dict[str, Any]], ...]
    tries: Callable[[Scene], tuple[str, str, Any]]
    """A write that shows whether it is in force: method, path and body."""
    shows: Callable[[dict[str, Any] | ApiError], bool]
    """Tells by the answer to that whether it is."""
    is_of_old: bool = False
    """Whether it is as older API versions took it, and is stored still: it is put into etcd."""


def that_denies_label_removal(namespace: str) -> Policy:
    """Return a ValidatingAdmissionPolicy under which no pod loses a label."""
    kept = "has(object.metadata.labels) && oldObject.metadata.labels.all(key, key in object.metadata.labels)"
    return Policy(
        objects=_validating("labels-are-kept", namespace, PODS, kept, LABELS_ARE_KEPT),
        tries=_label_removal,
        shows=lambda answer: LABELS_ARE_KEPT in str(answer),
    )


def that_puts_labels_back(namespace: str) -> Policy:
    """Return a MutatingAdmissionPolicy that gives a pod its hash back when that is taken off."""
    lost = "'pod-template-hash' in oldObject.metadata.labels && !('pod-template-hash' in object.metadata.labels)"
    back = (
        'Object{metadata: Object.metadata{labels: {"pod-template-hash": '
        'oldObject.metadata.labels["pod-template-hash"]}}}'
    )
    spec = {
        "matchConstraints": {"resourceRules": [PODS]},
        "matchConditions": [{"name": "lost", "expression": lost}],
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": back}}],
    }
    return Policy(
        objects=_bound("mutating", "labels-come-back", namespace, spec, {}),
        tries=_label_removal,
        shows=lambda answer: isinstance(answer, dict) and "pod-template-hash" in answer["metadata"]["labels"],
    )


def that_denies_evictions(namespace: str, of: str) -> Policy:
    """Return a ValidatingAdmissionPolicy under which no pod whose name begins so is evicted."""
    others = f"!request.name.startsWith('{of}-')"
    return Policy(
        objects=_validating("no-evictions", namespace, EVICTIONS, others, NO_EVICTIONS),
        tries=_eviction,
        shows=lambda answer: NO_EVICTIONS in str(answer),
    )


def that_knows_no_dry_run(
    namespace: str, rule: dict[str, Any], *, hook: "Hook", ca_file: Path, side_effects: str
) -> Policy:
    """Return a validating webhook that allows everything, and may have side effects.

    `admissionregistration.k8s.io/v1` takes none such any more; those that v1beta1 took are called for ever.
    """
    configuration = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "no-dry-run", "uid": str(uuid4()), "creationTimestamp": "2020-02-02T02:02:02Z"},
        "webhooks": [
            {
                "name": "audit.example.com",
                "admissionReviewVersions": ["v1"],
                "clientConfig": {"url": hook.url, "caBundle": base64.b64encode(ca_file.read_bytes()).decode()},
                "failurePolicy": "Fail",
                "matchPolicy": "Equivalent",
                "sideEffects": side_effects,
                "timeoutSeconds": 5,
                "objectSelector": {},
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "rules": [{**rule, "scope": "*"}],
            }
        ],
    }
    return Policy(
        objects=(("validatingwebhookconfigurations", configuration),),
        tries=_label_removal if rule is PODS else _eviction,
        shows=lambda answer: "does not support dry run" in str(answer),
        is_of_old=True,
    )


@contextmanager
def in_force(policy: Policy, scene: Scene) -> Iterator[Callable[[], None]]:
    """Have a policy until the end, or until what this yields is called; both ends are waited for."""
    stage, is_there = scene.stage, False

    def begin() -> None:
        nonlocal is_there
        for kind, body in policy.objects:
            put = _put_into_etcd(stage, kind, body) if policy.is_of_old else stage.rig.api.create(_path_of(kind), body)
            stage.loop.call(put)
        is_there = True
        _await(policy, scene, is_in_force=True)

    def end() -> None:
        nonlocal is_there
        if is_there:
            is_there = False
            for kind, body in policy.objects:
                stage.loop.call(stage.rig.api.delete(f"{_path_of(kind)}/{body['metadata']['name']}"))
            _await(policy, scene, is_in_force=False)

    begin()
    try:
        yield end
    finally:
        end()


@contextmanager
def a_webhook_without_dry_runs(scene: Scene, rule: dict[str, Any], *, side_effects: str) -> Iterator["Hook"]:
    """Have a webhook that is called for what a rule says, and that knows no dry run."""
    control_plane = scene.stage.rig.control_plane
    with scene.stage.loop.entered(Hook(control_plane.issue_certificate("audit"))) as hook:
        policy = that_knows_no_dry_run(
            scene.namespace, rule, hook=hook, ca_file=control_plane.ca_file, side_effects=side_effects
        )
        with in_force(policy, scene):
            yield hook


class Hook:
    """A validating webhook on loopback that allows everything, and counts."""

    def __init__(self, certificate: tuple[Path, Path]) -> None:
        self.url = ""
        self.reviews = 0
        self._certificate = certificate
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*self._certificate)
        application = web.Application()
        application.router.add_post("/review", self._review)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=tls).start()
        self.url = f"https://127.0.0.1:{self._runner.addresses[0][1]}/review"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _review(self, request: web.Request) -> web.Response:
        self.reviews += 1
        asked = json.loads(await request.text())["request"]
        answer = {"uid": asked["uid"], "allowed": True}
        return web.json_response({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer})


async def _put_into_etcd(stage: Stage, kind: str, body: dict[str, Any]) -> None:
    """Store an object as it is, without asking whether the API server would take it now."""
    argument = next(a for a in stage.rig.control_plane._api_server if a.startswith("--etcd-servers="))
    key, value = f"/registry/{kind}/{body['metadata']['name']}", json.dumps(body)
    pair = {"key": base64.b64encode(key.encode()).decode(), "value": base64.b64encode(value.encode()).decode()}
    url = f"{argument.partition('=')[2]}/v3/kv/put"
    async with aiohttp.ClientSession() as session, session.post(url, json=pair) as answer:
        answer.raise_for_status()


def _path_of(kind: str) -> str:
    return f"{GROUP}/{kind}"


def _validating(
    name: str, namespace: str, rule: dict[str, Any], expression: str, message: str
) -> tuple[tuple[str, dict[str, Any]], ...]:
    spec = {
        "matchConstraints": {"resourceRules": [rule]},
        "failurePolicy": "Fail",
        "validations": [{"expression": expression, "message": message}],
    }
    return _bound("validating", name, namespace, spec, {"validationActions": ["Deny"]})


def _bound(
    kind: str, name: str, namespace: str, spec: dict[str, Any], binding: dict[str, Any]
) -> tuple[tuple[str, dict[str, Any]], ...]:
    of = f"{kind.capitalize()}AdmissionPolicy"
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": name}}
    here = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    return (
        (f"{kind}admissionpolicies", {**head, "kind": of, "spec": spec}),
        (
            f"{kind}admissionpolicybindings",
            {**head, "kind": f"{of}Binding", "spec": {"policyName": name, "matchResources": here, **binding}},
        ),
    )


def _label_removal(scene: Scene) -> tuple[str, str, Any]:
    return "PATCH", _path(scene), {"metadata": {"labels": {"pod-template-hash": None}}}


def _eviction(scene: Scene) -> tuple[str, str, Any]:
    name = _path(scene).rpartition("/")[2]
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": scene.namespace}}
    return "POST", f"{_path(scene)}/eviction", body


def _path(scene: Scene) -> str:
    """Return the path of a pod of the application that has all its labels."""
    name = next(
        pod["metadata"]["name"]
        for pod in scene.pods
        if pod["metadata"]["labels"].get("app") == scene.name and "pod-template-hash" in pod["metadata"]["labels"]
    )
    return f"/api/v1/namespaces/{scene.namespace}/pods/{name}"


def _await(policy: Policy, scene: Scene, *, is_in_force: bool) -> None:
    api = scene.stage.rig.api

    async def is_so() -> bool:
        method, path, body = policy.tries(scene)
        answer: dict[str, Any] | ApiError
        try:
            call = api.patch if method == "PATCH" else api.create
            answer = await call(path, body, dryRun="All")
        except ApiError as error:
            answer = error
        return policy.shows(answer) is is_in_force

    what = f"{policy.objects[0][1]['metadata']['name']} {'in' if is_in_force else 'out of'} force"
    scene.stage.loop.call(eventually(is_so, seconds=60, every=0.1, what=what))
