"""What can't be meant is refused in one line to stderr, with exit code 2, and nothing is begun."""

from pathlib import Path

import pytest

from kubectl_safe.cli.main import run
from kubectl_safe.decide.allow import ALLOWABLE
from kubectl_safe.model.errors import KubectlSafeError, UsageError
from tests.cli.conftest import CommandLine, EmptyCluster
from tests.support.api_server import write_kubeconfig

NAMES = ", ".join(map(repr, sorted(ALLOWABLE)))
REFUSED = [
    pytest.param(["drain"], "USAGE: drain NODE [NODE...] [flags]", id="no node"),
    pytest.param(["drain", "pod/web-1"], "expected resource of type node, got 'pod'", id="not a node"),
    pytest.param(["drain", "node/"], "must have a single resource and name: 'node/'", id="a node without a name"),
    pytest.param(["drain", "n", "--frobnicate"], "unknown flag: --frobnicate", id="an unknown flag"),
    pytest.param(["frobnicate"], 'unknown command "frobnicate" for "kubectl safe"', id="an unknown command"),
    pytest.param(["drian", "n"], 'unknown command "drian" for "kubectl safe"; did you mean drain?', id="a slip"),
    pytest.param(
        ["rollout", "restrat"],
        'unknown command "restrat" for "kubectl safe rollout"; did you mean restart or status?',
        id="a slip in a subcommand",
    ),
    pytest.param(["help", "drian"], 'unknown command "drian" for "kubectl safe"; did you mean drain?', id="no help"),
    pytest.param(
        ["rollout", "undo", "deploy/web"],
        'unknown command "undo" for "kubectl safe rollout"',
        id="an unknown subcommand",
    ),
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
    pytest.param(["drain", "n", "--max-draining", "0"], "'0' is not a number of pods", id="no pod may drain"),
    pytest.param(
        ["drain", "n", "--grace-period", "soon"], "'soon' is not a whole number", id="a grace period of words"
    ),
    pytest.param(
        ["drain", "n", "--dry-run=maybe"],
        'Invalid dry-run value (maybe). Must be "none", "server", or "client".',
        id="a dry run",
    ),
    pytest.param(["drain", "n", "--context"], "flag needs an argument: --context", id="a flag without its value"),
    pytest.param(
        ["drain", "n", "--pod-selector", "a=b="],
        "--pod-selector=<pod_selector> must be a valid label selector: unable to parse requirement 'a=b='",
        id="a bad selector",
    ),
    pytest.param(["drain", "n", "--pod-selector", "a>b"], "unable to parse requirement 'a>b'", id="more than a word"),
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
        f"'everything' is not one of {NAMES}",
        id="an unknown name to allow",
    ),
    pytest.param(
        ["drain", "n", "--allow", ""],
        f"'' is not one of {NAMES}",
        id="no name to allow",
    ),
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
    pytest.param(
        ["rollout", "restart", "deployment/web", "sts/db"],
        "restart one type after the other: name deployments, statefulsets or daemonsets",
        id="two kinds",
    ),
    pytest.param(["rollout", "restart", "deployment"], "name the workloads, or choose them by", id="a kind alone"),
    pytest.param(["rollout", "restart", "deploy", "-l", ""], "name the workloads, or choose", id="an empty selector"),
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
    pytest.param(["rollout", "restart", "/web"], "must have a single resource and name: '/web'", id="no kind"),
    pytest.param(["rollout", "restart", ""], 'the server doesn\'t have a resource type ""', id="an empty kind"),
    pytest.param(["rollout", "restart", "deploy", ""], "resource name may not be empty", id="an empty name"),
    pytest.param(
        ["rollout", "restart", "deploy", ".."], """invalid resource name "..": [may not be '..']""", id="dots"
    ),
    pytest.param(["drain", "a%2fb"], """invalid resource name "a%2fb": [may not contain '%']""", id="a percent sign"),
    pytest.param(["drain", ""], "resource name may not be empty", id="an empty node"),
    pytest.param(["drain", "n", ""], "resource name may not be empty", id="an empty node behind another"),
    pytest.param(["drain", "/n"], "must have a single resource and name: '/n'", id="a node of no kind"),
    pytest.param(["drain", "a/b/c"], "may not have more than one slash: 'a/b/c'", id="a node with two slashes"),
    pytest.param(
        ["drain", "n", "-l", "a=b"], "cannot specify both a node name and a --selector option", id="nodes in two ways"
    ),
    pytest.param(["drain", "-l", ""], "USAGE: drain NODE [NODE...] [flags]", id="a selector of no node"),
    pytest.param(["drain", "-l", " "], "USAGE: drain NODE [NODE...] [flags]", id="a selector of blanks"),
    pytest.param(["drain", "n", "-n", "a/b"], """invalid namespace "a/b": [may not contain '/']""", id="a slash in it"),
    pytest.param(["drain", "n", "-n=.."], """invalid namespace "..": [may not be '..']""", id="the namespace above"),
    pytest.param(
        ["drain", "n", "-n", "a?watch=true"], 'invalid namespace "a?watch=true": [must be', id="a query in it"
    ),
    pytest.param(["drain", "n", "-n", "A_B"], 'invalid namespace "A_B": [must be', id="no name of a namespace"),
    pytest.param(["drain", "n", "-n", "a" * 64], "[must be at most 63", id="a namespace too long to be one"),
    pytest.param(["rollout", "restart", "deploy/a/b"], "may not have more than one slash", id="two slashes"),
]


