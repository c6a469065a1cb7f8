"""How the archive is packed, where a bundle has what krew can't unpack."""

import importlib
import os
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

from tests.packaging.archive import SCRIPTS
from tests.packaging.conftest import needs


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script that packs; without what it needs skips, and fails in CI."""
    needs("packaging")
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("archive")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle as macOS has it: Python is a framework."""
    bundle = tmp_path / "bundle"
    (bundle / "Python.framework" / "Versions" / "3.13").mkdir(parents=True)
    (bundle / "Python.framework" / "Versions" / "3.13" / "Python").write_text("a library")
    (bundle / "Python.framework" / "Versions" / "Current").symlink_to("3.13")
    (bundle / "Python").symlink_to("Python.framework/Versions/3.13/Python")
    return bundle


def test_a_link_to_a_file_becomes_the_file_and_one_to_a_folder_is_left_out(
    script: ModuleType, bundle: Path, tmp_path: Path
) -> None:
    script._pack(bundle, tmp_path / "packed.tar.gz")
    with tarfile.open(tmp_path / "packed.tar.gz") as tar:
        content = {entry.name: entry.isfile() and entry.size for entry in tar.getmembers()}
    assert content == {
        "Python": 9,
        "Python.framework": False,
        "Python.framework/Versions": False,
        "Python.framework/Versions/3.13": False,
        "Python.framework/Versions/3.13/Python": 9,
    }


def test_the_same_content_makes_the_same_archive(script: ModuleType, bundle: Path, tmp_path: Path) -> None:
    script._pack(bundle, tmp_path / "first.tar.gz")
    os.utime(bundle / "Python.framework" / "Versions" / "3.13" / "Python", (1, 1))
    script._pack(bundle, tmp_path / "second.tar.gz")
    assert (tmp_path / "first.tar.gz").read_bytes() == (tmp_path / "second.tar.gz").read_bytes()


@pytest.mark.parametrize(
    ("system", "machine", "wanted"),
    [
        ("linux", "x86_64", "linux-amd64"),
        ("linux", "aarch64", "linux-arm64"),
        ("darwin", "x86_64", "darwin-amd64"),
        ("darwin", "arm64", "darwin-arm64"),
    ],
)
def test_a_platform_is_named_as_krew_names_it(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, system: str, machine: str, wanted: str
) -> None:
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert script.this_platform() == wanted


def test_another_platform_is_refused_by_name(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(SystemExit, match="no archive is made for linux on riscv64"):
        script.this_platform()
