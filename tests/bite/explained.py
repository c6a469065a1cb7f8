"""Mutants that no test can notice, each with the reason: `equivalent.toml`."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

FILE = Path(__file__).parent / "equivalent.toml"
BECOMES = "  ==>  "


def explained(file: Path = FILE) -> Mapping[str, str]:
    """Return why nothing notices a mutant, by the mutant as `mutants` prints it."""
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    return {mutant: group["why"] for group in told["equivalent"] for mutant in group["mutants"]}
