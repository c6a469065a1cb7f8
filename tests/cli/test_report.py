"""`--report` on the command line: which paths it takes, and that a bad one is refused before anything else."""

import os
from pathlib import Path

import pytest

from kubectl_safe.cli.main import run
from kubectl_safe.cli.output import Output
from kubectl_safe.run.recording import Recorded
from tests.cli.conftest import CommandLine, EmptyCluster

COMMANDS = [["drain", "node-1"], ["rollout", "restart", "deploy/web"]]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_it_takes_a_path_and_does_not_touch_it(safe: CommandLine, command: list[str], tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    assert safe(*command, "--report", str(path)).code == 0
    assert safe.commons[0].report == path
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_may_be_replaced(safe: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("the old one")
    assert safe("drain", "node-1", f"--report={path}").code == 0
    assert path.read_text() == "the old one"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        pytest.param("missing/report.html", "no such file or directory", id="in a folder that is not there"),
        pytest.param("file/report.html", "not a directory", id="below a file"),
        pytest.param(".", "is a directory", id="a folder"),
        pytest.param("pipe", "is no regular file", id="a pipe"),
        pytest.param("", "is a directory", id="nothing"),
    ],
)
def test_a_path_that_can_not_be_written_is_refused_before_the_run(
    safe: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    os.mkfifo("pipe")
    ended = safe("drain", "node-1", "--report", path)
    assert (ended.code, ended.out, safe.requests) == (2, "", [])
    assert ended.err.startswith(f'error: invalid argument for "--report" flag: {path!r} can\'t be written: {why}\n')


def test_a_file_that_may_not_be_written_is_refused(safe: CommandLine, locked: Path) -> None:
    ended = safe("drain", "node-1", "--report", str(locked))
    assert (ended.code, "permission denied" in ended.err) == (2, True)


def test_a_dry_run_has_nothing_to_report(safe: CommandLine, tmp_path: Path) -> None:
    ended = safe("drain", "node-1", "--dry-run", "--report", str(tmp_path / "report.html"))
    assert (ended.code, safe.requests) == (2, [])
    assert ended.err.startswith("error: --report shows what a run has done, and a dry run does nothing")


def test_an_uncordon_takes_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["uncordon", "node-1", "--report", "x.html"]) == 2
    assert capsys.readouterr().err.startswith("error: unknown flag: --report")


def test_a_refused_run_leaves_no_report(empty_cluster: EmptyCluster, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    assert empty_cluster("drain", "node-1", "--report", str(path)).code == 1
    assert not path.exists()


def test_an_abort_with_nothing_to_end_takes_it(empty_cluster: EmptyCluster, tmp_path: Path) -> None:
    assert empty_cluster("abort", "node/node-1", "--report", str(tmp_path / "x.html")).code == 1


def test_the_title_is_what_is_run_on_what_and_credentials_are_in_no_page() -> None:
    command = ("drain", "node-1", "--probe", "https://me:hunter2@shop.example.com/?token=abc", "--settle", "9s")
    output = Output(command=command, report=Path("report.html"))
    assert isinstance(output.audience, Recorded)
    assert output.recorder is output.audience.recorder
    assert output.recorder.title == "kubectl safe drain node-1"
    assert output.recorder.command.startswith("kubectl safe drain node-1 --probe ")
    assert "hunter2" not in output.recorder.command
    assert "token=abc" not in output.recorder.command
