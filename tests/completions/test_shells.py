"""TAB in bash, zsh and fish: after `kubectl safe` by way of kubectl's own completion, after `kubectl-safe` by ours."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.completions.conftest import CONTEXT
from tests.support.api_server import write_kubeconfig
from tests.support.figures import Figures
from tests.support.shells import Completed, Shell

pytestmark = pytest.mark.controlplane

_BEEPS_AND_STEPS_BACK = re.compile(".\b|\x07")
TRIES = 10
"""A look-up that takes too long gives nothing, and machines that run tests are busy: one presses TAB again."""


@pytest.fixture(params=["kubectl safe", "kubectl-safe"])
def program(request: pytest.FixtureRequest) -> str:
    """How we are called."""
    return str(request.param)


def test_kubectl_completes_our_name(shell: Shell) -> None:
    assert shell.complete("kubectl saf").line == "kubectl safe "


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("dr", "drain "),
        ("rollout res", "rollout restart "),
        ("drain node-a --ignore-d", "drain node-a --ignore-daemonsets "),
        ("drain --dry-run=cl", "drain --dry-run=client "),
        ("check -o sa", "check -o sarif "),
        ("drain --allow sel", "drain --allow selectorless-service "),
        ("check --explain gates-n", "check --explain gates-not-injected "),
        ("rbac --for unc", "rbac --for uncordon "),
        ("abort dep", "abort deployment/"),
        ("rollout restart dep", "rollout restart deployment "),
        ("bogus ", "bogus "),
        ("drain --settle ", "drain --settle "),
    ],
)
def test_what_needs_no_cluster_is_completed(shell: Shell, program: str, typed: str, completed: str) -> None:
    assert shell.complete(f"{program} {typed}").line == f"{program} {completed}"


def test_a_list_of_values_goes_on_after_a_comma(shell: Shell, program: str) -> None:
    typed = f"{program} drain --allow mesh,dow"
    # kubectl's script for bash completes no word with a comma: it compares it with one that is escaped.
    completes = (shell.name, program) != ("bash", "kubectl safe")
    assert shell.complete(typed).line == (f"{typed}ntime " if completes else typed)


def test_a_quoted_word_is_one_word(shell: Shell, program: str) -> None:
    typed = f"{program} drain -l 'pool in (a, b)' --ignore-d"
    # kubectl's script for fish loses the quotes, and completes nothing then.
    completes = (shell.name, program) != ("fish", "kubectl safe")
    assert shell.complete(typed).line == (f"{typed}aemonsets " if completes else typed)


def test_what_candidates_mean_is_listed(shell: Shell, program: str) -> None:
    listed = shell.listed(f"{program} rollout ")
    assert "Restart workloads without losing a request" in listed
    assert "Show the status of a rollout" in listed


@pytest.mark.parametrize("flag", ["--kubeconfig ", "--kubeconfig=", "--report "], ids=str.strip)
def test_files_are_completed_by_the_shell(shell: Shell, program: str, flag: str, environment: dict[str, str]) -> None:
    (Path(environment["HOME"]) / "of-another-cluster").touch()
    typed = f"{program} drain {flag}"
    assert shell.complete(f"{typed}of-ano").line == f"{typed}of-another-cluster "


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("drain node-a --force n", "drain node-a --force node-b "),
        ("rollout restart -n shop deployment/", "rollout restart -n shop deployment/web "),
        ("rollout restart -n shop statefulset ", "rollout restart -n shop statefulset db "),
        ("status -n shop ds/", "status -n shop ds/ingress "),
        ("drain -n sh", "drain -n shop "),
        ("rbac --namespace=sh", "rbac --namespace=shop "),
        ("drain --context arn:aws:eks:eu", f"drain --context {CONTEXT} "),
        ("drain --context=arn", f"drain --context={CONTEXT} "),
        (f"drain --context {CONTEXT} node-a n", f"drain --context {CONTEXT} node-a node-b "),
    ],
)
def test_what_is_in_a_cluster_is_completed(shell: Shell, program: str, typed: str, completed: str) -> None:
    lines = [""]
    while lines[-1] != f"{program} {completed}" and len(lines) <= TRIES:
        lines.append(shell.complete(f"{program} {typed}").line)
    assert lines[-1] == f"{program} {completed}"


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[str]:
    """The kubeconfig of an API server that takes connections, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield write_kubeconfig(tmp_path, f"https://127.0.0.1:{server.getsockname()[1]}")


def test_a_server_that_never_answers_is_soon_gone_without(
    shell: Shell, program: str, silent: str, figures: Figures
) -> None:
    typed = f"{program} drain --kubeconfig {silent} node"
    pressed = shell.complete(typed)
    figures.add(f"TAB in {shell.name} after {program} drain, the API server silent", f"{pressed.seconds:.2f} s")
    # It gives up after a second and a quarter, on a machine that other tests keep busy.
    assert pressed.seconds < 10
    assert (pressed.line, _noise(pressed, typed)) == (typed, "")


@pytest.mark.parametrize("kubeconfig_text", [None, "{"], ids=["no kubeconfig", "one that is no YAML"])
def test_without_a_cluster_nothing_is_completed_and_nothing_is_told(
    shell: Shell, program: str, tmp_path: Path, kubeconfig_text: str | None
) -> None:
    file = tmp_path / "kubeconfig"
    if kubeconfig_text is not None:
        file.write_text(kubeconfig_text)
    for rest in ("drain {} node", "rollout restart -n shop {} deployment/w", "drain {} -n sh", "drain {} --context ar"):
        typed = f"{program} {rest.format(f'--kubeconfig {file}')}"
        pressed = shell.complete(typed)
        assert (pressed.line, _noise(pressed, typed)) == (typed, "")


def _noise(pressed: Completed, typed: str) -> str:
    """Return what was to be read beside the prompt and the line, which shells draw in parts as often as they like."""
    return " ".join(
        word for word in _BEEPS_AND_STEPS_BACK.sub("", pressed.shown).split() if word not in f"ready> {typed}"
    )
