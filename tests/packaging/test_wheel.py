"""The wheel and the sdist: alike wherever they are built, and installed as users of pip, pipx and uv do."""

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from kubectl_safe import __version__
from tests.packaging.archive import ROOT
from tests.packaging.conftest import needs

pytestmark = pytest.mark.timeout(600)  # each installs all dependencies, on whatever else runs beside

PARTS = ("kubectl_safe", "completions", "plugin-manifest", "tests", "pyproject.toml", "README.md", "LICENSE")
RELEASED = "1700000000"
SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
ANSWERS = {
    "safe version": f"kubectl-safe {__version__}\n",
    "safe drain --help": "kubectl safe drain ",
    "safe rollout restart --help": "kubectl safe rollout restart ",
    "__complete safe dr": "drain\t",
}
"""What kubectl is asked, and what has to be in its answer."""
PYTHON = getattr(sys, "_base_executable", sys.executable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A copy of the sources, and when its files seem to have been written."""

    folder: Path
    age: int

    def build(self) -> Path:
        """Build both from it, the wheel from the sdist, and return the folder with them."""
        for part in PARTS:
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, self.folder / part, ignore=shutil.ignore_patterns("__pycache__"))
            elif (ROOT / part).exists():
                shutil.copy(ROOT / part, self.folder)
        for path in self.folder.rglob("*"):
            os.utime(path, (self.age, self.age))
        _run(["-m", "build", "--outdir", str(self.folder / "dist"), str(self.folder)], SOURCE_DATE_EPOCH=RELEASED)
        return self.folder / "dist"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist; without build skips, and fails in CI."""
    needs("build")
    return Tree(folder=tmp_path_factory.mktemp("here"), age=1_600_000_000).build()


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    """The wheel."""
    (found,) = built.glob("*.whl")
    return found


def test_both_are_the_same_wherever_and_whenever_they_are_built(built: Path, tmp_path: Path) -> None:
    again = Tree(folder=tmp_path, age=1_650_000_000).build()
    assert _digests(again) == _digests(built)
    assert _digests(built).keys() == {
        f"kubectl_safe-{__version__}.tar.gz",
        f"kubectl_safe-{__version__}-py3-none-any.whl",
    }


def test_twine_finds_no_fault(built: Path) -> None:
    needs("twine")
    _run(["-m", "twine", "check", "--strict", *map(str, built.iterdir())])


def _with_pip(wheel: Path, folder: Path) -> Path:
    _run(["-m", "venv", str(folder)])
    _run(["-m", "pip", "install", "--quiet", str(wheel)], python=str(folder / "bin" / "python"))
    return folder / "bin"


def _with_pipx(wheel: Path, folder: Path) -> Path:
    needs("pipx")
    where = {"PIPX_HOME": str(folder / "pipx"), "PIPX_BIN_DIR": str(folder / "bin"), "PIPX_DEFAULT_PYTHON": PYTHON}
    _run(["-m", "pipx", "install", str(wheel)], **where)
    return folder / "bin"


def _with_uv(wheel: Path, folder: Path) -> Path:
    needs("uv")
    where = {"UV_TOOL_DIR": str(folder / "tools"), "UV_TOOL_BIN_DIR": str(folder / "bin")}
    _run(["-m", "uv", "tool", "install", "--no-config", "--python", PYTHON, str(wheel)], **where)
    return folder / "bin"


@pytest.mark.parametrize(
    "install",
    [pytest.param(_with_pip, id="pip"), pytest.param(_with_pipx, id="pipx"), pytest.param(_with_uv, id="uv")],
)
def test_its_commands_are_installed_and_work(
    install: Callable[[Path, Path], Path], wheel: Path, tmp_path: Path, kubectl: Path
) -> None:
    programs = install(wheel, tmp_path / "installed")
    assert SCRIPTS.keys() <= {path.name for path in programs.iterdir()}
    # An empty home, and on the PATH what was installed and kubectl.
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "kubectl").symlink_to(kubectl)
    environment = {"HOME": str(tmp_path), "PATH": f"{programs}:{tmp_path / 'bin'}"}
    for command, said in ANSWERS.items():
        done = subprocess.run(
            [kubectl, *command.split()], env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        assert said in done.stdout


def _digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def _run(arguments: list[str], python: str = sys.executable, **more: str) -> None:
    inherited: Mapping[str, str] = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([python, *arguments], env={**inherited, **more}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{arguments}:\n{done.stdout}\n{done.stderr}"
