"""The Job controller, as far as drains meet its pods, and the collector of pods whose node is gone."""

from collections.abc import Callable

from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.controllers.base import Controller, PodOwner, counts, new_pod
from kubectl_safe.sandbox.cluster.deletion import DeleteOptions, delete_if_there
from kubectl_safe.sandbox.cluster.objects import (
    Json,
    Key,
    condition,
    is_active,
    is_ready,
    is_terminating,
    key_of,
    phase,
    uid_of,
)
from kubectl_safe.sandbox.cluster.refusals import RefusalError
from kubectl_safe.sandbox.cluster.selectors import of_selector
from kubectl_safe.sandbox.cluster.store import Change

_UID = "batch.kubernetes.io/controller-uid"
_NAME = "batch.kubernetes.io/job-name"


class Jobs(PodOwner):
    """Runs the pods of Jobs until enough have succeeded."""

    watches = (kinds.JOBS, kinds.PODS)
    kind = kinds.JOBS

    def selector_of(self, owner: Json) -> Callable[[dict[str, str]], bool]:
        """Return what a Job selects: its own pods."""
        return of_selector(owner["spec"].get("selector") or {"matchLabels": {_UID: uid_of(owner)}})

    def sync(self, key: Key) -> None:
        """Create pods that are missing, then write the status."""
        job = self.model.find(self.kind, *key)
        if job is None or is_terminating(job):
            return
        if "selector" not in job["spec"]:
            selector = {"matchLabels": {_UID: uid_of(job)}}
            job = self.model.update(
                self.kind, *key, lambda before: {**before, "spec": {**before["spec"], "selector": selector}}
            )
        pods = self.claim(job, self.model.all(kinds.PODS, key[0]))
        succeeded = sum(phase(pod) == "Succeeded" for pod in pods)
        failed = sum(phase(pod) == "Failed" for pod in pods)
        active = [pod for pod in pods if is_active(pod)]
        is_over = condition(job, "Complete") is not None or condition(job, "Failed") is not None
        spec = job["spec"]
        wanted = min(spec["parallelism"], spec.get("completions", 1) - succeeded)
        if not is_over and failed <= spec["backoffLimit"] and not spec.get("suspend"):
            active += [self._create(job) for _ in range(wanted - len(active))]
        self._write_status(job, active, succeeded, failed)

    def _create(self, job: Json) -> Json:
        name = job["metadata"]["name"]
        further = {_UID: uid_of(job), _NAME: name, "controller-uid": uid_of(job), "job-name": name}
        pod = new_pod(job["spec"]["template"], job, further=further)
        return self.model.create(kinds.PODS, job["metadata"]["namespace"], pod)

    def _write_status(self, job: Json, active: list[Json], succeeded: int, failed: int) -> None:
        now = self.context.now
        before = job.get("status") or {}
        status: Json = {
            "startTime": before.get("startTime", now),
            **counts(active=len(active), succeeded=succeeded, failed=failed),
            "ready": sum(is_ready(pod) for pod in active),
        }
        conditions = before.get("conditions") or []
        if not conditions and succeeded >= job["spec"].get("completions", 1):
            conditions = [
                {"type": kind, "status": "True", "reason": "CompletionsReached", "lastTransitionTime": now}
                for kind in ("SuccessCriteriaMet", "Complete")
            ]
            status["completionTime"] = now
        elif not conditions and failed > job["spec"]["backoffLimit"]:
            conditions = [
                {"type": kind, "status": "True", "reason": "BackoffLimitExceeded", "lastTransitionTime": now}
                for kind in ("FailureTarget", "Failed")
            ]
        elif "completionTime" in before:
            status["completionTime"] = before["completionTime"]
        if conditions:
            status["conditions"] = conditions
        try:
            self.model.set_status(self.kind, job, status)
        except RefusalError as refusal:
            if refusal.code != 404:
                raise


class PodCollector(Controller):
    """Deletes pods that are bound to a node that is not there."""

    watches = (kinds.NODES, kinds.PODS)

    def changed(self, change: Change) -> None:
        """Enqueue the pods of a node that is gone."""
        if change.resource is kinds.NODES and change.type == "DELETED":
            for pod in self.model.all(kinds.PODS):
                if pod["spec"].get("nodeName") == change.object["metadata"]["name"]:
                    # The real one lets a node be away for 40 s.
                    self.queue.add_after(key_of(pod), 40.0)

    def sync(self, key: Key) -> None:
        """Delete one pod where its node is still missing."""
        pod = self.model.find(kinds.PODS, *key)
        if pod is not None and self.model.find(kinds.NODES, "", pod["spec"].get("nodeName", "")) is None:
            delete_if_there(self.model, kinds.PODS, pod, DeleteOptions(grace=0))
