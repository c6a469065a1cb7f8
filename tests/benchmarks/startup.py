"""How long `--help`, `version` and a TAB take over kubectl's own, from the wheel and from krew's archive.

Ours and kubectl's run in turn, so that each ratio is of a pair that met the same machine; the medians are told. Then
which imports the wheel's start pays for. The goals: 2x kubectl's, 0.15 s for `kubectl safe version` from the archive,
and 0.25 s for a TAB that looks nothing up.

python -m tests.benchmarks.startup [--pairs 20]
"""

import argparse
import re
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.controlplane.build import ensure_binaries
from tests.packaging.archive import ROOT, ensure_archive

COMMANDS = {"--help": "--help", "version": "version --client"}
"""Ours, and what kubectl has for it."""
THROUGH_KUBECTL = {
    "safe version": "version --client",
    "__complete safe dr": "__complete dr",
    "__complete safe drain --": "__complete drain --",
    "__complete safe drain --allow=": "__complete drain --dry-run=",
}
"""The same, where kubectl runs us."""
_COSTLY = 8
_IMPORT = re.compile(r"import time: +(\d+) \| +\d+ \| +(\S+)")


def main() -> None:
    """Measure, and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=20)
    pairs = parser.parse_args().pairs
    kubectl = ensure_binaries() / "kubectl"
    with TemporaryDirectory() as name:
        wheel, archive = _from_wheel(Path(name) / "wheel"), _from_archive(Path(name) / "archive")
        for source, ours in (("wheel", wheel / "kubectl-safe"), ("archive", archive / "kubectl-safe")):
            path = _linked(Path(name) / f"{source}-path", kubectl, ours)
            each = [(ours, own, theirs) for own, theirs in COMMANDS.items()]
            each += [(kubectl, own, theirs) for own, theirs in THROUGH_KUBECTL.items()]
            for program, own, theirs in each:
                compared = _compared([program, *own.split()], [kubectl, *theirs.split()], pairs, path)
                print(f"{source}: {compared}")  # noqa: T201 - its result
        print("\n".join(_costs(wheel / "python", pairs)))  # noqa: T201 - its result


def _from_wheel(folder: Path) -> Path:
    """Install the wheel, and return where its programs are."""
    for command in (
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder / "dist"), str(ROOT)],
        [sys.executable, "-m", "venv", str(folder / "venv")],
    ):
        subprocess.run(command, capture_output=True, check=True)
    (wheel,) = (folder / "dist").iterdir()
    programs = folder / "venv" / "bin"
    subprocess.run([programs / "pip", "install", "--quiet", wheel], check=True)
    return programs


def _from_archive(folder: Path) -> Path:
    with tarfile.open(ensure_archive()) as tar:
        tar.extractall(folder, filter="data")
    return folder


def _linked(folder: Path, kubectl: Path, ours: Path) -> str:
    """Make a PATH with kubectl and our program by the names that kubectl looks for, and return it."""
    folder.mkdir()
    for name, program in {"kubectl": kubectl, "kubectl-safe": ours, "kubectl_complete-safe": ours}.items():
        (folder / name).symlink_to(program)
    return str(folder)


def _compared(ours: Sequence[str | Path], theirs: Sequence[str | Path], pairs: int, path: str) -> str:
    taken = [(_seconds(ours, path), _seconds(theirs, path)) for _ in range(pairs + 1)][1:]
    own, other = median(a for a, _ in taken), median(b for _, b in taken)
    ratio = median(a / b for a, b in taken)
    return f"{_told(ours)} {own:.3f} s, {_told(theirs)} {other:.3f} s, {ratio:.2f}x"


def _told(command: Sequence[str | Path]) -> str:
    return " ".join([Path(command[0]).name, *map(str, command[1:])])


def _seconds(command: Sequence[str | Path], path: str) -> float:
    began = time.perf_counter()
    subprocess.run(command, env={"PATH": path}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def _costs(python: Path, runs: int) -> Iterator[str]:
    """Yield what a start pays for, the dearest packages first; what they import in turn counts for itself."""
    command = [str(python), "-X", "importtime", "-c", "from kubectl_safe.cli.main import run; run(['version'])"]
    counted: Counter[str] = Counter()
    for _ in range(runs):
        told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
        for microseconds, module in _IMPORT.findall(told):
            counted[module.partition(".")[0]] += int(microseconds)
    yield f"wheel: all imports of version {counted.total() / runs / 1000:.1f} ms, of these"
    for package, microseconds in counted.most_common(_COSTLY):
        yield f"  {package} {microseconds / runs / 1000:.1f} ms"


if __name__ == "__main__":
    main()
