"""Render krew's manifest of a release from its archives.

python plugin-manifest/manifest.py --repository https://github.com/OWNER/NAME [--archives dist] [--into dist]
                                   [--platform linux-amd64 ...]

It becomes `safe.yaml`. The archives are to be at REPOSITORY/releases/download/VERSION/, where GitHub has a release's.
"""

import argparse
import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path
from string import Template

from release import PLATFORMS, archive_name, version

PER_PLATFORM = "  platforms:\n"
TEMPLATE = Path(__file__).parent / "safe.yaml.in"


def main() -> None:
    """Render it, and print where it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repository", required=True, metavar="URL")
    parser.add_argument("--archives", type=Path, default=Path("dist"), metavar="FOLDER")
    parser.add_argument("--into", type=Path, default=Path("dist"), metavar="FOLDER")
    parser.add_argument("--platform", choices=PLATFORMS, action="append", help="only this one; may be repeated")
    arguments = parser.parse_args()
    manifest = arguments.into / "safe.yaml"
    text = render(arguments.repository.rstrip("/"), arguments.archives, arguments.platform or PLATFORMS)
    arguments.into.mkdir(parents=True, exist_ok=True)
    manifest.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{manifest}\n")


def render(repository: str, archives: Path, platforms: Iterable[str]) -> str:
    """Return the manifest of some platforms, whose archives have to be there."""
    head, entry = TEMPLATE.read_text(encoding="utf-8").split(PER_PLATFORM)
    known = {"version": version(), "repository": repository}
    entries = [Template(entry).substitute(known, **_about(platform, archives)) for platform in platforms]
    return Template(head).substitute(known) + PER_PLATFORM + "".join(entries)


def _about(platform: str, archives: Path) -> dict[str, str]:
    archive = archives / archive_name(platform)
    if not archive.is_file():
        raise SystemExit(f"{archive} is missing: build it on {platform}, or leave the platform out with --platform")
    system, _, machine = platform.partition("-")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    return {"os": system, "arch": machine, "archive": archive.name, "sha256": digest}


if __name__ == "__main__":
    main()
