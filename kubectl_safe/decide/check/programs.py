"""preStop hooks that run a program of the image: which ones, and what does the same without, or shows that it is there.

Nothing is known of the image here: what is found is no more than a note.
"""

import re
from collections.abc import Iterator

from kubectl_safe.decide.check.alike import Alike
from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.finding import Finding, Rule, Severity
from kubectl_safe.decide.check.remedies import in_pods, of_container, pausing
from kubectl_safe.model.container import Container, Hook
from kubectl_safe.model.script import BETWEEN_COMMANDS, commands_in, script_of

_BRANCHES = re.compile(r"\b(?:if|while|until|for|case)\b|[$`(){}]")
"""Where a script has one of these, its words don't tell which programs it runs."""
_PROGRAM = re.compile(r"(?:exec\s+)?([\w./-]+)")
_OF_THE_SHELL = frozenset({"cd", "echo", "exit", "export", "kill", "set", "test", "trap", "true", "wait", ":", "."})
_GET = re.compile(r"http://(?:localhost|127\.0\.0\.1)(?::(\d+))?(/[^\s'\"?]*)?")
_NO_GET = re.compile(r"\s(?:-X|-d|-F|-T|-I|--request|--data|--post|--method|--json|--head|--header|-H)")


def _of_script(script: str) -> list[str]:
    """Return the programs that a script runs, each once, as far as its words tell."""
    if _BRANCHES.search(script):
        return []
    found = (_PROGRAM.match(part) for part in commands_in(script))
    return list(dict.fromkeys(its[1] for its in found if its and its[1] not in _OF_THE_SHELL))


def _request(its: Alike, container: Container, hook: Hook) -> str:
    """Return the request by the kubelet that does the same; empty where the hook does anything else."""
    words = script_of(hook.command) or " ".join(hook.command)
    is_request = re.match(r"(?:/\S+/)?(?:curl|wget)\s", words) and not BETWEEN_COMMANDS.search(words)
    url = _GET.search(words)
    if not is_request or url is None or "?" in words or _NO_GET.search(words):
        return ""
    get = f"httpGet: {{port: {url[1] or 80}, path: '{url[2] or '/'}'}}"
    lines = in_pods(its.subject, *of_container(container.name, "lifecycle:", "  preStop:", f"    {get}"))
    return lines.replace(":\n", " (it is asked at the pod's own IP):\n", 1)


def _trial(its: Alike, container: Container, hook: Hook) -> str:
    """Return the command that shows whether the image has the programs."""
    run = f"kubectl exec {its.first.name} -n {its.first.namespace} -c {container.name} --"
    script = script_of(hook.command)
    if script is None:
        return f"{run} which {hook.command[0]}"
    programs = " && ".join(f"command -v {program}" for program in _of_script(script))
    quoted = f"'{programs}'" if programs else "true"
    return f"{run} {hook.command[0]} -c {quoted}"


def _remedy(its: Alike, container: Container, hook: Hook) -> str:
    if hook.is_pause and hook.duration is not None:
        return pausing(its, container.name, hook.duration)
    return _request(its, container, hook) or _trial(its, container, hook)


def _prestop_binary(facts: Facts) -> Iterator[Finding]:
    for its in facts.served:
        for container in its.first.containers:
            hook = container.pre_stop
            if hook is None or not hook.command:
                continue
            *others, last = dict.fromkeys([hook.command[0], *_of_script(script_of(hook.command) or "")])
            programs = f"{', '.join(others)} or {last}" if others else last
            yield Finding(
                code="prestop-needs-binary",
                subject=its.subject,
                fact=f"preStop hook of container {container.name} runs {' '.join(hook.command)}, which fails where its "
                f"image has no {programs}; {its}",
                remedy=_remedy(its, container, hook),
            )


RULES = (
    Rule(
        code="prestop-needs-binary",
        severity=Severity.NOTE,
        title="A preStop hook that needs a program of the image",
        why="Where the image lacks it, as small ones do, the hook fails and the container stops at once; nothing but "
        "an event tells. The sleep action and requests by the kubelet (httpGet) need no program. Source: "
        "kubernetes.io, Container Lifecycle Hooks.",
        find=_prestop_binary,
    ),
)
