"""Help reads like kubectl's, and costs next to nothing."""

import re
import subprocess
import sys

import click
import pytest

from kubectl_safe import __version__
from kubectl_safe.cli.help import GROUPS, OWN
from kubectl_safe.cli.main import COMMANDS
from kubectl_safe.decide.allow import ALLOWABLE
from tests.cli.conftest import CommandLine
from tests.cli.test_connection import SPEAKING, command

HELPS = [
    ["--help"],
    ["-h"],
    ["demo", "--help"],
    ["drain", "--help"],
    ["rollout", "--help"],
    ["rollout", "restart", "-h"],
    ["rollout", "status", "-h"],
    ["abort", "-h"],
    ["uncordon", "-h"],
    ["check", "-h"],
    ["rbac", "-h"],
    ["status", "-h"],
]


EVERY = sorted({*COMMANDS, "rollout restart", "rollout status"} - {"rollout"})

TITLES = {
    *OWN.values(),
    *GROUPS,
    "Options",
    "Examples",
    "Usage",
    "Available Commands",
    "Names for --allow",
}


@pytest.mark.parametrize("arguments", HELPS, ids=" ".join)
def test_help_is_a_sentence_examples_flags_in_groups_and_the_usage(safe: CommandLine, arguments: list[str]) -> None:
    ended = safe(*arguments)
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].endswith(".")
    titles = [line.removesuffix(":") for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert titles[0] == "Examples"
    assert titles[-1] == "Usage"
    assert set(titles) <= TITLES
    assert len(titles) == len(set(titles))
    assert lines[lines.index("Usage:") + 1].startswith("  kubectl safe")
    assert max(len(line) for line in lines) <= 80


@pytest.mark.parametrize("name", EVERY)
def test_every_flag_is_in_one_group_with_a_sentence(safe: CommandLine, name: str) -> None:
    told = safe(*name.split(), "--help").out
    options = [param for param in command(name).params if isinstance(param, click.Option)]
    rows = re.findall(r"^  (-\S+)", told, re.MULTILINE)
    for option in options:
        assert option.help, option.name
        assert option.help.rstrip().endswith("."), option.name
        assert sum(row.rstrip(",") in option.opts for row in rows) == 1, option.name
    assert len(rows) == len(options) + 1


@pytest.mark.parametrize("name", SPEAKING)
def test_what_leads_to_a_cluster_comes_last(safe: CommandLine, name: str) -> None:
    told = safe(*name.split(), "--help").out
    connection = told.index("\nConnection:\n")
    for flag in ("--context NAME", "--as-group NAME", "--token TOKEN"):
        assert told.index(f" {flag} ") > connection
    assert told.index("\nUsage:\n") > connection
    assert told.index("\nOutput:\n") < connection


def test_what_may_be_allowed_is_a_list_with_what_happens_then(safe: CommandLine) -> None:
    told = safe("drain", "--help").out
    listed = told[told.index("\nNames for --allow:\n") : told.index("\nUsage:\n")]
    assert re.findall(r"^  (\S+)", listed, re.MULTILINE) == sorted(ALLOWABLE)
    assert "Names for --allow" not in safe("status", "--help").out


@pytest.mark.parametrize("arguments", [[], ["rollout"]], ids=["kubectl safe", "kubectl safe rollout"])
def test_a_group_alone_prints_its_help_as_kubectl_does(safe: CommandLine, arguments: list[str]) -> None:
    ended = safe(*arguments)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == safe(*arguments, "--help").out


@pytest.mark.parametrize("words", [[], ["drain"], ["rollout"], ["rollout", "status"]], ids=" ".join)
def test_help_of_a_command_is_also_a_command(safe: CommandLine, words: list[str]) -> None:
    ended = safe("help", *words)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == safe(*words, "--help").out


@pytest.mark.parametrize("words", [[], ["rollout"]], ids=" ".join)
def test_help_of_a_group_ends_with_how_to_go_on(safe: CommandLine, words: list[str]) -> None:
    said = " ".join(safe(*words, "--help").out.split())
    assert said.endswith(
        f'Use "{" ".join(["kubectl safe", *words])} COMMAND --help" for more information about a given command.'
    )


def test_the_list_of_commands_says_what_each_of_them_says_of_itself(safe: CommandLine) -> None:
    listed = safe("--help").out
    for name in COMMANDS:
        own = safe(name, "--help").out.splitlines()[0]
        assert f"  {name:<8}  {own}\n" in listed


def test_help_of_a_restart_says_that_it_waits(safe: CommandLine) -> None:
    assert "Unlike kubectl rollout restart, it waits until that is done" in safe("rollout", "restart", "--help").out


def test_the_version_is_printed(safe: CommandLine) -> None:
    ended = safe("version")
    assert (ended.code, ended.out) == (0, f"kubectl-safe {__version__}\n")


HEAVY = ("kubernetes", "boto3", "botocore", "tabulate", "aiohttp", "requests", "urllib3", "yaml")
NAMES = ("kubectl_safe.decide", "kubectl_safe.decide.allow")
"""What the help of `--allow` is made of; it imports nothing."""

LOADED = f"""
import sys
from kubectl_safe.cli.main import run
code = run(sys.argv[1:])
own = ("kubectl_safe.sandbox", "kubectl_safe.run", "kubectl_safe.kube", "kubectl_safe.aws", "kubectl_safe.decide")
loaded = [name for name in sys.modules if name not in {NAMES!r}]
print(sorted(name for name in loaded if name in {HEAVY!r} or name.startswith(own)), file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize("arguments", [*HELPS, ["version"]], ids=" ".join)
def test_help_and_version_load_nothing_that_only_a_run_needs(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_the_list_of_commands_imports_none_of_them() -> None:
    program = f"{LOADED}".replace("sorted(", "sorted(n for n in sys.modules if n.startswith('kubectl_safe.cli.')) or (")
    done = subprocess.run([sys.executable, "-c", program, "--help"], capture_output=True, text=True, check=True)
    entry = ("arguments", "candidates", "completion", "help", "main", "output")
    assert done.stderr == f"{['kubectl_safe.cli.' + name for name in entry]}\n"


def test_a_bad_flag_is_refused_without_loading_what_a_run_needs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, "drain", "--nope"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "[]"


def test_a_message_that_the_terminal_can_not_write_does_not_end_a_run() -> None:
    program = (
        "import sys, click\n"
        "from kubectl_safe.cli import main as entry\n"
        "entry.run = lambda arguments: click.echo('目標 is draining') or 0\n"
        "entry.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONIOENCODING": "latin-1", "PYTHONPATH": ":".join(filter(None, sys.path))},
    )
    assert (done.returncode, done.stdout) == (0, "\\u76ee\\u6a19 is draining\n")
