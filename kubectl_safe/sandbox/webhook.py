"""The controller's mutating webhook: gives a pod its readiness gates as it is created.

It must not be asked twice about one pod: a gate is there from creation or never.
"""

import base64
import json
import ssl
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from kubectl_safe.sandbox import targetgroupbinding
from kubectl_safe.sandbox.controller import Controller
from kubectl_safe.sandbox.endpoints import has_gate

CONFIGURATION = "aws-load-balancer-webhook"
SERVICE = "aws-load-balancer-webhook-service"
NAMESPACE = "kube-system"
PATH = "/mutate-v1-pod"


class Webhook:
    """Serves admission reviews over HTTPS on 127.0.0.1; `is_failing` makes it answer 500 to all of them.

    Args:
        controller: whose caches tell which bindings and Services there are.
        certificate: the files of the server's certificate and key; without them it is asked in process only.
    """

    def __init__(self, controller: Controller, certificate: tuple[Path, Path] | None) -> None:
        self.is_failing = False
        self.reviews = 0
        self.url = ""
        self._controller = controller
        self._certificate = certificate
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        if self._certificate is None:
            return self
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*self._certificate)
        application = web.Application()
        application.router.add_post(PATH, self._review)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=tls).start()
        self.url = f"https://127.0.0.1:{self._runner.addresses[0][1]}{PATH}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def mutate(self, namespace: dict[str, Any], pod: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the JSON patch for a pod of a namespace: where it is asked in process, without a review over HTTPS."""
        if (namespace["metadata"].get("labels") or {}).get(targetgroupbinding.INJECT_LABEL) != "enabled":
            return []
        self.reviews += 1
        return [] if self.is_failing else self._patch(namespace["metadata"]["name"], pod)

    async def _review(self, request: web.Request) -> web.Response:
        self.reviews += 1
        if self.is_failing:
            return web.Response(status=500)
        asked = (await request.json())["request"]
        response: dict[str, Any] = {"uid": asked["uid"], "allowed": True}
        if patch := self._patch(asked["namespace"], asked["object"]):
            response |= {
                "patchType": "JSONPatch",
                "patch": base64.b64encode(json.dumps(patch).encode()).decode(),
            }
        return web.json_response({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response})

    def _patch(self, namespace: str, pod: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the JSON patch that adds the gates of all `ip` bindings whose Service selects the pod."""
        labels = (pod["metadata"].get("labels") or {}).items()
        gates = pod["spec"].get("readinessGates") or []
        for subject in self._controller.bindings.of(namespace):
            binding = targetgroupbinding.parse(subject)
            service = self._controller.services.objects.get((namespace, binding.service))
            selector: dict[str, str] = (service["spec"].get("selector") or {}) if service else {}
            selects = bool(selector) and selector.items() <= labels
            if binding.target_type == "ip" and selects and not has_gate(pod, binding.gate):
                gates = [*gates, {"conditionType": binding.gate}]
        if gates == (pod["spec"].get("readinessGates") or []):
            return []
        return [{"op": "add", "path": "/spec/readinessGates", "value": gates}]


def at_url(url: str, ca_file: Path) -> dict[str, Any]:
    """Return how the API server reaches it at an address."""
    return {"url": url, "caBundle": base64.b64encode(ca_file.read_bytes()).decode()}


def at_service() -> dict[str, Any]:
    """Return how the API server reaches it where the chart installed it."""
    return {"service": {"namespace": NAMESPACE, "name": SERVICE, "path": PATH}}


def served() -> dict[str, Any]:
    """Return the EndpointSlice of its Service where the controller has two replicas."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": f"{SERVICE}-1", "labels": {"kubernetes.io/service-name": SERVICE}},
        "addressType": "IPv4",
        # Addresses for documentation: the API server of the sandbox asks it in process.
        "endpoints": [{"addresses": [f"192.0.2.{n}"], "conditions": {"ready": True}} for n in (1, 2)],
        "ports": [{"name": "", "port": 9443, "protocol": "TCP"}],
    }


def configuration(client: dict[str, Any]) -> dict[str, Any]:
    """Return the MutatingWebhookConfiguration; as the chart installs it, pods start without gates while it is down.

    Args:
        client: how it is reached: `at_url` or `at_service`.
    """
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": CONFIGURATION},
        "webhooks": [
            {
                "name": "mpod.elbv2.k8s.aws",
                "admissionReviewVersions": ["v1"],
                "clientConfig": client,
                "failurePolicy": "Ignore",
                "matchPolicy": "Equivalent",
                "sideEffects": "None",
                "timeoutSeconds": 10,
                "namespaceSelector": {
                    "matchExpressions": [
                        {"key": targetgroupbinding.INJECT_LABEL, "operator": "In", "values": ["enabled"]}
                    ]
                },
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
            }
        ],
    }
