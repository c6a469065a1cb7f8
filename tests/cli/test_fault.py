"""A fault of ours is one line, and what we need to find it is in a file that only the reader can read."""

import os
import re
import stat
import tempfile
from pathlib import Path

import pytest

from kubectl_safe import __version__
from tests.cli.conftest import CommandLine
from tests.support.builders import NOW

LINE = re.compile(
    r"error: kubectl-safe failed: KeyError: 'x' \(details: (.*/kubectl-safe-\d{8}T\d{6}Z-\d+\.log)\); nothing that "
    r"serves was harmed: run the same command again, and please report this\n"
)


@pytest.fixture(autouse=True)
def temp(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The temp directory."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_fault_is_one_line_that_says_where_the_details_are(safe: CommandLine, temp: Path) -> None:
    safe.failure = KeyError("x")
    ended = safe("drain", "node-1", "--max-surge=2")
    assert (ended.code, ended.out) == (1, "")
    told = LINE.fullmatch(ended.err)
    assert told is not None
    file = Path(told[1])
    assert file.parent == temp
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    details = file.read_text()
    assert details.startswith(f"kubectl-safe {__version__}, Python 3.")
    assert "\nkubectl safe drain node-1 --max-surge=2\n" in details
    assert details.endswith("\nKeyError: 'x'\n")
    assert "in carry_out\n    raise self.failure\n" in details


def test_no_credential_gets_into_the_details(safe: CommandLine, temp: Path) -> None:
    safe.failure = RuntimeError("no\nBearer hunter2-hunter2 in https://me:hunter2@example.com/")
    ended = safe("drain", "node-1", "--context", "here", "--", "--token", "hunter2 two", "--password=hunter2 two")
    [file] = temp.iterdir()
    details = file.read_text()
    assert "hunter2" not in details + ended.err
    assert " two" not in details
    assert ended.err.count("\n") == 1
    assert "--context here -- --token '<masked>' '--password=<masked>'" in details


@pytest.mark.parametrize("why", ["no directory", "taken"])
def test_details_that_can_not_be_kept_are_printed(
    safe: CommandLine, monkeypatch: pytest.MonkeyPatch, temp: Path, why: str
) -> None:
    if why == "no directory":
        monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    else:
        # Somebody's link in a directory of everybody's must not be followed.
        monkeypatch.setattr(os, "getpid", lambda: 7)
        monkeypatch.setattr("kubectl_safe.cli.fault.now", lambda: NOW)
        (temp / f"kubectl-safe-{NOW:%Y%m%dT%H%M%SZ}-7.log").symlink_to(temp / "elsewhere")
    safe.failure = KeyError("x")
    ended = safe("drain", "node-1")
    assert ended.code == 1
    assert "Traceback (most recent call last):\n" in ended.err
    assert ended.err.splitlines()[-1] == (
        "error: kubectl-safe failed: KeyError: 'x'; nothing that serves was harmed: run the same command again, "
        "and please report this"
    )
    assert not (temp / "elsewhere").exists()


def test_a_token_of_the_command_line_is_in_neither_the_line_nor_the_details(safe: CommandLine, temp: Path) -> None:
    safe.failure = RuntimeError("a server said opaque-hunter2")
    ended = safe("drain", "node-1", "--token", "opaque-hunter2")
    [file] = temp.iterdir()
    assert "hunter2" not in file.read_text() + ended.err
    assert "RuntimeError: a server said <masked>" in ended.err
