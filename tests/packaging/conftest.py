"""Fixtures of what users install: the archive, the releases that krew gets it from, and krew with an empty home."""

import importlib.util
import os
import shutil
import tarfile
from pathlib import Path
from typing import NoReturn

import pytest

from tests.controlplane.build import GO_IS_MISSING, can_have_binaries, ensure_binaries
from tests.packaging.archive import ensure_archive
from tests.packaging.krew.build import ensure_krew
from tests.support.built import BuildError


@pytest.fixture(scope="session")
def archive() -> Path:
    """The archive of this platform; without PyInstaller skips, and fails in CI."""
    needs("PyInstaller")
    try:
        return ensure_archive()
    except BuildError as error:
        pytest.fail(str(error))


@pytest.fixture(scope="session")
def unpacked(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the archive was unpacked into."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="session")
def kubectl() -> Path:
    """The kubectl of the control plane; where there is none and none can be built skips, and fails in CI."""
    if not can_have_binaries():
        miss(GO_IS_MISSING)
    return ensure_binaries() / "kubectl"


@pytest.fixture(scope="session")
def krew(kubectl: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with kubectl, krew, git and krew's checker of manifests; without the means skips, and fails in CI."""
    git = shutil.which("git")
    if git is None:
        miss("krew reads its indexes with git, which is not on PATH")
    if shutil.which("go") is None:
        miss("krew is built with Go, which is not on PATH")
    try:
        built = ensure_krew()
    except BuildError as error:
        pytest.fail(str(error))
    folder = tmp_path_factory.mktemp("krew")
    for program in (kubectl, Path(git), *built.iterdir()):
        (folder / program.name).symlink_to(program)
    return folder


def needs(module: str) -> None:
    """Skip where a module isn't installed, and fail there in CI."""
    if importlib.util.find_spec(module) is None:
        miss(f"{module} is missing: pip install -e '.[package]'")


def miss(why: str) -> NoReturn:
    """Skip a test that lacks something, and fail it in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)
