"""What tests build once and keep in the user's cache folder, under a digest of all that it was built from."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


class BuildError(Exception):
    """Something that tests need is neither there nor can be built."""


def digest(parts: Iterable[bytes]) -> str:
    """Return a short digest of what goes into something that is built."""
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[:16]


def folder_of(kind: str, key: str) -> Path:
    """Return where something built is, or would be."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "kubectl-safe" / kind / key


def ensure(kind: str, key: str, build: Callable[[Path], None], *, keeps: int | None = None) -> Path:
    """Return the folder of something built; build it first where it isn't there.

    Args:
        kind: what it is.
        key: a digest of all that it is built from.
        build: fills a folder; it is called by one process at a time.
        keeps: how many to leave of those that were built before, the newest; None leaves all.

    Raises:
        BuildError: as `build` raises it.
    """
    folder = folder_of(kind, key)
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _lock(folder.with_suffix(".lock")):
        if not folder.is_dir():
            _fill(folder, build)
            if keeps is not None:
                _forget_all_but(keeps, folder.parent)
    return folder


def go_build(module: Path, output: Path, package: str, flags: Sequence[str]) -> None:
    """Build a program of a Go module, with nothing but what its go.sum names.

    Raises:
        BuildError: it can't be built.
    """
    built = subprocess.run(
        ["go", "build", *flags, "-o", str(output), package],
        cwd=module,
        env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"},
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode != 0:
        raise BuildError(f"go build {package} failed:\n{built.stderr[-4000:]}")


@contextmanager
def _lock(file: Path) -> Iterator[None]:
    """Hold a lock that ends with the process, so that only one of several test workers builds."""
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _fill(folder: Path, build: Callable[[Path], None]) -> None:
    """Build all into a folder beside, which takes its name only when it is complete."""
    for leftover in folder.parent.glob(f"{folder.name}.build-*"):
        shutil.rmtree(leftover)
    building = Path(tempfile.mkdtemp(prefix=f"{folder.name}.build-", dir=folder.parent))
    try:
        build(building)
        building.chmod(0o755)
        building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _forget_all_but(keeps: int, parent: Path) -> None:
    """Remove what was built longest ago; what is being built has a dot in its name."""
    built = [folder for folder in parent.iterdir() if folder.is_dir() and "." not in folder.name]
    for folder in sorted(built, key=lambda folder: folder.stat().st_mtime, reverse=True)[keeps:]:
        shutil.rmtree(folder, ignore_errors=True)
