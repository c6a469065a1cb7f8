"""Print a constraint for each dependency: the lower bound that pyproject.toml gives it."""

import re
import sys
import tomllib
from pathlib import Path

BOUND = re.compile(r"^(?P<name>[A-Za-z0-9_.-]+)(?:\[[^]]*\])?>=(?P<version>[0-9.]+)")

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
for requirement in [
    *project["dependencies"],
    *(r for extra in project["optional-dependencies"].values() for r in extra),
]:
    if requirement.startswith(project["name"]):
        continue
    bound = BOUND.match(requirement)
    if bound is None:
        sys.exit(f"{requirement!r} has no lower bound")
    sys.stdout.write(f"{bound['name']}=={bound['version']}\n")
