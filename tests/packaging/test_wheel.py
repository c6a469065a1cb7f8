"""The wheel and the sdist: alike wherever they are built, and installed as users of pip, pipx and uv do."""

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from kubectl_safe import __version__
from tests.packaging.archive import ROOT
from tests.packaging.conftest import needs
from tests.packaging.outside import outside
from tests.readme.commands import shown
from tests.support.figures import Figures

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
WAYS = ["kubectl drain", "kubectl safe drain", "kubectl rollout restart", "kubectl safe rollout restart"]
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
        _run(["-m", "build"], self.folder, SOURCE_DATE_EPOCH=RELEASED)
        return self.folder / "dist"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist; without build skips, and fails in CI."""
    needs("build")
    return Tree(folder=tmp_path_factory.mktemp("here"), age=1_600_000_000).build()


@pytest.fixture(scope="module")
def release(built: Path) -> Path:
    """A clone, into which the wheel was downloaded."""
    (wheel,) = built.glob("*.whl")
    shutil.copy(wheel, built.parent)
    return built.parent


def test_both_are_the_same_wherever_and_whenever_they_are_built(built: Path, tmp_path: Path) -> None:
    again = Tree(folder=tmp_path, age=1_650_000_000).build()
    assert _digests(again) == _digests(built)
    assert _digests(built).keys() == {
        f"kubectl_safe-{__version__}.tar.gz",
        f"kubectl_safe-{__version__}-py3-none-any.whl",
    }


def test_twine_finds_no_fault(built: Path) -> None:
    needs("twine")
    _run(["-m", "twine", "check", "--strict", *map(str, built.iterdir())], built)


def _with_pip(release: Path, folder: Path) -> Path:
    _run(["-m", "venv", str(folder)], release)
    python = str(folder / "bin" / "python")
    _run(["-m", *shlex.split(shown("pip install kubectl_safe-")), "--quiet"], release, python)
    return folder / "bin"


def _with_pipx(release: Path, folder: Path) -> Path:
    needs("pipx")
    where = {"PIPX_HOME": str(folder / "pipx"), "PIPX_BIN_DIR": str(folder / "bin"), "PIPX_DEFAULT_PYTHON": PYTHON}
    _run(["-m", *shlex.split(shown("pipx install "))], release, **where)
    return folder / "bin"


def _with_uv(release: Path, folder: Path) -> Path:
    needs("uv")
    where = {"UV_TOOL_DIR": str(folder / "tools"), "UV_TOOL_BIN_DIR": str(folder / "bin"), "UV_PYTHON": PYTHON}
    _run(["-m", *shlex.split(shown("uv tool install "))], release, **where, UV_NO_CONFIG="1")
    return folder / "bin"


@pytest.mark.parametrize(
    "install",
    [pytest.param(_with_pip, id="pip"), pytest.param(_with_pipx, id="pipx"), pytest.param(_with_uv, id="uv")],
)
def test_what_the_readme_installs_works_from_outside_and_drains_a_node_without_a_loss(
    install: Callable[[Path, Path], Path], release: Path, tmp_path: Path, kubectl: Path, figures: Figures
) -> None:
    programs = install(release, tmp_path / "installed")
    assert SCRIPTS.keys() <= {path.name for path in programs.iterdir()}
    user = outside(kubectl, programs, tmp_path)
    for command, said in ANSWERS.items():
        done = subprocess.run(
            [kubectl, *command.split()], env=user.environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        assert said in done.stdout
    figures.add(f"a drain by what {install.__name__.rpartition('_')[2]} installed", user.drain())


def test_the_readmes_first_command_installs_a_clone_and_shows_the_difference(release: Path, tmp_path: Path) -> None:
    _run(["-m", "venv", str(tmp_path / "new")], release)
    said = _run(
        ["-c", shown("pip install -e . && ")], release, "/bin/sh", PATH=f"{tmp_path / 'new' / 'bin'}:/usr/bin:/bin"
    )
    rows = [line for line in said.rpartition("REQUESTS")[2].splitlines() if line.startswith("kubectl ")]
    assert [row.partition("  ")[0] for row in rows] == WAYS


def _digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def _run(arguments: list[str], folder: Path, program: str = sys.executable, **more: str) -> str:
    """Run something in a folder, and return what it says; what the tests run from is not on its path."""
    environment = {**{name: value for name, value in os.environ.items() if name != "PYTHONPATH"}, **more}
    done = subprocess.run(
        [program, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{arguments}:\n{done.stdout}\n{done.stderr}"
    return done.stdout
