"""Which programs kubectl would run instead of this one."""

from pathlib import Path

import pytest

from kubectl_safe.run.shadowing import shadows

COMMANDS = ("drain", "rollout", "rollout restart")


def a_program(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    return a_program(tmp_path / "ours", "kubectl-safe")


def found(ours: Path, *folders: Path) -> dict[str, str]:
    path = ":".join(str(folder) for folder in (*folders, ours.parent))
    return dict(shadows(COMMANDS, itself=str(ours), path=path))


def test_alone_on_the_path_nothing_is_run_instead(ours: Path) -> None:
    assert found(ours) == {}


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("kubectl-safe-drain", "kubectl safe drain"),
        ("kubectl-safe-rollout", "kubectl safe rollout"),
        ("kubectl-safe-rollout-restart", "kubectl safe rollout restart"),
        ("kubectl-safe", "kubectl safe"),
    ],
)
def test_a_longer_name_or_an_earlier_folder_is_run_instead(tmp_path: Path, ours: Path, name: str, line: str) -> None:
    other = a_program(tmp_path / "other", name)
    assert found(ours, other.parent) == {line: str(other)}


def test_a_longer_name_is_run_instead_wherever_it_is(ours: Path) -> None:
    other = a_program(ours.parent, "kubectl-safe-drain")
    assert found(ours) == {"kubectl safe drain": str(other)}


def test_what_cannot_be_run_or_is_a_link_to_us_is_no_other(tmp_path: Path, ours: Path) -> None:
    other = a_program(tmp_path / "other", "kubectl-safe-drain")
    other.chmod(0o644)
    (other.parent / "kubectl-safe").symlink_to(ours)
    assert found(ours, other.parent) == {}


def test_run_in_another_way_than_by_its_name_nothing_is_said_of_that(tmp_path: Path, ours: Path) -> None:
    assert shadows((), itself=str(tmp_path / "__main__.py"), path=str(ours.parent)) == {}
