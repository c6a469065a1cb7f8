"""What can't be meant is refused in one line to stderr, with exit code 2, and nothing is begun."""

import pytest

from kubectl_safe.model.errors import KubectlSafeError, UsageError
from tests.cli.conftest import CommandLine

REFUSED = [
    pytest.param(["drain"], "USAGE: drain NODE [NODE...] [flags]", id="no node"),
    pytest.param(["drain", "pod/web-1"], "expected resource of type node, got 'pod'", id="not a node"),
    pytest.param(["drain", "node/"], "'node/' names no node", id="a node without a name"),
    pytest.param(["drain", "n", "--frobnicate"], "unknown flag: --frobnicate", id="an unknown flag"),
    pytest.param(["frobnicate"], "unknown command 'frobnicate'", id="an unknown command"),
    pytest.param(["rollout", "undo", "deploy/web"], "unknown command 'undo'", id="an unknown subcommand"),
    pytest.param(["drain", "n", "--settle", "15"], "'15' is not a duration: give a number with a unit", id="no unit"),
    pytest.param(["drain", "n", "--settle", "-5s"], "'-5s' is not a duration", id="a negative duration"),
    pytest.param(["drain", "n", "--timeout", "5x"], "'5x' is not a duration", id="an unknown unit"),
    pytest.param(["drain", "n", "--timeout", "1h 5m"], "'1h 5m' is not a duration", id="a duration with a space"),
    pytest.param(["drain", "n", "--timeout", ""], "'' is not a duration", id="an empty duration"),
    pytest.param(["drain", "n", "--timeout", f"{'9' * 20}h"], "is longer than any run", id="an endless duration"),
    pytest.param(["drain", "n", "--max-surge", "-1"], "'-1' is neither a number", id="a negative number"),
    pytest.param(["drain", "n", "--max-surge", "1.5"], "'1.5' is neither a number", id="half a pod"),
    pytest.param(["drain", "n", "--max-unavailable", "25 %"], "'25 %' is neither a number", id="a space"),
    pytest.param(["drain", "n", "--max-unavailable", "٣"], "'٣' is neither a number", id="digits of another script"),
    pytest.param(["drain", "n", "--max-draining", "0"], "0 is not in the range x>=1", id="no pod may drain"),
    pytest.param(["drain", "n", "--grace-period", "soon"], "'soon' is not a valid int", id="a grace period of words"),
    pytest.param(["drain", "n", "--dry-run=maybe"], "'maybe' is not one of 'none', 'client', 'server'", id="a dry run"),
    pytest.param(["drain", "n", "--context"], "Option '--context' requires an argument", id="a flag without its value"),
    pytest.param(["drain", "n", "--pod-selector", "a=b="], "unable to parse requirement 'a=b='", id="a bad selector"),
    pytest.param(["drain", "n", "--pod-selector", "a>1"], "unable to parse requirement 'a>1'", id="a comparison"),
    pytest.param(["drain", "n", "--pod-selector", "a in (b"], "unable to parse requirement", id="an open bracket"),
    pytest.param(["drain", "n", "--pod-selector", "a,"], "unable to parse requirement ''", id="an open end"),
    pytest.param(
        ["drain", "n", "--max-surge", "0", "--max-unavailable", "0"],
        "--max-surge 0 and --max-unavailable 0 together let no pod move",
        id="nothing could ever move",
    ),
    pytest.param(
        ["rollout", "restart", "deploy/web", "--max-surge=0%", "--max-unavailable=00"],
        "--max-surge 0 and --max-unavailable 0 together let no pod move",
        id="nothing could ever move, in percent",
    ),
    pytest.param(
        ["drain", "n", "--allow", "unseen-targets,everything"],
        "'everything' is not one of 'unseen-targets'",
        id="an unknown name to allow",
    ),
    pytest.param(["drain", "n", "--allow", ""], "'' is not one of 'unseen-targets'", id="no name to allow"),
    pytest.param(
        ["drain", "n", "--allow", "unseen-targets"],
        "--allow unseen-targets needs --drain-wait: nobody tells when a target that can't be asked has drained",
        id="nothing tells when unseen targets have drained",
    ),
    pytest.param(
        ["rollout", "restart", "deploy/web", "--drain-wait", "5m"],
        "--drain-wait needs --allow unseen-targets: target groups that can be asked tell when",
        id="a wait that nothing needs",
    ),
    pytest.param(["rollout", "restart"], "required resource not specified", id="no resource"),
    pytest.param(["rollout", "restart", "deployment"], "name the deployments, or choose them by", id="a kind alone"),
    pytest.param(["rollout", "restart", "deploy", "-l", ""], "name the deployments, or choose", id="an empty selector"),
    pytest.param(["rollout", "restart", "deploy/web", "-l", "a=b"], "name cannot be provided when", id="both"),
    pytest.param(
        ["rollout", "restart", "deploy", "web", "-l", "a"],
        "name cannot be provided when a selector is",
        id="both, apart",
    ),
    pytest.param(["rollout", "restart", "deploy/web", "api"], "there is no need to specify", id="mixed forms"),
    pytest.param(
        ["rollout", "restart", "deploy", "deploy/web"],
        "there is no need to specify a resource type",
        id="mixed forms, too",
    ),
    pytest.param(["rollout", "restart", "deploy/"], "must have a single resource and name: 'deploy/'", id="no name"),
    pytest.param(["rollout", "restart", "deploy/a/b"], "must have a single resource and name", id="two slashes"),
]


