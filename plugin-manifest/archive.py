"""Build the archive of the platform that this runs on.

python plugin-manifest/archive.py [--into dist]

It needs `pip install '.[package]'`. The program in it needs no Python, only a C library as new as that of the machine
which built it. The same inputs make the same archive; SOURCE_DATE_EPOCH is the time of the files in it.
"""

import argparse
import gzip
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from release import ROOT, archive_name

OURS = "kubectl-safe"
MACHINES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
LICENSE = re.compile(r"(?i)(licen[cs]e|copying|notice|authors)")
LONG_AGO = "315532800"
"""1980, the first year that every archiver can tell."""


def main() -> None:
    """Build it, and print where it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, default=Path("dist"), metavar="FOLDER")
    folder = parser.parse_args().into
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        content = _bundle(Path(work))
        _add_licenses(content)
        shutil.copytree(ROOT / "completions", content / "completions")
        archive = folder / archive_name(this_platform())
        _pack(content, archive)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    sys.stdout.write(f"{archive}: {archive.stat().st_size / 1e6:.1f} MB, sha256 {digest}\n")


def this_platform() -> str:
    """Return the platform that this runs on, in krew's words."""
    machine = MACHINES.get(platform.machine())
    if sys.platform not in {"linux", "darwin"} or machine is None:
        raise SystemExit(f"no archive is made for {sys.platform} on {platform.machine()}")
    return f"{sys.platform}-{machine}"


def _bundle(work: Path) -> Path:
    """Return the folder with the program and all that it needs."""
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR"]
    subprocess.run(
        [*command, "--distpath", work / "dist", "--workpath", work / "build", ROOT / "plugin-manifest" / "bundle.spec"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": _epoch()},
        check=True,
    )
    return work / "dist" / "kubectl-safe"


def _add_licenses(content: Path) -> None:
    """Add our license, and those of all whose code goes along: of what we require, and Python's."""
    shutil.copy(ROOT / "LICENSE", content)
    known = packages_distributions()
    packages = {path.name.partition(".")[0] for path in (content / "lib").iterdir()}
    found = {name for package in packages for name in known.get(package, ())}
    if strangers := found - _required_by(OURS):
        raise SystemExit(f"{', '.join(sorted(strangers))}: not required by {OURS}; name it in UNUSED of bundle.spec")
    licenses = {name: _licenses_of(name) for name in found - {OURS}}
    licenses["python"] = [path for path in [Path(sysconfig.get_path("stdlib"), "LICENSE.txt")] if path.is_file()]
    for name, files in licenses.items():
        if not files:
            raise SystemExit(f"{name} has no license that could go along")
        folder = content / "licenses" / name
        folder.mkdir(parents=True)
        for file in files:
            shutil.copyfile(file, folder / file.name)


def _required_by(name: str) -> set[str]:
    """Return the names of all distributions that one requires here, with its own."""
    found, left = set[str](), [name]
    while left:
        about = distribution(left.pop())
        if about.name not in found:
            found.add(about.name)
            wanted = [Requirement(text) for text in about.requires or ()]
            left += [one.name for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found


def _licenses_of(name: str) -> list[Path]:
    files = distribution(name).files or ()
    return [Path(file.locate()) for file in files if LICENSE.match(file.name) and file.suffix != ".py"]


def _pack(content: Path, archive: Path) -> None:
    """Pack a folder's content without a folder around it, as krew moves it.

    krew unpacks files and folders only, and fails at a link. A link to a file becomes that file; one to a folder, as a
    framework of macOS has for those who link against it, is left out.
    """
    with (
        archive.open("wb") as file,
        gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=int(_epoch())) as packed,
        tarfile.open(fileobj=packed, mode="w", dereference=True, format=tarfile.USTAR_FORMAT) as tar,
    ):
        for path in sorted(path for path in content.rglob("*") if not (path.is_symlink() and path.is_dir())):
            tar.add(path, path.relative_to(content), recursive=False, filter=_anonymous)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = int(_epoch())
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry


def _epoch() -> str:
    return os.environ.get("SOURCE_DATE_EPOCH") or LONG_AGO


if __name__ == "__main__":
    main()
