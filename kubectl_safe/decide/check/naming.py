"""What findings call objects, and the commands that remedies give for them."""

from collections.abc import Iterable, Mapping

from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.refused import RESTARTABLE
from kubectl_safe.decide.check.subject import Subject, of_workload
from kubectl_safe.decide.settings import go_duration
from kubectl_safe.model.pod import Pod

_SHOWN = 3


def subject_of(pod: Pod, facts: Facts) -> Subject:
    """Return the workload of a pod, by which its fault is remedied; the pod itself where it has none that is known."""
    workload = facts.snapshot.workload_of(pod)
    return of_workload(workload) if workload else Subject(kind="pod", name=pod.name, namespace=pod.namespace)


def by_subject(pods: Iterable[Pod], facts: Facts) -> Mapping[Subject, list[Pod]]:
    """Return pods by what findings about them are told of, each list by name."""
    found: dict[Subject, list[Pod]] = {}
    for pod in sorted(pods, key=lambda pod: (pod.namespace, pod.name)):
        found.setdefault(subject_of(pod, facts), []).append(pod)
    return found


def named(pods: Iterable[Pod]) -> str:
    """Return the names of pods, of many only the first: `web-1, web-2, web-3 and 4 more`."""
    names = [pod.name for pod in pods]
    rest = len(names) - _SHOWN
    return f"{', '.join(names[:_SHOWN])} and {rest} more" if rest > 0 else ", ".join(names)


def counted(number: int, word: str) -> str:
    """Return a number of things: `1 pod`, `3 pods`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def anew(subject: Subject) -> str:
    """Return the command that makes the pods of a subject anew."""
    kind = subject.kind.partition(".")[0]
    if kind in {known.lower() for known in RESTARTABLE}:
        return f"kubectl safe rollout restart {kind}/{subject.name} -n {subject.namespace}"
    return f"kubectl delete {kind} {subject.name} -n {subject.namespace}  # what owns it has to create it anew"


def ago(facts: Facts, pod: Pod, condition: str) -> str:
    """Return for how long a condition of a pod is as it is, as `for 5m`; empty where that isn't told."""
    known = pod.conditions.get(condition)
    if known is None or known.since is None or known.since > facts.snapshot.at:
        return ""
    return f"for {go_duration(facts.snapshot.at - known.since)}"