@pytest.mark.parametrize(("arguments", "why"), REFUSED)
def test_bad_input_is_refused_in_words_and_nothing_is_begun(safe: CommandLine, arguments: list[str], why: str) -> None:
    ended = safe(*arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("error: ")
    assert why in ended.err
    assert safe.requests == []


DURATIONS = ["nan", "inf", "1e99s", "0x10s", "-1", "-1s", "--5s", "1", "s", "1d", "5 s", "2562048h", "9" * 400 + "ms"]
COUNTS = [
    "nan",
    "inf",
    "1e9",
    "0x10",
    "-1",
    "+1",
    "1.0",
    "1_0",
    "",
    " 1",
    "9" * 10,
    "%",
    "-5%",
    "1.5%",
    "%5",
    "9999999999%",
]
NUMBERS = ["nan", "1e9", "0x10", "1.0", "1_0", "", " 1", "+1", "2147483648", "-2147483648", "9" * 20, "\u0663", "1%"]

BY_FLAG = {
    "--timeout": DURATIONS,
    "--settle": DURATIONS,
    "--max-surge": COUNTS,
    "--max-unavailable": [*COUNTS, "101%", "999999999%"],
    "--max-draining": [*COUNTS, "0", "5%"],
    "--chunk-size": NUMBERS,
    "--grace-period": NUMBERS,
    "--skip-wait-for-delete-timeout": NUMBERS,
    "-v": [*NUMBERS, "-1", "11", "99", "06"],
}


@pytest.mark.parametrize(("flag", "value"), [(flag, value) for flag, values in BY_FLAG.items() for value in values])
def test_a_number_that_is_none_is_refused_by_every_flag(safe: CommandLine, flag: str, value: str) -> None:
    ended = safe("drain", "n", flag, value)
    assert (ended.code, ended.out, safe.requests) == (2, "", [])
    first, help_line = ended.err.splitlines()
    names = "-v, --v" if flag == "-v" else flag
    assert first.startswith(f'error: invalid argument for "{names}" flag: {value!r} ')
    assert help_line == "See 'kubectl safe drain --help' for usage."


LARGE = [
    ("--timeout", "2562047h"),
    ("--settle", "2562047h"),
    ("--max-surge", "999999999"),
    ("--max-surge", "999999999%"),
    ("--max-unavailable", "999999999"),
    ("--max-unavailable", "100%"),
    ("--max-draining", "999999999"),
    ("--grace-period", "2147483647"),
    ("--grace-period", "-2147483647"),
]


@pytest.mark.parametrize(("flag", "value"), LARGE)
def test_a_number_that_is_only_large_ends_no_run_by_itself(empty_cluster: EmptyCluster, flag: str, value: str) -> None:
    ended = empty_cluster("drain", "node-1", flag, value)
    assert (ended.code, ended.err) == (1, 'Error from server (NotFound): nodes "node-1" not found\n')


ABSENT = [
    pytest.param(["drain", "node-1"], 'nodes "node-1" not found', id="a node"),
    pytest.param(["drain", "node/node-1"], 'nodes "node-1" not found', id="a node with its kind"),
    pytest.param(["drain", "n", "--dry-run"], 'nodes "n" not found', id="a node, in a dry run"),
    pytest.param(["rollout", "restart", "deploy/web"], 'deployments.apps "web" not found', id="a deployment"),
    pytest.param(
        ["rollout", "restart", "deploy/web", "-n", "no"], 'deployments.apps "web" not found', id="a namespace"
    ),
]


@pytest.mark.parametrize(("arguments", "why"), ABSENT)
def test_what_does_not_exist_is_named_in_kubectls_words(
    empty_cluster: EmptyCluster, arguments: list[str], why: str
) -> None:
    ended = empty_cluster(*arguments)
    assert (ended.code, ended.out, ended.err) == (1, "", f"Error from server (NotFound): {why}\n")
    assert empty_cluster.writes == []


def test_every_deployment_that_does_not_exist_is_named(empty_cluster: EmptyCluster) -> None:
    ended = empty_cluster("rollout", "restart", "deploy", "a", "b")
    assert ended.err == "".join(
        f'Error from server (NotFound): deployments.apps "{name}" not found\n' for name in ("a", "b")
    )


def test_a_context_that_does_not_exist_is_named_in_kubectls_words(empty_cluster: EmptyCluster) -> None:
    assert empty_cluster("drain", "n", "--context", "no").err == 'error: context "no" does not exist\n'


def test_a_selector_that_finds_nothing_is_no_error_as_with_kubectl(empty_cluster: EmptyCluster) -> None:
    ended = empty_cluster("rollout", "restart", "deploy", "-l", "a=b", "-n", "shop")
    assert (ended.code, ended.out, ended.err) == (0, "", "No resources found in shop namespace.\n")
    assert empty_cluster.writes == []


def test_every_list_of_a_drain_comes_in_chunks(empty_cluster: EmptyCluster) -> None:
    empty_cluster("drain", "node-1", "--chunk-size=7")
    lists = [its for its in empty_cluster.server.asked if its.method == "GET" and "resourceVersion" not in its.query]
    listed = [its.query.get("limit") for its in lists if its.path != "/apis"]
    assert len(listed) > 5
    assert set(listed) == {"7"}


@pytest.mark.parametrize("flags", [[], ["--dry-run=client"], ["-o", "json"]], ids=["run", "dry run", "json"])
def test_a_selector_that_chooses_no_node_is_no_error_as_with_kubectl(
    empty_cluster: EmptyCluster, flags: list[str]
) -> None:
    ended = empty_cluster("drain", "-l", "pool in (old,older)", *flags)
    assert (ended.code, ended.err) == (0, "No resources found\n")
    assert [(asked.path, asked.query["labelSelector"]) for asked in empty_cluster.server.asked] == [
        ("/api/v1/nodes", "pool in (old,older)")
    ]


def test_a_namespace_of_the_kubeconfig_gets_into_no_path_unseen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kubeconfig = write_kubeconfig(tmp_path, "http://127.0.0.1:1", namespace="../kube-system")
    assert run(["rollout", "restart", "deploy/web", "--kubeconfig", kubeconfig]) == 2
    assert capsys.readouterr().err == """error: invalid namespace "../kube-system": [may not contain '/']\n"""


OTHER_KINDS = ["job/batch", "pod/web-1", "rs/web", "rollouts.argoproj.io/web"]


@pytest.mark.parametrize("resource", OTHER_KINDS)
def test_another_kind_is_refused_by_name(safe: CommandLine, resource: str) -> None:
    kind = resource.partition("/")[0]
    for arguments in ([resource], [kind, "name"]):
        ended = safe("rollout", "restart", *arguments)
        assert ended.code == 1
        assert ended.err == (
            f"error: '{kind}' can't be restarted safely: name a deployment, a statefulset or a daemonset\n"
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
