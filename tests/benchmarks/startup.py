"""How long `--help` and `version` take over kubectl's own, from the wheel and from krew's archive.

Ours and kubectl's run in turn, so that each ratio is of a pair that met the same machine; the medians are told. Then
which imports the wheel's start pays for. The goal: 2x kubectl's.

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

COMMANDS = {"--help": ["--help"], "version": ["version", "--client"]}
"""Ours, and what kubectl has for it."""
_COSTLY = 8
_IMPORT = re.compile(r"import time: +(\d+) \| +\d+ \| +(\S+)")


def main() -> None:
    """Measure, and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=20)
    pairs = parser.parse_args().pairs
    kubectl = str(ensure_binaries() / "kubectl")
    with TemporaryDirectory() as name:
        wheel, archive = _from_wheel(Path(name) / "wheel"), _from_archive(Path(name) / "archive")
        for source, ours in (("wheel", wheel / "kubectl-safe"), ("archive", archive / "kubectl-safe")):
            for command, theirs in COMMANDS.items():
                print(f"{source}: {_compared([str(ours), command], [kubectl, *theirs], pairs)}")  # noqa: T201 - its result
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


def _compared(ours: Sequence[str], theirs: Sequence[str], pairs: int) -> str:
    taken = [(_seconds(ours), _seconds(theirs)) for _ in range(pairs + 1)][1:]
    own, other = median(a for a, _ in taken), median(b for _, b in taken)
    ratio = median(a / b for a, b in taken)
    return f"kubectl-safe {ours[1]} {own:.3f} s, kubectl {' '.join(theirs[1:])} {other:.3f} s, {ratio:.2f}x"


def _seconds(command: Sequence[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
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
