"""The archive of this platform, built once for all that goes into it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

from tests.support.built import BuildError, digest, ensure

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "plugin-manifest"
_KEPT = 5


def ensure_archive() -> Path:
    """Return the archive; build it first where that is needed.

    Raises:
        BuildError: it can't be built.
    """
    (archive,) = ensure("archive", digest(_inputs()), _build, keeps=_KEPT).iterdir()
    return archive


def run_script(name: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a script of plugin-manifest as a release does."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, str(SCRIPTS / name), *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def _inputs() -> Iterator[bytes]:
    yield sys.version.encode()
    yield "\n".join(sorted(f"{found.name}=={found.version}" for found in distributions())).encode()
    folders = [ROOT / name for name in ("kubectl_safe", "plugin-manifest", "completions")]
    for path in sorted(path for folder in folders for path in folder.rglob("*") if "__pycache__" not in path.parts):
        if path.is_file():
            yield f"{path.relative_to(ROOT)} {path.stat().st_mode & 0o100}".encode()
            yield path.read_bytes()
    yield (ROOT / "LICENSE").read_bytes()


def _build(folder: Path) -> None:
    built = run_script("archive.py", "--into", str(folder))
    if built.returncode != 0:
        raise BuildError(f"plugin-manifest/archive.py failed:\n{built.stdout[-2000:]}\n{built.stderr[-2000:]}")