@pytest.mark.parametrize(("arguments", "why"), REFUSED)
def test_bad_input_is_refused_in_words_and_nothing_is_begun(safe: CommandLine, arguments: list[str], why: str) -> None:
    ended = safe(*arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("error: ")
    assert why in ended.err
    assert safe.requests == []


OTHER_KINDS = ["statefulset/db", "daemonset/agent", "ds/agent", "pod/web-1", "rs/web", "rollouts.argoproj.io/web"]


@pytest.mark.parametrize("resource", OTHER_KINDS)
def test_another_kind_is_refused_by_name(safe: CommandLine, resource: str) -> None:
    kind = resource.partition("/")[0]
    for arguments in ([resource], [kind, "name"]):
        ended = safe("rollout", "restart", *arguments)
        assert ended.code == 1
        assert ended.err == (
            f"error: '{kind}' can't be restarted safely: only the pods of deployments can be handed over\n"
        )
    assert safe.requests == []


def test_an_unknown_flag_names_the_help_and_the_flag_that_may_be_meant(safe: CommandLine) -> None:
    assert safe("drain", "n", "--ignore-daemonset").err == (
        "error: unknown flag: --ignore-daemonset; did you mean --ignore-daemonsets?\n"
        "See 'kubectl safe drain --help' for usage.\n"
    )


@pytest.mark.parametrize(
    ("failure", "code", "told"),
    [
        pytest.param(None, 0, "", id="done"),
        pytest.param(KubectlSafeError("pod a is stuck"), 1, "error: pod a is stuck\n", id="failed"),
        pytest.param(KubectlSafeError("a\r\n\nb \n"), 1, "error: a\nb\n", id="lines of somebody else"),
        pytest.param(KubectlSafeError(""), 1, "error: unknown error\n", id="nothing said"),
        pytest.param(KubectlSafeError("token=hunter2"), 1, "error: token=<masked>\n", id="a credential"),
        pytest.param(UsageError("not that"), 2, "error: not that\n", id="usage"),
        pytest.param(KubectlSafeError("a\nb\x1b[2J"), 1, "error: a\nb\\x1b[2J\n", id="what a terminal would obey"),
    ],
)
def test_what_comes_of_a_run_is_an_exit_code_and_one_error(
    safe: CommandLine, failure: BaseException | None, code: int, told: str
) -> None:
    safe.failure = failure
    ended = safe("drain", "node-1")
    assert (ended.code, ended.out, ended.err) == (code, "", told)


def test_ctrl_c_ends_with_130_and_says_how_to_go_on(safe: CommandLine) -> None:
    safe.failure = KeyboardInterrupt()
    ended = safe("drain", "node-1")
    assert ended.code == 130
    assert ended.err.strip() == "interrupted: nothing that serves was harmed; run the same command again to go on"
