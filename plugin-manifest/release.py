"""What both scripts agree on: the version, the platforms, and what an archive is called."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent

PLATFORMS = ("linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64")
"""In krew's words for systems and processors, which are Go's."""


def version() -> str:
    """Return the version with the `v` that krew wants; it is read, for importing may find another copy."""
    text = (ROOT / "kubectl_safe" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        raise SystemExit("kubectl_safe/__init__.py has no __version__")
    return f"v{found[1]}"


def archive_name(platform: str) -> str:
    """Return the file name of a platform's archive."""
    return f"kubectl-safe-{version()}-{platform}.tar.gz"
